"""Proves what is set aside from its rows. Edge of the database.

counter   of each stock: the sum of its reservations
covered   no more is set aside of any stock than is on hand and available
wanted    no line has more set aside than it still waits for; who waits for nothing has nothing
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, select, union_all

from central.ledger.fact_check import Fault
from central.ledger.statuses import AVAILABLE
from central.orders.reserving.allocation import StockKey
from central.orders.reserving.reservations import SALES_ORDER, TRANSFER
from central.storage import sales_tables, tables, transfer_tables

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
    for kind, query in ((SALES_ORDER, _of_orders()), (TRANSFER, _of_transfers())):
        for code, line, held_micro, wanted_micro, state in connection.execute(query):
            ended = state in ENDED_STATES or (kind == TRANSFER and state != "released")
            if held_micro > wanted_micro or state is None or ended:
                held, wanted = int(held_micro), int(wanted_micro)
                detail = f"{held} is set aside, {wanted} ordered (micro), {state}"
                yield Fault("reservation", f"{code}/{line}", detail)


def _of_orders() -> Select[Any]:
    rows, lines = sales_tables.reservations, sales_tables.sales_order_lines
    orders = sales_tables.sales_orders
    return (
        _held(SALES_ORDER, lines.c.quantity_micro - lines.c.given_up_micro, orders.c.state)
        .join(orders, orders.c.code == rows.c.holder, isouter=True)
        .join(
            lines,
            and_(lines.c.order_code == rows.c.holder, lines.c.line == rows.c.line),
            isouter=True,
        )
    )


def _of_transfers() -> Select[Any]:
    rows, lines = sales_tables.reservations, transfer_tables.transfer_lines
    orders = transfer_tables.transfers
    at_source = and_(
        orders.c.transfer == rows.c.holder, orders.c.source_warehouse == rows.c.warehouse
    )
    return (
        _held(TRANSFER, lines.c.quantity_micro, orders.c.state)
        .join(orders, at_source, isouter=True)
        .join(
            lines,
            and_(lines.c.transfer == rows.c.holder, lines.c.line == rows.c.line),
            isouter=True,
        )
    )


def _held(kind: str, wanted_micro: ColumnElement[int], state: ColumnElement[str]) -> Select[Any]:
    """Return what is set aside by line of a kind of holders, what it is to have, and the state."""
    rows = sales_tables.reservations.c
    wanted = func.coalesce(func.max(wanted_micro), 0)
    return (
        select(rows.holder, rows.line, func.sum(rows.quantity_micro), wanted, func.max(state))
        .select_from(sales_tables.reservations)
        .where(rows.holder_kind == kind, rows.quantity_micro != 0)
        .group_by(rows.holder, rows.line)
        .order_by(rows.holder, rows.line)
    )
