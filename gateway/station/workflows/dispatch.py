"""Leads each meaning to the workflow that is open, and switches between workflows. Pure.

any state + RECEIVE, SHIP, and the other keys of STARTS    that workflow, from its start
any state + QTY-n                                          the next scan counts n times
any state + badge                                          that person works from now on
any state + REPRINT                                        the last label is printed as a copy
any state + UNDO                                           this station's last movement is reversed
          (what is in hand, on a list or counted and not recorded: the last of it is taken back;
           a tare is cleared; a label, a recorded count or packing and a look-up are not undone,
           but for what a receipt has packed, see `unpacking`)
Menu, Receive, Ship, Counting, Return + document           what its kind needs, see `opening`
Putaway, Move, no goods + document                         the same
Pick, LookUp + document                                    picked; looked up
any state + unreadable code, device fault                  an error; nothing else changes
"""

from dataclasses import replace
from decimal import Decimal

from central.contract.facts import Movement
from central.contract.quantities import canonical_text
from gateway.station.commands import COMMAND_TITLES, Command, ScannedCommand
from gateway.station.drafts import reversal
from gateway.station.effects import Effect, Message, ShowPrompt, Signal
from gateway.station.meanings import (
    DeviceTrouble,
    Meaning,
    ScannedBadge,
    ScannedDocument,
    Unreadable,
    WeightSeen,
)
from gateway.station.messages import N_, amount_words, item_words, place_words, say
from gateway.station.observations import scanned_text
from gateway.station.session import (
    Counting,
    Inspect,
    LookUp,
    Menu,
    Move,
    PackUnits,
    Pick,
    PrintBin,
    PrintPallet,
    Putaway,
    Receive,
    Relabel,
    Return,
    Session,
    Ship,
    State,
    Step,
    Surroundings,
    Weigh,
)
from gateway.station.trouble import fault_message
from gateway.station.workflows import (
    counting,
    inspect,
    look_up,
    move,
    packing,
    pick,
    print_labels,
    putaway,
    receive,
    relabel,
    returning,
    ship,
    weigh,
)
from gateway.station.workflows.opening import open_document
from gateway.station.workflows.replies import changed, error, recorded, success, warning
from gateway.station.workflows.short_picks import still_short
from gateway.station.workflows.unpacking import unpacked

STARTS: dict[Command, State] = {
    Command.RECEIVE: Receive(),
    Command.SHIP: Ship(),
    Command.PUTAWAY: Putaway(),
    Command.WEIGH: Weigh(),
    Command.COUNT: Counting(),
    Command.PACK: PackUnits("pack"),
    Command.UNPACK: PackUnits("unpack"),
    Command.PRINT_BIN: PrintBin(),
    Command.PRINT_PALLET: PrintPallet(),
    Command.MOVE: Move(),
    Command.PICK: Pick(),
    Command.INSPECT: Inspect(),
    Command.RETURN: Return(),
    Command.RELABEL: Relabel(),
    Command.LOOKUP: LookUp(),
}


def advance(
    session: Session, meaning: Meaning, surroundings: Surroundings
) -> tuple[Session, tuple[Effect, ...]]:
    """Return the session after one observation, and what should happen because of it.

    A live weight that changes nothing has no effects.
    """
    step = _advance(session, meaning, surroundings)
    if not step.effects and step.session == session:
        return session, ()
    done = step.done or next(
        (
            effect.message
            for effect in step.effects
            if isinstance(effect, Signal) and effect.kind != "error"
        ),
        None,
    )
    return step.session, (*step.effects, ShowPrompt(prompt(step.session), done))


