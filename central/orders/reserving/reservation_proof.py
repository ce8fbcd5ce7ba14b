"""Proves what is set aside from its rows. Edge of the database.

counter   of each stock: the sum of its reservations
covered   no more is set aside of any stock than is on hand and available
wanted    no line has more set aside than it still waits for; who waits for nothing has nothing
"""

from collections.abc import Iterator

from sqlalchemy import Connection, and_, func, select, union_all

from central.ledger.fact_check import Fault
from central.ledger.statuses import AVAILABLE
from central.orders.reserving.allocation import StockKey
from central.orders.reserving.reservations import SALES_ORDER
from central.storage import sales_tables, tables

ENDED_STATES = ("draft", "submitted", "signed", "closed", "cancelled")


def faults(connection: Connection) -> Iterator[Fault]:
    """Yield what is off with reservations."""
    yield from _counter_faults(connection)
    yield from _uncovered_faults(connection)
    yield from _wanted_faults(connection)


def _counter_faults(connection: Connection) -> Iterator[Fault]:
    rows, counters = sales_tables.reservations, sales_tables.allocated
    names = StockKey._fields
    both = union_all(
        select(*(rows.c[name] for name in names), rows.c.quantity_micro.label("amount")).where(
            rows.c.quantity_micro != 0
        ),
        select(*(counters.c[name] for name in names), -counters.c.allocated_micro),
    ).subquery()
    keys = [both.c[name] for name in names]
    difference = func.sum(both.c.amount)
    for row in connection.execute(
        select(*keys, difference).group_by(*keys).having(difference != 0).order_by(*keys)
    ):
        detail = f"reservations say {int(row[-1])} more than the counter (micro)"
        yield Fault("reservation", "/".join(row[:-1]), detail)
    empty = select(counters).where(counters.c.allocated_micro <= 0)
    for row in connection.execute(empty):
        detail = f"a counter of {row.allocated_micro} (micro)"
        yield Fault("reservation", "/".join(row[: len(names)]), detail)


def _uncovered_faults(connection: Connection) -> Iterator[Fault]:
    counters, balances = sales_tables.allocated, tables.balances
    on_hand = func.coalesce(balances.c.on_hand_micro, 0)
    same = [counters.c[name] == balances.c[name] for name in StockKey._fields]
    query = (
        select(counters, on_hand.label("on_hand"))
        .outerjoin(balances, and_(*same, balances.c.status == AVAILABLE))
        .where(counters.c.allocated_micro > on_hand)
    )
    for row in connection.execute(query):
        detail = f"{row.allocated_micro} is set aside of {int(row.on_hand)} on hand (micro)"
        yield Fault("reservation", "/".join(row[: len(StockKey._fields)]), detail)


def _wanted_faults(connection: Connection) -> Iterator[Fault]:
    rows, lines = sales_tables.reservations, sales_tables.sales_order_lines
    orders = sales_tables.sales_orders
    held = func.sum(rows.c.quantity_micro)
    wanted = func.coalesce(func.max(lines.c.quantity_micro - lines.c.given_up_micro), 0)
    query = (
        select(rows.c.holder, rows.c.line, held, wanted, func.max(orders.c.state))
        .outerjoin(orders, orders.c.code == rows.c.holder)
        .outerjoin(lines, and_(lines.c.order_code == rows.c.holder, lines.c.line == rows.c.line))
        .where(rows.c.holder_kind == SALES_ORDER, rows.c.quantity_micro != 0)
        .group_by(rows.c.holder, rows.c.line)
        .order_by(rows.c.holder, rows.c.line)
    )
    for code, line, held_micro, wanted_micro, state in connection.execute(query):
        if held_micro > wanted_micro or state is None or state in ENDED_STATES:
            detail = f"{int(held_micro)} is set aside, {int(wanted_micro)} ordered (micro), {state}"
            yield Fault("reservation", f"{code}/{line}", detail)
