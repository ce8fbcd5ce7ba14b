"""Goods go out, blind or under a document; each scan is recorded at once. Pure.

    state    scanned    becomes                    records
    Ship     place      Ship from there            -
    Ship     item       Ship                       source -> customer, in_transit or supplier
    Ship     SSCC       Ship                       all of its content, each from where it is
    Ship     SSCC       Ship on that pallet        - (nothing is known on it)
    Ship     CANCEL     without pallet, without    -
                        source, then Menu
    Ship     DONE       document closed, or Menu   -

Without a scanned place goods leave from the document line's place if the book has enough there,
else from where goods wait to go out. A document only helps: what is not on it, another lot, or more
than it says is recorded with a flag, and the prompt says what is next.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from central.contract.facts import Movement
from central.contract.quantities import PIECE
from central.contract.reference import DocumentLine, ExpectedDocument
from gateway.station.book import Book, PendingBook
from gateway.station.commands import Command, ScannedCommand
from gateway.station.drafts import counted_load, movement
from gateway.station.effects import Message
from gateway.station.meanings import Meaning, ScannedBin, ScannedItem, ScannedSscc
from gateway.station.messages import N_, amount_words, item_words, say
from gateway.station.session import LOADS_MAX, Load, Menu, Session, Ship, Step, Surroundings
from gateway.station.workflows.documents import (
    Progress,
    goes_to,
    line_words,
    open_lines,
    progress,
    remaining,
)
from gateway.station.workflows.goods import load_of_row, on_hand, resolved
from gateway.station.workflows.receive import close_document
from gateway.station.workflows.replies import (
    PALLET_TOO_LARGE,
    changed,
    not_here,
    recorded,
    success,
    warning,
)


@dataclass(frozen=True, slots=True)
class _Sent:
    """One movement out. answered: the document's line, as it was before; None if none takes it."""

    fact: Movement
    answered: Progress | None


def prompt(state: Ship) -> Message:
    """Return what to do next."""
    if state.sscc:
        return say(N_("Shipping pallet {sscc}: scan its items"), sscc=state.sscc)
    if state.guidance is not None:
        return state.guidance
    if state.document:
        return say(N_("Shipping {document}: scan items, at the end DONE"), document=state.document)
    return say(N_("Shipping: scan items or pallets, or first a document or the place"))


def open_shipment(session: Session, document: ExpectedDocument, surroundings: Surroundings) -> Step:
    """Return the session shipping under a document that is known here."""
    source = session.state.source if isinstance(session.state, Ship) else ""
    destination = goes_to(document, otherwise="customer")
    state = Ship(document=document.code, source=source, destination=destination)
    return success(
        changed(session, _guided(state, surroundings, surroundings.book)),
        say(
            N_("{document} to {partner}: {count} lines."),
            document=document.code,
            partner=document.partner or document.counterpart,
            count=str(len(document.lines)),
        ),
    )


def advance(session: Session, state: Ship, meaning: Meaning, surroundings: Surroundings) -> Step:
    """Return what a scan during shipping does."""
    if isinstance(meaning, ScannedItem):
        return _ship_item(session, state, meaning, surroundings)
    if isinstance(meaning, ScannedSscc):
        return _ship_pallet(session, state, meaning.sscc, surroundings)
    if isinstance(meaning, ScannedBin):
        return success(
            changed(session, replace(state, source=meaning.code)),
            say(N_("Taking from {place}."), place=meaning.code),
        )
    if isinstance(meaning, ScannedCommand) and meaning.command is Command.CANCEL:
        if state.sscc:
            loose = changed(session, replace(state, sscc=""))
            return success(loose, say(N_("The next items go loose.")))
        if state.source:
            without = changed(session, replace(state, source=""))
            return success(without, say(N_("The place no longer counts.")))
        return success(changed(session, Menu()), say(N_("Back to the start.")))
    if isinstance(meaning, ScannedCommand) and meaning.command is Command.DONE:
        return close_document(session, state.document, Menu(), surroundings)
    return not_here(session)


def _ship_item(
    session: Session, state: Ship, scanned: ScannedItem, surroundings: Surroundings
) -> Step:
    load = counted_load(session, scanned, sscc=scanned.sscc or state.sscc)
    sent = _send(session, state, load, surroundings, surroundings.book)
    words = (item_words(scanned.item, scanned.code), amount_words(load.quantity, scanned.unit))
    done = say(N_("Sent {amount} {item}"), *words)
    if sent.answered is not None:
        done = say(
            N_("Sent {amount} {item}: {total} of {expected}"),
            *words,
            amount_words(sent.answered.received + load.quantity, scanned.unit, name="total"),
            amount_words(sent.answered.expected, scanned.unit, name="expected"),
        )
    return _recorded(session, state, surroundings, [sent.fact], done)


