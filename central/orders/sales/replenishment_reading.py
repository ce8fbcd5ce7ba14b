"""Reads which pick faces are low, and what may fill them. Edge of the database; writes nothing.

What somebody has set aside counts as gone from the face, and is not proposed from elsewhere. What
must not be shipped any more counts as gone as well: nobody can pick it. To what room there is all
of it counts, whoever has set it aside and whatever item it is of.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import msgspec
from sqlalchemy import Connection, and_, select

from central.contract.expiry import earliest_expiry
from central.orders.reserving.allocation import (
    ROTATION_DEFAULT,
    Candidate,
    Demand,
    StockKey,
    usable_micro,
)
from central.orders.reserving.reservation_rows import ItemStock, read_item_stock
from central.orders.sales.putaway_reading import read_used
from central.orders.sales.replenishment import Face, Replenishment, replenish
from central.storage import catalogue_tables, tables


@dataclass(frozen=True, slots=True)
class FaceProposal:
    """What to bring to a pick face of an item."""

    item: str
    unit: str
    replenishment: Replenishment


def list_replenishments(
    connection: Connection, warehouse: str, *, after: str, limit: int, now_ms: int
) -> tuple[list[FaceProposal], str]:
    """Return what to bring to the faces of the next items after one, by item and emptiness.

    limit: of items with faces that are looked at. Also returns the item to go on after, "" at the
    end. A face that several of these items share is never brought more than fits.
    """
    faces = _faces(connection, warehouse, after=after, limit=limit)
    items = sorted(faces)
    stock = read_item_stock(connection, warehouse, items)
    bounded = {
        face.location
        for _, of_item in faces.values()
        for face in of_item
        if face.room_micro is not None
    }
    filled = read_used(connection, warehouse, sorted(bounded))  # Also by what is brought.
    found = []
    for item in items:
        unit, of_item = faces[item]
        of_item = [_with_room(face, filled) for face in of_item]
        for one in _replenish(of_item, stock.get(item), now_ms=now_ms):
            found.append(FaceProposal(item, unit, one))
            brought_micro = sum(pick.quantity_micro for pick in one.picks)
            where = one.face.location
            filled[where] = filled.get(where, 0) + brought_micro
    return found, items[-1] if len(items) == limit else ""


def _faces(
    connection: Connection, warehouse: str, *, after: str, limit: int
) -> dict[str, tuple[str, list[Face]]]:
    """Return unit and pick faces of the next items that have any, as if nothing lay there.

    A blocked face is left out: nothing is put there by plan.
    """
    places, details = catalogue_tables.item_places, catalogue_tables.location_details
    query = (
        select(
            places.c.item,
            tables.items.c.unit,
            places.c.location,
            places.c.min_micro,
            places.c.max_micro,
            details.c.walk_order,
            details.c.capacity_micro,
        )
        .join(
            details,
            and_(
                details.c.warehouse == places.c.warehouse,
                details.c.location == places.c.location,
            ),
        )
        .join(tables.items, tables.items.c.item == places.c.item)
        .where(
            places.c.warehouse == warehouse,
            places.c.min_micro > 0,
            details.c.pick_face.is_(True),
            details.c.blocked.is_(False),
        )
    )
    items = (
        query.with_only_columns(places.c.item)
        .where(places.c.item > after)
        .distinct()
        .order_by(places.c.item)
        .limit(limit)
    )
    faces: dict[str, tuple[str, list[Face]]] = {}
    codes = list(connection.execute(items).scalars())
    for row in connection.execute(query.where(places.c.item.in_(codes))):
        room_micro = row.capacity_micro or None
        face = Face(row.location, row.min_micro, row.max_micro, 0, row.walk_order, room_micro)
        faces.setdefault(row.item, (row.unit, []))[1].append(face)
    return faces


def _with_room(face: Face, filled: Mapping[str, int]) -> Face:
    if face.room_micro is None:
        return face
    return replace(face, room_micro=face.room_micro - filled.get(face.location, 0))


def _replenish(
    faces: Sequence[Face], stock: ItemStock | None, *, now_ms: int
) -> list[Replenishment]:
    if stock is None:
        return replenish(faces, [], rotation=ROTATION_DEFAULT)
    allocated = dict(stock.allocated)
    free = [_less(one, allocated) for one in stock.candidates]
    at_faces: dict[str, list[Candidate]] = {}
    for one in free:
        if one.pick_face:
            at_faces.setdefault(one.key.location, []).append(one)
    today = datetime.fromtimestamp(now_ms // 1000, UTC).date()
    expires_from = earliest_expiry(today, min_days_left=stock.min_days_left)
    to_ship = Demand(0, stock.rotation, expires_from)
    return replenish(
        [
            replace(face, on_hand_micro=usable_micro(at_faces.get(face.location, ()), to_ship))
            for face in faces
        ],
        [one for one in free if not one.pick_face],
        rotation=stock.rotation,
        expires_from=expires_from,
    )


def _less(candidate: Candidate, allocated: dict[StockKey, int]) -> Candidate:
    taken = allocated.get(candidate.key, 0)
    return msgspec.structs.replace(candidate, available_micro=candidate.available_micro - taken)
