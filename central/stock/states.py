"""How gateways are, what does not add up, how much there is. Edge of the database."""

from collections import defaultdict
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, and_, func, or_, select

from central.contract.identifiers import FactId, parse_epoch
from central.contract.quantities import from_micro
from central.contract.states import DeviceState
from central.stock.discrepancy_times import DiscrepancyFilter, discrepancies_at
from central.stock.rows import (
    DiscrepancyRow,
    EpochRow,
    GatewayRow,
    LedgerCounts,
)
from central.storage.tables import (
    discrepancies,
    epoch_heads,
    facts,
    gateways,
    positions,
    quarantine,
)

EPOCHS_MAX = 5  # Of one gateway; a start makes a new one, and the older ones are drained.

_devices_decoder = msgspec.json.Decoder(tuple[DeviceState, ...])


def find_gateway(connection: Connection, code: str) -> GatewayRow | None:
    """Return one enrolled gateway, None if there is none of this code."""
    found = list_gateways(connection, code=code, limit=1)
    return found[0] if found else None


def list_gateways(
    connection: Connection, *, warehouse: str = "", code: str = "", after: str = "", limit: int
) -> list[GatewayRow]:
    """Return enrolled gateways by code. after: the last code of the page before."""
    query = select(gateways).where(gateways.c.gateway > after)
    if warehouse:
        query = query.where(gateways.c.warehouse == warehouse)
    if code:
        query = query.where(gateways.c.gateway == code)
    found = connection.execute(query.order_by(gateways.c.gateway).limit(limit)).all()
    codes = [row.gateway for row in found]
    epochs = _epochs(connection, codes)
    missing = _missing_counts(connection, codes)
    forks = _fork_counts(connection)
    return [
        GatewayRow(
            code=row.gateway,
            site=row.site,
            warehouse=row.warehouse,
            online=row.online,
            problem=row.problem,
            software=row.software,
            epoch=row.epoch,
            head_seq=row.head_seq,
            unsent_count=row.unsent_count,
            seen_time_ms=row.seen_ms,
            devices=_devices_decoder.decode(row.devices_json or "[]"),
            positions=tuple(epochs[row.gateway]),
            told_time_ms=row.told_ms,
            clock_synced=row.clock_synced,
            stated_lag_s=row.lag_s,
            stream=row.stream,
            notice=row.notice,
            stock_revision=row.stock_revision,
            reference_revision=row.reference_revision,
            stated_known_age_s=row.known_age_s,
            disk_used_percent=row.disk_used_percent,
            written_bytes_day=row.written_bytes_day,
            shed_count=row.shed_count,
            failed_release=row.failed_release,
            failed_reason=row.failed_reason,
            failed_time_ms=row.failed_ms,
            missing_count=missing.get(row.gateway, 0),
            forks_count=forks.get(row.gateway, 0),
        )
        for row in found
    ]


def list_discrepancies(
    connection: Connection,
    wanted: DiscrepancyFilter,
    *,
    before: tuple[int, str] | None,
    limit: int,
) -> list[DiscrepancyRow]:
    """Return discrepancies, newest first. before: record_no and id of the last one seen."""
    table = discrepancies.c
    query = discrepancies_at(wanted.state, wanted.as_of)
    for column, value in (
        (table.kind, wanted.kind),
        (table.warehouse, wanted.warehouse),
    ):
        if value:
            query = query.where(column == value)
    if wanted.kinds:
        query = query.where(table.kind.in_(wanted.kinds))
    if wanted.owner is not None:
        query = query.where(table.owner == wanted.owner)
    if wanted.opened_before is not None:
        query = query.where(table.opened_ms < wanted.opened_before)
    if before is not None:
        number, identity = before
        query = query.where(
            or_(table.record_no < number, and_(table.record_no == number, table.id < identity))
        )
    query = query.order_by(table.record_no.desc(), table.id.desc()).limit(limit)
    return [discrepancy_row(row) for row in connection.execute(query)]


