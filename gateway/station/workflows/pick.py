"""Goods of a document are taken place by place, to stand ready or to be sent at once. Pure.

    state              scanned        becomes                     records
    Pick               document       Pick under it, first line   -
    Pick, document     place          Pick from there             -
    Pick, document     item           Pick, next line             place -> staging, or -> outside
    Pick, document     SSCC           Pick, next line             all of its content, likewise
    Pick, document     SHORT          Pick, asks for the reason   -
    Pick, asks         reason         Pick, that line put off     see `short_picks`
    Pick, asks         CANCEL, UNDO   Pick, asks no more          -
    Pick, put off      UNDO           the line is open again      -
    Pick               CANCEL         without place, then Menu    -
    Pick, document     DONE           Menu; tells what is short   -

The lines are in the order in which central has them walked; the prompt leads from place to place.
Where the station is set to send at once (`pick_to`), a pick is the shipment as well.
"""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import msgspec

from central.contract.facts import Movement
from central.contract.quantities import PIECE
from central.contract.reference import DocumentLine, ExpectedDocument, known_kind
from gateway.station.book import Book, PendingBook, picked_under
from gateway.station.commands import Command, ScannedCommand
from gateway.station.drafts import counted_load
from gateway.station.effects import Message
from gateway.station.meanings import (
    Meaning,
    ScannedBin,
    ScannedDocument,
    ScannedItem,
    ScannedSscc,
)
from gateway.station.messages import N_, amount_words, item_words, say
from gateway.station.session import LOADS_MAX, Knowing, Menu, Pick, Session, Step, Surroundings
from gateway.station.workflows.documents import (
    GOES_TO,
    PickingBook,
    closing_message,
    goes_to,
    line_words,
    open_lines,
    remaining,
)
from gateway.station.workflows.replies import (
    PALLET_TOO_LARGE,
    changed,
    error,
    not_here,
    recorded,
    success,
    warning,
)
from gateway.station.workflows.sending import Aim, likely_place, pallet_loads, send, send_pallet
from gateway.station.workflows.short_picks import SHORT_REASONS, ShortPick, say_short

SCAN_PLACE = N_("Scan the place that the goods leave, then the goods.")
NOTHING_KNOWN = N_("Nothing is known on pallet {sscc}: scan its items.")
ALREADY_THERE = N_("The goods are at {place} already: scan another place.")


def prompt(state: Pick) -> Message:
    """Return what to do next."""
    if state.asks_reason:
        return say(N_("Not enough here: choose the reason"))
    if state.guidance is not None:
        return state.guidance
    if state.document:
        return say(N_("Picking {document}: scan the items, then DONE"), document=state.document)
    return say(N_("Picking: choose or scan the document"))


def open_pick(session: Session, scanned: ScannedDocument, surroundings: Surroundings) -> Step:
    """Return the session picking under a document."""
    document = scanned.document
    if document is None:
        text = N_("{document} is unknown here and cannot be picked: tell the office.")
        return error(session, say(text, document=scanned.code))
    if known_kind(document) not in GOES_TO:
        text = N_("{document} sends nothing: scan a document that does, or another command.")
        return error(session, say(text, document=document.code))
    state = Pick(document=document.code, destination=goes_to(document, otherwise="customer"))
    return success(
        changed(session, guided(state, surroundings, surroundings.book)),
        say(
            N_("{document} to {partner}, lines: {count}."),
            document=document.code,
            partner=document.partner or document.counterpart,
            count=str(len(document.lines)),
        ),
    )


def lines_left(state: Pick, surroundings: Knowing, book: Book) -> list[DocumentLine]:
    """Return what is still to be picked, in walking order, without what is put off as short."""
    document = _to_pick(state, surroundings, book)
    if document is None:
        return []
    left = open_lines(document, _counting_picks(state, surroundings, book))
    return [line for line in left if line.line not in state.short]


def guided(state: Pick, surroundings: Knowing, book: Book) -> Pick:
    """Return the state with what is next."""
    document = _document(state, surroundings)
    if document is None:
        return replace(state, guidance=None)
    left = lines_left(state, surroundings, book)
    if not left:
        text = N_("Picking {document}: everything is picked, scan DONE")
        if state.short:
            text = N_("Picking {document}: all that is there is picked, scan DONE")
        return replace(state, guidance=say(text, document=document.code))
    line, fits = _next_line(state, left)
    item = surroundings.catalogue.item(line.item)
    amount = remaining(line, _counting_picks(state, surroundings, book).received(document.code))
    place = line.location or likely_place(line, surroundings, book)
    if state.source and fits:
        text = N_("Picking {document}: take {amount} {item} at {source} and scan it")
    elif state.source:
        text = N_("Picking {document}: nothing is asked for at {source}, go to {place}")
    elif place:
        text = N_("Picking {document}: go to {place} and scan it; {amount} {item}")
    else:
        text = N_("Picking {document}: {amount} {item}; scan the place where it is")
    return replace(
        state,
        guidance=say(
            text,
            line_words(line, surroundings.catalogue),
            amount_words(amount, item.unit if item else PIECE),
            document=document.code,
            place=place,
            source=state.source,
        ),
    )


