"""Which pick faces are to be filled, and from where. Pure.

A face that has less than its minimum is filled up to its maximum (to its minimum, if it has none),
as far as there is room for it, from reserve places, in the rotation of the item: first what has to
go first.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from central.orders.reserving.allocation import (
    Candidate,
    Demand,
    Pick,
    Rotation,
    allocate,
    remaining,
)


@dataclass(frozen=True, slots=True)
class Face:
    """A pick face of an item. on_hand_micro: what lies there that may be picked.

    room_micro: how much more fits beside all that lies there, None if the face has no bound.
    """

    location: str
    min_micro: int
    max_micro: int
    on_hand_micro: int
    walk_order: int = 0
    room_micro: int | None = None

    @property
    def wanted_micro(self) -> int:
        """Return how much is to be brought, 0 if enough is there or nothing more fits."""
        if self.on_hand_micro >= self.min_micro:
            return 0
        wanted_micro = max(self.max_micro, self.min_micro) - max(self.on_hand_micro, 0)
        if self.room_micro is None:
            return wanted_micro
        return min(wanted_micro, max(self.room_micro, 0))


@dataclass(frozen=True, slots=True)
class Replenishment:
    """What to bring to a face. missing_micro: what no reserve place has."""

    face: Face
    picks: tuple[Pick, ...]
    missing_micro: int


def replenish(
    faces: Sequence[Face],
    reserves: Sequence[Candidate],
    *,
    rotation: Rotation,
    expires_from: str = "",
) -> list[Replenishment]:
    """Return what to bring to faces of one item, the emptiest first.

    reserves: stock of the item at places that are no faces, less what is set aside. Nothing of it
    is proposed twice. expires_from: as of a demand; what must not be shipped is not brought.
    """
    found = []
    left = list(reserves)
    short = [face for face in faces if face.wanted_micro]
    for face in sorted(short, key=lambda one: (_fill(one), one.walk_order, one.location)):
        picks = allocate(left, Demand(face.wanted_micro, rotation, expires_from))
        left = remaining(left, picks)
        missing_micro = face.wanted_micro - sum(pick.quantity_micro for pick in picks)
        found.append(Replenishment(face, tuple(picks), missing_micro))
    return found


def _fill(face: Face) -> int:
    """Return how full a face is, in millionths of its minimum."""
    return max(face.on_hand_micro, 0) * 10**6 // face.min_micro
