"""What the operator sees, as values: outcomes of scans, live weight, prompt and signal. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from gateway.station.effects import Message, Signal
from gateway.station.observations import Observation, scanned_text

SCANS_SHOWN_MAX = 20
CODE_CHARACTERS_SHOWN_MAX = 60
PASSAGES_SHOWN_MAX = 5


@dataclass(frozen=True, slots=True)
class ScanOutcome:
    """What became of one scan or fault.

    code: the scan, printable; "" for a fault. device: which said it.
    """

    event_time_ms: int
    code: str
    signal: Signal
    device: str = ""


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
    """

    revision: int
    prompt: Message
    done: Message | None = None
    signal: Signal | None = None
    operator: str = ""
    scans: tuple[NumberedOutcome, ...] = ()
    weight: ShownWeight | None = None
    passages: tuple[ShownPassage, ...] = ()


def outcome_of(observation: Observation, signal: Signal) -> ScanOutcome:
    """Return what became of an observation, as the screen shows it."""
    shown = (scanned_text(observation.reading) or "")[:CODE_CHARACTERS_SHOWN_MAX]
    code = "".join(letter if letter.isprintable() else " " for letter in shown)
    return ScanOutcome(observation.event_time_ms, code, signal, observation.device)


def gravest(signals: Sequence[Signal]) -> Signal | None:
    """Return the last of the gravest signals: errors before warnings before successes."""
    for kind in ("error", "warning", "success"):
        found = [signal for signal in signals if signal.kind == kind]
        if found:
            return found[-1]
    return None
