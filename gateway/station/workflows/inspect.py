"""It is decided what becomes of goods that wait for inspection, or are held. Pure.

    state              scanned        becomes                     records
    Inspect            place          Inspect there               -
    Inspect, place     HOLD           goods that are held         -
                                      already, and back
    Inspect, place     item           Inspect, item on the list   -
    Inspect, place     SSCC           all of its content on it    -
    Inspect, goods     ACCEPT         Inspect there               now available, each of them
    Inspect, goods     SAMPLE         Inspect there               used up: to scrap
    Inspect, goods     REJECT, HOLD   Inspect, asks for reason    -
    Inspect, verdict   place          Inspect, they go there      -
    Inspect, verdict   reason         Inspect there               now rejected or held
    Inspect, verdict   CANCEL, UNDO   without target, verdict     -
    Inspect, goods     CANCEL, UNDO   without the last goods      -
    Inspect            CANCEL         without place, then Menu    -
    Inspect            DONE           Menu                        -

The station does not know which goods wait, and its book knows no status: it says what was decided,
and what the goods were only if the operator said that they are held. Else the ledger takes what
waits for inspection at the place, then what is available there. Each decision is a movement to a
status, at the place or to the one that was scanned.
"""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Literal

from central.contract.facts import Movement, StockStatus
from gateway.station.book import PendingBook
from gateway.station.commands import COMMAND_TITLES, REASONS, Command, ScannedCommand
from gateway.station.drafts import counted_load, movement
from gateway.station.effects import Message
from gateway.station.meanings import Meaning, ScannedBin, ScannedItem, ScannedSscc
from gateway.station.messages import N_, amount_words, item_words, say
from gateway.station.session import LOADS_MAX, Inspect, Load, Menu, Session, Step, Surroundings
from gateway.station.workflows.goods import load_of_row, on_hand, resolved
from gateway.station.workflows.replies import changed, error, not_here, recorded, success

INSPECT_REASONS = (
    Command.REASON_DAMAGED,
    Command.REASON_QUALITY,
    Command.REASON_EXPIRED,
    Command.REASON_PAPERS,
    Command.REASON_WRONG,
    Command.REASON_OTHER,
)
SCRAP = "scrap"


def prompt(state: Inspect) -> Message:
    """Return what to do next."""
    if not state.place:
        return say(N_("Inspection: scan the place where the goods are"))
    if state.verdict is not None:
        text = N_("{hint}: choose the reason; first scan the place if they go to another one")
        return say(text, hint=COMMAND_TITLES[state.verdict])
    if state.loads:
        last = state.loads[-1]
        return say(
            N_("{amount} {item} ({count} on the list): ACCEPT, REJECT, HOLD, or SAMPLE"),
            item_words(last.scanned.item, last.scanned.code),
            amount_words(last.quantity, last.scanned.unit),
            count=str(len(state.loads)),
        )
    if state.source == "held":
        text = N_("Held goods at {place}: scan an item or a pallet")
        return say(text, place=state.place)
    text = N_("Inspection at {place}: scan an item or a pallet; HOLD first if they are held")
    return say(text, place=state.place)


def advance(session: Session, state: Inspect, meaning: Meaning, surroundings: Surroundings) -> Step:
    """Return what a scan during an inspection does."""
    if isinstance(meaning, ScannedBin):
        return _to_place(session, state, meaning)
    if isinstance(meaning, ScannedItem | ScannedSscc):
        if not state.place:
            return error(session, say(N_("Scan the place first, then what is there.")))
        if state.verdict is not None:
            return error(session, say(N_("Scan the reason first, or CANCEL.")))
        if isinstance(meaning, ScannedItem):
            return _take(session, state, (counted_load(session, meaning, sscc=meaning.sscc),))
        return _take_pallet(session, state, meaning.sscc, surroundings)
    if not isinstance(meaning, ScannedCommand):
        return not_here(session)
    return _command(session, state, meaning.command, surroundings)


def _command(
    session: Session, state: Inspect, command: Command, surroundings: Surroundings
) -> Step:
    if command in {Command.CANCEL, Command.UNDO}:
        return _step_back(session, state)
    if command is Command.DONE and state.loads:
        return error(session, say(N_("Nothing is decided of these goods yet: decide, or CANCEL.")))
    if command is Command.DONE:
        return success(changed(session, Menu()), say(N_("Back to the start.")))
    if command is Command.HOLD and state.place and not state.loads:
        held = state.source != "held"
        following = changed(session, replace(state, source="held" if held else "inspection"))
        if held:
            return success(following, say(N_("What is scanned next is held already.")))
        return success(following, say(N_("What is scanned next waits for inspection.")))
    if not state.loads:
        return not_here(session)
    if state.verdict is not None and command in INSPECT_REASONS:
        status: StockStatus = "rejected" if state.verdict is Command.REJECT else "held"
        return _decide(session, state, surroundings, status=status, flag=REASONS[command])
    if state.verdict is not None:
        return not_here(session)
    if command is Command.ACCEPT:
        return _decide(session, state, surroundings, status="available")
    if command is Command.SAMPLE:
        return _decide(session, state, surroundings, status="")
    if command is Command.HOLD and state.source == "held":
        return error(session, say(N_("These goods are held already: ACCEPT or REJECT them.")))
    if command in {Command.REJECT, Command.HOLD}:
        following = changed(session, replace(state, verdict=command))
        return success(following, say(COMMAND_TITLES[command]))
    return not_here(session)


