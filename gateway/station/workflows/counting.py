"""Stock is counted place by place, by people who are not told what the book has. Pure.

    state                 scanned          becomes                    records
    Counting              place            Counting there             -
    Counting, place       item             Counting, one more of it   -
    Counting, place       SSCC             Counting on that pallet    - (a pallet with nothing
                                                                      counted on it must be
                                                                      confirmed or canceled first)
    Counting, tallies     CONFIRM          Counting there             a count of each tally
    Counting on a pallet  CONFIRM          Counting there             tallies, and a count of all
      with no tally on it                                             that the book has on it: it
                                                                      is closed
    Counting, place       EMPTY            Counting there             tallies, and a count of zero
                                                                      of all else the book has here
    Counting on a pallet  CANCEL, UNDO     without the pallet         -
      with no tally on it
    Counting, tallies     CANCEL, UNDO     without the last tally     -
    Counting              CANCEL           without place, then Menu   -
    Counting              DONE             Menu                       -

A tally is so much of an item, lot, serial and pallet; scans add up. Where the book has only one lot
or pallet of the item here it is that one. What the book has and nobody counted is zero only if a
person says so with EMPTY, or confirms a place that the document asks for as a whole. A count that
is wrong is not undone but made again: the later one counts.
"""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from central.contract.facts import Count
from central.contract.quantities import to_micro
from central.contract.reference import ExpectedDocument
from gateway.station.commands import Command, ScannedCommand
from gateway.station.drafts import count, counted_load
from gateway.station.effects import Message, RecordFacts, Signal
from gateway.station.meanings import Meaning, ScannedBin, ScannedItem, ScannedSscc
from gateway.station.messages import N_, amount_words, item_words, say
from gateway.station.session import (
    COUNTED_MAX,
    LOADS_MAX,
    Counting,
    Knowing,
    Load,
    Menu,
    Session,
    Step,
    Surroundings,
)
from gateway.station.workflows.count_rules import (
    absent_loads,
    asked_items,
    asks_whole_place,
    line_of,
    lines_left,
    places_left,
    stock_key,
    tally_loads,
    told_apart,
)
from gateway.station.workflows.documents import named
from gateway.station.workflows.goods import load_of_row
from gateway.station.workflows.replies import (
    PALLET_TOO_LARGE,
    changed,
    error,
    not_here,
    recorded,
    success,
    warning,
)

COUNT_HERE = N_(
    "Counting at {place}: scan what is there, then CONFIRM; last of all NOTHING ELSE HERE"
)
EVERYTHING_COUNTED = N_("Counting {document}: everything is counted, scan DONE")
CONFIRM_FIRST = N_("Counted and not confirmed yet: scan CONFIRM, or CANCEL.")
PALLET_FIRST = N_("Pallet {sscc} first: scan its items, CONFIRM if it is closed, or CANCEL.")


def prompt(state: Counting) -> Message:
    """Return what to do next; never what the book has."""
    if state.tallies and not untouched_pallet(state):
        last = state.tallies[-1]
        return say(
            N_("Counted {amount} {item} at {place}: scan on, then CONFIRM"),
            item_words(last.scanned.item, last.scanned.code),
            amount_words(last.quantity, last.scanned.unit),
            place=state.place,
        )
    if state.sscc:
        text = N_("Counting pallet {sscc}: scan its items, or CONFIRM if it is closed")
        return say(text, sscc=state.sscc)
    if state.place:
        if state.guidance is not None and state.guidance.text == EVERYTHING_COUNTED:
            return state.guidance
        return say(COUNT_HERE, place=state.place)
    if state.guidance is not None:
        return state.guidance
    return say(N_("Counting: scan the place, or choose a count document"))


def waiting(state: Counting) -> Message | None:
    """Return what has to be decided before anything else comes, None if nothing is open."""
    if pallet := untouched_pallet(state):
        return say(PALLET_FIRST, sscc=pallet)
    return say(CONFIRM_FIRST) if state.tallies else None


def waiting_count(state: Counting) -> int:
    """Return how many goods and closed pallets were scanned and are not recorded."""
    return len(state.tallies) + bool(untouched_pallet(state))


def open_count(session: Session, document: ExpectedDocument, surroundings: Surroundings) -> Step:
    """Return the session counting for a document that is known here."""
    state = Counting(document=document.code, round=document.round)
    return success(
        changed(session, guided(state, surroundings, ())),
        say(
            N_("{document}, lines to count: {count}."),
            document=document.code,
            count=str(len(document.lines)),
        ),
    )


