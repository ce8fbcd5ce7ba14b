"""What a tally means: which stock, which line of the document, and what was not found. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from central.contract.facts import Count
from central.contract.quantities import PIECE
from central.contract.reference import DocumentLine, ExpectedDocument
from gateway.station.book import Book, PendingBook, StockKey, StockLine, counted_under
from gateway.station.meanings import ScannedItem
from gateway.station.session import Counting, Load, Surroundings
from gateway.station.workflows.goods import fitting, load_of_row, resolved

# The quantity 0 of no item: nothing at all is at this place, and nothing was expected.
NOTHING = Load(ScannedItem(None, "", Decimal(0), PIECE), Decimal(0))


def told_apart(load: Load) -> tuple[str, str, str, str, str]:
    """Return what keeps tallies apart: item, lot, serial, pallet, unit."""
    scanned = load.scanned
    return (scanned.code, scanned.lot, scanned.serial, load.sscc, scanned.unit)


def stock_key(load: Load, place: str) -> StockKey:
    """Return the key of the stock that a load is about."""
    return (place, *told_apart(load))


def tally_loads(state: Counting, surroundings: Surroundings) -> list[Load]:
    """Return the tallies with the lot, serial and pallet that the book has here, if only one fits.

    Those that say most come first: what they are about is no longer a choice for the others, and
    loose goods are of no pallet that was scanned itself. Goods that fit several lines of the book
    say so.
    """
    pallets = {key[4] for key in state.counted} | {load.sscc for load in state.tallies}
    pallets = (pallets | {state.sscc}) - {""}
    taken: set[StockKey] = set()
    loads = []
    for load in sorted(state.tallies, key=_unsaid):
        rows = surroundings.book.stock(location=state.place, item=load.scanned.code)
        free = [row for row in rows if _key_of_row(row) not in taken]
        free = [row for row in free if load.sscc or row.sscc not in pallets]
        meant = resolved(load, free)
        if meant is load and len(fitting(load, free)) > 1:
            meant = replace(load, flags=(*load.flags, "several_match"))
        taken.add(stock_key(meant, state.place))
        loads.append(meant)
    return loads


def absent_loads(
    counted: Sequence[StockKey],
    document: ExpectedDocument | None,
    place: str,
    surroundings: Surroundings,
) -> list[Load]:
    """Return loads of nothing for all that the book or the document has here and nobody counted.

    counted: what was counted here; where that leaves open which lot or pallet it was, nothing that
    it may have been is absent. Where there is nothing at all to say, that is said: `NOTHING`.
    """
    catalogue = surroundings.catalogue
    expected = [load_of_row(row, catalogue) for row in surroundings.book.stock(location=place)]
    for line in document.lines if document is not None else ():
        item = catalogue.item(line.item)
        if line.location == place and item is not None:
            scanned = ScannedItem(item, item.code, Decimal(0), item.unit, lot=line.lot)
            load = Load(scanned, Decimal(0), sscc=line.sscc)
            if not any(_may_be(stock_key(one, place), stock_key(load, place)) for one in expected):
                expected.append(load)
    of_item: dict[str, list[StockKey]] = {}
    for key in counted:
        of_item.setdefault(key[1], []).append(key)
    absent = [
        replace(load, quantity=Decimal(0), flags=("absent",))
        for load in expected
        if not any(
            _may_be(stock_key(load, place), key) for key in of_item.get(load.scanned.code, ())
        )
    ]
    return absent if absent or counted else [NOTHING]


def line_of(document: ExpectedDocument, load: Load, place: str) -> int:
    """Return the line that asked for a count, 0 if none did; the closest one first."""
    scanned = load.scanned
    fitting = [
        line
        for line in document.lines
        if line.location in {"", place}
        and line.item in {"", scanned.code}
        and line.lot in {"", scanned.lot}
        and line.sscc in {"", load.sscc}
    ]
    closest = sorted(
        fitting, key=lambda line: -sum(map(bool, (line.item, line.lot, line.sscc, line.location)))
    )
    return closest[0].line if closest else 0


def asks_whole_place(document: ExpectedDocument, place: str) -> bool:
    """Return whether a document asks for everything at a place."""
    return any(line.location == place and not line.item for line in document.lines)


def asked_items(document: ExpectedDocument, place: str) -> list[str]:
    """Return the items that a document asks for at a place, each once, in its order."""
    lines = [line for line in document.lines if line.location == place and line.item]
    return list(dict.fromkeys(line.item for line in lines))


def lines_left(
    document: ExpectedDocument, book: Book, facts: Sequence[Count]
) -> list[DocumentLine]:
    """Return the lines of which nothing was counted here in the document's round.

    facts: counts that are about to be recorded.
    """
    counted = PendingBook(book, facts).received(counted_under(document.code, document.round))
    return [line for line in document.lines if line.line not in counted]


def places_left(lines: Sequence[DocumentLine]) -> list[str]:
    """Return the places of lines, each once, in their order."""
    return list(dict.fromkeys(line.location for line in lines if line.location))


def _key_of_row(row: StockLine) -> StockKey:
    return (row.location, row.item, row.lot, row.serial, row.sscc, row.unit)


def _unsaid(load: Load) -> int:
    return sum(not text for text in (load.scanned.lot, load.scanned.serial, load.sscc))


def _may_be(full: StockKey, counted: StockKey) -> bool:
    """Return whether goods counted under a key may be those of another one that says more."""
    same = (full[0], full[1], full[5]) == (counted[0], counted[1], counted[5])
    return same and all(
        said in {"", known} for known, said in zip(full[2:5], counted[2:5], strict=True)
    )
