"""Customers' goods come back and no document tells of them. Pure.

    state               scanned        becomes                    records
    Return              reason         Return for that reason     -
    Return, reason      item           Return for that reason     customer -> returns location
    Return, reason      SSCC           Return on that pallet      -
    Return              CANCEL         without pallet, then       -
                                       without reason, then Menu
    Return              DONE           Menu                       -

With a document that announces them they are received: scan the document instead.
"""

from dataclasses import replace

from gateway.station.commands import COMMAND_TITLES, REASONS, Command, ScannedCommand
from gateway.station.drafts import counted_load, movement
from gateway.station.effects import Message
from gateway.station.meanings import Meaning, ScannedItem, ScannedSscc
from gateway.station.messages import N_, amount_words, item_words, say
from gateway.station.session import Menu, Return, Session, Step, Surroundings
from gateway.station.workflows.replies import changed, error, not_here, recorded, success

RETURN_REASONS = (
    Command.REASON_DAMAGED,
    Command.REASON_QUALITY,
    Command.REASON_EXPIRED,
    Command.REASON_WRONG,
    Command.REASON_UNWANTED,
    Command.REASON_OTHER,
)


def prompt(state: Return) -> Message:
    """Return what to do next."""
    if state.reason is None:
        return say(N_("Return: choose the reason, or the document if there is one"))
    if state.sscc:
        return say(N_("Return on pallet {sscc}: scan items"), sscc=state.sscc)
    return say(N_("Return: scan what comes back, or another reason; when finished, DONE"))


def advance(session: Session, state: Return, meaning: Meaning, surroundings: Surroundings) -> Step:
    """Return what a scan during a return does."""
    if isinstance(meaning, ScannedCommand) and meaning.command in RETURN_REASONS:
        following = changed(session, replace(state, reason=meaning.command))
        return success(following, say(COMMAND_TITLES[meaning.command]))
    if isinstance(meaning, ScannedItem | ScannedSscc) and state.reason is None:
        return error(session, say(N_("Scan the reason first, then what comes back.")))
    if isinstance(meaning, ScannedItem):
        return _take_back(session, state, meaning, surroundings)
    if isinstance(meaning, ScannedSscc):
        return success(
            changed(session, replace(state, sscc=meaning.sscc)),
            say(N_("The next items come on pallet {sscc}."), sscc=meaning.sscc),
        )
    if not isinstance(meaning, ScannedCommand):
        return not_here(session)
    if meaning.command is Command.CANCEL and state.sscc:
        loose = changed(session, replace(state, sscc=""))
        return success(loose, say(N_("The next items come loose.")))
    if meaning.command is Command.CANCEL and state.reason is not None:
        return success(changed(session, Return()), say(N_("Scan the reason again.")))
    if meaning.command in {Command.CANCEL, Command.DONE}:
        return success(changed(session, Menu()), say(N_("Back to the start.")))
    return not_here(session)


def _take_back(
    session: Session, state: Return, scanned: ScannedItem, surroundings: Surroundings
) -> Step:
    assert state.reason is not None
    setup = surroundings.setup
    place = setup.returns_location or setup.receive_location
    flags = (REASONS[state.reason],)
    load = counted_load(session, scanned, sscc=scanned.sscc or state.sscc, flags=flags)
    fact = movement(
        session,
        surroundings,
        load,
        from_location="customer",
        to_location=place,
        step="receiving",
    )
    done = say(
        N_("Came back: {amount} {item}, to {place}"),
        item_words(scanned.item, scanned.code),
        amount_words(load.quantity, scanned.unit),
        place=place,
    )
    return recorded(session, (fact,), done)
