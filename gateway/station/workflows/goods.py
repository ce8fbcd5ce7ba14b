"""Which goods of the book a scan means, where the book leaves no choice. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from gateway.station.book import Book, StockLine
from gateway.station.catalogue import Catalogue
from gateway.station.meanings import ScannedItem
from gateway.station.session import Load


def load_of_row(row: StockLine, catalogue: Catalogue) -> Load:
    """Return what stands in a line of stock, all of it, as if it were scanned."""
    item = catalogue.item(row.item)
    scanned = ScannedItem(
        item=item,
        code=row.item,
        quantity=row.on_hand,
        unit=row.unit,
        lot=row.lot,
        serial=row.serial,
    )
    return Load(scanned, row.on_hand, sscc=row.sscc)


def standing_on(book: Book, sscc: str, *, location: str = "") -> list[StockLine]:
    """Return what stands on a logistic unit and on all that is in it, above zero.

    At one place: where it was scanned, or most of it is. What stands elsewhere was taken out of it,
    whatever was packed. location: "" for anywhere.
    """
    units = set(book.inside(sscc))
    found = book.stock(location=location, sscc=sscc)
    if len(units) > 1:
        found = [row for row in book.stock(location=location) if row.sscc in units]
    rows = [row for row in found if row.on_hand > 0]
    own = [row.location for row in rows if row.sscc == sscc]
    counted = Counter(own or [row.location for row in rows])
    place = counted.most_common(1)[0][0] if counted else ""
    return [row for row in rows if row.sscc == sscc or row.location == place]


def resolved(load: Load, rows: Sequence[StockLine], *, lot: str = "") -> Load:
    """Return a load with the lot, serial and pallet that the book has, if there is no choice.

    rows: of the item, at its place. lot: which one counts where the scan says none and the book
    has several; "" for none. What the scan says stays; a lot that it did not say is flagged.
    """
    scanned = load.scanned
    found = fitting(load, rows)
    if len(found) > 1 and lot and not scanned.lot:
        found = [row for row in found if row.lot == lot]
    if len(found) != 1:
        return load
    row = found[0]
    assumed = ("lot_assumed",) if row.lot != scanned.lot else ()
    return replace(
        load,
        scanned=replace(scanned, lot=row.lot, serial=row.serial),
        sscc=row.sscc,
        flags=load.flags + assumed,
    )


def fitting(load: Load, rows: Sequence[StockLine]) -> list[StockLine]:
    """Return the lines of stock that a load may be about, by what its scan says."""
    scanned = load.scanned
    return [
        row
        for row in rows
        if row.on_hand > 0
        and row.unit == scanned.unit
        and scanned.lot in {"", row.lot}
        and scanned.serial in {"", row.serial}
        and load.sscc in {"", row.sscc}
    ]


def on_hand(load: Load, rows: Sequence[StockLine]) -> Decimal:
    """Return what the book has of exactly the lot, serial, pallet and unit of a load."""
    key = (load.scanned.lot, load.scanned.serial, load.sscc, load.scanned.unit)
    found = [row.on_hand for row in rows if (row.lot, row.serial, row.sscc, row.unit) == key]
    return sum(found, Decimal(0))
