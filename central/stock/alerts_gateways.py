"""Alerts of gateways, their devices, clocks and bytes. Edge of the database."""

from collections.abc import Iterator

from sqlalchemy import Connection, func, select

from central.stock.alerts import PER_KIND_MAX, Alert
from central.stock.rows import GatewayRow
from central.stock.states import list_gateways
from central.stock.workers import list_workers
from central.storage.tables import quarantine

GATEWAYS_MAX = 1000
SILENT_S = 300  # Without a sign of life, whatever it said last.
LAG_S = 300
DISK_PERCENT = 90


def gateway_alerts(connection: Connection, *, now_ms: int) -> Iterator[Alert]:
    """Yield alerts of gateways and of who takes their facts, at most PER_KIND_MAX a kind."""
    for row in list_gateways(connection, limit=GATEWAYS_MAX):
        yield from _of_gateway(row, now_ms=now_ms)
    unserved = list_workers(connection, now_ms=now_ms).unserved
    if unserved:
        numbers = ", ".join(map(str, unserved))
        yield Alert(kind="shard_unserved", warehouse="", subject=numbers)
    yield from _quarantined(connection)


def is_silent(row: GatewayRow, *, now_ms: int) -> bool:
    """Return whether a gateway was there once and gives no sign of life."""
    if not row.seen_time_ms:
        return False
    return not row.online or now_ms - row.seen_time_ms > SILENT_S * 1000


def _of_gateway(row: GatewayRow, *, now_ms: int) -> Iterator[Alert]:
    def alert(kind: str, **fields: object) -> Alert:
        values = {"kind": kind, "warehouse": row.warehouse, "subject": row.code} | fields
        return Alert(**values)  # type: ignore[arg-type]

    if row.problem:
        yield alert("gateway_problem", detail=row.problem, since_ms=row.told_time_ms)
    if is_silent(row, now_ms=now_ms):
        yield alert("gateway_silent", since_ms=row.seen_time_ms)
    elif row.lag_s(now_ms=now_ms) > LAG_S:
        since_ms = now_ms - 1000 * row.lag_s(now_ms=now_ms)
        yield alert("gateway_lagging", since_ms=since_ms, detail=str(row.lag_movements))
    if row.lost_count:
        yield alert("gateway_lost", detail=str(row.lost_count))
    if row.disk_used_percent >= DISK_PERCENT:
        yield alert("gateway_disk", detail=str(row.disk_used_percent))
    if row.failed_release:
        yield alert(
            "update_failed",
            lot=row.failed_release,
            name=row.failed_reason,
            since_ms=row.failed_time_ms,
        )
    if not row.clock_synced and row.online:
        yield alert("clock_unsynced", since_ms=row.told_time_ms)
    if row.online:
        for device in row.devices:
            if device.state != "ready":
                detail = device.problem or device.state
                yield alert("device_not_ready", location=device.name, detail=detail)


def _quarantined(connection: Connection) -> Iterator[Alert]:
    table = quarantine.c
    query = (
        select(
            table.topic_gateway,
            table.reason,
            func.count().label("payloads_count"),
            func.min(table.received_ms).label("since_ms"),
        )
        .group_by(table.topic_gateway, table.reason)
        .order_by(table.topic_gateway, table.reason)
        .limit(PER_KIND_MAX)
    )
    for row in connection.execute(query):
        yield Alert(
            kind="quarantined",
            warehouse="",
            subject=row.topic_gateway,
            lot=row.reason,
            since_ms=row.since_ms,
            detail=str(row.payloads_count),
        )
