"""Goods leave their places, for outside or to stand ready; under a document if there is one. Pure.

What `ship` and `pick` have in common: from where goods leave, which lot and which line of the
document they are, and what a person should know of that.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from central.contract.facts import BusinessStep, Movement
from central.contract.quantities import PIECE
from central.contract.reference import DocumentLine, ExpectedDocument
from gateway.station.book import Book, PendingBook, picked_under
from gateway.station.drafts import movement
from gateway.station.effects import Message
from gateway.station.meanings import ScannedItem
from gateway.station.messages import N_, say
from gateway.station.session import Knowing, Load, Session, Surroundings
from gateway.station.workflows.documents import (
    PickingBook,
    Progress,
    open_lines,
    progress,
    remaining,
)
from gateway.station.workflows.goods import load_of_row, on_hand, resolved, standing_on

PLACES_TOLD_MAX = 4


@dataclass(frozen=True, slots=True)
class Aim:
    """From where to where. document: "" for none, or its code, whether it is known or not.

    source: the place that was scanned, "" if none was. waiting: where goods leave that stand
    nowhere else, "" for nowhere.
    """

    document: str
    source: str
    waiting: str
    to_location: str
    step: BusinessStep


@dataclass(frozen=True, slots=True)
class Sent:
    """One movement out. answered: the document's line, as it was before; None if none takes it."""

    fact: Movement
    answered: Progress | None


def send(session: Session, aim: Aim, load: Load, surroundings: Surroundings, book: Book) -> Sent:
    """Return the movement of a load, and the line of the document that it answers."""
    catalogue = surroundings.catalogue
    document = catalogue.document(aim.document) if aim.document else None
    answered = _answered(document, load, book, place=aim.source)
    ready = document is not None and stands_ready(
        document, load.scanned.code, book, waiting=aim.waiting
    )
    source, load = from_where(aim, load, _line(document, answered), book, ready=ready)
    flags = list(load.flags)
    rows = book.stock(location=source, item=load.scanned.code)
    if on_hand(load, rows) < load.quantity:
        flags.append("negative_stock")
    if catalogue.location(source) is None:
        flags.append("unknown_location")
    if aim.document and document is None:
        flags.append("unknown_document")
    answered = _answered(document, load, book, place=source)  # By the lot that the book told.
    item = load.scanned.item
    if document is not None and answered is None:
        flags.append("unexpected")
    if answered is not None and (item is None or load.scanned.unit != item.unit):
        answered = None  # Expected, but pounds answer no kilograms.
    if answered is not None:
        if answered.is_other_lot:
            flags.append("lot_differs")
        if answered.received + load.quantity > answered.at_most:
            flags.append("over_expected")
    fact = movement(
        session,
        surroundings,
        replace(load, flags=tuple(flags)),
        from_location=source,
        to_location=aim.to_location,
        step=aim.step,
        document=aim.document,
        line=answered.line if answered else 0,
    )
    return Sent(fact, answered)


def pallet_loads(
    aim: Aim, sscc: str, surroundings: Surroundings, book: Book
) -> list[tuple[str, Load]] | Message:
    """Return what is on a pallet with its place; as the document says where the book knows none.

    A question instead, if it has to be known from where.
    """
    if (question := _unclear_place(aim, sscc, book)) is not None:
        return question
    catalogue = surroundings.catalogue
    document = catalogue.document(aim.document) if aim.document else None
    rows = standing_on(book, sscc, location=aim.source) if aim.source else []
    rows = rows or standing_on(book, sscc)  # There is one such label.
    found = [(row.location, load_of_row(row, catalogue)) for row in rows]
    if not found and document is not None:
        received = book.received(document.code)
        for line in open_lines(document, book, sscc=sscc):
            item = catalogue.item(line.item)
            unit, quantity = item.unit if item else PIECE, remaining(line, received)
            scanned = ScannedItem(item, line.item, quantity, unit, lot=line.lot)
            found.append((line.location, Load(scanned, quantity, sscc=line.sscc)))
    return found


def send_pallet(
    session: Session,
    aim: Aim,
    found: Sequence[tuple[str, Load]],
    surroundings: Surroundings,
    book: Book,
) -> list[Movement]:
    """Return the movements of what is on a pallet, each from its place."""
    facts: list[Movement] = []
    for place, load in found:
        from_place = replace(aim, source=place or aim.source)
        facts.append(send(session, from_place, load, surroundings, _after(book, facts)).fact)
    return facts


