"""What a scan may be in each state, and which buttons make sense there. Pure."""

from dataclasses import dataclass

from gateway.station.commands import COMMAND_GROUPS, Command
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
    Weigh,
)
from gateway.station.step import Expected
from gateway.station.workflows import counting
from gateway.station.workflows.inspect import INSPECT_REASONS
from gateway.station.workflows.returning import RETURN_REASONS
from gateway.station.workflows.short_picks import SHORT_REASONS


@dataclass(frozen=True, slots=True)
class Asks:
    """What a state asks for. keypad: a quantity may be typed."""

    expects: tuple[Expected, ...]
    buttons: tuple[Command, ...]
    keypad: bool = False


def asks_of(session: Session) -> Asks:
    """Return what the state of a session asks for."""
    state = session.state
    back = (Command.UNDO, Command.CANCEL)
    match state:
        case Menu():
            work = tuple(one for group in COMMAND_GROUPS[:2] for one in group.commands)
            return Asks(("command", "document"), (*work, Command.UNDO))
        case Receive() | Ship():
            goods: tuple[Expected, ...] = ("item", "sscc")
            places: tuple[Expected, ...] = ("place",) if isinstance(state, Ship) else ()
            return Asks((*goods, *places, "document"), (Command.DONE, *back), keypad=True)
        case Putaway() | Move() if state.loads:
            return Asks(("place", "item", "sscc"), back, keypad=True)
        case Putaway():
            return Asks(("item", "sscc", "place"), (Command.DONE, *back), keypad=True)
        case Move() if not state.source:
            return Asks(("place",), (Command.DONE, *back))
        case Move():
            return Asks(("item", "sscc", "place"), (Command.DONE, *back), keypad=True)
        case Weigh():
            return _weigh_asks(session, state)
        case Counting():
            return _count_asks(state)
        case PackUnits():
            undo = (Command.UNDO,) if state.children else ()
            return Asks(("sscc",), (Command.DONE, Command.CANCEL, *undo))
        case Pick():
            return _pick_asks(state)
        case Inspect():
            return _inspect_asks(state)
        case Return() if state.reason is None:
            return Asks(("reason", "document"), (*RETURN_REASONS, Command.DONE))
        case Return():
            return Asks(("item", "sscc", "reason"), (Command.DONE, *back), keypad=True)
        case PrintBin():
            return Asks(("place",), (Command.DONE, Command.REPRINT), keypad=True)
        case PrintPallet():
            buttons = (Command.CONFIRM, Command.DONE, Command.REPRINT)
            return Asks(("item", "confirm"), buttons, keypad=True)
        case Relabel():
            return Asks(("place", "item", "sscc"), (Command.DONE, Command.REPRINT), keypad=True)
        case LookUp():
            return Asks(("any",), (Command.DONE,))


def _weigh_asks(session: Session, state: Weigh) -> Asks:
    closing = (Command.DONE, Command.UNDO, Command.CANCEL)
    if session.recorded_gross is not None:
        return Asks(("weight", "item"), (Command.DONE, Command.TARE, *closing[1:]))
    if state.scanned is None:
        return Asks(("item", "document"), closing)
    if state.tare is None:
        return Asks(("weight", "confirm"), (Command.TARE, Command.CONFIRM, *closing))
    return Asks(("weight", "confirm"), (Command.CONFIRM, *closing))


def _count_asks(state: Counting) -> Asks:
    if not state.place:
        return Asks(("place", "document"), (Command.DONE, Command.CANCEL))
    pallet = counting.untouched_pallet(state)
    open_buttons: tuple[Command, ...] = ()
    if state.tallies or pallet:
        open_buttons = (Command.CONFIRM, Command.UNDO)
    if not pallet:
        open_buttons += (Command.EMPTY,)
    closing = () if counting.waiting(state) else (Command.DONE,)
    places: tuple[Expected, ...] = () if counting.waiting(state) else ("place",)
    expects: tuple[Expected, ...] = ("item", "sscc", "confirm", *places)
    return Asks(expects, (*open_buttons, Command.CANCEL, *closing), keypad=True)


def _pick_asks(state: Pick) -> Asks:
    if state.asks_reason:
        return Asks(("reason",), (*SHORT_REASONS, Command.CANCEL))
    if not state.document:
        return Asks(("document",), (Command.DONE, Command.CANCEL))
    buttons = (Command.SHORT, Command.DONE, Command.UNDO, Command.CANCEL)
    first: tuple[Expected, ...] = ("item", "sscc", "place")
    return Asks(first if state.source else ("place", "item", "sscc"), buttons, keypad=True)


def _inspect_asks(state: Inspect) -> Asks:
    if not state.place:
        return Asks(("place",), (Command.DONE, Command.CANCEL))
    if state.verdict is not None:
        return Asks(("reason", "place"), (*INSPECT_REASONS, Command.CANCEL))
    if state.loads:
        verdicts: tuple[Command, ...] = (Command.ACCEPT, Command.REJECT, Command.SAMPLE)
        if state.source != "held":
            verdicts += (Command.HOLD,)
        return Asks(("confirm", "item", "sscc"), (*verdicts, Command.CANCEL), keypad=True)
    buttons = (Command.HOLD, Command.DONE, Command.UNDO, Command.CANCEL)
    return Asks(("item", "sscc", "place"), buttons, keypad=True)
