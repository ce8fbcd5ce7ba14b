"""Rows of reservations, their counters, and stock that may be reserved. Edge of the database."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import Literal, cast

import msgspec
from sqlalchemy import Connection

from central.ledger.statuses import AVAILABLE
from central.orders.reserving.allocation import ROTATION_DEFAULT, Candidate, Rotation, StockKey
from central.orders.reserving.arrival_reading import with_arrivals
from central.orders.reserving.reservations import Holder, LineKey, Reservation
from central.storage import bulk, sales_tables, tables
from central.storage.line_blocks import first_of_lot

ITEMS_PER_SELECT_MAX = 128
STOCK_COLUMNS = len(StockKey._fields)
STOCKS_LOOKED_UP_MAX = 200  # Before it is asked whether anything is set aside there at all.
_ANYTHING_SQL = "SELECT 1 FROM allocated WHERE warehouse = ? LIMIT 1"
_FREED = sales_tables.reservations.columns.keys().index("freed_micro")
LINE_COLUMNS = STOCK_COLUMNS + 3  # Whose line it is, and of which stock; the warehouse is in both.
# Places that the catalogue gives no place on the way come after all that have one, and what has not
# been put away yet comes last.
WALK_ORDER_UNSAID = 10**9


class ItemStock(msgspec.Struct, frozen=True):
    """What there is of an item in one warehouse that may be reserved.

    candidates: their available_micro is all that is on hand. allocated: what of them is set aside.
    """

    rotation: Rotation
    min_days_left: int
    candidates: tuple[Candidate, ...]
    allocated: tuple[tuple[StockKey, int], ...]


def read_reservations(
    connection: Connection, holders: Iterable[Holder], *, line: int | None = None
) -> list[Reservation]:
    """Return every row of these holders, in the order of their keys; of one line if it is given."""
    keys: list[bulk.Row] = [
        tuple(one) if line is None else (*one, line) for one in sorted(set(holders))
    ]
    rows = bulk.select_by_key(
        connection, sales_tables.reservations, keys, columns_count=3 if line is None else 4
    )
    return sorted(map(reservation_of, rows), key=lambda one: (one.holder, one.stock))


def lines_that_lost(connection: Connection, holder: Holder) -> set[LineKey]:
    """Return the lines of a holder of which something that was set aside has been given up."""
    rows = bulk.select_by_key(
        connection, sales_tables.reservations, [tuple(holder)], columns_count=len(holder)
    )
    return {LineKey(*row[:4]) for row in rows if row[_FREED]}


def read_reservations_at(connection: Connection, stocks: Sequence[StockKey]) -> list[Reservation]:
    """Return what is set aside of these stocks, whoever reserved last first."""
    rows = bulk.select_by_columns(
        connection,
        sales_tables.reservations,
        stocks,
        columns=StockKey._fields,
        index="reservations_stock",
        where="quantity_micro > 0",
    )
    found = map(reservation_of, rows)
    return sorted(found, key=lambda one: (-one.reserved_ms, one.holder, one.stock))


def write_reservations(connection: Connection, rows: Iterable[Reservation]) -> None:
    """Write rows, in the order of their keys."""
    ordered = sorted(rows, key=lambda one: (one.holder, one.stock))
    bulk.upsert_rows(connection, sales_tables.reservations, [_row(one) for one in ordered])


def read_allocated(connection: Connection, stocks: Iterable[StockKey]) -> dict[StockKey, int]:
    """Return how much of each stock is set aside; what has nothing is left out."""
    wanted = set(stocks)
    if len(wanted) > STOCKS_LOOKED_UP_MAX:
        used = _warehouses_with_any(connection, {stock.warehouse for stock in wanted})
        wanted = {stock for stock in wanted if stock.warehouse in used}
    rows = bulk.select_by_key(
        connection, sales_tables.allocated, sorted(wanted), columns_count=STOCK_COLUMNS
    )
    return {StockKey(*row[:STOCK_COLUMNS]): row[STOCK_COLUMNS] for row in rows}


def _warehouses_with_any(connection: Connection, codes: set[str]) -> set[str]:
    """Return the warehouses in which anything at all is set aside."""
    return {code for code in codes if bulk.select_rows(connection, _ANYTHING_SQL, (code,))}


def read_on_hand(connection: Connection, stocks: Iterable[StockKey]) -> dict[StockKey, int]:
    """Return how much of each stock is there and available, 0 for none."""
    found = dict.fromkeys(stocks, 0)
    keys = [(one.warehouse, one.location, one.item, *one[3:], AVAILABLE) for one in sorted(found)]
    size = STOCK_COLUMNS + 1
    for row in bulk.select_by_key(connection, tables.balances, keys, columns_count=size):
        warehouse, location, item, *rest = row[:STOCK_COLUMNS]
        found[StockKey(warehouse, item, location, *rest)] = row[size]
    return found


def write_allocated(connection: Connection, amounts: dict[StockKey, int]) -> None:
    """Write counters; one of nothing has no row."""
    table = sales_tables.allocated
    rows = [(*key, amount) for key, amount in sorted(amounts.items()) if amount]
    bulk.upsert_rows(connection, table, rows)
    bulk.delete_by_key(connection, table, sorted(key for key, one in amounts.items() if not one))


def read_item_stock(
    connection: Connection, warehouse: str, items: Iterable[str]
) -> dict[str, ItemStock]:
    """Return what may be reserved of items, by item; one that has nothing is left out.

    Available stock in the item's own unit, at known places that are neither blocked nor for
    quality's hold.
    """
    dialect = connection.dialect.name
    wanted, rows = sorted(set(items)), []
    for start in range(0, len(wanted), ITEMS_PER_SELECT_MAX):
        some = wanted[start : start + ITEMS_PER_SELECT_MAX]
        rows += bulk.select_rows(connection, *_stock_of_items(dialect, warehouse, some))
    return _stock_of(connection, warehouse, rows)


def order_stock_soon(connection: Connection, code: str) -> Callable[[str], dict[str, ItemStock]]:
    """Read what may be reserved of the items of a sales order, with what is asked next.

    Returns what gives it, as `read_item_stock` does, to whom the order's warehouse is known by now.
    Under the ledger's lock, and before anything of the stock changes.
    """
    return _stock_soon(connection, _STOCK_OF_ORDER_SQL, code)


def transfer_stock_soon(connection: Connection, code: str) -> Callable[[str], dict[str, ItemStock]]:
    """Read what may be reserved of the items of a transfer at its source, as `order_stock_soon`."""
    return _stock_soon(connection, _STOCK_OF_TRANSFER_SQL, code)


def items_stock_soon(
    connection: Connection, warehouse: str, items: Collection[str]
) -> Callable[[str], dict[str, ItemStock]] | None:
    """Read what may be reserved of a few items in a warehouse, with what is asked next.

    Returns what gives it, as of `order_stock_soon`; None if they are many, which are read later.
    """
    wanted = sorted(set(items))
    if not 0 < len(wanted) <= ITEMS_PER_SELECT_MAX:
        return None
    sql, values = _stock_of_items(connection.dialect.name, warehouse, wanted)
    rows = bulk.open_with(connection, sql, values, columns=_STOCK_COLUMNS)
    return lambda _: _stock_of(connection, warehouse, rows())


def reservation_of(row: bulk.Row) -> Reservation:
    """Return the reservation that a row of the table means."""
    warehouse, kind, code, line, *stock = row[:LINE_COLUMNS]
    pick_line, quantity, picked, shipped, freed, reason, *times = row[LINE_COLUMNS:]
    reserved_ms, changed_ms, history = times
    return Reservation(
        holder=LineKey(warehouse, kind, code, line),
        stock=StockKey(warehouse, *stock),
        pick_line=pick_line,
        quantity_micro=quantity,
        picked=bool(picked),
        shipped_micro=shipped,
        freed_micro=freed,
        reason=reason,
        reserved_ms=reserved_ms,
        changed_ms=changed_ms,
        history=history,
    )


def _stock_soon(
    connection: Connection, sql_of: Mapping[str, str], code: str
) -> Callable[[str], dict[str, ItemStock]]:
    sql = sql_of[connection.dialect.name]
    rows = bulk.open_with(connection, sql, [code], columns=_STOCK_COLUMNS)
    return lambda warehouse: _stock_of(connection, warehouse, rows())


def _stock_of(
    connection: Connection, warehouse: str, rows: Iterable[bulk.Row]
) -> dict[str, ItemStock]:
    """Return what rows of `_STOCK_SQL` say of stock in a warehouse; some may be there twice."""
    policies: dict[str, tuple[Rotation, int]] = {}
    candidates: dict[str, dict[StockKey, Candidate]] = {}
    allocated: dict[str, dict[StockKey, int]] = {}
    for row in rows:
        item, location, lot, serial, sscc, unit = row[: STOCK_COLUMNS - 1]
        (
            on_hand_micro,
            allocated_micro,
            expiry_date,
            kind,
            walk_order,
            pick_face,
            rotation,
            min_days_left,
            dated,
            serialized,
            first_record_no,
        ) = row[STOCK_COLUMNS - 1 :]
        key = StockKey(warehouse, item, location, lot, serial, sscc, unit)
        walk_order = walk_order or WALK_ORDER_UNSAID
        of_item = candidates.get(item)
        if of_item is None:
            of_item = candidates[item] = {}
            policies[item] = (cast("Rotation", rotation or ROTATION_DEFAULT), min_days_left or 0)
        of_item[key] = Candidate(
            key,
            on_hand_micro,
            expiry_date or "",
            first_record_no or 0,
            walk_order if kind == "bin" else walk_order + WALK_ORDER_UNSAID,
            bool(pick_face),
            _lacks(serialized and not serial, dated and not expiry_date),
        )
        if allocated_micro:
            allocated.setdefault(item, {})[key] = allocated_micro
    stock: dict[str, ItemStock] = {}
    for item, found in candidates.items():
        these = tuple(found.values())
        if policies[item][0] == "fifo":
            these = with_arrivals(connection, warehouse, item, these)
        stock[item] = ItemStock(*policies[item], these, tuple(allocated.get(item, {}).items()))
    return stock


def _lacks(serial: object, expiry_date: object) -> Literal["serial_missing", "expiry_missing", ""]:
    return "serial_missing" if serial else "expiry_missing" if expiry_date else ""


def _stock_of_items(
    dialect: str, warehouse: str, items: Sequence[str]
) -> tuple[str, Sequence[object]]:
    """Return the statement that finds stock of items, and its values."""
    # Padded to a power of two, so that few different statements are prepared.
    slots_count = 1 << (len(items) - 1).bit_length()
    values = [warehouse, *items, *([items[0]] * (slots_count - len(items)))]
    return _stock_of_items_sql(dialect, slots_count), values


def _row(one: Reservation) -> bulk.Row:
    return (
        *one.holder,
        *one.stock[1:],
        one.pick_line,
        one.quantity_micro,
        one.picked,
        one.shipped_micro,
        one.freed_micro,
        one.reason,
        one.reserved_ms,
        one.changed_ms,
        one.history,
    )


# What an item itself says is read once, not for each place where it stands. A lot of which nobody
# stated a date has no row in `lots`: its first line says when it came, and the books of other
# warehouses may know its date, from where a transfer brought it.
_STOCK_SQL = """
SELECT b.item, b.location, b.lot, b.serial, b.sscc, b.unit, b.on_hand_micro,
       a.allocated_micro,
       COALESCE(l.expiry_date, CASE WHEN b.lot <> '' THEN
           (SELECT MIN(o.expiry_date) FROM warehouses w CROSS JOIN lots o
            WHERE o.warehouse = w.warehouse AND o.item = b.item AND o.lot = b.lot) END
       ) AS expiry_date, p.kind, d.walk_order, d.pick_face,
       i.rotation, i.min_days_left_to_ship, i.expiry_tracked, i.serial_tracked,
       CASE WHEN l.first_record_no IS NOT NULL THEN l.first_record_no
            WHEN b.lot = '' THEN 0
            ELSE ({first_of_lot})
       END AS first_record_no
