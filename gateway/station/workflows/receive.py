"""Goods come in, blind or against a document; each scan is recorded at once. Pure.

    state            scanned            becomes                    records
    Receive          item               Receive                    source -> receive location
    Receive          SSCC               Receive                    all that the document has on it,
                                                                   and what of it is in what
    Receive          SSCC               Receive on that pallet     - (no document names it)
    Receive          CANCEL             without pallet, then Menu  -
    Receive          DONE               document closed, or Menu   -

The source is the supplier, or by the document's kind: in_transit for a transfer, customer for a
return. A document only helps to check: what is not on it, another lot, or more than it says is
recorded with a flag.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from central.contract.facts import Movement, Packing
from central.contract.quantities import PIECE, parse_decimal
from central.contract.reference import DocumentLine, ExpectedDocument, UnitUnderWay
from gateway.station.book import Book, PendingBook
from gateway.station.commands import Command, ScannedCommand
from gateway.station.drafts import counted_load, movement, packing
from gateway.station.effects import Message
from gateway.station.meanings import Meaning, ScannedItem, ScannedSscc
from gateway.station.messages import N_, amount_words, item_words, say
from gateway.station.session import (
    LOADS_MAX,
    Load,
    Menu,
    PackUnits,
    Receive,
    Session,
    State,
    Step,
    Surroundings,
)
from gateway.station.workflows.documents import (
    closing_message,
    comes_from,
    is_on,
    open_lines,
    progress,
    remaining,
)
from gateway.station.workflows.replies import (
    PALLET_TOO_LARGE,
    changed,
    not_here,
    recorded,
    success,
    warning,
)


def prompt(state: Receive) -> Message:
    """Return what to do next."""
    if state.document and state.sscc:
        return say(
            N_("Receiving {document} on pallet {sscc}: scan items"),
            document=state.document,
            sscc=state.sscc,
        )
    if state.document:
        return say(N_("Receiving {document}: scan the items, then DONE"), document=state.document)
    if state.sscc:
        return say(N_("Receiving on pallet {sscc}: scan items"), sscc=state.sscc)
    return say(N_("Receiving: scan an item; or first choose its document, or scan a pallet"))


def advance(session: Session, state: Receive, meaning: Meaning, surroundings: Surroundings) -> Step:
    """Return what a scan during receipt does."""
    if isinstance(meaning, ScannedItem):
        return _receive(session, state, meaning, surroundings)
    if isinstance(meaning, ScannedSscc):
        return _take_pallet(session, state, meaning.sscc, surroundings)
    if isinstance(meaning, ScannedCommand) and meaning.command is Command.CANCEL:
        if state.sscc:
            return success(
                changed(session, replace(state, sscc="")), say(N_("The next items come loose."))
            )
        return success(changed(session, Menu()), say(N_("Back to the start.")))
    if isinstance(meaning, ScannedCommand) and meaning.command is Command.DONE:
        return close_document(session, state.document, Receive(), surroundings)
    return not_here(session)


def open_receipt(session: Session, document: ExpectedDocument) -> Step:
    """Return the session receiving against a document that is known here."""
    return success(
        changed(session, Receive(document.code, source=comes_from(document, otherwise="supplier"))),
        say(
            N_("{document} from {partner}, lines: {count}."),
            document=document.code,
            partner=document.partner or document.counterpart,
            count=str(len(document.lines)),
        ),
    )


def close_document(session: Session, code: str, state: State, surroundings: Surroundings) -> Step:
    """Return the session after DONE: a document is closed with a look at what is missing."""
    if not code:
        return success(changed(session, Menu()), say(N_("Back to the start.")))
    following = changed(session, state)
    document = surroundings.catalogue.document(code)
    short = document and closing_message(document, surroundings.catalogue, surroundings.book)
    if short:
        return warning(following, short)
    return success(following, say(N_("{document} closed."), document=code))


def _take_pallet(session: Session, state: Receive, sscc: str, surroundings: Surroundings) -> Step:
    """Take a pallet that the document names as a whole; any other brings what is scanned next."""
    book, catalogue = surroundings.book, surroundings.catalogue
    document = catalogue.document(state.document) if state.document else None
    on_it = [line for line in document.lines if is_on(line, sscc)] if document else []
    on_its_way = [unit for unit in document.units if is_on(unit, sscc)] if document else []
    if document is None or not (on_it or on_its_way):
        return success(
            changed(session, replace(state, sscc=sscc)),
            say(N_("The next items come on pallet {sscc}."), sscc=sscc),
        )
    lines = open_lines(document, book, sscc=sscc)
    arriving = [unit for unit in on_its_way if not _is_here(unit, book)]
    if len(lines) + len(arriving) > LOADS_MAX:
        return warning(changed(session, replace(state, sscc=sscc)), say(PALLET_TOO_LARGE))
    received = book.received(document.code)
    facts = []
    for line in lines:
        item = catalogue.item(line.item)
        unit, quantity = item.unit if item else PIECE, remaining(line, received)
        scanned = ScannedItem(item, line.item, quantity, unit, lot=line.lot)
        load = Load(scanned, quantity, sscc=line.sscc)
        facts.append(_moved(session, state, load, surroundings, line=line.line))
    for one in arriving:
        facts.append(_arrived(session, state, one, surroundings, facts))
    if not facts:
        return warning(
            changed(session, replace(state, sscc=sscc)),
            say(
                N_("Pallet {sscc} is received already: scan its items if there is more."), sscc=sscc
            ),
        )
    done = say(N_("Received pallet {sscc}: {count} goods"), sscc=sscc, count=str(len(facts)))
    packed = _packed(session, sscc, [*lines, *arriving], surroundings)
    return recorded(session, [*facts, *packed], done)


def _is_here(unit: UnitUnderWay, book: Book) -> bool:
    """Return whether the goods of a unit came already, of which central has not heard yet."""
    return any(
        row.on_hand > 0 and (row.lot, row.serial) == (unit.lot, unit.serial)
        for row in book.stock(item=unit.item, sscc=unit.sscc)
    )


def _arrived(
    session: Session,
    state: Receive,
    unit: UnitUnderWay,
    surroundings: Surroundings,
    before: Sequence[Movement],
) -> Movement:
    """Return the receipt of what is under way on a unit. before: what came with the same scan."""
    catalogue, quantity = surroundings.catalogue, parse_decimal(unit.quantity)
    item, document = catalogue.item(unit.item), catalogue.document(state.document)
    scanned = ScannedItem(item, unit.item, quantity, unit.unit, lot=unit.lot, serial=unit.serial)
    load = Load(scanned, quantity, sscc=unit.sscc)
    book = PendingBook(surroundings.book, before)
    answered = None
    if document is not None and item is not None and unit.unit == item.unit:
        answered = progress(document, unit.item, book, lot=unit.lot, sscc=unit.sscc)
    flags = []
    if answered is None:
        flags.append("unexpected")
    elif answered.received + quantity > answered.at_most:
        flags.append("over_expected")
    line = answered.line if answered else 0
    load = replace(load, flags=tuple(flags))
    return _moved(session, state, load, surroundings, line=line)


def _packed(
    session: Session,
    sscc: str,
    came: Sequence[DocumentLine | UnitUnderWay],
    surroundings: Surroundings,
) -> list[Packing]:
    """Return what the document says is in what, of what came with the label of an outer unit."""
    children: dict[str, list[str]] = {}
    for one in came:
        # A line may name the pallet alone.
        for child, parent in pairwise(filter(None, (one.sscc, *one.carried_by))):
            if child == sscc:
                break  # What it stands on itself was not scanned.
            if child not in children.setdefault(parent, []):
                children[parent].append(child)
    book = surroundings.book
    return [
        packing(session, surroundings, PackUnits("pack", parent, tuple(fresh)))
        for parent, units in children.items()
        if (fresh := [one for one in units if one not in book.inside(parent)])
    ]


def _receive(
    session: Session, state: Receive, scanned: ScannedItem, surroundings: Surroundings
) -> Step:
    place = surroundings.setup.receive_location
    load = counted_load(session, scanned, sscc=scanned.sscc or state.sscc)
    flags: list[str] = []
    if scanned.sscc and surroundings.book.stock(location=place, sscc=scanned.sscc):
        flags.append("sscc_repeated")
    words = (item_words(scanned.item, scanned.code), amount_words(load.quantity, scanned.unit))
    done, line = say(N_("Received {amount} {item}"), *words), 0
    document = surroundings.catalogue.document(state.document) if state.document else None
    if document is not None:
        answered = None
        if scanned.item:
            answered = progress(
                document, scanned.code, surroundings.book, lot=scanned.lot, sscc=load.sscc
            )
        if answered is None:
            flags.append("unexpected")
        elif scanned.item and scanned.unit == scanned.item.unit:  # Pounds answer no kilograms.
            line, total = answered.line, answered.received + load.quantity
            if answered.is_other_lot:
                flags.append("lot_differs")
            if total > answered.at_most:
                flags.append("over_expected")
            done = say(
                N_("Received {amount} {item}: {total} of {expected}"),
                *words,
                amount_words(total, scanned.unit, name="total"),
                amount_words(answered.expected, scanned.unit, name="expected"),
            )
    elif state.document:
        flags.append("unknown_document")
    load = replace(load, flags=tuple(flags))
    return recorded(session, (_moved(session, state, load, surroundings, line=line),), done)


def _moved(
    session: Session, state: Receive, load: Load, surroundings: Surroundings, *, line: int
) -> Movement:
    document = surroundings.catalogue.document(state.document) if state.document else None
    return movement(
        session,
        surroundings,
        load,
        from_location=comes_from(document, otherwise=state.source),
        to_location=surroundings.setup.receive_location,
        step="receiving",
        document=state.document,
        line=line,
    )
