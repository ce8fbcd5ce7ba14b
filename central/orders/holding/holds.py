"""Which goods a hold or a release is about, and how much of each. Pure.

    hold      available, inspection  ->  held
    release   held                   ->  available or rejected

They are named by a lot (everywhere, or in one warehouse), by a place, or down to one balance.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Literal

from central.contract.facts import Evidence, StockStatus
from central.contract.quantities import canonical_text, from_micro
from central.errors import Conflict, Unusable
from central.ledger.entries import BalanceKey, HeldLot
from central.ledger.statuses import AVAILABLE

BALANCES_MAX = 1000  # That one action is about; each is a movement.

Action = Literal["hold", "release"]
Becomes = Literal["available", "rejected"]
TAKEN_FROM: Mapping[Action, tuple[StockStatus, ...]] = {
    "hold": ("available", "inspection"),
    "release": ("held",),
}


@dataclass(frozen=True, slots=True)
class Scope:
    """Which goods are meant. None: any; "": those that have no lot, no serial number, no unit."""

    item: str | None = None
    lot: str | None = None
    warehouse: str | None = None
    location: str | None = None
    serial: str | None = None
    sscc: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What a balance has. Its key says where, of what, and with which status."""

    key: BalanceKey
    on_hand_micro: int


@dataclass(frozen=True, slots=True)
class HoldAsked:
    """What somebody asks for.

    statuses: which goods of the scope; see TAKEN_FROM. quantity_micro: None for all of them.
    """

    action: Action
    scope: Scope
    becomes: StockStatus
    statuses: tuple[StockStatus, ...]
    reason: str
    quantity_micro: int | None = None


def check_scope(scope: Scope, *, has_quantity: bool) -> None:
    """Return if a scope says which goods are meant. Raises Unusable."""
    of_a_lot = bool(scope.item) and bool(scope.lot or scope.serial)
    at_a_place = bool(scope.warehouse) and bool(scope.location)
    if not of_a_lot and not at_a_place:
        raise Unusable(
            "it does not say which goods are meant",
            hint="Name an item with its lot or serial number, or a warehouse with a place.",
        )
    if has_quantity and not (scope.item and at_a_place):
        raise Unusable(
            "a quantity is of one item at one place",
            hint="Name the warehouse, the place and the item, or leave the quantity out for all.",
        )


def lots_after(lots: Set[HeldLot], asked: HoldAsked) -> frozenset[HeldLot]:
    """Return which lots are on hold after what was asked is done; `lots` were before.

    A whole lot, of a warehouse or of all, is on hold until it is given free as available, as a
    whole too: not by one place, one unit or one serial number.
    """
    scope = asked.scope
    is_whole = (scope.location, scope.serial, scope.sscc) == (None, None, None)
    if not (is_whole and scope.item and scope.lot):
        return frozenset(lots)
    goods, house = (scope.item, scope.lot), scope.warehouse or ""
    if asked.action == "hold":
        return frozenset(lots) | {(house, *goods)}
    if asked.becomes != AVAILABLE:
        return frozenset(lots)
    return frozenset(one for one in lots if one[1:] != goods or house not in {"", one[0]})


def said_in(code: str, reason: str) -> Evidence:
    """Return what a movement tells of its hold: by which one, and why."""
    return Evidence(device="ledger", kind="manual", raw=f"{code}: {reason}".encode())


def parts_of(standing: Sequence[Standing], asked: HoldAsked) -> list[tuple[Standing, int]]:
    """Return how much is taken of which balance, in the order in which they are given.

    Raises Conflict where nothing is there, or less than was asked for.
    """
    if not standing:
        raise Conflict(
            f"nothing of it is there that is {', '.join(asked.statuses)}",
            hint="Look at what stands where; it may be held, released or gone already.",
        )
    if asked.quantity_micro is None:
        return [(one, one.on_hand_micro) for one in standing]
    _require_one_unit(standing)
    parts, missing_micro = [], asked.quantity_micro
    for one in standing:
        part_micro = min(one.on_hand_micro, missing_micro)
        if part_micro:
            parts.append((one, part_micro))
            missing_micro -= part_micro
    if missing_micro:
        there = _text(asked.quantity_micro - missing_micro)
        raise Conflict(
            f"only {there} of {_text(asked.quantity_micro)} is there"
            f" that is {', '.join(asked.statuses)}",
            hint="Ask for no more than stands there, or leave the quantity out for all of it.",
            fields={"on_hand": there},
        )
    return parts


def _require_one_unit(standing: Sequence[Standing]) -> None:
    units = sorted({one.key.unit for one in standing})
    if len(units) > 1:
        raise Conflict(
            f"it stands there in several units: {', '.join(units)}",
            hint="Leave the quantity out for all of it, or settle the difference of units first.",
            fields={"units": units},
        )


def _text(micro: int) -> str:
    return canonical_text(from_micro(micro))
