"""Alerts of the system itself: strangers, certificates, backups, letters. Edge of the database."""

import json
from collections.abc import Iterator, Mapping

from sqlalchemy import Connection, func, select

from central.stock.alerts import PER_KIND_MAX, Alert, AlertKind
from central.stock.alerts_refused import refused_alerts
from central.storage.subscription_tables import deliveries
from central.storage.trust_tables import certificates, trust_events
from central.storage.watching_tables import (
    alert_mails,
    backup_runs,
    watched_starts,
    watching_marks,
)

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
GUESSES_MIN = 5  # Of codes, in an hour; one that was used twice is told of at once.
EVENT_WINDOW_MS = DAY_MS
CERTIFICATE_MS = 20 * DAY_MS
REVOCATION_LIST_MS = 72 * HOUR_MS
BACKUP_AGE_MS_MAX = 26 * HOUR_MS
DRILL_AGE_MS_MAX = 30 * DAY_MS
RESTARTS_MIN = 3  # In an hour.
DISK_PERCENT = 90
MARK_AGE_MS_MAX = 5 * MINUTE_MS  # What was said of the machine longer ago is not known.
ATTEMPTS_MIN = 3
# Kinds of trust events -> the alert, and how many within an hour there are before it is told.
TRUST_ALERTS: dict[str, tuple[AlertKind, int]] = {
    "claim_unknown": ("enrolment_refused", GUESSES_MIN),
    "claim_guessed": ("enrolment_refused", GUESSES_MIN),
    "claim_expired": ("enrolment_refused", 1),
    "claim_burnt": ("enrolment_refused", 1),
    "claim_reused": ("enrolment_refused", 1),
    "request_refused": ("enrolment_refused", 1),
    "renewal_refused": ("enrolment_refused", 1),
    "revoked_seen": ("revoked_seen", 1),
    "card_cloned": ("gateway_cloned", 1),
    "shown_code_guessed": ("enrolment_refused", GUESSES_MIN),
    "newcomers_full": ("enrolment_refused", 1),
}
REVOCATION_LIST_MARK = "trust/revocation_list"  # Until when, as `central.trust` wrote it last.
# Marks that `central.watching` leaves for us.
DISK_MARK = "machine/disk"  # {"percent": 91, "at_ms": ...}
BACKUPS_MARK = "backups/configured"  # Since when, in milliseconds; absent if they are not.


def safety_alerts(connection: Connection, *, now_ms: int) -> Iterator[Alert]:
    """Yield alerts of the system itself, at most PER_KIND_MAX a kind."""
    marks = {row.mark: row.value for row in connection.execute(select(watching_marks))}
    yield from refused_alerts(connection, now_ms=now_ms)
    yield from _trust(connection, now_ms=now_ms)
    yield from _certificates(connection, now_ms=now_ms)
    yield from _revocation_list(marks, now_ms=now_ms)
    yield from _restarts(connection, now_ms=now_ms)
    yield from _disk(marks, now_ms=now_ms)
    yield from _backups(connection, marks, now_ms=now_ms)
    yield from _undelivered(connection)


def _trust(connection: Connection, *, now_ms: int) -> Iterator[Alert]:
    table = trust_events.c
    query = (
        select(
            table.kind,
            table.subject,
            func.count().label("events_count"),
            func.max(table.at_ms).label("last_ms"),
        )
        .where(table.kind.in_(sorted(TRUST_ALERTS)), table.at_ms >= now_ms - EVENT_WINDOW_MS)
        .group_by(table.kind, table.subject)
        .order_by(table.kind, table.subject)
        .limit(PER_KIND_MAX)
    )
    for row in connection.execute(query):
        kind, least = TRUST_ALERTS[row.kind]
        if row.events_count >= least:
            yield Alert(
                kind=kind,
                warehouse="",
                subject=row.subject,
                lot=row.kind,
                detail=str(row.events_count),
                since_ms=row.last_ms,
            )


