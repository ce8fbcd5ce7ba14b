"""What was received inside an outer unit leaves it when the receipt is taken back. Pure.

    one scan of pallet 9       carton 1, 2 -> DOCK-1      packed: cartons into layer 5, 5 into 9
    UNDO                       carton 2 back              unpacked: carton 2 out of 5
    UNDO                       carton 1 back              unpacked: carton 1 out of 5, 5 out of 9

Only what the scan of that receipt packed: what people packed later they unpack. A unit stays as
long as any of its goods are here, and where somebody else has packed it since.
"""

from collections.abc import Iterator

from msgspec.structs import replace

from central.contract.facts import Packing
from gateway.station.book import Book, PendingBook, Reversible
from gateway.station.drafts import packing
from gateway.station.session import PackUnits, Session, Surroundings


def unpacked(session: Session, surroundings: Surroundings, undone: Reversible) -> list[Packing]:
    """Return what takes the unit of a movement out of what its receipt packed it into.

    And that unit out of the next one, as far as nothing is left in it.
    """
    moved = undone.movement
    way_back = replace(moved, from_location=moved.to_location, to_location=moved.from_location)
    book = PendingBook(surroundings.book, [way_back])
    return [
        packing(session, surroundings, PackUnits("unpack", parent, (unit,)))
        for unit, parent in _left(book, undone)
    ]


def _left(book: Book, undone: Reversible) -> Iterator[tuple[str, str]]:
    """Yield each unit that nothing is left in, and what it is in, the inner ones first."""
    parents = {
        child: one.parent
        for one in undone.packings
        if one.action == "pack"
        for child in one.children
    }
    unit, gone = undone.movement.sscc, set[str]()
    while parent := parents.pop(unit, ""):
        inside = set(book.inside(unit)) - gone
        if unit not in _directly_in(book, parent) or any(_is_here(book, one) for one in inside):
            return
        yield unit, parent
        gone |= inside
        unit = parent


def _directly_in(book: Book, parent: str) -> set[str]:
    inside = [one for one in book.inside(parent) if one != parent]
    deeper = {one for child in inside for one in book.inside(child) if one != child}
    return set(inside) - deeper


def _is_here(book: Book, sscc: str) -> bool:
    return any(row.on_hand > 0 for row in book.stock(sscc=sscc))
