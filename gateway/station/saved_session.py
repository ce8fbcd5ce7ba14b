"""A station's session as bytes, and back after a restart. Pure.

Kept is where the work is and what is in hand: mode, document, place, quantity, goods, tallies,
tare, operator. Left out is what follows from the rest: items are looked up again by their code,
what is next by a document is worked out anew. What cannot be taken up is dropped, and somebody is
told.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

import msgspec

from gateway.station.catalogue import Catalogue
from gateway.station.effects import Message
from gateway.station.messages import N_, say
from gateway.station.session import (
    Counting,
    Inspect,
    Load,
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
    Weigh,
)

# Raised when a state of this version would mean something else to the next one.
VERSION = 1
AGE_MS_MAX = 24 * 3600 * 1000  # After a day the goods in hand are in nobody's hand any more.
SESSION_BYTES_MAX = 1024 * 1024
# The names are stored: never rename one.
STATE_TYPES: dict[str, type[State]] = {
    "menu": Menu,
    "receive": Receive,
    "putaway": Putaway,
    "weigh": Weigh,
    "print_bin": PrintBin,
    "print_pallet": PrintPallet,
    "ship": Ship,
    "counting": Counting,
    "pack_units": PackUnits,
    "move": Move,
    "pick": Pick,
    "inspect": Inspect,
    "return": Return,
    "relabel": Relabel,
    "look_up": LookUp,
}
STATE_NAMES = {state_type: name for name, state_type in STATE_TYPES.items()}


class _Saved(msgspec.Struct, frozen=True):
    version: int
    warehouse: str
    station: str
    saved_ms: int
    clock_synced: bool
    state_name: str
    state: msgspec.Raw
    operator: str
    multiplier: Decimal
    recorded_gross: Decimal | None
    recorded_unit: str


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Saved)


@dataclass(frozen=True, slots=True)
class Whose:
    """Which station a session belongs to, and what its clock says now."""

    station: str
    warehouse: str
    now_ms: int
    clock_synced: bool


@dataclass(frozen=True, slots=True)
class Restored:
    """The session to go on with. told: what a person should know; dropped: nothing was taken up."""

    session: Session
    told: Message | None = None
    dropped: bool = False


def kept_part(session: Session) -> Session:
    """Return a session without what is worked out anew."""
    state = session.state
    match state:
        case Ship() | Counting() | Pick():
            state = replace(state, guidance=None)
        case LookUp():
            state = LookUp()
        case _:
            pass
    return replace(session, state=_with_items(state, None))


def holds_work(session: Session) -> bool:
    """Return whether somebody would have to do something again if the session were lost."""
    state = session.state
    match state:
        case Putaway() | Move() | Inspect():
            in_hand = bool(state.loads)
        case Counting():
            in_hand = bool(state.tallies or state.counted or state.sscc)
        case PackUnits():
            in_hand = bool(state.children)
        case Weigh():
            in_hand = state.tare is not None
        case Pick():
            in_hand = bool(state.short)
        case _:
            in_hand = False
    return in_hand or session.recorded_gross is not None


def encode_session(session: Session, whose: Whose) -> bytes:
    """Return the bytes of what is kept of a session."""
    kept = kept_part(session)
    return _encoder.encode(
        _Saved(
            version=VERSION,
            warehouse=whose.warehouse,
            station=whose.station,
            saved_ms=whose.now_ms,
            clock_synced=whose.clock_synced,
            state_name=STATE_NAMES[type(kept.state)],
            state=msgspec.Raw(_encoder.encode(kept.state)),
            operator=kept.operator,
            multiplier=kept.multiplier,
            recorded_gross=kept.recorded_gross,
            recorded_unit=kept.recorded_unit,
        )
    )


def restore_session(data: bytes | None, whose: Whose, catalogue: Catalogue) -> Restored:
    """Return the session that bytes hold; a new one where they hold none that can be taken up.

    Never raises, whatever the bytes are. data: None if none was ever saved.
    """
    if data is None:
        return Restored(Session())
    session, saved = _decoded(data, catalogue)
    if session is None or saved is None:
        text = N_("What was under way before the restart cannot be taken up: begin the step again.")
        return Restored(Session(), say(text), dropped=True)
    if (saved.warehouse, saved.station) != (whose.warehouse, whose.station):
        text = N_("What was under way belongs to station {station}: begin the step again here.")
        return Restored(Session(), say(text, station=saved.station[:64]), dropped=True)
    age_ms = whose.now_ms - saved.saved_ms
    is_old = whose.clock_synced and saved.clock_synced and age_ms > AGE_MS_MAX
    if isinstance(session.state, Menu):  # Who worked here a day ago is not who works here now.
        return Restored(Session() if is_old else session)
    if is_old:
        text = N_("What was under way is more than a day old and is dropped: begin the step again.")
        return Restored(Session(), say(text), dropped=True)
    return Restored(session, say(N_("Started again: you are where you were, go on.")))


def _decoded(data: bytes, catalogue: Catalogue) -> tuple[Session | None, _Saved | None]:
    if len(data) > SESSION_BYTES_MAX:
        return None, None
    try:
        saved = _decoder.decode(data)
        if saved.version != VERSION or saved.state_name not in STATE_TYPES:
            return None, None
        state: State = msgspec.msgpack.decode(saved.state, type=STATE_TYPES[saved.state_name])
        session = Session(
            state=_with_items(state, catalogue),
            operator=saved.operator,
            multiplier=saved.multiplier,
            recorded_gross=saved.recorded_gross,
            recorded_unit=saved.recorded_unit,
        )
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ArithmeticError):
        return None, None
    sound = session.multiplier.is_finite() and session.multiplier > 0
    return (session, saved) if sound else (None, None)


def _with_items(state: State, catalogue: Catalogue | None) -> State:
    """Return a state whose goods name the items of a catalogue; None: none of them."""

    def renewed(load: Load) -> Load:
        scanned = load.scanned
        item = catalogue.item(scanned.code) if catalogue is not None else None
        return replace(load, scanned=replace(scanned, item=item))

    match state:
        case Putaway():
            return replace(state, loads=tuple(map(renewed, state.loads)))
        case Move():
            return replace(state, loads=tuple(map(renewed, state.loads)))
        case Inspect():
            return replace(state, loads=tuple(map(renewed, state.loads)))
        case Counting():
            return replace(state, tallies=tuple(map(renewed, state.tallies)))
        case Weigh() if state.scanned is not None:
            scanned = renewed(Load(state.scanned, state.scanned.quantity)).scanned
            return replace(state, scanned=scanned)
        case _:
            return state
