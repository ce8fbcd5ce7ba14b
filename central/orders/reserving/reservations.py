"""What is set aside for whom. Pure."""

from typing import NamedTuple

import msgspec

from central.orders.reserving.allocation import StockKey

# Kinds of holders.
SALES_ORDER = "sales_order"
TRANSFER = "transfer"


class Holder(NamedTuple):
    """Whom something is set aside for, e.g. ("SH1", "sales_order", "SO-000001")."""

    warehouse: str
    kind: str
    code: str


class LineKey(NamedTuple):
    """One line of a holder."""

    warehouse: str
    kind: str
    code: str
    line: int

    @property
    def holder(self) -> Holder:
        """Return whose line it is."""
        return Holder(self.warehouse, self.kind, self.code)


class Reservation(msgspec.Struct, frozen=True):
    """One row of `reservations`; the comment of the table says what each field means."""

    holder: LineKey
    stock: StockKey
    pick_line: int = 0
    quantity_micro: int = 0
    picked: bool = False
    shipped_micro: int = 0
    freed_micro: int = 0
    reason: str = ""
    reserved_ms: int = 0
    changed_ms: int = 0
    history: str = ""

    @property
    def state(self) -> str:
        """Return "reserved", "picked", "shipped" or "freed"."""
        if self.quantity_micro:
            return "picked" if self.picked else "reserved"
        return "shipped" if self.shipped_micro else "freed"
