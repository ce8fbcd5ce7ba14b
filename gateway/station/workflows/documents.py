"""Progress of an expected document: which line an item answers, and what is missing. Pure."""

from dataclasses import dataclass
from decimal import Decimal

from central.contract.quantities import parse_decimal
from central.contract.reference import ExpectedDocument
from gateway.station.book import Book
from gateway.station.catalogue import Catalogue
from gateway.station.effects import Message
from gateway.station.messages import N_, amount_words, item_words, say


@dataclass(frozen=True, slots=True)
class Progress:
    """One item of a document: `line` takes what comes next; sums over all lines of the item.

    at_most: expected plus tolerance.
    """

    line: int
    received: Decimal
    expected: Decimal
    at_most: Decimal


def progress(document: ExpectedDocument, item: str, book: Book) -> Progress | None:
    """Return the progress of an item, None if the document does not expect it.

    What comes goes to the first line that is not full, else to the last one.
    """
    lines = [line for line in document.lines if line.item == item]
    if not lines:
        return None
    received = book.received(document.code)
    chosen = lines[-1]
    for line in reversed(lines):
        if received.get(line.line, Decimal(0)) < parse_decimal(line.quantity):
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
    )


def closing_message(document: ExpectedDocument, catalogue: Catalogue, book: Book) -> Message | None:
    """Return what is missing when a document is closed, None if every line is within tolerance."""
    received = book.received(document.code)
    for line in document.lines:
        quantity = parse_decimal(line.quantity)
        at_least = quantity * (1 - parse_decimal(line.tolerance_percent) / 100)
        have = received.get(line.line, Decimal(0))
        if have < at_least:
            item = catalogue.item(line.item)
            unit = item.unit if item else ""
            return say(
                N_("{document} closed short: {item}, {amount} of {expected}."),
                item_words(item, line.item),
                amount_words(have, unit),
                amount_words(quantity, unit, name="expected"),
                document=document.code,
            )
    return None
