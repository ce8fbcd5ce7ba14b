"""Figures of backups, letters, certificates and sign-ins. Edge of the database."""

import json
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from central.stock.alerts_refused import LOGIN_WINDOW_MS
from central.stock.alerts_safety import DISK_MARK
from central.storage.access_tables import access_failures
from central.storage.subscription_tables import deliveries
from central.storage.trust_tables import certificates
from central.storage.watching_tables import alert_mails, backup_runs, watching_marks

CERTIFICATES_MAX = 1000


@dataclass(frozen=True, slots=True)
class LastRun:
    """Of a kind of backup: the last good one, 0 for none, and whether the last one was good."""

    kind: str
    good_ms: int
    bytes_count: int
    record_no: int
    last_is_good: bool


@dataclass(frozen=True, slots=True)
class WatchingFigures:
    """letters_oldest_ms: 0 if none waits. disk_percent: None if nobody said it lately."""

    runs: tuple[LastRun, ...]
    letters_count: int
    letters_oldest_ms: int
    deliveries_count: int
    expiries: tuple[tuple[str, int], ...]
    sign_in_failures_count: int
    disk_percent: int | None


def read_watching_figures(connection: Connection, *, now_ms: int) -> WatchingFigures:
    """Return the figures as they are."""
    mails, failures, held = alert_mails.c, access_failures.c, certificates.c
    letters = connection.execute(
        select(func.count(), func.min(mails.first_ms)).where(mails.state == "waiting")
    ).one()
    expiries = connection.execute(
        select(held.gateway, func.max(held.expires_ms))
        .where(held.revoked_ms == 0)
        .group_by(held.gateway)
        .order_by(held.gateway)
        .limit(CERTIFICATES_MAX)
    )
    failing = select(func.count()).where(failures.last_ms >= now_ms - LOGIN_WINDOW_MS)
    disk = connection.execute(
        select(watching_marks.c.value).where(watching_marks.c.mark == DISK_MARK)
    ).scalar_one_or_none()
    return WatchingFigures(
        runs=_last_runs(connection),
        letters_count=letters[0],
        letters_oldest_ms=letters[1] or 0,
        deliveries_count=connection.execute(
            select(func.count()).select_from(deliveries)
        ).scalar_one(),
        expiries=tuple((row[0], row[1]) for row in expiries),
        sign_in_failures_count=connection.execute(failing).scalar_one(),
        disk_percent=json.loads(disk)["percent"] if disk else None,
    )


def _last_runs(connection: Connection) -> tuple[LastRun, ...]:
    table = backup_runs.c
    newest = select(func.max(table.run_no)).group_by(table.kind, table.good)
    rows = connection.execute(
        select(backup_runs).where(table.run_no.in_(newest)).order_by(table.run_no)
    ).all()
    found: list[LastRun] = []
    for kind in sorted({row.kind for row in rows}):
        of_kind = [row for row in rows if row.kind == kind]
        good = next((row for row in of_kind if row.good), None)
        found.append(
            LastRun(
                kind,
                good.began_ms if good else 0,
                good.bytes_count if good else 0,
                good.record_no if good else 0,
                bool(of_kind[-1].good),
            )
        )
    return tuple(found)
