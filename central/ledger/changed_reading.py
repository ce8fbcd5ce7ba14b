"""Reads what became of goods where they came, by the lines since. Edge of the database."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Connection, and_, select

from central.ledger.changed_goods import LineSince, PlaceSince
from central.ledger.decided_goods import Became, came_undecided
from central.ledger.entries import GOODS_KEY_SIZE, FactKey, GoodsKey, Line
from central.ledger.posting import PostedMovement
from central.ledger.statuses import INSPECTION
from central.storage import bulk, tables
from central.storage.line_blocks import first_lines, reach_of

FACTS_MAX = 5000  # Of an item since goods came; of more it is not said what became of them.
Now = dict[str, tuple[int, int]]  # By status: how much there is, and the last fact that changed it.


def with_changes(
    connection: Connection,
    movements: Mapping[FactKey, PostedMovement],
    decided: Mapping[FactKey, tuple[Became, ...]],
    *,
    taken_back: Collection[int],
) -> dict[FactKey, tuple[Became, ...]]:
    """Return what became of the goods of movements, those left out of which nothing else did.

    decided: what is known of some by what was decided. taken_back: the record numbers of what is
    taken back with them. Costs one look-up unless a status changed at one of the places since.
    """
    keys = {key: _goods(one.lines[1]) for key, one in movements.items()}
    now: dict[GoodsKey, Now] = {}
    wanted = sorted(set(keys.values()))
    for row in bulk.select_by_key(
        connection, tables.balances, wanted, columns_count=GOODS_KEY_SIZE
    ):
        status, on_hand_micro, last = row[GOODS_KEY_SIZE : GOODS_KEY_SIZE + 3]
        now.setdefault(row[:GOODS_KEY_SIZE], {})[status] = (on_hand_micro, last)
    found = dict(decided)
    places: dict[GoodsKey, PlaceSince | None] = {}
    for key, movement in movements.items():
        came, goods = movement.lines[1], keys[key]
        whole = (Became(came.location, came.status, came.quantity_micro, came.record_no),)
        parts: list[Became] = []
        for part in decided.get(key, whole):
            if not _may_be_changed(movement.lines, part, now.get(goods, {})):
                parts.append(part)
                continue
            if goods not in places:
                first = min(movements[one].lines[1].record_no for one in keys if keys[one] == goods)
                places[goods] = _place_since(connection, goods, now[goods], first, taken_back)
            parts += _changed(places[goods], part)
        if tuple(parts) != whole:
            found[key] = tuple(parts)
    return found


def _changed(place: PlaceSince | None, part: Became) -> list[Became]:
    if place is None:
        return [part]
    became = place.take(part.status, part.quantity_micro, after=part.record_no)
    return [part._replace(status=status, quantity_micro=micro) for status, micro in became.items()]


def _may_be_changed(lines: Sequence[Line], part: Became, now: Now) -> bool:
    """Return whether a part is at the place where it came, and another status changed there since.

    What waits for inspection since it came from outside is its inspection's.
    """
    if not part.record_no or part.location != lines[1].location:
        return False
    if came_undecided(lines) and part.status == INSPECTION:
        return False
    return any(last > part.record_no for status, (_, last) in now.items() if status != part.status)


def _place_since(
    connection: Connection, goods: GoodsKey, now: Now, after: int, taken_back: Collection[int]
) -> PlaceSince | None:
    """Return what happened at a place after a record number, None if that is too much to look."""
    warehouse, location, item, lot, serial, sscc, unit = goods
    reach = reach_of(
        connection,
        warehouse=warehouse,
        item=item,
        after=after,
        limit=FACTS_MAX + 1,
        newest_first=True,
    )
    if reach.facts_count > FACTS_MAX:
        return None
    lines = tables.lines
    first = first_lines(connection, warehouses=[warehouse], items=[item], after=after)
    query = (
        select(*(lines.c[name] for name in LineSince._fields))
        .join_from(
            first,
            lines,
            and_(lines.c.warehouse == first.c.warehouse, lines.c.record_no == first.c.record_no),
        )
        .where(
            lines.c.location == location,
            lines.c.lot == lot,
            lines.c.serial == serial,
            lines.c.sscc == sscc,
            lines.c.unit == unit,
        )
    )
    found = sorted(LineSince(*row) for row in connection.execute(query))
    on_hand = {status: micro for status, (micro, _) in now.items()}
    return PlaceSince(on_hand, found, taken_back=taken_back)


def _goods(line: Line) -> GoodsKey:
    return line.balance_key[:GOODS_KEY_SIZE]
