"""What a workflow wants to happen; the station loop makes it so, in this order. Pure.

1. RecordFacts, QueuePrint   one durable transaction for everything that waited
2. ShowPrompt, Signal        only after the commit: green means durable
"""

from dataclasses import dataclass, field
from typing import Literal

from central.contract.facts import Fact
from drivers.labels import Label

# The journal numbers facts inside its transaction. A draft carries these in their stead.
UNNUMBERED = 0
WEIGHING_BEFORE = -1  # As Movement.weighing_seq: the weighing drafted just before this movement.


@dataclass(frozen=True, slots=True)
class NewPrintJob:
    """A label to print. printer: device name. content: for people.

    template: what it is for, "bin", "pallet" or "item".
    station, operator: who wants it, for the Print fact; "" takes them from the facts beside it.
    is_copy: whether the same label was printed before, which its Print fact tells.
    """

    printer: str
    template: str
    content: str
    label: Label
    copies_count: int = 1
    station: str = ""
    operator: str = ""
    is_copy: bool = False


@dataclass(frozen=True, slots=True)
class RecordFacts:
    """Facts to append, in order: drafts with seq UNNUMBERED (and alibi_number 0 in a Weighing)."""

    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class QueuePrint:
    """A print job to queue in the same transaction as the facts."""

    job: NewPrintJob


@dataclass(frozen=True, slots=True)
class Message:
    """A sentence for people, before translation.

    text: the English message identifier with `{name}` fields; values: its fields, already text.
    """

    text: str
    values: tuple[tuple[str, str], ...] = field(default=())


@dataclass(frozen=True, slots=True)
class ShowPrompt:
    """What the screen asks for next, and what has just been done (None: nothing yet)."""

    prompt: Message
    done: Message | None = None


@dataclass(frozen=True, slots=True)
class Signal:
    """What the operator hears and sees at once. error: stays until the next good scan.

    critical: what was scanned is lost; it stays on the page until somebody has acknowledged it.
    """

    kind: Literal["success", "warning", "error"]
    message: Message
    critical: bool = False


Effect = RecordFacts | QueuePrint | ShowPrompt | Signal
