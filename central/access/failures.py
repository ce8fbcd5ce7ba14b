"""Who failed to sign in how often, and how long nobody listens to them. Edge of the database.

An attempt is counted before it is judged: a hundred at once are a hundred, not one.
"""

import ipaddress

from sqlalchemy import Connection, delete, func, select

from central.access.back_off import FORGOTTEN_MS, pause_ms
from central.storage import bulk
from central.storage.access_tables import access_failures

SUBJECTS_MAX = 20_000  # Beyond, those that failed longest ago are forgotten.
NETWORK_BITS = 64  # Of an IPv6 address: who has one of these networks has all its addresses.


def address_subject(address: str) -> str:
    """Return as what attempts from an address count: as itself, or as its IPv6 network."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return f"address:{address}"
    if isinstance(known, ipaddress.IPv4Address):
        return f"address:{known}"
    if known.ipv4_mapped is not None:
        return f"address:{known.ipv4_mapped}"
    network = ipaddress.IPv6Network((int(known), NETWORK_BITS), strict=False)
    return f"address:{network}"


def waiting_ms(connection: Connection, subjects: list[str], *, now_ms: int) -> int:
    """Return how long none of these is listened to, 0 for not at all."""
    rows = bulk.select_by_key(
        connection, access_failures, [(one,) for one in subjects], columns_count=1
    )
    return max(0, 0, *(_wait(until, count, now_ms=now_ms) for _, count, _, until in rows))


def count_attempt(connection: Connection, subjects: list[str], *, now_ms: int) -> int:
    """Count an attempt of each as failed, until `forgive` says otherwise; return as `waiting_ms`.

    One that is made while nobody listens is not counted.
    """
    table = access_failures
    keys = sorted(subjects)
    bulk.insert_missing_rows(connection, table, [(one, 0, 0, 0) for one in keys])
    query = select(table).where(table.c.subject.in_(keys)).order_by(table.c.subject)
    rows = connection.execute(query.with_for_update()).all()
    wait = max(0, 0, *(_wait(row.until_ms, row.failures_count, now_ms=now_ms) for row in rows))
    if wait > 0:
        return wait
    for row in rows:
        count = 1 + (row.failures_count if now_ms - row.last_ms < FORGOTTEN_MS else 0)
        until = now_ms + pause_ms(count)
        bulk.upsert_rows(connection, table, [(row.subject, count, now_ms, until)])
    _forget_old(connection, now_ms=now_ms)
    return 0


def forgive(connection: Connection, subjects: list[str]) -> None:
    """Forget the failures of whoever has come in."""
    bulk.delete_by_key(connection, access_failures, [(one,) for one in subjects])


def _wait(until_ms: int, failures_count: int, *, now_ms: int) -> int:
    """Return no more than the pause itself, should the clock have been set back meanwhile."""
    return min(until_ms - now_ms, pause_ms(failures_count))


def _forget_old(connection: Connection, *, now_ms: int) -> None:
    table = access_failures
    connection.execute(delete(table).where(table.c.last_ms < now_ms - FORGOTTEN_MS))
    count = connection.execute(select(func.count()).select_from(table)).scalar_one()
    if count > SUBJECTS_MAX:
        oldest = select(table.c.subject).order_by(table.c.last_ms).limit(count - SUBJECTS_MAX)
        connection.execute(delete(table).where(table.c.subject.in_(oldest)))
