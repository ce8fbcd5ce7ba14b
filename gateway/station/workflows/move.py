"""Goods go from one place to another, both of them scanned. Pure.

state               scanned        becomes                    records
Move                place          Move from there            -
Move, source        item           Move, item in hand         -
Move, source        SSCC           all of its content in hand -
Move, source        place          Move from that place       -
Move, goods         place          Move, no goods             source -> place, each of them
Move, goods         CANCEL, UNDO   without the last goods     -
Move                CANCEL         without source, then Menu  -
Move, no goods      DONE           Menu                       -
"""

from dataclasses import replace

from gateway.station.commands import Command, ScannedCommand
from gateway.station.drafts import counted_load
from gateway.station.effects import Message
from gateway.station.meanings import Meaning, ScannedBin, ScannedItem, ScannedSscc
from gateway.station.messages import N_, amount_words, item_words, say
from gateway.station.session import Menu, Move, Session, Step, Surroundings
from gateway.station.workflows.hand import put_back, store, take, take_pallet
from gateway.station.workflows.replies import changed, error, not_here, success


def prompt(state: Move) -> Message:
    """Return what to do next."""
    if state.loads:
        last = state.loads[-1]
        return say(
            N_("Move {amount} {item} ({count} in hand): scan the place where they go"),
            item_words(last.scanned.item, last.scanned.code),
            amount_words(last.quantity, last.scanned.unit),
            count=str(len(state.loads)),
        )
    if state.source:
        return say(N_("Move from {place}: scan an item or a pallet"), place=state.source)
    return say(N_("Move: scan the place where you take the goods"))


def advance(session: Session, state: Move, meaning: Meaning, surroundings: Surroundings) -> Step:
    """Return what a scan during a move does."""
    if isinstance(meaning, ScannedItem | ScannedSscc) and not state.source:
        return error(session, say(N_("Scan the place that the goods leave, then the goods.")))
    if isinstance(meaning, ScannedItem):
        sscc = meaning.sscc or state.sscc
        return take(session, state, (counted_load(session, meaning, sscc=sscc),))
    if isinstance(meaning, ScannedSscc):
        return take_pallet(session, state, meaning.sscc, surroundings)
    if isinstance(meaning, ScannedBin) and state.loads:
        return store(session, state, meaning, surroundings)
    if isinstance(meaning, ScannedBin):
        return success(
            changed(session, Move(source=meaning.code)),
            say(N_("Taking from {place}."), place=meaning.code),
        )
    if not isinstance(meaning, ScannedCommand):
        return not_here(session)
    if meaning.command in {Command.CANCEL, Command.UNDO} and state.loads:
        return put_back(session, state)
    if meaning.command is Command.CANCEL and state.source:
        without = changed(session, replace(state, source="", sscc=""))
        return success(without, say(N_("The place no longer counts.")))
    if meaning.command is Command.DONE and state.loads:
        return error(session, say(N_("Goods are still in hand: scan the bin, or CANCEL.")))
    if meaning.command in {Command.CANCEL, Command.DONE}:
        return success(changed(session, Menu()), say(N_("Back to the start.")))
    return not_here(session)
