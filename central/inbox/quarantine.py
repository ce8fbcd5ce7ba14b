"""Keeps payloads that could not be read or authenticated, bounded. Edge of the database."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, select, tuple_, update

from central.contract.envelope import BATCH_BYTES_MAX
from central.ledger.state import LedgerState, read_state, set_state
from central.storage import bulk
from central.storage.tables import quarantine

# With the largest payloads 64 MiB. A gateway keeps what is not acknowledged: nothing is lost here.
QUARANTINE_ROWS_MAX = 256
DETAIL_CHARACTERS_MAX = 500


@dataclass(frozen=True, slots=True)
class Refused:
    """A payload for the quarantine. reason: "unreadable" or a problem of an acknowledgement."""

    topic_gateway: str
    reason: str
    detail: str
    payload: bytes


def keep(
    connection: Connection,
    state: LedgerState,
    refused: Sequence[Refused],
    *,
    now_ms: int,
    rows_max: int = QUARANTINE_ROWS_MAX,
) -> None:
    """Keep payloads; the same payload once. Beyond `rows_max` the oldest go and are counted."""
    if not refused:
        return
    offers: dict[str, list[Refused]] = {}
    for one in refused:
        offers.setdefault(_identity(one), []).append(one)
    bulk.insert_missing_rows(
        connection,
        quarantine,
        [_row(identity, same[0], now_ms) for identity, same in sorted(offers.items())],
    )
    for identity, same in sorted(offers.items()):
        connection.execute(
            update(quarantine)
            .where(quarantine.c.id == identity)
            .values(
                offers_count=quarantine.c.offers_count + len(same),
                received_ms=now_ms,
            )
        )
    count = connection.execute(select(func.count()).select_from(quarantine)).scalar_one()
    if count > rows_max:
        oldest = (
            select(quarantine.c.id)
            .order_by(quarantine.c.received_ms, quarantine.c.id)
            .limit(count - rows_max)
        )
        connection.execute(delete(quarantine).where(quarantine.c.id.in_(oldest)))
        dropped = state.quarantine_dropped_count + count - rows_max
        set_state(connection, "quarantine_dropped_count", str(dropped))


@dataclass(frozen=True, slots=True)
class Kept:
    """A payload in quarantine, without its bytes. received_ms: when it came last."""

    id: str
    topic_gateway: str
    reason: str
    detail: str
    received_ms: int
    offers_count: int
    bytes_count: int


def list_kept(
    connection: Connection,
    *,
    before: tuple[int, str] | None,
    limit: int,
    gateway: str | None = None,
) -> tuple[list[Kept], int]:
    """Return payloads, newest first, and how many had to make room for newer ones.

    before: received_ms and id of the last one of the page before. gateway: only in its name, ""
    for nobody's, None for any.
    """
    table = quarantine
    query = select(
        table.c.id,
        table.c.topic_gateway,
        table.c.reason,
        table.c.detail,
        table.c.received_ms,
        table.c.offers_count,
        func.length(table.c.payload),
    )
    if gateway is not None:
        query = query.where(table.c.topic_gateway == gateway)
    if before is not None:
        query = query.where(tuple_(table.c.received_ms, table.c.id) < tuple_(*before))
    query = query.order_by(table.c.received_ms.desc(), table.c.id.desc()).limit(limit)
    kept = [Kept(*row) for row in connection.execute(query)]
    return kept, read_state(connection).quarantine_dropped_count


def find_payload(connection: Connection, identity: str) -> bytes | None:
    """Return the bytes of a payload in quarantine, None if it is not there (any more)."""
    query = select(quarantine.c.payload).where(quarantine.c.id == identity)
    return connection.execute(query).scalar_one_or_none()


def _identity(refused: Refused) -> str:
    text = refused.topic_gateway.encode() + b"\0" + refused.payload
    return hashlib.sha256(text).hexdigest()


def _row(identity: str, refused: Refused, now_ms: int) -> bulk.Row:
    return (
        identity,
        refused.topic_gateway,
        refused.reason,
        refused.detail.replace("\0", "\\0")[:DETAIL_CHARACTERS_MAX],
        refused.payload[:BATCH_BYTES_MAX],
        now_ms,
        0,
    )