def advance(
    session: Session, state: Counting, meaning: Meaning, surroundings: Surroundings
) -> Step:
    """Return what a scan during a count does."""
    if isinstance(meaning, ScannedBin):
        return _go_to(session, state, meaning, surroundings)
    if isinstance(meaning, ScannedItem | ScannedSscc) and not state.place:
        return error(session, say(N_("Scan the place first, then what is there.")))
    if isinstance(meaning, ScannedItem):
        return _tally(session, state, meaning)
    if isinstance(meaning, ScannedSscc):
        return _onto_pallet(session, state, meaning.sscc)
    if not isinstance(meaning, ScannedCommand):
        return not_here(session)
    if meaning.command is Command.CONFIRM:
        return _confirm(session, state, surroundings)
    if meaning.command is Command.EMPTY and state.place:
        if pallet := untouched_pallet(state):
            return error(session, say(PALLET_FIRST, sscc=pallet))
        return _record(session, state, surroundings, tally_loads(state, surroundings), rest=True)
    if meaning.command in {Command.CANCEL, Command.UNDO}:
        return _step_back(session, state, undo=meaning.command is Command.UNDO)
    if meaning.command is Command.DONE:
        return _close(session, state, surroundings)
    return not_here(session)


def _go_to(
    session: Session, state: Counting, place: ScannedBin, surroundings: Surroundings
) -> Step:
    if first := waiting(state):
        return error(session, first)
    there = Counting(state.document, state.round, place.code, guidance=state.guidance)
    following = changed(session, there)
    document = _document(state, surroundings)
    if document is None:
        return success(following, say(N_("Counting at {place}."), place=place.code))
    if asks_whole_place(document, place.code):
        return success(following, say(N_("Count everything at {place}."), place=place.code))
    items = asked_items(document, place.code)
    if items:
        text = N_("At {place} count {items}.")
        return success(following, say(text, place=place.code, items=named(items)))
    if any(not line.location for line in document.lines):
        return success(following, say(N_("Counting at {place}."), place=place.code))
    text = N_("{document} does not ask for {place}: count it, or scan another place.")
    return warning(following, say(text, document=document.code, place=place.code))


def _onto_pallet(session: Session, state: Counting, sscc: str) -> Step:
    pallet = untouched_pallet(state)
    if pallet and pallet != sscc:  # It stands here: to forget it would be to count it as absent.
        return error(session, say(PALLET_FIRST, sscc=pallet))
    return success(
        changed(session, replace(state, sscc=sscc)),
        say(N_("What is counted next is on pallet {sscc}."), sscc=sscc),
    )


def untouched_pallet(state: Counting) -> str:
    """Return the pallet that was scanned last if nothing is counted on it, else ""."""
    return "" if any(load.sscc == state.sscc for load in state.tallies) else state.sscc


def _tally(session: Session, state: Counting, scanned: ScannedItem) -> Step:
    pallet = untouched_pallet(state)
    if pallet and scanned.sscc and scanned.sscc != pallet:
        return error(session, say(PALLET_FIRST, sscc=pallet))
    load = counted_load(session, scanned, sscc=scanned.sscc or state.sscc)
    same = [one for one in state.tallies if told_apart(one) == told_apart(load)]
    others = tuple(one for one in state.tallies if one not in same)
    if len(others) >= LOADS_MAX:
        return error(session, say(N_("Too much at once: scan CONFIRM, then go on.")))
    if len(state.counted) + len(others) >= COUNTED_MAX:
        return error(session, say(N_("Too much is counted at this place: scan another one.")))
    for one in same:
        load = replace(load, quantity=load.quantity + one.quantity)
    to_micro(load.quantity)  # One that no fact can take must not hold up all others.
    following = replace(session, multiplier=Decimal(1))
    return success(
        changed(following, replace(state, tallies=(*others, load))),
        say(
            N_("Counted: {amount} {item}"),
            item_words(scanned.item, scanned.code),
            amount_words(load.quantity, scanned.unit),
        ),
    )


def _confirm(session: Session, state: Counting, surroundings: Surroundings) -> Step:
    document = _document(state, surroundings)
    whole = document is not None and asks_whole_place(document, state.place)
    loads = tally_loads(state, surroundings)
    if pallet := untouched_pallet(state):
        book, catalogue = surroundings.book, surroundings.catalogue
        rows = [row for row in book.stock(sscc=pallet) if row.on_hand > 0]
        if not rows:
            text = N_("Nothing is known on pallet {sscc}: open it and scan its items.")
            return error(session, say(text, sscc=pallet))
        if len(rows) > LOADS_MAX:
            return error(session, say(PALLET_TOO_LARGE))
        flags = ("pallet_whole",)
        loads += [replace(load_of_row(row, catalogue), flags=flags) for row in rows]
        return _record(session, state, surroundings, loads, rest=False)  # More may stand there.
    if loads:
        return _record(session, state, surroundings, loads, rest=whole)
    return error(session, say(N_("Nothing is counted yet: scan the goods, or NOTHING ELSE HERE.")))