def find_discrepancy(connection: Connection, identity: str) -> DiscrepancyRow | None:
    """Return one discrepancy, None if there is none of this id."""
    row = connection.execute(select(discrepancies).where(discrepancies.c.id == identity)).first()
    return discrepancy_row(row) if row is not None else None


def count_discrepancies(connection: Connection) -> dict[str, int]:
    """Return how many discrepancies are open, by kind."""
    query = (
        select(discrepancies.c.kind, func.count().label("open_count"))
        .where(discrepancies.c.state == "open")
        .group_by(discrepancies.c.kind)
    )
    return {row.kind: row.open_count for row in connection.execute(query)}


def count_all(connection: Connection) -> LedgerCounts:
    """Return how much the ledger holds; facts are numbered without gaps, so none is counted."""
    gateway_counts = connection.execute(
        select(
            func.count(),
            func.count().filter(gateways.c.online),
        ).select_from(gateways)
    ).one()
    return LedgerCounts(
        facts=connection.execute(select(func.max(facts.c.record_no))).scalar() or 0,
        gateways=gateway_counts[0],
        gateways_online=gateway_counts[1],
        discrepancies_open=sum(count_discrepancies(connection).values()),
        quarantined=connection.execute(select(func.count()).select_from(quarantine)).scalar_one(),
    )


def _epochs(connection: Connection, codes: list[str]) -> defaultdict[str, list[EpochRow]]:
    rank = (
        func.row_number()
        .over(partition_by=positions.c.gateway, order_by=positions.c.epoch.desc())
        .label("rank")
    )
    ranked = select(positions, rank).where(positions.c.gateway.in_(codes)).subquery()
    query = select(ranked).where(ranked.c.rank <= EPOCHS_MAX).order_by(ranked.c.rank)
    epochs: defaultdict[str, list[EpochRow]] = defaultdict(list)
    for row in connection.execute(query):
        epochs[row.gateway].append(
            EpochRow(epoch=row.epoch, acked_seq=row.acked_seq, record_time_ms=row.updated_ms)
        )
    return epochs


def _missing_counts(connection: Connection, codes: list[str]) -> dict[str, int]:
    """Return how many facts, of those that gateways said they have, are not committed."""
    heads, acked = epoch_heads.c, func.coalesce(positions.c.acked_seq, 0)
    query = (
        select(heads.gateway, func.sum(heads.head_seq - acked))
        .outerjoin_from(
            epoch_heads,
            positions,
            and_(positions.c.gateway == heads.gateway, positions.c.epoch == heads.epoch),
        )
        .where(heads.gateway.in_(codes), heads.head_seq > acked)
        .group_by(heads.gateway)
    )
    return {row[0]: int(row[1]) for row in connection.execute(query)}


def _fork_counts(connection: Connection) -> dict[str, int]:
    table = discrepancies.c
    query = (
        select(table.gateway, func.count())
        .where(table.state == "open", table.kind == "fork")
        .group_by(table.gateway)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def discrepancy_row(row: Row[Any]) -> DiscrepancyRow:
    """Return what a row of the table of discrepancies says."""
    return DiscrepancyRow(
        id=row.id,
        record_no=row.record_no,
        warehouse=row.warehouse,
        kind=row.kind,
        subject=row.subject,
        state=row.state,
        fact_id=_fact_id(gateway=row.gateway, epoch=row.epoch, seq=row.seq),
        facts_count=row.facts_count,
        item=row.item,
        location=row.location,
        lot=row.lot,
        unit=row.unit,
        document=row.document,
        document_line=row.document_line,
        expected=None if row.expected_micro is None else from_micro(row.expected_micro),
        actual=None if row.actual_micro is None else from_micro(row.actual_micro),
        detail=row.detail,
        opened_time_ms=row.opened_ms,
        settlement=row.settlement,
        settled_time_ms=row.settled_ms,
        owner=row.owner,
        due_time_ms=row.due_ms,
        version=row.version,
    )


def _fact_id(*, gateway: str, epoch: str, seq: int) -> FactId | None:
    if not epoch or seq < 1:
        return None
    return FactId(gateway=gateway, epoch=parse_epoch(epoch), seq=seq)
