"""What is still open before a period is closed. Edge of the database.

gateway      it has not reported since the end, or holds facts that are not here yet
discrepancy  of a fact that is dated before the end, whenever it came, and not settled
transfer     goods left before the end and are under way
count        released before the end and not judged
balance      of a place that is below zero at the end, by what is dated before it
"""

from collections.abc import Callable, Iterator
from itertools import islice

from sqlalchemy import Connection, exists, func, or_, select

from central.orders.catalogue.packs import text_of
from central.orders.settling.period_figures import below_zero
from central.orders.settling.periods import POINTS_MAX, OpenPoint
from central.stock.times import utc_text
from central.storage import tables
from central.storage.count_tables import counts
from central.storage.transfer_tables import transfers

Check = Callable[[Connection, int], Iterator[OpenPoint]]


def open_points(connection: Connection, *, through_ms: int) -> list[OpenPoint]:
    """Return what may still change the figures of a period that ends there; POINTS_MAX a check."""
    return [point for check in CHECKS for point in check(connection, through_ms)]


def _gateways(connection: Connection, through_ms: int) -> Iterator[OpenPoint]:
    gateways, heads, positions = tables.gateways.c, tables.epoch_heads.c, tables.positions.c
    acked = func.coalesce(positions.acked_seq, 0)
    missing = dict(
        tuple(row)
        for row in connection.execute(
            select(heads.gateway, func.sum(heads.head_seq - acked))
            .outerjoin_from(
                tables.epoch_heads,
                tables.positions,
                (positions.gateway == heads.gateway) & (positions.epoch == heads.epoch),
            )
            .where(heads.head_seq > acked)
            .group_by(heads.gateway)
        )
    )
    query = select(gateways.gateway, gateways.warehouse, gateways.seen_ms).order_by(
        gateways.gateway
    )
    for row in connection.execute(query.limit(POINTS_MAX)):
        if row.seen_ms < through_ms:
            seen = utc_text(row.seen_ms) if row.seen_ms else "never"
            detail = f"last heard of: {seen}; it may hold facts of the period"
        elif missing.get(row.gateway):
            detail = f"{missing[row.gateway]} of its facts are not here yet"
        else:
            continue
        yield OpenPoint("gateway", row.warehouse, row.gateway, detail)


def _discrepancies(connection: Connection, through_ms: int) -> Iterator[OpenPoint]:
    table, facts = tables.discrepancies.c, tables.facts.c
    # What came later by a clock that was set is dated when it happened; else when it was opened.
    dated = exists().where(
        facts.warehouse == table.warehouse,
        facts.gateway == table.gateway,
        facts.epoch == table.epoch,
        facts.seq == table.seq,
        facts.clock_synced,
        facts.event_time_ms < through_ms,
    )
    query = (
        select(table.id, table.warehouse, table.kind, table.subject, table.owner)
        .where(table.state == "open", or_(table.opened_ms < through_ms, dated))
        .order_by(table.warehouse, table.kind, table.subject)
        .limit(POINTS_MAX)
    )
    for row in connection.execute(query):
        owner = f", seen to by {row.owner}" if row.owner else ""
        detail = f"{row.kind} {row.subject}{owner}"
        yield OpenPoint("discrepancy", row.warehouse, row.id, detail)


def _transfers(connection: Connection, through_ms: int) -> Iterator[OpenPoint]:
    table = transfers.c
    query = (
        select(table.transfer, table.source_warehouse, table.destination_warehouse, table.phase)
        .where(table.under_way_since_ms > 0, table.under_way_since_ms < through_ms)
        .order_by(table.transfer)
        .limit(POINTS_MAX)
    )
    for row in connection.execute(query):
        detail = f"goods are under way to {row.destination_warehouse}"
        yield OpenPoint("transfer", row.source_warehouse, row.transfer, detail)


def _counts(connection: Connection, through_ms: int) -> Iterator[OpenPoint]:
    table = counts.c
    query = (
        select(table.code, table.warehouse, table.state)
        .where(table.released_ms > 0, table.released_ms < through_ms, table.ended_ms == 0)
        .order_by(table.code)
        .limit(POINTS_MAX)
    )
    for row in connection.execute(query):
        yield OpenPoint("count", row.warehouse, row.code, f"the count is {row.state}")


def _balances(connection: Connection, through_ms: int) -> Iterator[OpenPoint]:
    for key, on_hand_micro in islice(below_zero(connection, through_ms), POINTS_MAX):
        which = "/".join(part for part in (key.item, key.lot, key.serial, key.sscc) if part)
        detail = f"{text_of(on_hand_micro)} {key.unit} of {which}"
        yield OpenPoint("balance", key.warehouse, key.location, detail)


CHECKS: tuple[Check, ...] = (_gateways, _discrepancies, _transfers, _counts, _balances)