def _record(
    session: Session,
    state: Counting,
    surroundings: Surroundings,
    loads: Sequence[Load],
    *,
    rest: bool,
) -> Step:
    """Record counts of loads, and with `rest` of nothing for all else that should be here."""
    document = _document(state, surroundings)
    keys = (*state.counted, *(stock_key(load, state.place) for load in loads))
    absent = absent_loads(keys, document, state.place, surroundings) if rest else []
    kept = [*loads, *absent[: max(0, LOADS_MAX - len(loads))]]
    if not kept:
        return success(session, say(N_("At {place} everything is counted."), place=state.place))
    facts = [_count(session, state, surroundings, load) for load in kept]
    keys = (*state.counted, *(stock_key(load, state.place) for load in kept))
    counted = tuple(dict.fromkeys(keys))
    following = replace(state, sscc="", tallies=(), counted=counted)
    following = guided(following, surroundings, facts)
    if len(kept) < len(loads) + len(absent):
        more = say(N_("Recorded, and more should be here: scan NOTHING ELSE HERE again."))
        effects = (RecordFacts(tuple(facts)), Signal("warning", more))
        return Step(changed(session, following), effects, more)
    text = N_("Counts recorded at {place}: {count}")
    done = say(text, place=state.place, count=str(len(facts)))
    return recorded(changed(session, following), facts, done)


def _count(session: Session, state: Counting, surroundings: Surroundings, load: Load) -> Count:
    document = _document(state, surroundings)
    line = line_of(document, load, state.place) if document is not None else 0
    flags = list(load.flags)
    if surroundings.catalogue.location(state.place) is None:
        flags.append("unknown_location")
    if document is not None and not line:
        flags.append("not_asked")
    if state.document and document is None:
        flags.append("unknown_document")
    if stock_key(load, state.place) in state.counted:
        flags.append("counted_again")
    return count(
        session,
        surroundings,
        replace(load, flags=tuple(flags)),
        place=state.place,
        document=state.document,
        line=line,
        round_number=document.round if document is not None else state.round,
    )


def _step_back(session: Session, state: Counting, *, undo: bool) -> Step:
    if untouched_pallet(state):
        loose = changed(session, replace(state, sscc=""))
        return success(loose, say(N_("What is counted next is loose.")))
    if state.tallies:
        last = state.tallies[-1]
        words = item_words(last.scanned.item, last.scanned.code)
        fewer = changed(session, replace(state, tallies=state.tallies[:-1]))
        return success(fewer, say(N_("No longer counted: {item}. Scan all of it again."), words))
    if undo:
        return error(session, say(N_("A count is not undone: count this place again.")))
    if state.place:
        away = Counting(state.document, state.round, guidance=state.guidance)
        return success(changed(session, away), say(N_("Scan another place.")))
    return success(changed(session, Menu()), say(N_("Back to the start.")))


def _close(session: Session, state: Counting, surroundings: Surroundings) -> Step:
    if first := waiting(state):
        return error(session, first)
    following = changed(session, Menu())
    if not state.document:
        return success(following, say(N_("Back to the start.")))
    document = _document(state, surroundings)
    left = lines_left(document, surroundings.book, ()) if document is not None else []
    if left:
        codes = list(dict.fromkeys(line.location or line.item for line in left))
        text = N_("{document} closed, not counted here: {places}.")
        return warning(following, say(text, document=state.document, places=named(codes)))
    return success(following, say(N_("{document} closed."), document=state.document))


def _document(state: Counting, surroundings: Knowing) -> ExpectedDocument | None:
    return surroundings.catalogue.document(state.document) if state.document else None


def guided(state: Counting, surroundings: Knowing, facts: Sequence[Count]) -> Counting:
    """Return the state with where to go next by its document; facts: about to be recorded."""
    document = _document(state, surroundings)
    if document is None:
        return replace(state, guidance=None)
    left = lines_left(document, surroundings.book, facts)
    places = places_left(left)
    text = EVERYTHING_COUNTED
    if places:
        text = N_("Counting {document}: go to {place} and scan it ({count} left)")
    elif left:
        text = N_("Counting {document}: scan the places of {items}")
    return replace(
        state,
        guidance=say(
            text,
            document=document.code,
            place=places[0] if places else "",
            count=str(len(places)),
            items=named([line.item for line in left]),
        ),
    )
