"""Signals that more than one workflow gives. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from central.contract.facts import Fact
from central.contract.reference import ExpectedDocument
from gateway.station.effects import Message, RecordFacts, Signal
from gateway.station.messages import N_, say
from gateway.station.session import Session, State, Step

# Flags that a person should know of at once, in the order of telling.
FLAG_WORDS: dict[str, str] = {
    "unknown_item": N_("Recorded, but this item is unknown: put it aside and tell the office."),
    "unknown_location": N_("Recorded, but this place is unknown: check its label."),
    "expired": N_(
        "Recorded, but it has expired or has too few days left: take it back with UNDO and put it"
        " aside."
    ),
    "unexpected": N_("Recorded, but not expected on this document: put it aside."),
    "unknown_document": N_("Recorded, but this document is unknown here: tell the office."),
    "outside_tolerance": N_("Recorded, but outside the tolerance: tell the office."),
    "lot_differs": N_("Recorded, but the document names another lot: check the label."),
    "over_expected": N_("Recorded, but more than expected: check the count."),
    "sscc_repeated": N_("Recorded, but this pallet was here already: undo if scanned twice."),
    "unit_differs": N_("Recorded as weighed or labelled: this unit does not fit the item's unit."),
    "negative_stock": N_("Recorded, but the book had less here: count this place."),
    "counted_again": N_("Counted here before: only this later figure counts."),
    "not_asked": N_("Counted, though the document does not ask for it."),
    "no_lot": N_("Recorded without a lot: scan the label that carries the lot."),
    "no_serial": N_("Recorded without a serial number: scan the label that carries it."),
    "no_expiry": N_("Recorded without an expiry date: scan the label that carries it."),
}
# Two that want two different things to be done, in one sentence.
BOTH_WORDS: dict[frozenset[str], str] = {
    frozenset({"over_expected", "no_lot"}): N_(
        "Recorded, but more than expected: check the count; and without a lot: scan the label"
        " that carries the lot."
    ),
}
PALLET_TOO_LARGE = N_("Too much on one pallet: scan its items.")


def error(session: Session, message: Message) -> Step:
    """Return the session as it was, with an error: nothing is recorded."""
    return Step(session, (Signal("error", message),))


def success(session: Session, message: Message) -> Step:
    """Return a new session after a good step without facts."""
    return Step(session, (Signal("success", message),))


def warning(session: Session, message: Message) -> Step:
    """Return a new session after a step without facts that a person should look at."""
    return Step(session, (Signal("warning", message),))


def recorded(
    session: Session, facts: Sequence[Fact], done: Message, *, unscanned: str = ""
) -> Step:
    """Return the session with the facts; the signal is what their gravest flag says, or `done`.

    unscanned: a place that goods left below zero, though nobody scanned it; "" for none.
    """
    flags = {flag for fact in facts for flag in fact.flags}
    told = [flag for flag in FLAG_WORDS if flag in flags]
    both = next((text for pair, text in BOTH_WORDS.items() if pair <= flags), "")
    signal = Signal("success", done)
    if told and told[0] == "negative_stock" and unscanned:
        text = N_(
            "Recorded from {place}, where the book has less: UNDO, scan the place you took it"
            " from, then the goods again."
        )
        signal = Signal("warning", say(text, place=unscanned))
    elif told:
        gravest = both if both and told[0] in {"over_expected", "no_lot"} else FLAG_WORDS[told[0]]
        signal = Signal("warning", say(gravest))
    following = session if session.multiplier == 1 else replace(session, multiplier=Decimal(1))
    return Step(following, (RecordFacts(tuple(facts)), signal), done)


def too_old(session: Session, document: ExpectedDocument) -> Step:
    """Return the answer to a document of a kind that only a newer gateway knows."""
    return error(
        session,
        say(
            N_("This gateway is too old to work on {document}: tell the office to update it."),
            document=document.code,
        ),
    )


def changed(session: Session, state: State) -> Session:
    """Return the session in another state, the quantity of the next scan kept."""
    return replace(session, state=state)


def not_here(session: Session) -> Step:
    """Return the answer to a code that has no meaning at this point."""
    return error(session, say(N_("This code does not fit here: do what the screen asks for.")))
