"""Bar codes of the demo's goods, from its reference data. Pure."""

from decimal import Decimal

from central.contract.gs1 import GS
from central.contract.reference import Item, Reference

EAN_13, ITF_14, GS1_128 = "]E0", "]I1", "]C1"


class Goods:
    """Looks up what is printed on the goods. Item codes that are not there are our mistake."""

    def __init__(self, reference: Reference) -> None:
        self._items = {item.code: item for item in reference.items}

    def item(self, code: str) -> Item:
        """Return an item."""
        return self._items[code]

    def each(self, code: str) -> tuple[str, str]:
        """Return (data, AIM identifier) of the EAN-13 on one piece."""
        return self.gtin(code)[1:], EAN_13

    def box(self, code: str) -> tuple[str, str]:
        """Return (data, AIM identifier) of the ITF-14 on a box."""
        return self._items[code].barcodes[1].gtin, ITF_14

    def with_lot(
        self, code: str, *, lot: str, expiry: str = "", boxed: bool = False
    ) -> tuple[str, str]:
        """Return (data, AIM identifier) of a GS1-128 with lot and, as YYMMDD, expiry date."""
        gtin = self._items[code].barcodes[int(boxed)].gtin
        dated = f"17{expiry}" if expiry else ""
        return f"01{gtin}{dated}10{lot}", GS1_128

    def gtin(self, code: str) -> str:
        """Return the GTIN of one piece, 14 digits."""
        return self._items[code].barcodes[0].gtin

    def box_quantity(self, code: str) -> Decimal:
        """Return how many pieces are in a box."""
        return Decimal(self._items[code].barcodes[1].quantity)


def pallet_codes(*, gtin: str, count: int, lot: str, sscc: str) -> tuple[str, ...]:
    """Return the bar codes of a pallet label, top to bottom, as a scanner sends them."""
    assert GS not in lot
    return (f"02{gtin}37{count}", f"10{lot}", f"00{sscc}")
