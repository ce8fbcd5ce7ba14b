"""Reads which pick faces are low, and what may fill them. Edge of the database; writes nothing.

What somebody has set aside counts as gone from the face, and is not proposed from elsewhere. What
must not be shipped any more counts as gone as well: nobody can pick it.
"""

from collections.abc import Sequence
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
    end.
    """
    faces = _faces(connection, warehouse, after=after, limit=limit)
    items = sorted(faces)
    stock = read_item_stock(connection, warehouse, items)
    found = []
    for item in items:
        unit, of_item = faces[item]
        found += [
            FaceProposal(item, unit, one)
            for one in _replenish(of_item, stock.get(item), now_ms=now_ms)
        ]
    return found, items[-1] if len(items) == limit else ""


def _faces(
    connection: Connection, warehouse: str, *, after: str, limit: int
) -> dict[str, tuple[str, list[Face]]]:
    """Return unit and pick faces of the next items that have any, with nothing on hand yet."""
    places, details = catalogue_tables.item_places, catalogue_tables.location_details
    query = (
        select(
            places.c.item,
            tables.items.c.unit,
            places.c.location,
            places.c.min_micro,
            places.c.max_micro,
            details.c.walk_order,
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
        face = Face(row.location, row.min_micro, row.max_micro, 0, row.walk_order)
        faces.setdefault(row.item, (row.unit, []))[1].append(face)
    return faces


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