def stands_ready(document: ExpectedDocument, item: str, book: Book, *, waiting: str) -> bool:
    """Return whether goods of a document were picked that have not gone out and stand `waiting`.

    Another gateway may have put them ready elsewhere.
    """
    if not waiting or not any(one.on_hand > 0 for one in book.stock(location=waiting, item=item)):
        return False
    picked, sent = book.received(picked_under(document.code)), book.received(document.code)
    lines = [line.line for line in document.lines if line.item == item]
    nothing = Decimal(0)
    return sum(picked.get(line, nothing) - sent.get(line, nothing) for line in lines) > 0


def standing_places(line: DocumentLine, book: Book, *, waiting: str) -> list[str]:
    """Return where the book has goods of a line: where they wait first, then by how much is there.

    waiting: where goods stand that are about to go out.
    """
    amounts: dict[str, Decimal] = {}
    for row in book.stock(item=line.item, sscc=line.sscc):
        if row.on_hand > 0 and line.lot in {"", row.lot}:
            amounts[row.location] = amounts.get(row.location, Decimal(0)) + row.on_hand
    return sorted(amounts, key=lambda place: (place != waiting, -amounts[place], place))


def likely_place(line: DocumentLine, known: Knowing, book: Book) -> str:
    """Return where the book has most of a line, but for what stands ready; "" for nowhere."""
    ready = known.setup.ship_location or known.setup.receive_location
    return next((one for one in standing_places(line, book, waiting="") if one != ready), "")


def following_place(
    line: DocumentLine, left: Decimal, book: Book, *, place: str, waiting: str
) -> str:
    """Return where to go on where `place` has less than is left of a line, "" for nowhere."""
    rows = book.stock(location=place, item=line.item, sscc=line.sscc)
    there = sum((row.on_hand for row in rows if line.lot in {"", row.lot}), Decimal(0))
    others = (one for one in standing_places(line, book, waiting=waiting) if one != place)
    return next(others, "") if there < left else ""


def from_where(
    aim: Aim, load: Load, asked: DocumentLine | None, book: Book, *, ready: bool
) -> tuple[str, Load]:
    """Return the place that a load leaves, and the load with the lot that is there.

    asked: the line that it answers. ready: goods of it were picked and wait to go out, wherever the
    line says that they were. A place that nobody knows is "".
    """
    places = [aim.source]
    if not aim.source:
        named = book.stock(item=load.scanned.code, sscc=load.sscc) if load.sscc else ()
        of_line = [asked.location if asked else "", aim.waiting]
        if ready:
            of_line.reverse()
        if asked and aim.waiting and not asked.location:
            of_line = [*standing_places(asked, book, waiting=aim.waiting), aim.waiting]
        places = [*(row.location for row in named), *of_line]
    found = []
    for place in filter(None, places):
        rows = book.stock(location=place, item=load.scanned.code)
        meant = resolved(load, rows, lot=asked.lot if asked else "")
        if on_hand(meant, rows) >= meant.quantity:
            return place, meant
        found.append((place, meant))
    return found[0] if found else ("", load)


def _unclear_place(aim: Aim, sscc: str, book: Book) -> Message | None:
    """Return the question where a unit is left if what is in it stands at several places, or None.

    Some of it was taken out then, and the book does not know which; nor that the rest of it is the
    unit that the scan is about, after the unit has gone. What is on the unit itself says where.
    """
    units = set(book.inside(sscc))
    if len(units) == 1:
        return None
    rows = [row for row in book.stock() if row.on_hand > 0 and row.sscc in units]
    places = sorted({row.location for row in rows})
    if aim.source in places or any(row.sscc == sscc for row in rows):
        return None
    if len(places) + bool(aim.source) <= 1:
        return None
    text = N_("What was in {sscc} stands at {places}: scan the place that it leaves first.")
    return say(text, sscc=sscc, places=", ".join(places[:PLACES_TOLD_MAX]))


def _after(book: Book, facts: Sequence[Movement]) -> Book:
    """Return a book that shows these movements as well."""
    if isinstance(book, PickingBook):
        return replace(book, book=PendingBook(book.book, facts))
    return PendingBook(book, facts)


def _answered(
    document: ExpectedDocument | None, load: Load, book: Book, *, place: str
) -> Progress | None:
    if document is None or load.scanned.item is None:
        return None
    scanned = load.scanned
    return progress(document, scanned.code, book, lot=scanned.lot, sscc=load.sscc, place=place)


def _line(document: ExpectedDocument | None, answered: Progress | None) -> DocumentLine | None:
    if document is None or answered is None:
        return None
    return next(line for line in document.lines if line.line == answered.line)