def _ship_pallet(session: Session, state: Ship, sscc: str, surroundings: Surroundings) -> Step:
    book, catalogue = surroundings.book, surroundings.catalogue
    document = catalogue.document(state.document) if state.document else None
    rows = [row for row in book.stock(sscc=sscc) if row.on_hand > 0]
    rows = [row for row in rows if row.location == state.source] or rows  # There is one such label.
    found = [(row.location, load_of_row(row, catalogue)) for row in rows]
    if not found and document is not None:  # The book does not know it; the document does.
        received = book.received(document.code)
        for line in open_lines(document, book, sscc=sscc):
            item = catalogue.item(line.item)
            unit, quantity = item.unit if item else PIECE, remaining(line, received)
            scanned = ScannedItem(item, line.item, quantity, unit, lot=line.lot)
            found.append((line.location, Load(scanned, quantity, sscc=sscc)))
    if len(found) > LOADS_MAX:
        return warning(changed(session, replace(state, sscc=sscc)), say(PALLET_TOO_LARGE))
    if not found:
        sent = document and any(line.sscc == sscc for line in document.lines)
        text = (
            N_("Pallet {sscc} is sent already: scan its items if there is more.")
            if sent
            else N_("Nothing is known on pallet {sscc}: scan its items.")
        )
        return warning(changed(session, replace(state, sscc=sscc)), say(text, sscc=sscc))
    facts: list[Movement] = []
    for place, load in found:
        from_place = replace(state, source=place or state.source)
        facts.append(_send(session, from_place, load, surroundings, PendingBook(book, facts)).fact)
    done = say(N_("Sent pallet {sscc}: {count} goods"), sscc=sscc, count=str(len(facts)))
    return _recorded(session, state, surroundings, facts, done)


def _send(
    session: Session, state: Ship, load: Load, surroundings: Surroundings, book: Book
) -> _Sent:
    """Return the movement of a load, and the line of the document that it answers."""
    catalogue = surroundings.catalogue
    document = catalogue.document(state.document) if state.document else None
    answered = _answered(document, load, book, place=state.source)
    asked = _line(document, answered)
    source, load = _from_where(state, load, asked, surroundings, book)
    flags = list(load.flags)
    rows = book.stock(location=source, item=load.scanned.code)
    if on_hand(load, rows) < load.quantity:
        flags.append("negative_stock")
    if catalogue.location(source) is None:
        flags.append("unknown_location")
    if state.document and document is None:
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
        to_location=goes_to(document, otherwise=state.destination),
        step="shipping",
        document=state.document,
        line=answered.line if answered else 0,
    )
    return _Sent(fact, answered)


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


def _from_where(
    state: Ship, load: Load, asked: DocumentLine | None, surroundings: Surroundings, book: Book
) -> tuple[str, Load]:
    """Return the place that the load leaves, and the load with the lot that is there."""
    setup = surroundings.setup
    places = [state.source]
    if not state.source:
        named = book.stock(item=load.scanned.code, sscc=load.sscc) if load.sscc else ()
        waiting = setup.ship_location or setup.receive_location
        places = [*(row.location for row in named), asked.location if asked else "", waiting]
    found = []
    for place in filter(None, places):
        rows = book.stock(location=place, item=load.scanned.code)
        meant = resolved(load, rows, lot=asked.lot if asked else "")
        if on_hand(meant, rows) >= meant.quantity:
            return place, meant
        found.append((place, meant))
    return found[0]


def _recorded(
    session: Session,
    state: Ship,
    surroundings: Surroundings,
    facts: Sequence[Movement],
    done: Message,
) -> Step:
    following = _guided(state, surroundings, PendingBook(surroundings.book, facts))
    return recorded(changed(session, following), facts, done)


def _guided(state: Ship, surroundings: Surroundings, book: Book) -> Ship:
    """Return the state with what is next by its document."""
    document = surroundings.catalogue.document(state.document) if state.document else None
    if document is None:
        return replace(state, guidance=None)
    lines = open_lines(document, book)
    if not lines:
        text = N_("Shipping {document}: everything is there, scan DONE")
        return replace(state, guidance=say(text, document=document.code))
    line = lines[0]
    item = surroundings.catalogue.item(line.item)
    left: Decimal = remaining(line, book.received(document.code))
    text = (
        N_("Shipping {document}: next {amount} {item} from {place}")
        if line.location
        else N_("Shipping {document}: next {amount} {item}")
    )
    words = (
        line_words(line, surroundings.catalogue),
        amount_words(left, item.unit if item else PIECE),
    )
    return replace(state, guidance=say(text, *words, document=document.code, place=line.location))
