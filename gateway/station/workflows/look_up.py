"""Tells what a code is and where it stands; moves nothing, whatever is scanned. Pure.

    state     scanned        becomes                         records
    LookUp    place          LookUp, what stands there       -
    LookUp    item           LookUp, where it stands, which  -
                             documents name it
    LookUp    SSCC           LookUp, what is on it and where -
    LookUp    document       LookUp, what it asks for        -
    LookUp    UNDO           -                               - (nothing moved)
    LookUp    CANCEL, DONE   Menu                            -

The stock is what this gateway knows of its warehouse: central's word, and what was scanned here
since. How old that word is comes with each answer.
"""

from collections.abc import Sequence
from decimal import Decimal

from central.contract.quantities import PIECE, parse_decimal
from central.contract.reference import ExpectedDocument, known_kind
from gateway.station.book import StockLine
from gateway.station.commands import Command, ScannedCommand
from gateway.station.effects import Message, Signal
from gateway.station.meanings import (
    Meaning,
    ScannedBin,
    ScannedDocument,
    ScannedItem,
    ScannedSscc,
)
from gateway.station.messages import N_, Words, amount_words, item_words, say
from gateway.station.session import LookUp, Menu, Session, Step, Surroundings
from gateway.station.step import NOTES_SHOWN_MAX
from gateway.station.workflows.documents import line_words, open_lines, remaining
from gateway.station.workflows.goods import standing_on
from gateway.station.workflows.replies import changed, error, not_here, success

DOCUMENTS_TOLD_MAX = 4
MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000


def prompt(state: LookUp) -> Message:
    """Return what to do next."""
    if state.notes:
        return say(N_("Look up: scan the next code; when finished, DONE"))
    return say(N_("Look up: scan any place, item, pallet or document; nothing is moved"))


def advance(session: Session, meaning: Meaning, surroundings: Surroundings) -> Step:
    """Return what a scan tells."""
    if isinstance(meaning, ScannedCommand):
        if meaning.command in {Command.CANCEL, Command.DONE}:
            return success(changed(session, Menu()), say(N_("Back to the start.")))
        if meaning.command is Command.UNDO:
            return error(session, say(N_("Looking up moves nothing: there is nothing to undo.")))
        return not_here(session)
    if isinstance(meaning, ScannedBin):
        notes = _of_place(meaning, surroundings)
    elif isinstance(meaning, ScannedSscc):
        notes = _of_pallet(meaning.sscc, surroundings)
    elif isinstance(meaning, ScannedItem):
        notes = _of_item(meaning, surroundings)
    elif isinstance(meaning, ScannedDocument):
        notes = _of_document(meaning, surroundings)
    else:
        return not_here(session)
    room = NOTES_SHOWN_MAX - 1
    if len(notes) > room:
        notes = [*notes[: room - 1], say(N_("... and more."))]
    notes.append(_age(surroundings))
    following = changed(session, LookUp(tuple(notes)))
    return Step(following, (Signal("success", notes[0]),), notes[0])


def _of_place(place: ScannedBin, surroundings: Surroundings) -> list[Message]:
    rows = surroundings.book.stock(location=place.code)
    text = N_("{place} is a place of this warehouse: {count} goods.")
    if place.location is None:
        text = N_("{place} is no place that is known here: {count} goods.")
    head = say(text, place=place.code, count=str(len(rows)))
    return [head, *(_row(row, surroundings, N_("{amount} {item}{which}")) for row in rows)]


def _of_pallet(sscc: str, surroundings: Surroundings) -> list[Message]:
    rows = standing_on(surroundings.book, sscc)
    text = N_("Pallet {sscc}: {count} goods.") if rows else N_("Pallet {sscc}: nothing is known.")
    head = say(text, sscc=sscc, count=str(len(rows)))
    stands = [_row(row, surroundings, N_("{amount} {item}{which} at {place}")) for row in rows]
    expected = [
        document
        for document in surroundings.catalogue.documents()
        if any(line.sscc == sscc for line in document.lines)
    ]
    return [head, *stands, *_named(expected)]


