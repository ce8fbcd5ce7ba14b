"""Goods go from the receive location, or another place, to a bin. Pure.

    state                scanned        becomes                    records
    Putaway, no goods    place          Putaway, from that place   -
    Putaway              item           Putaway, item in hand      -
    Putaway              SSCC           all of its content in hand -
    Putaway, goods       place          Putaway, no goods          source -> place, each of them
    Putaway, goods       CANCEL, UNDO   without the last goods     -
    Putaway, no goods    CANCEL, DONE   Menu                       -

The source is the receive location until a place is scanned with no goods in hand.
"""

from dataclasses import replace

from gateway.station.commands import Command, ScannedCommand
from gateway.station.drafts import counted_load
from gateway.station.effects import Message
from gateway.station.meanings import Meaning, ScannedBin, ScannedItem, ScannedSscc
from gateway.station.messages import N_, amount_words, item_words, say
from gateway.station.session import Menu, Putaway, Session, Step, Surroundings
from gateway.station.workflows.hand import put_back, store, take, take_pallet
from gateway.station.workflows.replies import changed, error, not_here, success


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
        return take(session, state, (counted_load(session, meaning, sscc=sscc),))
    if isinstance(meaning, ScannedSscc):
        return take_pallet(session, state, meaning.sscc, surroundings)
    if isinstance(meaning, ScannedBin) and state.loads:
        return store(session, state, meaning, surroundings)
    if isinstance(meaning, ScannedBin):
        return success(
            changed(session, replace(state, source=meaning.code)),
            say(N_("Taking from {place}."), place=meaning.code),
        )
    if isinstance(meaning, ScannedCommand) and meaning.command in {Command.CANCEL, Command.UNDO}:
        if state.loads:
            return put_back(session, state)
        return success(changed(session, Menu()), say(N_("Back to the start.")))
    if isinstance(meaning, ScannedCommand) and meaning.command is Command.DONE:
        if state.loads:
            return error(session, say(N_("Goods are still in hand: scan the bin, or CANCEL.")))
        return success(changed(session, Menu()), say(N_("Back to the start.")))
    return not_here(session)