FROM (SELECT wanted.warehouse, k.item, k.unit, c.rotation, c.min_days_left_to_ship,
             c.expiry_tracked, c.serial_tracked
      FROM ({wanted}) wanted JOIN items k ON k.item = wanted.item
      LEFT JOIN item_policies c ON c.item = k.item) i
CROSS JOIN {balances}
JOIN locations p ON p.warehouse = b.warehouse AND p.location = b.location
LEFT JOIN location_details d ON d.warehouse = b.warehouse AND d.location = b.location
LEFT JOIN lots l ON l.warehouse = b.warehouse AND l.item = b.item AND l.lot = b.lot
LEFT JOIN allocated a ON a.warehouse = b.warehouse AND a.item = b.item AND a.location = b.location
      AND a.lot = b.lot AND a.serial = b.serial AND a.sscc = b.sscc AND a.unit = b.unit
WHERE p.kind <> 'quality_hold' AND NOT COALESCE(d.blocked, FALSE)
"""
_STOCK_COLUMNS = (
    *("item", "location", "lot", "serial", "sscc", "unit", "on_hand_micro"),
    *("allocated_micro", "expiry_date", "kind", "walk_order", "pick_face"),
    *("rotation", "min_days_left_to_ship", "expiry_tracked", "serial_tracked"),
    "first_record_no",
)
_OF_ITEM = """
b.warehouse = i.warehouse AND b.item = i.item AND b.unit = i.unit AND b.status = 'available'
AND b.on_hand_micro > 0
"""
# One look for each item, whatever the planner thinks of how many there are. To SQLite the index is
# named: without statistics it reads the whole warehouse by the first column of the key.
_BALANCES = {
    "sqlite": f"balances b INDEXED BY balances_item ON {_OF_ITEM}",
    "postgresql": f"LATERAL (SELECT * FROM balances b WHERE {_OF_ITEM} OFFSET 0) b",  # noqa: S608
}
_ITEMS_OF_ORDER = """
SELECT o.warehouse, n.item FROM sales_orders o
JOIN sales_order_lines n ON n.order_code = o.code WHERE o.code = ?
"""
_ITEMS_OF_TRANSFER = """
SELECT o.source_warehouse AS warehouse, n.item FROM transfers o
JOIN transfer_lines n ON n.transfer = o.transfer WHERE o.transfer = ?
"""
_STOCK_OF_ORDER_SQL, _STOCK_OF_TRANSFER_SQL = (
    {
        dialect: _STOCK_SQL.format(
            wanted=wanted, balances=balances, first_of_lot=first_of_lot(dialect)
        )
        for dialect, balances in _BALANCES.items()
    }
    for wanted in (_ITEMS_OF_ORDER, _ITEMS_OF_TRANSFER)
)


@cache
def _stock_of_items_sql(dialect: str, slots_count: int) -> str:
    slots = ", ".join("?" * slots_count)
    wanted = (
        "SELECT CAST(? AS TEXT) AS warehouse, item"  # noqa: S608 - our own words
        f" FROM items WHERE item IN ({slots})"
    )
    return _STOCK_SQL.format(
        wanted=wanted, balances=_BALANCES[dialect], first_of_lot=first_of_lot(dialect)
    )
