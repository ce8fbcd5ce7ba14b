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
else from where goods wait to go out; the other way round while goods of the document stand picked.
If the line names no place: from where they wait or, by this gateway's book, most of them are.
A document only helps: what is not on it, another lot, or more than it says is recorded with a flag,
and the prompt says what is next.
"""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from central.contract.facts import Movement
from central.contract.quantities import PIECE
from central.contract.reference import DocumentLine, ExpectedDocument
from gateway.station.book import Book, PendingBook
from gateway.station.commands import Command, ScannedCommand
from gateway.station.drafts import counted_load
from gateway.station.effects import Message
from gateway.station.meanings import Meaning, ScannedBin, ScannedItem, ScannedSscc
from gateway.station.messages import N_, amount_words, item_words, say
from gateway.station.session import LOADS_MAX, Knowing, Menu, Session, Ship, Step, Surroundings
from gateway.station.workflows.documents import goes_to, line_words, open_lines, remaining
from gateway.station.workflows.receive import close_document
from gateway.station.workflows.replies import (
    PALLET_TOO_LARGE,
    changed,
    error,
    not_here,
    recorded,
    success,
    warning,
)
from gateway.station.workflows.sending import (
    Aim,
    following_place,
    pallet_loads,
    send,
    send_pallet,
    standing_places,
    stands_ready,
)


def prompt(state: Ship) -> Message:
    """Return what to do next."""
    if state.sscc:
        return say(N_("Shipping pallet {sscc}: scan its items"), sscc=state.sscc)
    if state.guidance is not None:
        return state.guidance
    if state.document:
        return say(N_("Shipping {document}: scan the items, then DONE"), document=state.document)
    return say(N_("Shipping: choose the document; or scan the goods, first their place"))


def open_shipment(session: Session, document: ExpectedDocument, surroundings: Surroundings) -> Step:
    """Return the session shipping under a document that is known here."""
    source = session.state.source if isinstance(session.state, Ship) else ""
    destination = goes_to(document, otherwise="customer")
    state = Ship(document=document.code, source=source, destination=destination)
    return success(
        changed(session, guided(state, surroundings, surroundings.book)),
        say(
            N_("{document} to {partner}, lines: {count}."),
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


def place_of(
    line: DocumentLine, document: ExpectedDocument, surroundings: Knowing, book: Book
) -> str:
    """Return where goods of a line are; "" if nobody knows.

    Its place, or where they stand ready; for a line that names none, where the book has them.
    """
    waiting = surroundings.setup.ship_location or surroundings.setup.receive_location
    if not line.location:
        return next(iter(standing_places(line, book, waiting=waiting)), "")
    ready = stands_ready(document, line.item, book, waiting=waiting)
    return waiting if ready else line.location


def _ship_item(
    session: Session, state: Ship, scanned: ScannedItem, surroundings: Surroundings
) -> Step:
    load = counted_load(session, scanned, sscc=scanned.sscc or state.sscc)
    aim = _aim(state, surroundings)
    sent = send(session, aim, load, surroundings, surroundings.book)
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
    aim = _aim(state, surroundings)
    found = pallet_loads(aim, sscc, surroundings, surroundings.book)
    if isinstance(found, Message):
        return error(session, found)
    if len(found) > LOADS_MAX:
        return warning(changed(session, replace(state, sscc=sscc)), say(PALLET_TOO_LARGE))
    if not found:
        catalogue = surroundings.catalogue
        document = catalogue.document(state.document) if state.document else None
        sent = document and any(line.sscc == sscc for line in document.lines)
        text = (
            N_("Pallet {sscc} is sent already: scan its items if there is more.")
            if sent
            else N_("Nothing is known on pallet {sscc}: scan its items.")
        )
        return warning(changed(session, replace(state, sscc=sscc)), say(text, sscc=sscc))
    facts = send_pallet(session, aim, found, surroundings, surroundings.book)
    done = say(N_("Sent pallet {sscc}: {count} goods"), sscc=sscc, count=str(len(facts)))
    return _recorded(session, state, surroundings, facts, done)


def _aim(state: Ship, surroundings: Surroundings) -> Aim:
    setup = surroundings.setup
    document = surroundings.catalogue.document(state.document) if state.document else None
    return Aim(
        document=state.document,
        source=state.source,
        waiting=setup.ship_location or setup.receive_location,
        to_location=goes_to(document, otherwise=state.destination),
        step="shipping",
    )


def _recorded(
    session: Session,
    state: Ship,
    surroundings: Surroundings,
    facts: Sequence[Movement],
    done: Message,
) -> Step:
    following = guided(state, surroundings, PendingBook(surroundings.book, facts))
    short = [fact.from_location for fact in facts if "negative_stock" in fact.flags]
    place = short[0] if short and not state.source else ""
    return recorded(changed(session, following), facts, done, unscanned=place)


def guided(state: Ship, surroundings: Knowing, book: Book) -> Ship:
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
    place = place_of(line, document, surroundings, book)
    waiting = surroundings.setup.ship_location or surroundings.setup.receive_location
    then = following_place(line, left, book, place=place, waiting=waiting) if place else ""
    text = N_("Shipping {document}: take {amount} {item} and scan it")
    if then:
        text = N_("Shipping {document}: take {amount} {item} at {place}, then at {next_place}")
    elif place:
        text = N_("Shipping {document}: take {amount} {item} at {place} and scan it")
    words = (
        line_words(line, surroundings.catalogue),
        amount_words(left, item.unit if item else PIECE),
    )
    where = {"document": document.code, "place": place, "next_place": then}
    return replace(state, guidance=say(text, *words, **where))