def prompt(session: Session) -> Message:
    """Return what the operator is asked for now."""
    state = session.state
    if session.multiplier != 1:
        return say(
            N_("{count} times: scan what it counts for"), count=canonical_text(session.multiplier)
        )
    match state:
        case Menu():
            return say(N_("Scan what to do or a document, or touch it here"))
        case Receive():
            return receive.prompt(state)
        case Putaway():
            return putaway.prompt(state)
        case Weigh():
            return weigh.prompt(session, state)
        case Ship():
            return ship.prompt(state)
        case Counting():
            return counting.prompt(state)
        case PackUnits():
            return packing.prompt(state)
        case Move():
            return move.prompt(state)
        case Pick():
            return pick.prompt(state)
        case Inspect():
            return inspect.prompt(state)
        case Return():
            return returning.prompt(state)
        case Relabel():
            return relabel.prompt()
        case LookUp():
            return look_up.prompt(state)
        case PrintBin() | PrintPallet():
            return print_labels.prompt(state)


def _advance(session: Session, meaning: Meaning, surroundings: Surroundings) -> Step:
    if isinstance(meaning, WeightSeen):
        return Step(weigh.watch_unloading(session, meaning.weight))
    if isinstance(meaning, Unreadable):
        return error(session, meaning.message)
    if isinstance(meaning, DeviceTrouble):
        if meaning.device in surroundings.setup.scales and not isinstance(session.state, Weigh):
            return Step(session)  # The live weight shows it; nobody is weighing.
        return error(session, fault_message(meaning.device, meaning.fault.code))
    if isinstance(meaning, ScannedBadge):
        return _sign_in(session, meaning)
    if isinstance(meaning, ScannedCommand):
        if meaning.command in STARTS:
            return _start(session, meaning.command)
        if meaning.command is Command.QUANTITY and isinstance(session.state, Weigh):
            return error(session, say(N_("The scale gives the quantity: put the load on it.")))
        if meaning.command is Command.QUANTITY:
            following = replace(session, multiplier=meaning.quantity)
            count = canonical_text(meaning.quantity)
            return success(following, say(N_("The next scan counts {count} times."), count=count))
        if meaning.command is Command.CANCEL and session.multiplier != 1:
            following = replace(session, multiplier=Decimal(1))
            return success(following, say(N_("The next scan counts once.")))
        if meaning.command is Command.REPRINT:
            return relabel.reprint(session, surroundings)
        if meaning.command is Command.UNDO and not _undoes_itself(session.state):
            return _undo(session, surroundings)
    return _advance_state(session, meaning, surroundings)


def _advance_state(session: Session, meaning: Meaning, surroundings: Surroundings) -> Step:
    state = session.state
    if isinstance(meaning, ScannedDocument) and _takes_documents(state):
        if isinstance(state, Counting) and (first := counting.waiting(state)):
            return error(session, first)
        return open_document(session, meaning, surroundings)
    match state:
        case Menu():
            return _not_in_menu(session, meaning, surroundings)
        case Receive():
            return receive.advance(session, state, meaning, surroundings)
        case Putaway():
            return putaway.advance(session, state, meaning, surroundings)
        case Weigh():
            return weigh.advance(session, state, meaning, surroundings)
        case Ship():
            return ship.advance(session, state, meaning, surroundings)
        case Counting():
            return counting.advance(session, state, meaning, surroundings)
        case PackUnits():
            return packing.advance(session, state, meaning, surroundings)
        case Move():
            return move.advance(session, state, meaning, surroundings)
        case Pick():
            return pick.advance(session, state, meaning, surroundings)
        case Inspect():
            return inspect.advance(session, state, meaning, surroundings)
        case Return():
            return returning.advance(session, state, meaning, surroundings)
        case Relabel():
            return relabel.advance(session, meaning, surroundings)
        case LookUp():
            return look_up.advance(session, meaning, surroundings)
        case PrintBin() | PrintPallet():
            return print_labels.advance(session, state, meaning, surroundings)


def _sign_in(session: Session, badge: ScannedBadge) -> Step:
    following = replace(session, operator=badge.code)
    if badge.operator is None:
        return warning(following, say(N_("Badge {code} is unknown here."), code=badge.code))
    return success(following, say(N_("Hello, {name}."), name=badge.operator.name))


