"""What waits for one commit of a station, and is shown once it is durable. Pure."""

from dataclasses import replace

from central.contract.facts import Fact
from gateway.station.effects import Message, NewPrintJob, Signal
from gateway.station.messages import N_, say
from gateway.station.screen_state import ScanOutcome
from gateway.station.session import Session


class CommitGroup:
    """Observations are added one after the other, then all are committed or refused together.

    refusal: why what waited before it was not recorded; whatever came with it is refused as well,
    lest an UNDO meant for a lost scan reverses the one before.
    """

    def __init__(self, session: Session, refusal: Signal | None = None) -> None:
        self.session = session
        self.refusal = refusal
        self.facts: list[Fact] = []
        self.print_jobs: list[NewPrintJob] = []
        self.outcomes: list[ScanOutcome] = []
        self.touches: list[str] = []
        self.done: Message | None = None
        self.prompt_changed = False

    def note(self, touch: str) -> None:
        """Add the identity of a touch; "" of what is none."""
        if touch:
            self.touches.append(touch)

    def refuse(self, hint: str) -> Signal:
        """Let every outcome say that nothing is recorded; return the signal that says so."""
        text = N_("Not recorded: {hint} Then scan the last {count} codes again.")
        message = say(text, hint=hint, count=str(len(self.outcomes)))
        refusal = Signal("error", message, critical=True)
        self.outcomes = [
            replace(outcome, signal=refusal, recorded=False) for outcome in self.outcomes
        ]
        return refusal
