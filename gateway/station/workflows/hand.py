"""Goods in the hand: taken from a place, then put to another. Pure.

What `putaway` and `move` have in common. Where the book has exactly one lot, serial or pallet of a
scanned item at the source, it is that one that moves (flag "lot_assumed" if the lot was not
scanned). A pallet that the book does not know: its items are scanned one by one and carry its SSCC.
"""

from dataclasses import replace
from decimal import Decimal

from central.contract.facts import Movement
from gateway.station.book import PendingBook
from gateway.station.drafts import movement
from gateway.station.meanings import ScannedBin
from gateway.station.messages import N_, amount_words, item_words, say
from gateway.station.session import LOADS_MAX, Load, Move, Putaway, Session, Step, Surroundings
from gateway.station.workflows.goods import load_of_row, on_hand, resolved, standing_on
from gateway.station.workflows.replies import changed, error, recorded, success, warning


def put_back(session: Session, state: Putaway | Move) -> Step:
    """Return the session without the last goods in hand."""
    return success(
        changed(session, replace(state, loads=state.loads[:-1])),
        say(N_("The last goods in hand are taken out again.")),
    )


def take(session: Session, state: Putaway | Move, loads: tuple[Load, ...]) -> Step:
    """Return the session with more goods in hand."""
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


def take_pallet(
    session: Session, state: Putaway | Move, sscc: str, surroundings: Surroundings
) -> Step:
    """Return the session with the content of a pallet in hand, as the book has it."""
    units = set(surroundings.book.inside(sscc))
    if any(load.sscc in units for load in state.loads):
        return error(session, say(N_("This pallet is in hand already: scan the bin.")))
    source = state.source or surroundings.setup.receive_location
    rows = standing_on(surroundings.book, sscc, location=source)
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
    return take(session, state, loads)


def store(
    session: Session, state: Putaway | Move, place: ScannedBin, surroundings: Surroundings
) -> Step:
    """Return the session with nothing in hand: all of it is recorded as put to a place."""
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
    text = N_("Put away {amount} {item} to {place} ({count} in all)")
    if isinstance(state, Move):
        text = N_("Moved {amount} {item} to {place} ({count} in all)")
    done = say(
        text,
        item_words(last.scanned.item, last.scanned.code),
        amount_words(last.quantity, last.scanned.unit),
        place=place.code,
        count=str(len(facts)),
    )
    return recorded(changed(session, replace(state, loads=(), sscc="")), facts, done)
