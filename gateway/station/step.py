"""One step of a workflow as the page draws it: what is asked, what is left, which buttons. Pure.

prompt    the sentence to draw large
expects   what a scan may be now, the likeliest first
buttons   commands that make sense now, each a bar code of the sheet, too
lines     of the document: what is expected, done and left; or what is in hand
"""

from dataclasses import dataclass
from typing import Literal

from gateway.station.commands import Command
from gateway.station.effects import Message

LINES_SHOWN_MAX = 8
NOTES_SHOWN_MAX = 12

Expected = Literal[
    "command", "document", "item", "sscc", "place", "weight", "quantity", "confirm", "reason", "any"
]


@dataclass(frozen=True, slots=True)
class StepLine:
    """Goods of a document, or in hand. name, unit: for people, name_zh and unit_zh in Chinese.

    code and name are "" where everything at a place is to be counted.
    expected, done, remaining: decimal text in `unit`; "" where it is not told (a count is blind) or
    no document says it. lot, sscc, place: "" for any. next: it is what comes next.
    """

    code: str
    name: str
    name_zh: str
    done: str
    unit: str
    unit_zh: str
    expected: str = ""
    remaining: str = ""
    lot: str = ""
    sscc: str = ""
    place: str = ""
    next: bool = False


@dataclass(frozen=True, slots=True)
class WeighingAim:
    """What a bar beside the live weight is drawn from; all are decimal text in `unit`.

    tare: of the container, "" without one. done: of the document line so far; expected, at_least,
    at_most: of the line, "" without a document. unit: of the item, "" while none is chosen.
    tare_unit: of the tare, as the scale said it. recorded: what stands on the scale is in `done`.
    """

    unit: str
    tare: str = ""
    tare_unit: str = ""
    done: str = ""
    expected: str = ""
    at_least: str = ""
    at_most: str = ""
    recorded: bool = False


@dataclass(frozen=True, slots=True)
class ShownStep:
    """Where a station is, for people.

    workflow: the command that starts it, None in the menu. document, place: worked on, "" if none.
    lines: the first LINES_SHOWN_MAX, what is next first; lines_count: how many there are;
    lines_left: how many of the document's are not done, 0 without one.
    in_hand: how many goods were scanned and are not recorded. times: of the quantity command, "" if
    the next scan counts once. keypad: whether a quantity may be typed now.
    notes: sentences of a look-up, to be listed. operator: badge code, "" if nobody signed in.
    """

    prompt: Message
    expects: tuple[Expected, ...]
    buttons: tuple[Command, ...]
    workflow: Command | None = None
    document: str = ""
    place: str = ""
    lines: tuple[StepLine, ...] = ()
    lines_count: int = 0
    lines_left: int = 0
    in_hand: int = 0
    times: str = ""
    keypad: bool = False
    weighing: WeighingAim | None = None
    notes: tuple[Message, ...] = ()
    operator: str = ""
