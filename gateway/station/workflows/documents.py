"""Progress of a document: which line goods answer, what is next, and what is missing. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from central.contract.facts import VirtualPlace
from central.contract.quantities import parse_decimal
from central.contract.reference import (
    DocumentKind,
    DocumentLine,
    ExpectedDocument,
    UnitUnderWay,
    known_kind,
)
from gateway.station.book import Book, Reversible, StockLine, picked_under
from gateway.station.catalogue import Catalogue
from gateway.station.effects import Message
from gateway.station.messages import N_, Words, amount_words, item_words, say

# Between which virtual place and the warehouse the goods of a document move.
COMES_FROM: dict[DocumentKind, VirtualPlace] = {
    "receipt": "supplier",
    "transfer_in": "in_transit",
    "customer_return": "customer",
}
GOES_TO: dict[DocumentKind, VirtualPlace] = {
    "shipment": "customer",
    "transfer_out": "in_transit",
    "supplier_return": "supplier",
}
LEFT_NAMED_MAX = 5


@dataclass(frozen=True, slots=True)
class Progress:
    """Goods of a document: `line` takes what comes next; sums over all lines that may take them.

    at_most: expected plus tolerance. is_other_lot: no line asks for this lot or pallet, so all
    lines of the item count.
    """

    line: int
    received: Decimal
    expected: Decimal
    at_most: Decimal
    is_other_lot: bool = False


@dataclass(frozen=True, slots=True)
class PickingBook:
    """A book in which what is picked of a document counts as if it had gone out already.

    More of one line than it asks for counts for others that would take the same goods: nobody is
    sent to fetch there what he has taken here.
    """

    book: Book
    document: ExpectedDocument

    def stock(self, *, location: str = "", item: str = "", sscc: str = "") -> Sequence[StockLine]:
        """Return the stock that is not zero; an empty filter takes all."""
        return self.book.stock(location=location, item=item, sscc=sscc)

    def inside(self, sscc: str) -> Sequence[str]:
        """Return a logistic unit and all that is in it, as far as known, the outer ones first."""
        return self.book.inside(sscc)

    def received(self, document: str) -> dict[int, Decimal]:
        """Return how much of each line was picked or went out, whichever is more."""
        picked, sent = self.book.received(picked_under(document)), self.book.received(document)
        nothing = Decimal(0)
        done = {
            line: max(picked.get(line, nothing), sent.get(line, nothing)) for line in picked | sent
        }
        return _spread(self.document, done) if document == self.document.code else done

    def last_reversible(self, station: str = "") -> Reversible | None:
        """Return the newest movement that is not reversed. station: whose, "" for any."""
        return self.book.last_reversible(station)


def comes_from(document: ExpectedDocument | None, *, otherwise: VirtualPlace) -> VirtualPlace:
    """Return from where goods of a document come; `otherwise` without one that says it."""
    kind = known_kind(document) if document else None
    return COMES_FROM.get(kind, otherwise) if kind else otherwise


def goes_to(document: ExpectedDocument | None, *, otherwise: VirtualPlace) -> VirtualPlace:
    """Return to where goods of a document go; `otherwise` without one that says it."""
    kind = known_kind(document) if document else None
    return GOES_TO.get(kind, otherwise) if kind else otherwise


def progress(
    document: ExpectedDocument,
    item: str,
    book: Book,
    *,
    lot: str = "",
    sscc: str = "",
    place: str = "",
) -> Progress | None:
    """Return the progress of an item, None if the document does not expect it.

    lot, sscc: as scanned, "" if the scan did not say. Goods go to the first line that is not full,
    one for just this pallet, lot and place before others; else to the last one.
    """
    of_item = [line for line in document.lines if line.item == item]
    if not of_item:
        return None
    asked = [line for line in of_item if _takes(line, lot=lot, sscc=sscc)]
    lines = sorted(
        asked or of_item,
        key=lambda line: (
            line.sscc != sscc,
            bool(lot) and line.lot != lot,
            bool(place) and line.location != place,
        ),
    )
    received = book.received(document.code)
    chosen = lines[-1]
    for line in reversed(lines):
        if remaining(line, received) > 0:
            chosen = line
    expected = at_most = Decimal(0)
    for line in lines:
        quantity = parse_decimal(line.quantity)
        expected += quantity
        at_most += quantity * (1 + parse_decimal(line.tolerance_percent) / 100)
    return Progress(
        line=chosen.line,
        received=sum((received.get(line.line, Decimal(0)) for line in lines), Decimal(0)),
        expected=expected,
        at_most=at_most,
        is_other_lot=not asked,
    )


def remaining(line: DocumentLine, received: Mapping[int, Decimal]) -> Decimal:
    """Return what is left of a line, zero if nothing is."""
    return max(parse_decimal(line.quantity) - received.get(line.line, Decimal(0)), Decimal(0))


def open_lines(document: ExpectedDocument, book: Book, *, sscc: str = "") -> list[DocumentLine]:
    """Return the lines that are not full, in their order. sscc: only those of this pallet."""
    received = book.received(document.code)
    return [
        line
        for line in document.lines
        if (not sscc or is_on(line, sscc)) and remaining(line, received) > 0
    ]


def is_on(line: DocumentLine | UnitUnderWay, sscc: str) -> bool:
    """Return whether a document says that goods are on a pallet, or on one upon it."""
    return sscc == line.sscc or sscc in line.carried_by


def line_words(line: DocumentLine, catalogue: Catalogue) -> Words:
    """Return the value `item` with the lot or pallet that a line asks for."""
    which = "".join(f" {code}" for code in (line.lot, line.sscc) if code)
    words = item_words(catalogue.item(line.item), line.item)
    return tuple((name, text + which) for name, text in words)


def closing_message(document: ExpectedDocument, catalogue: Catalogue, book: Book) -> Message | None:
    """Return what is missing when a document is closed, None if every line is within tolerance."""
    received = book.received(document.code)
    short = [
        line for line in document.lines if received.get(line.line, Decimal(0)) < _at_least(line)
    ]
    if not short:
        return None
    line = short[0]
    item = catalogue.item(line.item)
    unit = item.unit if item else ""
    text = (
        N_("{document} is not complete: {item}, {amount} of {expected}.")
        if len(short) == 1
        else N_("{document} is not complete: {item}, {amount} of {expected}; open lines: {count}.")
    )
    return say(
        text,
        line_words(line, catalogue),
        amount_words(received.get(line.line, Decimal(0)), unit),
        amount_words(parse_decimal(line.quantity), unit, name="expected"),
        document=document.code,
        count=str(len(short)),
    )


def named(codes: Sequence[str]) -> str:
    """Return codes for a sentence, the first few of them."""
    rest = " ..." if len(codes) > LEFT_NAMED_MAX else ""
    return ", ".join(codes[:LEFT_NAMED_MAX]) + rest


def _spread(document: ExpectedDocument, done: Mapping[int, Decimal]) -> dict[int, Decimal]:
    """Return what was done of each line, the surplus of one counted for others.

    Of the same item only, of the same lot where one is asked for; a pallet counts by itself.
    """
    spread = dict(done)
    for giver in document.lines:
        surplus = spread.get(giver.line, Decimal(0)) - parse_decimal(giver.quantity)
        for taker in document.lines:
            alike = taker.item == giver.item and taker.lot in {"", giver.lot} and not taker.sscc
            if surplus <= 0 or not alike or taker.line == giver.line:
                continue
            part = min(surplus, remaining(taker, spread))
            surplus -= part
            spread[giver.line] -= part
            spread[taker.line] = spread.get(taker.line, Decimal(0)) + part
    return spread


def _takes(line: DocumentLine, *, lot: str, sscc: str) -> bool:
    lot_fits = not (line.lot and lot) or line.lot == lot
    return lot_fits and (not (line.sscc and sscc) or line.sscc == sscc)


def _at_least(line: DocumentLine) -> Decimal:
    return parse_decimal(line.quantity) * (1 - parse_decimal(line.tolerance_percent) / 100)
