"""Chooses which stock to take for a demand: first expired or first come, in few picks. Pure.

    rank    what has to go first: by expiry date (FEFO), or by when it first came (FIFO). Stock of
            one rank is as good as any other of it; a later rank waits until an earlier one is used
            up.
    within  as few picks as will do: one place or pallet that covers the rest before several; then a
            whole pallet, a pick face, a reserve place, and last part of a pallet; the shorter way.

Stock that has expired, or will before the customer may have it, is never chosen; nor what lacks the
serial number or the expiry date that its item asks for.
"""

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

import msgspec
from msgspec.structs import replace

Rotation = Literal["fefo", "fifo"]
ROTATION_DEFAULT: Rotation = "fefo"
Unfit = Literal["expires_too_soon", "serial_missing", "expiry_missing"]
NEVER = "9999-12-31"  # Sorts after every expiry date: what has none goes last.


class StockKey(NamedTuple):
    """Which stock: the key of a balance without its status, which is "available"; item first."""

    warehouse: str
    item: str
    location: str
    lot: str
    serial: str
    sscc: str
    unit: str


class Candidate(msgspec.Struct, frozen=True):
    """Stock that may be taken.

    available_micro: on hand less what is allocated. expiry_date: "YYYY-MM-DD", "" for none.
    first_record_no: when its lot, or it, first came. walk_order: where a picker passes it. lacks:
    what its item asks for and nobody has said of it, "" for nothing.
    """

    key: StockKey
    available_micro: int
    expiry_date: str = ""
    first_record_no: int = 0
    walk_order: int = 0
    pick_face: bool = False
    lacks: Literal["serial_missing", "expiry_missing", ""] = ""


class Demand(msgspec.Struct, frozen=True):
    """What is wanted of one item, in the unit of the candidates.

    expires_from: the earliest expiry date that will do, "" for any. lot, serial, location: the only
    one that will do, "" for any.
    """

    quantity_micro: int
    rotation: Rotation = ROTATION_DEFAULT
    expires_from: str = ""
    lot: str = ""
    serial: str = ""
    location: str = ""


class Pick(msgspec.Struct, frozen=True):
    """Take so much of this stock."""

    key: StockKey
    quantity_micro: int


def allocate(candidates: Iterable[Candidate], demand: Demand) -> list[Pick]:
    """Return what to take, in the order of ranks; less than the demand if there is not enough.

    Candidates have different keys.
    """
    return allocate_usable(usable(candidates, demand), demand)


def allocate_usable(candidates: Iterable[Candidate], demand: Demand) -> list[Pick]:
    """Do the same with candidates that would all do."""
    ranks: dict[tuple[str, int], list[Candidate]] = {}
    for candidate in candidates:
        ranks.setdefault(_rank(candidate, demand.rotation), []).append(candidate)
    picks: list[Pick] = []
    rest = demand.quantity_micro
    for rank in sorted(ranks):
        if rest <= 0:
            break
        taken = _take(ranks[rank], rest)
        rest -= sum([pick.quantity_micro for pick in taken])
        picks += taken
    return picks


def usable(candidates: Iterable[Candidate], demand: Demand) -> list[Candidate]:
    """Return the candidates that would do for a demand, whatever it asks for."""
    is_any_meant = not (demand.lot or demand.serial or demand.location)
    return [
        one
        for one in candidates
        if one.available_micro > 0
        and (is_any_meant or _is_meant(one, demand))
        and not _unfit(one, demand)
    ]


def remaining(candidates: Sequence[Candidate], picks: Iterable[Pick]) -> list[Candidate]:
    """Return the candidates as they are once `picks` are allocated."""
    taken: dict[StockKey, int] = {}
    for pick in picks:
        taken[pick.key] = taken.get(pick.key, 0) + pick.quantity_micro
    return [
        replace(one, available_micro=one.available_micro - taken[one.key])
        if one.key in taken
        else one
        for one in candidates
    ]


def usable_micro(candidates: Iterable[Candidate], demand: Demand) -> int:
    """Return how much of the candidates would do for a demand, whatever it asks for."""
    return sum([one.available_micro for one in usable(candidates, demand)])


def unfit_micro(candidates: Iterable[Candidate], demand: Demand) -> dict[Unfit, int]:
    """Return how much would be there for a demand and must not be shipped, by the reason."""
    found: dict[Unfit, int] = {}
    for one in candidates:
        why = _unfit(one, demand) if _is_meant(one, demand) else ""
        if why:
            found[why] = found.get(why, 0) + one.available_micro
    return found


def _is_meant(candidate: Candidate, demand: Demand) -> bool:
    if candidate.available_micro <= 0 or (demand.lot and candidate.key.lot != demand.lot):
        return False
    if demand.location and candidate.key.location != demand.location:
        return False
    return not demand.serial or candidate.key.serial == demand.serial


def _unfit(candidate: Candidate, demand: Demand) -> Unfit | Literal[""]:
    if candidate.expiry_date and candidate.expiry_date < demand.expires_from:
        return "expires_too_soon"
    return candidate.lacks


def _rank(candidate: Candidate, rotation: Rotation) -> tuple[str, int]:
    """Return what sorts before what has to wait; what cannot expire goes by when it came."""
    if rotation == "fifo":
        return "", candidate.first_record_no
    if candidate.expiry_date:
        return candidate.expiry_date, 0
    return NEVER, candidate.first_record_no


def _take(candidates: list[Candidate], rest: int) -> list[Pick]:
    """Return what to take of one rank: the largest first, until one covers what is left.

    No other choice needs fewer picks, and pallets are taken whole as long as they fit.
    """
    picks: list[Pick] = []
    left = sorted(candidates, key=_by_size)
    while left and rest > 0:
        covering = [one for one in left if one.available_micro >= rest]
        if covering:
            chosen = min(covering, key=lambda one: _effort(one, rest))
            return [*picks, Pick(chosen.key, rest)]
        chosen = left.pop(0)
        picks.append(Pick(chosen.key, chosen.available_micro))
        rest -= chosen.available_micro
    return picks


def _by_size(candidate: Candidate) -> tuple[int, bool, int, StockKey]:
    face_last = not candidate.pick_face
    return -candidate.available_micro, face_last, candidate.walk_order, candidate.key


def _effort(candidate: Candidate, rest: int) -> tuple[int, bool, int, StockKey]:
    """Return what sorts first what is least work: a whole pallet, loose goods, part of a pallet."""
    kind = 1
    if candidate.key.sscc:
        kind = 0 if candidate.available_micro == rest else 2
    return kind, not candidate.pick_face, candidate.walk_order, candidate.key
