"""What was done by whom: events in order, sealed by a chain of hashes. Edge of the database.

    seal 7: digest = SHA-256(digest of seal 6, every event after seal 6 up to `through_no`)

Events are the ones that the history of each object is read from: there is no second log. They are
sealed some at a time, so that what posts stock does not wait for a hash; whoever changes, takes out
or slips in an event before the last seal is found by `audit_faults`. The newest digest goes into
the log of the service as well, which is kept elsewhere: who can write the database could make a
whole new chain, but not that line.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from logging import getLogger
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select

from central.clock import Clock
from central.ledger.fact_check import Fault
from central.ledger.state import lock_ledger, read_state
from central.stock.history import ObjectEvent
from central.storage import bulk
from central.storage.access_tables import audit_seals
from central.storage.database import Database
from central.storage.tables import object_events

EVENTS_PER_SEAL_MAX = 5000
FIRST_DIGEST = "0" * 64

logger = getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Seal:
    """One link of the chain. through_no: the last event that it covers."""

    seal_no: int
    through_no: int
    events_count: int
    digest: str
    sealed_ms: int


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which events. "" and 0 for any. code: the beginning of a code. until_ms: not itself."""

    kind: str = ""
    code: str = ""
    actor: str = ""
    action: str = ""
    since_ms: int = 0
    until_ms: int = 0


def seal_events(database: Database, *, clock: Clock) -> Seal | None:
    """Seal what no seal covers yet; return the newest seal, None while there is nothing.

    Raises LedgerUnavailable.
    """
    while True:
        with database.write() as connection:
            lock_ledger(connection)
            last = last_seal(connection)
            seal = _next_seal(connection, last, now_ms=clock.now_ms())
            if seal is None:
                return last
            row = (seal.seal_no, seal.through_no, seal.events_count, seal.digest, seal.sealed_ms)
            bulk.insert_rows(connection, audit_seals, [row])
        logger.info("events sealed", extra={"through_no": seal.through_no, "digest": seal.digest})


def last_seal(connection: Connection) -> Seal | None:
    """Return the newest seal."""
    row = connection.execute(
        select(audit_seals).order_by(audit_seals.c.seal_no.desc()).limit(1)
    ).one_or_none()
    return Seal(*row) if row is not None else None


def audit_faults(connection: Connection) -> Iterator[Fault]:
    """Yield each seal whose events are not what was sealed, and what is not as it must be."""
    digest, through_no, expected_no = FIRST_DIGEST, 0, 1
    for row in connection.execute(select(audit_seals).order_by(audit_seals.c.seal_no)).all():
        seal = Seal(*row)
        if seal.seal_no != expected_no or seal.through_no <= through_no:
            yield Fault("audit", f"seal {seal.seal_no}", "a seal before it is missing")
        found, count, _ = _digest(connection, digest, after_no=through_no, to_no=seal.through_no)
        if (found, count) != (seal.digest, seal.events_count):
            yield Fault(
                "audit",
                f"seal {seal.seal_no}",
                f"events {through_no + 1} to {seal.through_no} are not those that were sealed",
            )
        digest, through_no, expected_no = seal.digest, seal.through_no, seal.seal_no + 1
    # The ledger counts its events elsewhere, too: also the last ones cannot just be cut off.
    told = read_state(connection).last_event_no or 0
    number = object_events.c.event_no
    first, newest, count = connection.execute(
        select(func.min(number), func.max(number), func.count())
    ).one()
    if (newest or 0) < max(through_no, told):
        yield Fault("audit", f"event {max(through_no, told)}", "events up to this one are gone")
    if first is not None and (first, count) != (1, newest):
        missing = f"{newest - count} numbers from 1 on have no event"
        yield Fault("audit", f"events {first} to {newest}", missing)


def list_audit(
    connection: Connection, wanted: AuditFilter, *, before: int | None, limit: int
) -> list[ObjectEvent]:
    """Return events, the newest first. before: the number of the last one seen."""
    query = _filtered(select(object_events), wanted)
    if before is not None:
        query = query.where(object_events.c.event_no < before)
    rows = connection.execute(query.order_by(object_events.c.event_no.desc()).limit(limit))
    return [_event(row) for row in rows]


def _next_seal(connection: Connection, last: Seal | None, *, now_ms: int) -> Seal | None:
    after_no = last.through_no if last is not None else 0
    digest, count, through_no = _digest(
        connection,
        last.digest if last is not None else FIRST_DIGEST,
        after_no=after_no,
        to_no=after_no + EVENTS_PER_SEAL_MAX,
    )
    if not count:
        return None
    return Seal((last.seal_no if last is not None else 0) + 1, through_no, count, digest, now_ms)


def _digest(
    connection: Connection, before: str, *, after_no: int, to_no: int
) -> tuple[str, int, int]:
    """Return the digest over events, how many there are, and the number of the last."""
    table = object_events
    query = (
        select(table)
        .where(table.c.event_no > after_no, table.c.event_no <= to_no)
        .order_by(table.c.event_no)
    )
    digest, count, last_no = hashlib.sha256(bytes.fromhex(before)), 0, after_no
    for row in connection.execute(query):
        # JSON of a list: no two different rows have one text.
        digest.update(json.dumps(list(row), ensure_ascii=True).encode() + b"\n")
        count, last_no = count + 1, row.event_no
    return digest.hexdigest(), count, last_no


def _filtered(query: Select[Any], wanted: AuditFilter) -> Select[Any]:
    table = object_events.c
    for column, text in (
        (table.kind, wanted.kind),
        (table.actor, wanted.actor),
        (table.action, wanted.action),
    ):
        if text:
            query = query.where(column == text)
    if wanted.code:
        query = query.where(table.code.startswith(wanted.code, autoescape=True))
    if wanted.since_ms:
        query = query.where(table.at_ms >= wanted.since_ms)
    if wanted.until_ms:
        query = query.where(table.at_ms < wanted.until_ms)
    return query


def _event(row: Row[Any]) -> ObjectEvent:
    return ObjectEvent(
        event_no=row.event_no,
        kind=row.kind,
        code=row.code,
        action=row.action,
        warehouse=row.warehouse,
        actor=row.actor,
        at_ms=row.at_ms,
        fields=json.loads(row.fields_json),
    )