def _of_item(scanned: ScannedItem, surroundings: Surroundings) -> list[Message]:
    if scanned.item is None:
        head = say(N_("{code} is no item that is known here."), code=scanned.code)
        rows = surroundings.book.stock(item=scanned.code)
        return [head, *(_row(row, surroundings, N_("{amount} at {place}{which}")) for row in rows)]
    rows = [
        row
        for row in surroundings.book.stock(item=scanned.code)
        if scanned.lot in {"", row.lot} and scanned.serial in {"", row.serial}
    ]
    total = sum((row.on_hand for row in rows if row.unit == scanned.item.unit), Decimal(0))
    which = "".join(f" {code}" for code in (scanned.lot, scanned.serial) if code)
    head = say(
        N_("{item}{which}: {amount} at {count} places."),
        item_words(scanned.item, scanned.code),
        amount_words(total, scanned.item.unit),
        which=which,
        count=str(len({row.location for row in rows})),
    )
    stands = [_row(row, surroundings, N_("{amount} at {place}{which}")) for row in rows]
    return [head, *stands, *_expecting(scanned, surroundings)]


def _of_document(scanned: ScannedDocument, surroundings: Surroundings) -> list[Message]:
    document = scanned.document
    if document is None:
        return [say(N_("{document} is unknown here."), document=scanned.code)]
    book, catalogue = surroundings.book, surroundings.catalogue
    is_count = known_kind(document) == "count"
    left = [] if is_count else open_lines(document, book)
    text = N_("{document} of {partner}, lines: {count}, not done: {left}.")
    if is_count or not (document.partner or document.counterpart):
        text = N_("{document}, lines: {count}.")
    head = say(
        text,
        document=document.code,
        partner=document.partner or document.counterpart,
        count=str(len(document.lines)),
        left=str(len(left)),
    )
    received = book.received(document.code)
    notes = [head]
    for line in left[:NOTES_SHOWN_MAX]:
        item = catalogue.item(line.item)
        unit = item.unit if item else PIECE
        notes.append(
            say(
                N_("Left: {amount} of {expected} {item} {place}"),
                line_words(line, catalogue),
                amount_words(remaining(line, received), unit),
                amount_words(parse_decimal(line.quantity), unit, name="expected"),
                place=line.location,
            )
        )
    return notes


def _expecting(scanned: ScannedItem, surroundings: Surroundings) -> list[Message]:
    expected = [
        document
        for document in surroundings.catalogue.documents()
        if any(line.item == scanned.code for line in document.lines)
        and any(line.item == scanned.code for line in open_lines(document, surroundings.book))
    ]
    return _named(expected)


def _named(documents: Sequence[ExpectedDocument]) -> list[Message]:
    notes = [
        say(
            N_("Named by {document}, {partner}"),
            document=one.code,
            partner=one.partner or one.counterpart or "-",
        )
        for one in documents[:DOCUMENTS_TOLD_MAX]
    ]
    if len(documents) > DOCUMENTS_TOLD_MAX:
        more = str(len(documents) - DOCUMENTS_TOLD_MAX)
        notes.append(say(N_("... and by {count} more documents."), count=more))
    return notes


def _row(row: StockLine, surroundings: Surroundings, text: str) -> Message:
    item = surroundings.catalogue.item(row.item)
    which = "".join(f" {code}" for code in (row.lot, row.serial, row.sscc) if code)
    words: tuple[Words, ...] = (item_words(item, row.item), amount_words(row.on_hand, row.unit))
    return say(text, *words, place=row.location, which=which)


def _age(surroundings: Surroundings) -> Message:
    """Return how old central's word is; own scans are always in."""
    known_ms, observation = surroundings.known_ms, surroundings.observation
    if not known_ms:
        return say(N_("Central has said nothing yet: this is only what was scanned here."))
    if not observation.clock_synced or observation.event_time_ms < known_ms:
        return say(N_("How old central's word is cannot be told: the clock is not set."))
    age_ms = observation.event_time_ms - known_ms
    if age_ms < 2 * MINUTE_MS:
        return say(N_("Central last told of changes just now."))
    if age_ms < 2 * HOUR_MS:
        return say(
            N_("Central last told of changes {count} minutes ago."), count=str(age_ms // MINUTE_MS)
        )
    if age_ms < 2 * DAY_MS:
        return say(
            N_("Central last told of changes {count} hours ago."), count=str(age_ms // HOUR_MS)
        )
    return say(N_("Central last told of changes {count} days ago."), count=str(age_ms // DAY_MS))