def _to_place(session: Session, state: Inspect, place: ScannedBin) -> Step:
    if state.verdict is not None:
        following = changed(session, replace(state, target=place.code))
        return success(following, say(N_("They go to {place}."), place=place.code))
    if state.loads:
        return error(session, say(N_("Nothing is decided of these goods yet: decide, or CANCEL.")))
    there = changed(session, Inspect(place=place.code, source=state.source))
    return success(there, say(N_("Inspection at {place}."), place=place.code))


def _step_back(session: Session, state: Inspect) -> Step:
    if state.target:
        following = changed(session, replace(state, target=""))
        return success(following, say(N_("The goods stay where they are.")))
    if state.verdict is not None:
        return success(changed(session, replace(state, verdict=None)), say(N_("Decide again.")))
    if state.loads:
        fewer = changed(session, replace(state, loads=state.loads[:-1]))
        return success(fewer, say(N_("The last goods are taken off the list.")))
    if state.place:
        return success(changed(session, Inspect()), say(N_("Scan another place.")))
    return success(changed(session, Menu()), say(N_("Back to the start.")))


def _take(session: Session, state: Inspect, loads: Sequence[Load]) -> Step:
    if len(state.loads) + len(loads) > LOADS_MAX:
        return error(session, say(N_("Too much at once: decide on these goods first.")))
    last = loads[-1]
    following = replace(session, multiplier=Decimal(1))
    return success(
        changed(following, replace(state, loads=(*state.loads, *loads))),
        say(
            N_("On the list: {amount} {item}"),
            item_words(last.scanned.item, last.scanned.code),
            amount_words(last.quantity, last.scanned.unit),
        ),
    )


def _take_pallet(session: Session, state: Inspect, sscc: str, surroundings: Surroundings) -> Step:
    if any(load.sscc == sscc for load in state.loads):
        return error(session, say(N_("{sscc} is on the list already: decide on it."), sscc=sscc))
    rows = surroundings.book.stock(location=state.place, sscc=sscc)
    loads = [load_of_row(row, surroundings.catalogue) for row in rows if row.on_hand > 0]
    if not loads:
        text = N_("Nothing is known on pallet {sscc} at {place}: scan its items.")
        return error(session, say(text, sscc=sscc, place=state.place))
    return _take(session, state, loads)


def _decide(
    session: Session,
    state: Inspect,
    surroundings: Surroundings,
    *,
    status: StockStatus | Literal[""],
    flag: str = "",
) -> Step:
    """Record a decision about all goods on the list. status: that they have then, "" for none.

    What is used up keeps the status that is decided on: to state one makes it a decision.
    """
    facts: list[Movement] = []
    for load in state.loads:
        book = PendingBook(surroundings.book, facts)
        rows = book.stock(location=state.place, item=load.scanned.code)
        meant = resolved(load, rows)
        flags = [*meant.flags, *([flag] if flag else [])]
        if on_hand(meant, rows) < meant.quantity:
            flags.append("negative_stock")
        places = (state.place, state.target) if state.target else (state.place,)
        if any(surroundings.catalogue.location(place) is None for place in places):
            flags.append("unknown_location")
        facts.append(
            movement(
                session,
                surroundings,
                replace(meant, flags=tuple(flags)),
                from_location=state.place,
                to_location=(state.target or state.place) if status else SCRAP,
                step="inspecting",
                from_status="held" if state.source == "held" else "",
                to_status=status or state.source,
            )
        )
    last = state.loads[-1]
    text = {
        "available": N_("Accepted: {amount} {item} ({count} in all)"),
        "rejected": N_("Rejected: {amount} {item} ({count} in all)"),
        "held": N_("Held: {amount} {item} ({count} in all)"),
    }.get(status, N_("Sample used up: {amount} {item} ({count} in all)"))
    done = say(
        text,
        item_words(last.scanned.item, last.scanned.code),
        amount_words(last.quantity, last.scanned.unit),
        count=str(len(facts)),
    )
    again = Inspect(place=state.place, source=state.source)
    return recorded(changed(session, again), facts, done)
