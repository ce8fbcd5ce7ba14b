"""Goods go from the receive location, or another place, to a bin. Pure.

    state                scanned        becomes                    records
    Putaway, no goods    place          Putaway, from that place   -
    Putaway              item           Putaway, item in hand      -
    Putaway              SSCC           all of its content in hand -
    Putaway, goods       place          Putaway, no goods          source -> place, each of them
    Putaway, goods       CANCEL, UNDO   without the last goods     -
    Putaway, no goods    CANCEL, DONE   Menu                       -

The source is the receive location until a place is scanned with no goods in hand. Where the book
has exactly one lot, serial or pallet of a scanned item at the source, it is that one that moves
(flag "lot_assumed" if the lot was not scanned). A pallet that the book does not know: its items are
scanned one by one and carry its SSCC.
"""

from dataclasses import replace
from decimal import Decimal

from central.contract.facts import Movement
from gateway.station.book import PendingBook
from gateway.station.commands import Command, ScannedCommand
from gateway.station.drafts import counted_load, movement
from gateway.station.effects import Message
from gateway.station.meanings import Meaning, ScannedBin, ScannedItem, ScannedSscc
from gateway.station.messages import N_, amount_words, item_words, say
from gateway.station.session import LOADS_MAX, Load, Menu, Putaway, Session, Step, Surroundings
from gateway.station.workflows.goods import load_of_row, on_hand, resolved
from gateway.station.workflows.replies import changed, error, not_here, recorded, success, warning


def prompt(state: Putaway) -> Message:
    """Return what to do next."""
    if state.loads:
        last = state.loads[-1]
        return say(
            N_("Put away {amount} {item} ({count} in hand): scan the bin"),
            item_words(last.scanned.item, last.scanned.code),
            amount_words(last.quantity, last.scanned.unit),
            count=str(len(state.loads)),
        )
    if state.source:
        return say(N_("Put away from {place}: scan an item or a pallet"), place=state.source)
    return say(N_("Put away: scan an item or a pallet"))


def advance(session: Session, state: Putaway, meaning: Meaning, surroundings: Surroundings) -> Step:
    """Return what a scan during putaway does."""
    if isinstance(meaning, ScannedItem):
        sscc = meaning.sscc or state.sscc
        return _take(session, state, (counted_load(session, meaning, sscc=sscc),))
    if isinstance(meaning, ScannedSscc):
        return _take_pallet(session, state, meaning.sscc, surroundings)
    if isinstance(meaning, ScannedBin) and state.loads:
        return _store(session, state, meaning, surroundings)
    if isinstance(meaning, ScannedBin):
        return success(
            changed(session, replace(state, source=meaning.code)),
            say(N_("Taking from {place}."), place=meaning.code),
        )
    if isinstance(meaning, ScannedCommand) and meaning.command in {Command.CANCEL, Command.UNDO}:
        if state.loads:
            return success(
                changed(session, replace(state, loads=state.loads[:-1])),
                say(N_("The last goods in hand are taken out again.")),
            )
        return success(changed(session, Menu()), say(N_("Back to the start.")))
    if isinstance(meaning, ScannedCommand) and meaning.command is Command.DONE:
        if state.loads:
            return error(session, say(N_("Goods are still in hand: scan the bin, or CANCEL.")))
        return success(changed(session, Menu()), say(N_("Back to the start.")))
    return not_here(session)


def _take(session: Session, state: Putaway, loads: tuple[Load, ...]) -> Step:
    if len(state.loads) + len(loads) > LOADS_MAX:
        return error(session, say(N_("Too much in hand: scan the bin first.")))
    last = loads[-1]
    following = replace(session, multiplier=Decimal(1))
    return success(
        changed(following, replace(state, loads=state.loads + loads)),
        say(
            N_("In hand: {amount} {item}"),
            item_words(last.scanned.item, last.scanned.code),
            amount_words(last.quantity, last.scanned.unit),
        ),
    )


def _take_pallet(session: Session, state: Putaway, sscc: str, surroundings: Surroundings) -> Step:
    if any(load.sscc == sscc for load in state.loads):
        return error(session, say(N_("This pallet is in hand already: scan the bin.")))
    source = state.source or surroundings.setup.receive_location
    rows = [row for row in surroundings.book.stock(location=source, sscc=sscc) if row.on_hand > 0]
    if not rows:
        return warning(
            changed(session, replace(state, sscc=sscc)),
            say(
                N_("Nothing is known on pallet {sscc} at {place}: scan its items, then the bin."),
                sscc=sscc,
                place=source,
            ),
        )
    loads = tuple(load_of_row(row, surroundings.catalogue) for row in rows)
    return _take(session, state, loads)


def _store(session: Session, state: Putaway, place: ScannedBin, surroundings: Surroundings) -> Step:
    source = state.source or surroundings.setup.receive_location
    if place.code == source:
        return error(
            session, say(N_("The goods are at {place} already: scan another bin."), place=source)
        )
    place_flags = ("unknown_location",) if place.location is None else ()
    facts: list[Movement] = []
    for load in state.loads:
        book = PendingBook(surroundings.book, facts)
        rows = book.stock(location=source, item=load.scanned.code)
        meant = resolved(load, rows)
        short = on_hand(meant, rows) < meant.quantity
        flags = meant.flags + place_flags + (("negative_stock",) if short else ())
        facts.append(
            movement(
                session,
                surroundings,
                replace(meant, flags=flags),
                from_location=source,
                to_location=place.code,
                step="storing",
            )
        )
    last = state.loads[-1]
    done = say(
        N_("Put away {amount} {item} to {place} ({count} in all)"),
        item_words(last.scanned.item, last.scanned.code),
        amount_words(last.quantity, last.scanned.unit),
        place=place.code,
        count=str(len(facts)),
    )
    return recorded(changed(session, Putaway(source=state.source)), facts, done)
