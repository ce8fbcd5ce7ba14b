"""Command bar codes: Code 128 text that drives a station without a keyboard. Pure.

    CMD-<word>            COMMAND_GROUPS has all of them, by what they are for
    CMD-QTY-<n>           the next scan counts n times
    CMD-REASON-<word>     why; REASONS says what each of them is in facts

The printed sheet, the buttons of the page and the parser share what is written here.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from central.contract.errors import ContractError
from central.contract.quantities import parse_decimal, to_micro
from gateway.station.messages import N_

COMMAND_PREFIX = "CMD-"
QUANTITY_PREFIX = "CMD-QTY-"
PLACE_PREFIX = "LOC-"
DOCUMENT_PREFIX = "DOC-"
OPERATOR_PREFIX = "OPR-"


class Command(StrEnum):
    """What a command bar code says."""

    RECEIVE = "CMD-RECEIVE"
    INSPECT = "CMD-INSPECT"
    WEIGH = "CMD-WEIGH"
    PUTAWAY = "CMD-PUTAWAY"
    MOVE = "CMD-MOVE"
    PICK = "CMD-PICK"
    PACK = "CMD-PACK"
    UNPACK = "CMD-UNPACK"
    SHIP = "CMD-SHIP"
    COUNT = "CMD-COUNT"
    RETURN = "CMD-RETURN"
    LOOKUP = "CMD-LOOKUP"
    PRINT_BIN = "CMD-PRINT-BIN"
    PRINT_PALLET = "CMD-PRINT-PALLET"
    RELABEL = "CMD-RELABEL"
    REPRINT = "CMD-REPRINT"
    CONFIRM = "CMD-CONFIRM"
    DONE = "CMD-DONE"
    CANCEL = "CMD-CANCEL"
    UNDO = "CMD-UNDO"
    TARE = "CMD-TARE"
    EMPTY = "CMD-EMPTY"
    SHORT = "CMD-SHORT"
    ACCEPT = "CMD-ACCEPT"
    REJECT = "CMD-REJECT"
    HOLD = "CMD-HOLD"
    SAMPLE = "CMD-SAMPLE"
    REASON_DAMAGED = "CMD-REASON-DAMAGED"
    REASON_QUALITY = "CMD-REASON-QUALITY"
    REASON_EXPIRED = "CMD-REASON-EXPIRED"
    REASON_PAPERS = "CMD-REASON-PAPERS"
    REASON_WRONG = "CMD-REASON-WRONG"
    REASON_UNWANTED = "CMD-REASON-UNWANTED"
    REASON_MISSING = "CMD-REASON-MISSING"
    REASON_BLOCKED = "CMD-REASON-BLOCKED"
    REASON_OTHER = "CMD-REASON-OTHER"
    QUANTITY = "CMD-QTY"


COMMAND_TITLES: dict[Command, str] = {
    Command.RECEIVE: N_("Receive"),
    Command.INSPECT: N_("Inspect"),
    Command.WEIGH: N_("Weigh"),
    Command.PUTAWAY: N_("Put away"),
    Command.MOVE: N_("Move"),
    Command.PICK: N_("Pick"),
    Command.PACK: N_("Pack"),
    Command.UNPACK: N_("Unpack"),
    Command.SHIP: N_("Ship"),
    Command.COUNT: N_("Count stock"),
    Command.RETURN: N_("Return without a document"),
    Command.LOOKUP: N_("Look up"),
    Command.PRINT_BIN: N_("Print bin label"),
    Command.PRINT_PALLET: N_("Print pallet label"),
    Command.RELABEL: N_("New label: item, place, pallet"),
    Command.REPRINT: N_("Print the last label again"),
    Command.CONFIRM: N_("Confirm"),
    Command.DONE: N_("Done"),
    Command.CANCEL: N_("Cancel"),
    Command.UNDO: N_("Undo"),
    Command.TARE: N_("Tare"),
    Command.EMPTY: N_("Nothing else here"),
    Command.SHORT: N_("Short: not enough here"),
    Command.ACCEPT: N_("Accept"),
    Command.REJECT: N_("Reject"),
    Command.HOLD: N_("Hold"),
    Command.SAMPLE: N_("Sample used up"),
    Command.REASON_DAMAGED: N_("Damaged"),
    Command.REASON_QUALITY: N_("Quality not as agreed"),
    Command.REASON_EXPIRED: N_("Expired or too old"),
    Command.REASON_PAPERS: N_("Papers missing"),
    Command.REASON_WRONG: N_("Wrong goods"),
    Command.REASON_UNWANTED: N_("No longer wanted"),
    Command.REASON_MISSING: N_("Not there"),
    Command.REASON_BLOCKED: N_("Cannot be reached"),
    Command.REASON_OTHER: N_("Another reason"),
    Command.QUANTITY: N_("Quantity"),
}


@dataclass(frozen=True, slots=True)
class CommandGroup:
    """Commands that stand together on the sheet. title: for people, before translation."""

    title: str
    commands: tuple[Command, ...]


COMMAND_GROUPS = (
    CommandGroup(
        N_("What to do"),
        (
            Command.RECEIVE,
            Command.INSPECT,
            Command.WEIGH,
            Command.PUTAWAY,
            Command.MOVE,
            Command.PICK,
            Command.PACK,
            Command.UNPACK,
            Command.SHIP,
            Command.COUNT,
            Command.RETURN,
            Command.LOOKUP,
        ),
    ),
    CommandGroup(
        N_("Labels"),
        (Command.PRINT_BIN, Command.PRINT_PALLET, Command.RELABEL, Command.REPRINT),
    ),
    CommandGroup(
        N_("Go on, step back"),
        (
            Command.CONFIRM,
            Command.DONE,
            Command.CANCEL,
            Command.UNDO,
            Command.TARE,
            Command.EMPTY,
            Command.SHORT,
        ),
    ),
    CommandGroup(N_("Inspection"), (Command.ACCEPT, Command.REJECT, Command.HOLD, Command.SAMPLE)),
    CommandGroup(
        N_("Reasons"),
        (
            Command.REASON_DAMAGED,
            Command.REASON_QUALITY,
            Command.REASON_EXPIRED,
            Command.REASON_PAPERS,
            Command.REASON_WRONG,
            Command.REASON_UNWANTED,
            Command.REASON_MISSING,
            Command.REASON_BLOCKED,
            Command.REASON_OTHER,
        ),
    ),
)
# The flag that a fact bears for a reason. These are kept in facts: never rename one.
REASONS: dict[Command, str] = {
    Command.REASON_DAMAGED: "reason_damaged",
    Command.REASON_QUALITY: "reason_quality",
    Command.REASON_EXPIRED: "reason_expired",
    Command.REASON_PAPERS: "reason_papers",
    Command.REASON_WRONG: "reason_wrong",
    Command.REASON_UNWANTED: "reason_unwanted",
    Command.REASON_MISSING: "reason_missing",
    Command.REASON_BLOCKED: "reason_blocked",
    Command.REASON_OTHER: "reason_other",
}
SHEET_QUANTITIES = ("2", "3", "4", "5", "6", "10", "12", "20", "24", "50", "100", "0.5")


@dataclass(frozen=True, slots=True)
class ScannedCommand:
    """A command bar code. quantity: greater than zero with QUANTITY, 0 with any other command."""

    command: Command
    quantity: Decimal = Decimal(0)


def parse_command(text: str) -> ScannedCommand | None:
    """Return the command that a text says, None if there is no such one."""
    text = text.upper()
    if text.startswith(QUANTITY_PREFIX):
        try:
            quantity = parse_decimal(text.removeprefix(QUANTITY_PREFIX))
            if to_micro(quantity) <= 0:
                return None
        except ContractError:
            return None
        return ScannedCommand(Command.QUANTITY, quantity)
    if text == Command.QUANTITY or text not in set(Command):
        return None
    return ScannedCommand(Command(text))
