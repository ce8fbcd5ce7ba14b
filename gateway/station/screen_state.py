"""What the operator sees, as values: outcomes of scans, live weight, prompt and signal. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from gateway.station.effects import Message, Signal

SCANS_SHOWN_MAX = 20


@dataclass(frozen=True, slots=True)
class ScanOutcome:
    """What became of one scan or fault. code: the scan, printable; "" for a fault."""

    event_time_ms: int
    code: str
    signal: Signal


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
class ScreenState:
    """Everything on the screen that the station knows.

    revision: raised by each change. done: the last good step. signal: the gravest of the last
    steps; an error stays until the next good scan. scans: newest first.
    """

    revision: int
    prompt: Message
    done: Message | None = None
    signal: Signal | None = None
    operator: str = ""
    scans: tuple[NumberedOutcome, ...] = ()
    weight: ShownWeight | None = None


def gravest(signals: Sequence[Signal]) -> Signal | None:
    """Return the last of the gravest signals: errors before warnings before successes."""
    for kind in ("error", "warning", "success"):
        found = [signal for signal in signals if signal.kind == kind]
        if found:
            return found[-1]
    return None
