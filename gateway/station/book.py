"""What the gateway knows of its own stock: the journal, plus what is about to be recorded. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple, Protocol

from central.contract.facts import VIRTUAL_PLACES, Count, Fact, Movement, Packing
from central.contract.identifiers import FactId

StockKey = tuple[str, str, str, str, str, str]  # location, item, lot, serial, sscc, unit


def counted_under(document: str, round_number: int) -> str:
    """Return the name under which a book keeps how often lines were counted; no code is like it."""
    return f"{document}#{round_number}"


def picked_under(document: str) -> str:
    """Return the name under which a book keeps what was put ready of each line of a document."""
    return f"{document}#picked"


def progress_name(movement: Movement) -> str:
    """Return the name under which a movement counts for its document, "" if it does not.

    What comes in or goes out counts for the document itself, what is only put ready apart.
    """
    if not movement.document:
        return ""
    if movement.business_step == "picking":
        return picked_under(movement.document)
    return movement.document if movement.business_step in {"receiving", "shipping"} else ""


class StockLine(Protocol):
    """Stock of one key at one place; on_hand may be negative."""

    @property
    def location(self) -> str: ...
    @property
    def item(self) -> str: ...
    @property
    def lot(self) -> str: ...
    @property
    def serial(self) -> str: ...
    @property
    def sscc(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def on_hand(self) -> Decimal: ...


class Reversible(NamedTuple):
    """A movement that may be taken back. packings: what the same scan recorded with it."""

    fact_id: FactId
    movement: Movement
    packings: tuple[Packing, ...] = ()


class Book(Protocol):
    """The part of the journal that workflows read."""

    def stock(self, *, location: str = "", item: str = "", sscc: str = "") -> Sequence[StockLine]:
        """Return the stock that is not zero; an empty filter takes all."""
        ...

    def inside(self, sscc: str) -> Sequence[str]:
        """Return a logistic unit and all that is in it, as far as known, the outer ones first."""
        ...

    def received(self, document: str) -> dict[int, Decimal]:
        """Return the quantity that came in or went out for each line of a document.

        Here, and at other gateways of the warehouse as far as central has told.
        document: its code; `counted_under` for how often each line was counted, `picked_under`
        for what was put ready of it.
        """
        ...

    def last_reversible(self, station: str = "") -> Reversible | None:
        """Return the newest movement that is not reversed. station: whose, "" for any."""
        ...


@dataclass(frozen=True, slots=True)
class StockView:
    """A line of stock as `PendingBook` gives it."""

    location: str
    item: str
    lot: str
    serial: str
    sscc: str
    unit: str
    on_hand: Decimal


class PendingBook:
    """A book that already shows movements which wait for the same commit."""

    def __init__(self, book: Book, pending: Sequence[Fact]) -> None:
        """pending: drafts without reversals; a reversal is committed before anyone reads on."""
        self._book = book
        self._pending = pending

    def stock(self, *, location: str = "", item: str = "", sscc: str = "") -> Sequence[StockLine]:
        """Return the stock that is not zero; an empty filter takes all."""
        rows = self._book.stock(location=location, item=item, sscc=sscc)
        if not self._pending:
            return rows
        totals: dict[StockKey, Decimal] = {}
        for row in rows:
            key = (row.location, row.item, row.lot, row.serial, row.sscc, row.unit)
            totals[key] = row.on_hand
        for fact in self._movements():
            for place, sign in ((fact.from_location, -1), (fact.to_location, 1)):
                wanted = (
                    place not in VIRTUAL_PLACES
                    and location in {"", place}
                    and item in {"", fact.item}
                    and sscc in {"", fact.sscc}
                )
                if wanted:
                    key = (place, fact.item, fact.lot, fact.serial, fact.sscc, fact.unit)
                    totals[key] = totals.get(key, Decimal(0)) + sign * Decimal(fact.quantity)
        return [StockView(*key, on_hand) for key, on_hand in sorted(totals.items()) if on_hand]

    def inside(self, sscc: str) -> Sequence[str]:
        """Return a logistic unit and all that is in it, as far as known, the outer ones first."""
        if not any(isinstance(fact, Packing) for fact in self._pending):
            return self._book.inside(sscc)
        found, below = [sscc], [sscc]
        while below:
            below = [one for parent in below for one in self._directly_in(parent)]
            below = [one for one in below if one not in found]
            found += below
        return found

    def received(self, document: str) -> dict[int, Decimal]:
        """Return the quantity that came in or went out for each line of a document."""
        totals = dict(self._book.received(document))
        for fact in self._movements():
            if progress_name(fact) == document and fact.document_line:
                before = totals.get(fact.document_line, Decimal(0))
                totals[fact.document_line] = before + Decimal(fact.quantity)
        for count in self._pending:
            if isinstance(count, Count) and counted_under(count.document, count.round) == document:
                before = totals.get(count.document_line, Decimal(0))
                totals[count.document_line] = before + 1
        return totals

    def last_reversible(self, station: str = "") -> Reversible | None:
        """Return the newest recorded movement; asked only when nothing is pending."""
        assert not self._pending, "commit before looking for what to reverse"
        return self._book.last_reversible(station)

    def _directly_in(self, sscc: str) -> list[str]:
        """Return what is in a unit, and in what of it was known before."""
        found = list(self._book.inside(sscc))[1:]
        for fact in self._pending:
            if isinstance(fact, Packing):
                gone = {one for child in fact.children for one in self._book.inside(child)}
                found = [one for one in found if one not in gone]
                found += fact.children if (fact.action, fact.parent) == ("pack", sscc) else ()
        return found

    def _movements(self) -> Iterator[Movement]:
        return (fact for fact in self._pending if isinstance(fact, Movement))
