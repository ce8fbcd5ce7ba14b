"""What the operator sees, as values: outcomes of scans, live weight, prompt and signal. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from drivers.readings import WeightMeasured
from gateway.station.effects import Message, Signal
from gateway.station.messages import N_
from gateway.station.observations import Observation, scanned_text
from gateway.station.session import ScaleView
from gateway.station.step import ShownStep
from gateway.station.trouble import fault_message

SCANS_SHOWN_MAX = 20
CODE_CHARACTERS_SHOWN_MAX = 60
PASSAGES_SHOWN_MAX = 5
ALARMS_SHOWN_MAX = 5
# What the page itself is told by bar code; no workflow sees it.
PAGE_COMMANDS = {
    "CMD-LANGUAGE": N_("Other language"),
    "CMD-OK": N_("Read and understood"),
}


@dataclass(frozen=True, slots=True)
class ScanOutcome:
    """What became of one scan or fault.

    code: the scan, printable; "" for a fault. device: which said it.
    recorded: whether it made facts or labels; a success without is understood, no more.
    """

    event_time_ms: int
    code: str
    signal: Signal
    device: str = ""
    recorded: bool = True


@dataclass(frozen=True, slots=True)
class NumberedOutcome:
    """An outcome with its number since the start, 1, 2, 3 ...: the page sounds each once."""

    number: int
    outcome: ScanOutcome


@dataclass(frozen=True, slots=True)
class ShownWeight:
    """The live weight. value: the scale's digits, "" with a fault; problem: what is wrong."""

    device: str
    value: str
    unit: str
    kind: Literal["gross", "net"]
    stable: bool
    problem: Message | None = None


@dataclass(frozen=True, slots=True)
class ShownPassage:
    """A tag that passed a door. message: which and how. It makes no sound and is no signal."""

    event_time_ms: int
    message: Message


@dataclass(frozen=True, slots=True)
class ScreenState:
    """Everything on the screen that the station knows.

    revision: raised by each change. done: the last good step. signal: the gravest of the last
    steps; an error stays until the next good scan. scans, passages: newest first.
    recorded: whether what `signal` tells of was recorded. alarms: critical outcomes that nobody has
    acknowledged, oldest first. language_switches: how often the other language was asked for.
    step: what is asked with all that belongs to it; None before the first one.
    """

    revision: int
    prompt: Message
    done: Message | None = None
    signal: Signal | None = None
    operator: str = ""
    scans: tuple[NumberedOutcome, ...] = ()
    weight: ShownWeight | None = None
    passages: tuple[ShownPassage, ...] = ()
    recorded: bool = True
    alarms: tuple[NumberedOutcome, ...] = ()
    language_switches: int = 0
    step: ShownStep | None = None


def outcome_of(observation: Observation, signal: Signal, *, recorded: bool = True) -> ScanOutcome:
    """Return what became of an observation, as the screen shows it."""
    shown = (scanned_text(observation.reading) or "")[:CODE_CHARACTERS_SHOWN_MAX]
    code = "".join(letter if letter.isprintable() else " " for letter in shown)
    return ScanOutcome(
        observation.event_time_ms,
        code,
        signal,
        observation.device,
        recorded=recorded,
    )


def shown_weight(view: ScaleView) -> ShownWeight:
    """Return what a scale said, as the screen shows it."""
    reading = view.reading
    if isinstance(reading, WeightMeasured):
        return ShownWeight(
            device=view.device,
            value=f"{reading.value:f}",
            unit=reading.unit,
            kind=reading.kind,
            stable=reading.stable,
        )
    problem = fault_message(view.device, reading.code)
    return ShownWeight(view.device, "", "", "gross", stable=False, problem=problem)


def gravest(signals: Sequence[Signal]) -> Signal | None:
    """Return the last of the gravest signals: errors before warnings before successes."""
    for kind in ("error", "warning", "success"):
        found = [signal for signal in signals if signal.kind == kind]
        if found:
            return found[-1]
    return None
