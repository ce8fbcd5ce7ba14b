"""Stock as of a moment of the past, by either time. Edge of the database.

nearest kept balances  +/-  lines between  +  what happened by then and came later
"""

from collections.abc import Iterator
from typing import Any, Literal

from sqlalchemy import Connection, Row, select, text

from central.contract.facts import VIRTUAL_PLACES
from central.contract.quantities import from_micro
from central.stock.moments import Anchor, Moment, anchor_of_items, nearest_anchor
from central.stock.place_trees import PLACES_WITHIN
from central.stock.rows import UNDER_WAY_PREFIX, StockFilter, StockKey, StockRow
from central.stock.views import ESCAPE, list_warehouses, literal
from central.storage.line_blocks import FIRST_LINES, in_blocks
from central.storage.tables import DATED_SQL, LATE, items

_KEY_NAMES = ("warehouse", "location", "item", "lot", "serial", "sscc", "unit", "status")
_KEY = ", ".join(_KEY_NAMES)
_LINE_KEY = ", ".join(f"l.{name}" for name in _KEY_NAMES)
# Of few items the index of first lines is quicker than the range of the warehouses' lines. SQLite
# without statistics would begin with all lines of that range, and look for each in what is named
# here first: CROSS JOIN keeps the order, the plus its own index (sqlite.org/optoverview.html, 8).
# By place it would read every balance of the warehouses for a few items: a second for 3,300,000.
_BALANCES = {"sqlite": "balances AS l INDEXED BY balances_item", "postgresql": "balances l"}
_OF_FIRST = "l.warehouse = first.warehouse AND l.record_no = +first.record_no"
_OF_FACT = "l.warehouse = f.warehouse AND l.record_no = +f.record_no"
_LIKE = f"LIKE :search ESCAPE '{ESCAPE}'"
SEARCHED = (
    f"(LOWER(l.item) {_LIKE} OR l.item IN (SELECT item FROM items"  # noqa: S608 - ours
    f" WHERE LOWER(name) {_LIKE} OR LOWER(name_zh) {_LIKE}))"
)
_FACTS = "facts f CROSS JOIN lines l"
_PLUS = {"sqlite": "+", "postgresql": ""}  # PostgreSQL has none for text, and statistics.
_TRUE = {"sqlite": "1", "postgresql": "true"}
_FALSE = {"sqlite": "0", "postgresql": "false"}


def list_stock_as_of(
    connection: Connection,
    wanted: StockFilter,
    moment: Moment,
    *,
    after: StockKey | None,
    limit: int,
) -> list[StockRow]:
    """Return balances that were not zero as of a moment, in the order of their keys.

    The filter names a warehouse or an item, and the moment was made for that warehouse. after: the
    key of the last row of the page before, None for the first page. Names are those of today.
    """
    assert wanted.warehouse or wanted.item
    warehouses = [wanted.warehouse] if wanted.warehouse else _codes(connection)
    near = anchor_of_items if wanted.item else nearest_anchor
    anchor = near(connection, moment.sure_no)
    found: list[Row[Any]] = []
    for warehouse in warehouses:
        if after is not None and warehouse < after.warehouse:
            continue
        within = after if after is not None and warehouse == after.warehouse else None
        query, bounds = _query(connection, wanted, moment, anchor, within)
        bounds |= {"warehouse": warehouse, "limit": limit - len(found)}
        found += connection.execute(text(query), bounds).all()
        if len(found) >= limit:
            break
    names = _names(connection, {row.item for row in found})
    return [
        StockRow(
            key=StockKey(*row[: len(_KEY_NAMES)]),
            on_hand=from_micro(int(row.micro)),
            weight=from_micro(int(row.weight)),
            item_name=names.get(row.item, ("", ""))[0],
            item_name_zh=names.get(row.item, ("", ""))[1],
        )
        for row in found
    ]


def _query(
    connection: Connection,
    wanted: StockFilter,
    moment: Moment,
    anchor: Anchor,
    after: StockKey | None,
) -> tuple[str, dict[str, object]]:
    """Return the statement for one warehouse, and its values but for warehouse and limit."""
    bounds = bounds_of(moment, anchor)
    kept = []
    for name in ("location", "item", "lot", "status", "serial", "sscc"):
        if value := getattr(wanted, name):
            kept.append(f"l.{name} = :{name}")
            bounds[name] = value
    if wanted.within:
        kept.append(f"l.location IN ({PLACES_WITHIN})")
        bounds["within"] = wanted.within
    if wanted.search:
        kept.append(SEARCHED)
        bounds["search"] = f"%{literal(wanted.search)}%".lower()
    if not wanted.include_virtual:
        shown = {"in_transit"} if wanted.include_in_transit else set()
        hidden = sorted(VIRTUAL_PLACES - shown)
        kept.append("l.location NOT IN (" + ", ".join(f"'{name}'" for name in hidden) + ")")
        if not wanted.include_in_transit:
            size = len(UNDER_WAY_PREFIX)
            kept.append(f"substr(l.location, 1, {size}) <> '{UNDER_WAY_PREFIX}'")
    if after is not None:
        values = ", ".join(f":after_{name}" for name in _KEY_NAMES)
        kept.append(f"({_LINE_KEY}) > ({values})")
        bounds |= {f"after_{name}": getattr(after, name) for name in _KEY_NAMES}
    condition = "".join(f" AND {one}" for one in kept)
    items = "= :item" if wanted.item else ""
    parts = " UNION ALL ".join(
        f"{part}{condition}"
        for part in parts_of(connection.dialect.name, moment, anchor, items=items)
    )
    query = (
        f"SELECT {_KEY}, SUM(micro) AS micro, SUM(weight) AS weight"  # noqa: S608 - ours
        f" FROM ({parts}) AS parts"
        f" GROUP BY {_KEY} HAVING SUM(micro) <> 0 OR SUM(weight) <> 0 ORDER BY {_KEY} LIMIT :limit"
    )
    return query, bounds


