"""Goods come in, blind or against an expected document; each scan is recorded at once. Pure.

    state            scanned            becomes                    records
    Receive          item               Receive                    supplier -> receive location
    Receive          SSCC               Receive on that pallet     -
    Receive          document           Receive against it         -
    Receive          CANCEL             without pallet, then Menu  -
    Receive          DONE               document closed, or Menu   -

A document only helps to check: what is not on it, or more than it says, is recorded with a flag.
"""

from dataclasses import replace

from central.contract.facts import Movement
from gateway.station.commands import Command, ScannedCommand
from gateway.station.drafts import counted_load, movement
from gateway.station.effects import Message
from gateway.station.meanings import Meaning, ScannedDocument, ScannedItem, ScannedSscc
from gateway.station.messages import N_, amount_words, item_words, say
from gateway.station.session import Menu, Receive, Session, State, Step, Surroundings
from gateway.station.workflows.documents import closing_message, progress
from gateway.station.workflows.replies import changed, not_here, recorded, success, warning


def prompt(state: Receive) -> Message:
    """Return what to do next."""
    if state.document and state.sscc:
        return say(
            N_("Receiving {document} on pallet {sscc}: scan items"),
            document=state.document,
            sscc=state.sscc,
        )
    if state.document:
        return say(N_("Receiving {document}: scan items, at the end DONE"), document=state.document)
    if state.sscc:
        return say(N_("Receiving on pallet {sscc}: scan items"), sscc=state.sscc)
    return say(N_("Receiving: scan items, or first a document or a pallet"))


def advance(session: Session, state: Receive, meaning: Meaning, surroundings: Surroundings) -> Step:
    """Return what a scan during receipt does."""
    if isinstance(meaning, ScannedItem):
        return _receive(session, state, meaning, surroundings)
    if isinstance(meaning, ScannedSscc):
        return success(
            changed(session, replace(state, sscc=meaning.sscc)),
            say(N_("The next items come on pallet {sscc}."), sscc=meaning.sscc),
        )
    if isinstance(meaning, ScannedDocument):
        return open_document(session, meaning)
    if isinstance(meaning, ScannedCommand) and meaning.command is Command.CANCEL:
        if state.sscc:
            return success(
                changed(session, replace(state, sscc="")), say(N_("The next items come loose."))
            )
        return success(changed(session, Menu()), say(N_("Back to the start.")))
    if isinstance(meaning, ScannedCommand) and meaning.command is Command.DONE:
        return close_document(session, state.document, Receive(), surroundings)
    return not_here(session)


def open_document(session: Session, scanned: ScannedDocument) -> Step:
    """Return the session receiving against a document, with a warning if it is unknown."""
    following = changed(session, Receive(document=scanned.code))
    if scanned.document is None:
        return warning(
            following,
            say(
                N_("{document} is unknown here: receipts are recorded, tell the office."),
                document=scanned.code,
            ),
        )
    return success(
        following,
        say(
            N_("{document} from {partner}: {count} lines."),
            document=scanned.code,
            partner=scanned.document.partner,
            count=str(len(scanned.document.lines)),
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


def _receive(
    session: Session, state: Receive, scanned: ScannedItem, surroundings: Surroundings
) -> Step:
    place = surroundings.setup.receive_location
    quantity = scanned.quantity * session.multiplier
    sscc = scanned.sscc or state.sscc
    flags: list[str] = []
    if scanned.sscc and surroundings.book.stock(location=place, sscc=scanned.sscc):
        flags.append("sscc_repeated")
    words = (
        item_words(scanned.item, scanned.code),
        amount_words(quantity, scanned.unit),
    )
    done, line = say(N_("Received {amount} {item}"), *words), 0
    document = surroundings.catalogue.document(state.document) if state.document else None
    if document is not None:
        answered = progress(document, scanned.code, surroundings.book) if scanned.item else None
        if answered is None:
            flags.append("unexpected")
        elif scanned.item and scanned.unit == scanned.item.unit:  # Pounds answer no kilograms.
            line, total = answered.line, answered.received + quantity
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
    fact: Movement = movement(
        session,
        surroundings,
        counted_load(session, scanned, sscc=sscc, flags=tuple(flags)),
        from_location="supplier",
        to_location=place,
        step="receiving",
        document=state.document,
        line=line,
    )
    return recorded(session, (fact,), done)
