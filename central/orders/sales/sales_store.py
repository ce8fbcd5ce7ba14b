"""Rows of sales orders, and how far they are. Edge of the database."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import Connection

from central.errors import NotThere
from central.ledger.progress import OUT, sign_of
from central.orders.document_progress import CountedKey
from central.orders.reserving.reservation_rows import read_reservations
from central.orders.reserving.reservations import SALES_ORDER, LineKey, Reservation
from central.orders.sales.sales_orders import OrderFigures, SalesLine, SalesOrder, figures_of
from central.storage import bulk, sales_tables, tables

Counted = dict[CountedKey, int]
# What is set aside for an order, whose row says in which warehouse.
_SET_ASIDE = bulk.Lead(
    sales_tables.reservations,
    sales_tables.sales_orders,
    ("warehouse", "holder_kind", "holder"),
    ((bulk.Part(column="warehouse"), bulk.Part(SALES_ORDER), bulk.Part(column="code")),),
)


def read_order(connection: Connection, code: str) -> SalesOrder:
    """Return an order. Raises NotThere."""
    found = read_orders(connection, [code])
    if not found:
        raise NotThere(
            f"there is no sales order {code}",
            hint="Look the code up in the list of orders.",
            fields={"code": code},
        )
    return found[0]


def read_orders(connection: Connection, codes: Collection[str]) -> list[SalesOrder]:
    """Return the orders of these codes that are there, in the order of their codes."""
    keys = [(code,) for code in sorted(set(codes))]
    orders = bulk.Look(sales_tables.sales_orders, keys, 1)
    lines_look = bulk.Look(sales_tables.sales_order_lines, keys, 1)
    bulk.look_ahead(connection, [orders, lines_look, bulk.Led(_SET_ASIDE, orders)])
    heads = bulk.select_by_key(connection, sales_tables.sales_orders, keys, columns_count=1)
    lines: dict[str, list[SalesLine]] = {}
    for row in bulk.select_by_key(
        connection, sales_tables.sales_order_lines, keys, columns_count=1
    ):
        lines.setdefault(row[0], []).append(SalesLine(*row[1:]))
    return sorted(
        (_order(row, sorted(lines.get(row[0], []), key=lambda one: one.line)) for row in heads),
        key=lambda one: one.code,
    )


def write_order(
    connection: Connection, order: SalesOrder, *, lines_too: bool = True, new: bool = False
) -> None:
    """Write an order with the lines that it has; only its head if its lines are as they were.

    new: it was never written before.
    """
    head = (
        *(order.code, order.version, order.warehouse, order.customer, order.state),
        *(order.backorders, order.wanted_on, order.promised_on, order.reference, order.note),
        *(order.carrier, order.tracking, order.stale, order.reason, order.signed_by),
        *(order.signed_ms, order.created_ms, order.changed_ms),
    )
    bulk.upsert_rows(connection, sales_tables.sales_orders, [head])
    if not lines_too:
        return
    table = sales_tables.sales_order_lines
    if not new:
        bulk.delete_by_key(connection, table, [(order.code,)])
    bulk.insert_rows(connection, table, [_line_row(order.code, line) for line in order.lines])


def read_figures(connection: Connection, orders: Sequence[SalesOrder]) -> list[OrderFigures]:
    """Return how far orders are, in the order given."""
    holders = [order.holder for order in orders]
    rows: dict[str, list[Reservation]] = {}
    for row in read_reservations(connection, holders):
        rows.setdefault(row.holder.code, []).append(row)
    counted = read_counted(connection, [(order.warehouse, order.code) for order in orders])
    return [
        figures_of(order, rows.get(order.code, []), counted.get(order.code, {})) for order in orders
    ]


def read_counted(
    connection: Connection, documents: Iterable[tuple[str, str]], *, way: int = OUT
) -> dict[str, Counted]:
    """Return what the ledger counted under documents, by (warehouse, code); none: left out.

    way: OUT for what went out, IN for what came in, whichever way it was counted: facts that come
    while stations are not told of a document are counted as coming in.
    """
    counted: dict[str, Counted] = {}
    for row in bulk.select_by_key(
        connection, tables.document_progress, sorted(set(documents)), columns_count=2
    ):
        _, document, line, item, unit, _, _, received_micro, _, direction = row
        if received_micro:
            amount = received_micro * sign_of(direction) * way
            counted.setdefault(document, {})[CountedKey(line, item, unit)] = amount
    return counted


def read_wanted_lots(connection: Connection, lines: Collection[LineKey]) -> dict[LineKey, str]:
    """Return the only lots that will do for lines of orders; lines that take any are left out."""
    keys = sorted((line.code, line.line) for line in lines if line.kind == SALES_ORDER)
    lots = {
        (row[0], row[1]): row[5]
        for row in bulk.select_by_key(
            connection, sales_tables.sales_order_lines, keys, columns_count=2
        )
    }
    return {line: lot for line in lines if (lot := lots.get((line.code, line.line), ""))}


def _order(row: bulk.Row, lines: list[SalesLine]) -> SalesOrder:
    values: list[Any] = list(row)
    for index in _TRUTHS:  # SQLite gives them as numbers.
        values[index] = bool(values[index])
    return SalesOrder(*[*values, tuple(lines)])


_HEAD = [column.name for column in sales_tables.sales_orders.columns]
assert (*_HEAD, "lines") == SalesOrder.__struct_fields__
_TRUTHS = (_HEAD.index("backorders"), _HEAD.index("stale"))


def _line_row(code: str, line: SalesLine) -> bulk.Row:
    return (
        *(code, line.line, line.item, line.unit, line.quantity_micro, line.lot),
        *(line.given_up_micro, line.over_percent_micro, line.under_percent_micro),
        *(line.entered_quantity, line.entered_unit),
    )
