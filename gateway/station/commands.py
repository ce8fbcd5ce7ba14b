"""Command bar codes: Code 128 text that drives a station without a keyboard. Pure.

CMD-RECEIVE CMD-SHIP CMD-PUTAWAY CMD-WEIGH CMD-COUNT                choose what to do
CMD-PACK CMD-UNPACK CMD-PRINT-BIN CMD-PRINT-PALLET                  the same
CMD-CONFIRM CMD-CANCEL CMD-UNDO CMD-TARE CMD-EMPTY CMD-DONE         go on, step back, close
CMD-QTY-<n>                                                         the next scan counts n times
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
    SHIP = "CMD-SHIP"
    PUTAWAY = "CMD-PUTAWAY"
    WEIGH = "CMD-WEIGH"
    COUNT = "CMD-COUNT"
    PACK = "CMD-PACK"
    UNPACK = "CMD-UNPACK"
    PRINT_BIN = "CMD-PRINT-BIN"
    PRINT_PALLET = "CMD-PRINT-PALLET"
    CONFIRM = "CMD-CONFIRM"
    CANCEL = "CMD-CANCEL"
    UNDO = "CMD-UNDO"
    TARE = "CMD-TARE"
    EMPTY = "CMD-EMPTY"
    DONE = "CMD-DONE"
    QUANTITY = "CMD-QTY"


COMMAND_TITLES: dict[Command, str] = {
    Command.RECEIVE: N_("Receive"),
    Command.SHIP: N_("Ship"),
    Command.PUTAWAY: N_("Put away"),
    Command.WEIGH: N_("Weigh"),
    Command.COUNT: N_("Count stock"),
    Command.PACK: N_("Pack"),
    Command.UNPACK: N_("Unpack"),
    Command.PRINT_BIN: N_("Print bin label"),
    Command.PRINT_PALLET: N_("Print pallet label"),
    Command.CONFIRM: N_("Confirm"),
    Command.CANCEL: N_("Cancel"),
    Command.UNDO: N_("Undo"),
    Command.TARE: N_("Tare"),
    Command.EMPTY: N_("Nothing else here"),
    Command.DONE: N_("Done"),
    Command.QUANTITY: N_("Quantity"),
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