def parts_of(dialect: str, moment: Moment, anchor: Anchor, *, items: str) -> Iterator[str]:
    """Yield the statements whose rows together are the stock of one warehouse as of a moment.

    items: the condition on the item if few are wanted, "" for all; the caller adds it to each part.
    """
    if not anchor.checkpoint:
        balances = _BALANCES[dialect] if items else "balances l"
        yield _part("on_hand", balances, "l.warehouse = :warehouse")
    elif anchor.record_no:
        kept = "l.warehouse = :warehouse AND l.record_no = :anchor"
        yield _part("on_hand", "checkpoint_balances l", kept)
    yield from changes_of(dialect, moment, anchor, items=items)


def changes_of(dialect: str, moment: Moment, anchor: Anchor, *, items: str) -> Iterator[str]:
    """Yield the statements of `parts_of` that lead from what the anchor has to the moment."""
    lines, of_item, first = "lines l", "", "l"
    if items:
        low, high = sorted((anchor.record_no, moment.sure_no))
        lines, first = f"{FIRST_LINES[dialect]} CROSS JOIN lines l", "first"
        of_item = (
            f" AND first.item {items} AND first.line_no = 1"
            f" AND {in_blocks(after=low, through=high)} AND {_OF_FIRST}"
        )
    if anchor.record_no < moment.sure_no:
        between = f"{first}.record_no > :anchor AND {first}.record_no <= :sure"
        amount: Literal["quantity", "-quantity"] = "quantity"
    else:
        between = f"{first}.record_no > :sure AND {first}.record_no <= :anchor"
        amount = "-quantity"
    yield _part(amount, lines, f"{first}.warehouse = :warehouse AND {between}{of_item}")
    if moment.event_ms is None:
        return
    dated, known = "f.event_time_ms", ""
    if moment.known_no is not None:
        dated, known = DATED_SQL, " AND f.record_no <= :known"
    happened = f"{_OF_FACT} AND {dated} <= :event{known}"
    # By record number, whatever the warehouse is; only what came late is found by warehouse.
    here, by_number = "f.warehouse = :warehouse", f"{_PLUS[dialect]}f.warehouse = :warehouse"
    synced, unsynced = f"f.clock_synced = {_TRUE[dialect]}", f"f.clock_synced = {_FALSE[dialect]}"
    late = LATE.replace("record_ms", "f.record_ms").replace("event_time_ms", "f.event_time_ms")
    for kept in (
        f"{by_number} AND f.record_no > :sure AND f.record_no <= :near",
        f"{here} AND f.event_time_ms >= :late_from AND f.record_no > :near"
        f" AND f.record_no <= :followed AND {late} AND {synced}",
        f"{by_number} AND f.record_no > :beyond AND {synced}",
        f"{by_number} AND f.record_no > :near AND {unsynced} AND f.kind <> 'unreadable'",
    ):
        yield _part("quantity", _FACTS, f"{happened} AND {kept}")


def bounds_of(moment: Moment, anchor: Anchor) -> dict[str, object]:
    """Return the values that the statements of `parts_of` and `changes_of` name."""
    return {
        "anchor": anchor.record_no,
        "sure": moment.sure_no,
        "near": moment.near_no,
        "event": moment.event_ms,
        "late_from": moment.late_from_ms,
        "followed": moment.followed_no,
        "beyond": max(moment.near_no, moment.followed_no),
        **({} if moment.known_no is None else {"known": moment.known_no}),
    }


def _part(amount: Literal["on_hand", "quantity", "-quantity"], source: str, condition: str) -> str:
    sign = "-" if amount.startswith("-") else ""
    sums = f"{sign}l.{amount.lstrip('-')}_micro AS micro, {sign}l.weight_micro AS weight"
    return f"SELECT {_LINE_KEY}, {sums} FROM {source} WHERE {condition}"  # noqa: S608 - ours


def _codes(connection: Connection) -> list[str]:
    # In the order of code points, in which cursors are compared, whatever the database says.
    return sorted(one.code for one in list_warehouses(connection))


def _names(connection: Connection, codes: set[str]) -> dict[str, tuple[str, str]]:
    query = select(items.c.item, items.c.name, items.c.name_zh)
    found = connection.execute(query.where(items.c.item.in_(sorted(codes))))
    return {row.item: (row.name, row.name_zh) for row in found}