def _start(session: Session, command: Command) -> Step:
    following = replace(session, state=STARTS[command], multiplier=Decimal(1))
    state = session.state
    if isinstance(state, Putaway | Move) and state.loads:
        count = str(len(state.loads))
        return warning(
            following,
            say(N_("Not put away and not recorded: {count} goods in hand."), count=count),
        )
    if isinstance(state, Inspect) and state.loads:
        text = N_("Not decided and not recorded: {count} goods.")
        return warning(following, say(text, count=str(len(state.loads))))
    if isinstance(state, Weigh) and state.tare is not None:
        return warning(
            following, say(N_("The open weighing is dropped; nothing of it is recorded."))
        )
    if isinstance(state, Counting) and (open_count := counting.waiting_count(state)):
        text = N_("Counted, not confirmed and not recorded: {count} goods.")
        return warning(following, say(text, count=str(open_count)))
    if isinstance(state, PackUnits) and state.children:
        text = N_("Not packed and not recorded: {count} units.")
        return warning(following, say(text, count=str(len(state.children))))
    return success(following, say(COMMAND_TITLES[command]))


def _takes_documents(state: State) -> bool:
    if isinstance(state, Putaway | Move):
        return not state.loads
    return isinstance(state, Menu | Receive | Ship | Counting | Return)


def _undoes_itself(state: State) -> bool:
    """Return whether UNDO is about what is in hand, or about what no reversal can undo."""
    match state:
        case Putaway() | Move() | Inspect():
            return bool(state.loads)
        case Weigh():
            return state.tare is not None
        case Pick():
            return state.asks_reason or state.undo in {"counted", "put off"}
        case _:
            return isinstance(
                state, Counting | PackUnits | PrintBin | PrintPallet | Relabel | LookUp
            )


def _undo(session: Session, surroundings: Surroundings) -> Step:
    found = surroundings.book.last_reversible(surroundings.setup.station)
    if found is None:
        return error(session, say(N_("There is nothing to undo.")))
    moved = found.movement
    text = N_("Undone: {amount} {item} back from {to_place} to {from_place}")
    if moved.from_location == moved.to_location:
        text = N_("Undone: {amount} {item} at {from_place} is as it was before the decision")
    done = say(
        text,
        item_words(surroundings.catalogue.item(moved.item), moved.item),
        amount_words(Decimal(moved.quantity), moved.unit),
        place_words(moved.to_location, name="to_place"),
        place_words(moved.from_location, name="from_place"),
    )
    session = _after_undo(session, moved, surroundings)
    back = reversal(session, surroundings, found.fact_id)
    return recorded(session, (back, *unpacked(session, surroundings, found)), done)


def _after_undo(session: Session, moved: Movement, surroundings: Surroundings) -> Session:
    """Return the session as it is once a movement is taken back."""
    state = session.state
    if moved.weighing_seq:  # The load may be weighed again without being taken off.
        session = replace(session, recorded_gross=None, recorded_unit="")
    if isinstance(state, Ship):  # What is next by the document is known after the commit.
        return replace(session, state=replace(state, guidance=None))
    if isinstance(state, Pick):
        document = surroundings.catalogue.document(state.document) if state.document else None
        short = still_short(state.short, moved, document)
        again = replace(state, guidance=None, short=short, undo="movement")
        return replace(session, state=again)
    return session


def _not_in_menu(session: Session, meaning: Meaning, surroundings: Surroundings) -> Step:
    if isinstance(meaning, ScannedCommand):
        if meaning.command in {Command.CANCEL, Command.DONE}:
            return success(changed(session, Menu()), say(N_("Back to the start.")))
        return error(session, say(N_("Nothing is open: scan what to do first.")))
    code = (scanned_text(surroundings.observation.reading) or "")[:40]
    return error(
        session,
        say(
            N_("Nothing recorded for {code}: scan what to do first, then this code again."),
            code="".join(character if character.isprintable() else " " for character in code),
        ),
    )