def _certificates(connection: Connection, *, now_ms: int) -> Iterator[Alert]:
    table = certificates.c
    query = (
        select(table.gateway, func.max(table.expires_ms).label("expires_ms"))
        .where(table.revoked_ms == 0)
        .group_by(table.gateway)
        .having(func.max(table.expires_ms) < now_ms + CERTIFICATE_MS)
        .order_by(table.gateway)
        .limit(PER_KIND_MAX)
    )
    for row in connection.execute(query):
        over = row.expires_ms <= now_ms
        yield Alert(
            kind="certificate_expired" if over else "certificate_expiring",
            warehouse="",
            subject=row.gateway,
            since_ms=row.expires_ms if over else 0,
            detail="" if over else str((row.expires_ms - now_ms) // DAY_MS),
        )


def _revocation_list(marks: Mapping[str, str], *, now_ms: int) -> Iterator[Alert]:
    """It is written anew each day; past its end the broker lets nobody in."""
    until_ms = int(marks.get(REVOCATION_LIST_MARK, "0"))
    if until_ms and until_ms - now_ms < REVOCATION_LIST_MS:
        hours = max(0, (until_ms - now_ms) // HOUR_MS)
        yield Alert(kind="revocation_list_ends", warehouse="", subject="broker", detail=str(hours))


def _restarts(connection: Connection, *, now_ms: int) -> Iterator[Alert]:
    table = watched_starts.c
    query = (
        select(table.subject, func.count().label("starts_count"))
        .where(table.first_ms >= now_ms - HOUR_MS)
        .group_by(table.subject)
        .having(func.count() >= RESTARTS_MIN)
        .order_by(table.subject)
        .limit(PER_KIND_MAX)
    )
    for row in connection.execute(query):
        yield Alert(
            kind="restarting",
            warehouse="",
            subject=row.subject or "central",
            detail=str(row.starts_count),
        )


def _disk(marks: Mapping[str, str], *, now_ms: int) -> Iterator[Alert]:
    said = json.loads(marks.get(DISK_MARK, "{}"))
    if said.get("percent", 0) >= DISK_PERCENT and now_ms - said["at_ms"] <= MARK_AGE_MS_MAX:
        yield Alert(
            kind="machine_disk", warehouse="", subject="central", detail=str(said["percent"])
        )


def _backups(connection: Connection, marks: Mapping[str, str], *, now_ms: int) -> Iterator[Alert]:
    """Where none are configured, another program may make them: then nothing is said."""
    configured_ms = int(marks.get(BACKUPS_MARK, "0"))
    table = backup_runs.c
    newest = select(func.max(table.run_no)).group_by(table.kind)
    for row in connection.execute(select(backup_runs).where(table.run_no.in_(newest))):
        if not row.good:
            kind: AlertKind = "drill_failed" if row.kind == "drill" else "backup_failed"
            yield Alert(
                kind=kind,
                warehouse="",
                subject="central",
                lot=row.kind,
                since_ms=row.began_ms,
                name=row.detail,
            )
    if not configured_ms:
        return
    expected: tuple[tuple[str, AlertKind, int], ...] = (
        ("dump", "backup_old", BACKUP_AGE_MS_MAX),
        ("drill", "drill_old", DRILL_AGE_MS_MAX),
    )
    for run_kind, kind, age_ms_max in expected:
        good = select(func.max(table.began_ms)).where(table.kind == run_kind, table.good)
        last_ms = max(connection.execute(good).scalar_one() or 0, configured_ms)
        if now_ms - last_ms > age_ms_max:
            yield Alert(kind=kind, warehouse="", subject="central", since_ms=last_ms)


def _undelivered(connection: Connection) -> Iterator[Alert]:
    mails = alert_mails.c
    query = (
        select(
            mails.recipient,
            func.count().label("mails_count"),
            func.min(mails.first_ms).label("first_ms"),
            func.max(mails.last_error).label("error"),
        )
        .where(
            (mails.state == "given_up")
            | ((mails.state == "waiting") & (mails.attempts_count >= ATTEMPTS_MIN))
        )
        .group_by(mails.recipient)
        .order_by(mails.recipient)
    )
    for row in connection.execute(query.limit(PER_KIND_MAX)):
        yield Alert(
            kind="mail_failing",
            warehouse="",
            subject=row.recipient,
            since_ms=row.first_ms,
            name=row.error,
            detail=str(row.mails_count),
        )
    table = deliveries.c
    waiting = (
        select(
            table.subscription,
            func.count().label("deliveries_count"),
            func.min(table.first_ms).label("first_ms"),
        )
        .where((table.state == "given_up") | (table.attempts_count >= 2 * ATTEMPTS_MIN))
        .group_by(table.subscription)
        .order_by(table.subscription)
    )
    for row in connection.execute(waiting.limit(PER_KIND_MAX)):
        yield Alert(
            kind="webhook_failing",
            warehouse="",
            subject=row.subscription,
            since_ms=row.first_ms,
            detail=str(row.deliveries_count),
        )
