"""Logistic units are packed into another one, or taken out of it. Pure.

    state                  scanned        becomes                    records
    PackUnits              SSCC           PackUnits, that parent     -
    PackUnits, parent      SSCC           PackUnits, child in hand   -
    PackUnits, children    DONE           PackUnits, no parent       one packing
    PackUnits, children    CANCEL, UNDO   without the last child     -
    PackUnits, parent      CANCEL, DONE   PackUnits, no parent       -
    PackUnits              CANCEL, DONE   Menu                       -

A label with content names its pallet, too. What was recorded is not undone: it is unpacked.
"""

from dataclasses import replace

from central.contract.facts import CHILDREN_COUNT_MAX
from gateway.station.commands import Command, ScannedCommand
from gateway.station.drafts import packing
from gateway.station.effects import Message
from gateway.station.meanings import Meaning, ScannedItem, ScannedSscc
from gateway.station.messages import N_, say
from gateway.station.session import Menu, PackUnits, Session, Step, Surroundings
from gateway.station.workflows.replies import changed, error, not_here, recorded, success


def prompt(state: PackUnits) -> Message:
    """Return what to do next."""
    if not state.parent:
        return say(
            N_("Packing: scan the SSCC label of the outer unit; none yet: print a pallet label")
            if state.action == "pack"
            else N_("Unpacking: scan the SSCC of the outer unit")
        )
    return say(
        N_("Packing into {sscc}: scan the SSCC labels that go in ({count} so far), then DONE")
        if state.action == "pack"
        else N_("Unpacking {sscc}: scan what comes out ({count} so far), then DONE"),
        sscc=state.parent,
        count=str(len(state.children)),
    )


def advance(
    session: Session, state: PackUnits, meaning: Meaning, surroundings: Surroundings
) -> Step:
    """Return what a scan during packing does."""
    if isinstance(meaning, ScannedSscc | ScannedItem) and meaning.sscc:
        return _take(session, state, meaning.sscc)
    if not isinstance(meaning, ScannedCommand):
        return not_here(session)
    if meaning.command is Command.DONE and state.children:
        text = N_("Packed: {count} into {sscc}")
        if state.action == "unpack":
            text = N_("Unpacked: {count} out of {sscc}")
        done = say(text, count=str(len(state.children)), sscc=state.parent)
        facts = (packing(session, surroundings, state),)
        return recorded(changed(session, PackUnits(state.action)), facts, done)
    if meaning.command in {Command.CANCEL, Command.UNDO} and state.children:
        fewer = replace(state, children=state.children[:-1])
        return success(changed(session, fewer), say(N_("The last unit is taken off the list.")))
    if meaning.command is Command.UNDO:
        return error(session, say(N_("Packing is not undone: unpack what was packed by mistake.")))
    if meaning.command in {Command.CANCEL, Command.DONE} and state.parent:
        again = changed(session, PackUnits(state.action))
        return success(again, say(N_("Nothing is recorded: scan the outer unit again.")))
    if meaning.command in {Command.CANCEL, Command.DONE}:
        return success(changed(session, Menu()), say(N_("Back to the start.")))
    return not_here(session)


def _take(session: Session, state: PackUnits, sscc: str) -> Step:
    if sscc == state.parent or sscc in state.children:
        return error(
            session, say(N_("{sscc} is on the list already: scan another unit."), sscc=sscc)
        )
    if len(state.children) >= CHILDREN_COUNT_MAX:
        return error(session, say(N_("The list is full: scan DONE, then go on.")))
    if not state.parent:
        following = changed(session, replace(state, parent=sscc))
        return success(following, say(N_("The outer unit is {sscc}."), sscc=sscc))
    following = changed(session, replace(state, children=(*state.children, sscc)))
    return success(following, say(N_("On the list: {sscc}"), sscc=sscc))