def advance(session: Session, state: Pick, meaning: Meaning, surroundings: Surroundings) -> Step:
    """Return what a scan during picking does."""
    if isinstance(meaning, ScannedDocument):
        return open_pick(session, meaning, surroundings)
    if isinstance(meaning, ScannedCommand):
        return _command(session, state, meaning.command, surroundings)
    if not state.document:
        return error(session, say(N_("Scan the document that is to be picked.")))
    if state.asks_reason:
        return error(session, say(N_("Scan the reason first, or CANCEL.")))
    if isinstance(meaning, ScannedBin):
        return _go_to(session, state, meaning, surroundings)
    if isinstance(meaning, ScannedItem):
        return _pick_item(session, state, meaning, surroundings)
    if isinstance(meaning, ScannedSscc):
        return _pick_pallet(session, state, meaning.sscc, surroundings)
    return not_here(session)


def _command(session: Session, state: Pick, command: Command, surroundings: Surroundings) -> Step:
    back = command in {Command.CANCEL, Command.UNDO}
    if state.asks_reason and back:
        return success(
            changed(session, replace(state, asks_reason=False)), say(N_("Not short: go on."))
        )
    if state.asks_reason and command in SHORT_REASONS:
        return _short(session, state, command, surroundings)
    if command is Command.UNDO and state.undo != "movement":
        return _open_again(session, state, surroundings)
    if command is Command.SHORT and state.document:
        if not lines_left(state, surroundings, surroundings.book):
            return error(session, say(N_("Nothing is left to pick: scan DONE.")))
        asking = changed(session, replace(state, asks_reason=True))
        asking = replace(asking, multiplier=Decimal(1))
        return success(asking, say(N_("Not enough here: choose the reason.")))
    if command is Command.CANCEL and state.source:
        without = guided(replace(state, source=""), surroundings, surroundings.book)
        return success(changed(session, without), say(N_("The place no longer counts.")))
    if command in {Command.CANCEL, Command.DONE} and not state.asks_reason:
        return _close(session, state, surroundings, done=command is Command.DONE)
    return not_here(session)


def _go_to(session: Session, state: Pick, place: ScannedBin, surroundings: Surroundings) -> Step:
    left = lines_left(state, surroundings, surroundings.book)
    there = replace(state, source=place.code)
    following = changed(session, guided(there, surroundings, surroundings.book))
    if left and _next_line(there, left)[1]:
        return success(following, say(N_("Taking from {place}."), place=place.code))
    # The place counts all the same: who takes it from there knows why.
    text = N_("{document} takes nothing from {place}: check where you are.")
    return warning(following, say(text, document=state.document, place=place.code))


def _pick_item(
    session: Session, state: Pick, scanned: ScannedItem, surroundings: Surroundings
) -> Step:
    load = counted_load(session, scanned, sscc=scanned.sscc)
    aim = _aim(state, surroundings)
    book = _counting_picks(state, surroundings, surroundings.book)
    sent = send(session, aim, load, surroundings, book)
    if not sent.fact.from_location:
        return error(session, say(SCAN_PLACE))
    if sent.fact.from_location == aim.to_location:
        return error(session, say(ALREADY_THERE, place=aim.to_location))
    words = (item_words(scanned.item, scanned.code), amount_words(load.quantity, scanned.unit))
    done = say(N_("Picked {amount} {item}"), *words)
    if sent.answered is not None:
        done = say(
            N_("Picked {amount} {item}: {total} of {expected}"),
            *words,
            amount_words(sent.answered.received + load.quantity, scanned.unit, name="total"),
            amount_words(sent.answered.expected, scanned.unit, name="expected"),
        )
    return _recorded(session, state, surroundings, [sent.fact], done)


def _pick_pallet(session: Session, state: Pick, sscc: str, surroundings: Surroundings) -> Step:
    aim, book = _aim(state, surroundings), _counting_picks(state, surroundings, surroundings.book)
    loads = pallet_loads(aim, sscc, surroundings, book)
    if isinstance(loads, Message):
        return error(session, loads)
    found = [(place, load) for place, load in loads if place or aim.source]
    if len(found) > LOADS_MAX:
        return error(session, say(PALLET_TOO_LARGE))
    if not found:
        return error(session, say(NOTHING_KNOWN, sscc=sscc))
    if any((place or aim.source) == aim.to_location for place, _ in found):
        return error(session, say(ALREADY_THERE, place=aim.to_location))
    facts = send_pallet(session, aim, found, surroundings, book)
    done = say(N_("Picked pallet {sscc}: {count} goods"), sscc=sscc, count=str(len(facts)))
    return _recorded(session, state, surroundings, facts, done)


