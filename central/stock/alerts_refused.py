"""Alerts of whoever is refused again and again, at the door or before it. Edge of SQL."""

from collections.abc import Iterator

from sqlalchemy import Connection, select

from central.stock.alerts import PER_KIND_MAX, Alert, AlertKind
from central.storage.access_tables import access_failures
from central.storage.refusal_tables import refusals

MINUTE_MS = 60_000
LOGIN_WINDOW_MS = 10 * MINUTE_MS
# The first pause begins with this failure (`central/access/back_off.py`).
LOGIN_FAILURES_MIN = 5
GUESSES_MIN = 5
HELD_MIN = 20  # A phone that loses its network leaves one connection or two.
REFUSED_WINDOW_MS = 24 * 60 * MINUTE_MS
HELD_WINDOW_MS = 10 * MINUTE_MS
PAUSED = "sign_in_paused"
# Kinds of refusals -> the alert, from how many on, and how long after the last. What is counted in
# a pause is told with the pause itself.
REFUSED_ALERTS: dict[str, tuple[AlertKind, int, int]] = {
    "token_dismissed": ("credential_refused", 1, REFUSED_WINDOW_MS),
    "token_ended": ("credential_refused", 1, REFUSED_WINDOW_MS),
    "token_unknown": ("credential_refused", GUESSES_MIN, REFUSED_WINDOW_MS),
    "oidc_forged": ("credential_refused", 1, REFUSED_WINDOW_MS),
    "oidc_not_begun": ("credential_refused", GUESSES_MIN, REFUSED_WINDOW_MS),
    "connection_slow": ("connections_held", HELD_MIN, HELD_WINDOW_MS),
    "connections_many": ("connections_held", HELD_MIN, HELD_WINDOW_MS),
    "broker_publish": ("broker_refused", 1, REFUSED_WINDOW_MS),
    "broker_subscribe": ("broker_refused", 1, REFUSED_WINDOW_MS),
    "broker_certificate": ("broker_refused", 1, REFUSED_WINDOW_MS),
    "broker_no_certificate": ("broker_refused", GUESSES_MIN, REFUSED_WINDOW_MS),
    "broker_handshake": ("broker_refused", HELD_MIN, REFUSED_WINDOW_MS),
    "broker_login": ("broker_refused", GUESSES_MIN, REFUSED_WINDOW_MS),
    "broker_full": ("broker_refused", 1, REFUSED_WINDOW_MS),
}


def refused_alerts(connection: Connection, *, now_ms: int) -> Iterator[Alert]:
    """Yield alerts of refusals, at most PER_KIND_MAX a kind."""
    yield from _logins(connection, now_ms=now_ms)
    yield from _refusals(connection, now_ms=now_ms)


def _logins(connection: Connection, *, now_ms: int) -> Iterator[Alert]:
    """From the first pause on, as long as it lasts, and a while after the last attempt."""
    table, counted = access_failures.c, refusals.c
    query = (
        select(access_failures, counted.refused_count.label("paused_count"))
        .outerjoin(refusals, (counted.kind == PAUSED) & (counted.subject == table.subject))
        .where(
            (table.last_ms >= now_ms - LOGIN_WINDOW_MS) | (table.until_ms > now_ms),
            table.failures_count >= LOGIN_FAILURES_MIN,
        )
        .order_by(table.subject)
        .limit(PER_KIND_MAX)
    )
    for row in connection.execute(query):
        yield Alert(
            kind="login_failures",
            warehouse="",
            subject=row.subject,
            detail=str(row.failures_count + (row.paused_count or 0)),
            since_ms=row.last_ms,
        )


def _refusals(connection: Connection, *, now_ms: int) -> Iterator[Alert]:
    table = refusals.c
    query = (
        select(refusals)
        .where(table.kind.in_(sorted(REFUSED_ALERTS)), table.last_ms >= now_ms - REFUSED_WINDOW_MS)
        .order_by(table.kind, table.subject)
        .limit(PER_KIND_MAX)
    )
    for row in connection.execute(query):
        kind, least, window_ms = REFUSED_ALERTS[row.kind]
        if row.refused_count < least or row.last_ms < now_ms - window_ms:
            continue
        # Of a key: whose it is, and from where it came last; of an address it is said already.
        known = () if row.address and row.address in row.subject else (row.address,)
        name = " ".join(one for one in (row.detail, *known) if one)
        yield Alert(
            kind=kind,
            warehouse="",
            subject=row.subject,
            name=name,
            name_zh=name,
            lot=row.kind,
            detail=str(row.refused_count),
            since_ms=row.last_ms,
        )