def _recorded(
    session: Session,
    state: Pick,
    surroundings: Surroundings,
    facts: Sequence[Movement],
    done: Message,
) -> Step:
    book = PendingBook(surroundings.book, facts)
    left = lines_left(state, surroundings, book)
    # A place is left once nothing of it is next.
    stays = not left or not left[0].location or state.source in {line.location for line in left}
    following = replace(state, undo="movement", source=state.source if stays else "")
    following = guided(following, surroundings, book)
    return recorded(changed(session, following), facts, done)


def _short(session: Session, state: Pick, reason: Command, surroundings: Surroundings) -> Step:
    document = _document(state, surroundings)
    left = lines_left(state, surroundings, surroundings.book)
    if document is None or not left:
        calm = changed(session, replace(state, asks_reason=False))
        return warning(calm, say(N_("Nothing is left to pick: scan DONE.")))
    line, fits = _next_line(state, left)
    place = state.source if fits else line.location  # Where the prompt sends people.
    done = _counting_picks(state, surroundings, surroundings.book).received(document.code)
    missing = remaining(line, done)
    said = say_short(
        session,
        surroundings,
        ShortPick(document.code, line, place, missing, reason),
    )
    following = replace(
        state, asks_reason=False, short=(*state.short, line.line), undo=said.undo, source=""
    )
    after = PendingBook(surroundings.book, said.facts)
    following_session = changed(session, guided(following, surroundings, after))
    following_session = replace(following_session, multiplier=Decimal(1))
    if said.facts:
        return recorded(following_session, said.facts, said.done)
    return warning(following_session, said.done)


def _open_again(session: Session, state: Pick, surroundings: Surroundings) -> Step:
    """Return the session with the last line that was put off as short open again."""
    again = replace(state, short=state.short[:-1], undo="movement")
    following = changed(session, guided(again, surroundings, surroundings.book))
    if state.undo == "counted":
        text = N_("To be picked again; the count stays: count the place if the goods are there.")
        return warning(following, say(text))
    return success(following, say(N_("To be picked again.")))


def _close(session: Session, state: Pick, surroundings: Surroundings, *, done: bool) -> Step:
    document = _to_pick(state, surroundings, surroundings.book)
    following = changed(session, Menu())
    if document is None or not done:
        return success(following, say(N_("Back to the start.")))
    book = _counting_picks(state, surroundings, surroundings.book)
    short = closing_message(document, surroundings.catalogue, book)
    if short is not None:
        return warning(following, short)
    setup = surroundings.setup
    if setup.pick_to == "ship":
        return success(following, say(N_("{document} closed."), document=document.code))
    ready = setup.ship_location or setup.receive_location
    text = N_("{document} is picked and stands at {place}: ship it from there.")
    return success(following, say(text, document=document.code, place=ready))


def _next_line(state: Pick, left: Sequence[DocumentLine]) -> tuple[DocumentLine, bool]:
    """Return which line is next, and whether its goods may be where the picker stands."""
    here = [line for line in left if line.location and line.location == state.source]
    anywhere = [line for line in left if not line.location] if state.source else []
    found = here or anywhere
    return (found or left)[0], bool(found)


def _aim(state: Pick, surroundings: Surroundings) -> Aim:
    setup = surroundings.setup
    document = _document(state, surroundings)
    if setup.pick_to == "ship":
        outside = goes_to(document, otherwise=state.destination)
        return Aim(state.document, state.source, "", to_location=outside, step="shipping")
    ready = setup.ship_location or setup.receive_location
    return Aim(state.document, state.source, "", to_location=ready, step="picking")


def _to_pick(state: Pick, surroundings: Knowing, book: Book) -> ExpectedDocument | None:
    """Return the document with what is to be taken from somewhere, whether it is done or not.

    Central may have been told of picks and say now that a line stands where goods are put ready. If
    it was picked elsewhere it is done; what is left of a line that was begun here is elsewhere.
    """
    document, setup = _document(state, surroundings), surroundings.setup
    if document is None or setup.pick_to == "ship":
        return document
    ready = setup.ship_location or setup.receive_location
    begun = book.received(picked_under(document.code))
    lines = (
        msgspec.structs.replace(line, location="") if line.location == ready else line
        for line in document.lines
        if line.location != ready or begun.get(line.line)
    )
    return msgspec.structs.replace(document, lines=tuple(lines))


def _counting_picks(state: Pick, surroundings: Knowing, book: Book) -> Book:
    document = _document(state, surroundings)
    return book if document is None else PickingBook(book, document)


def _document(state: Pick, surroundings: Knowing) -> ExpectedDocument | None:
    return surroundings.catalogue.document(state.document) if state.document else None
