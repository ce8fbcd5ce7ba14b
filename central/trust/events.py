"""What was tried, refused or done about who is who: noted and forgotten in time. Edge of SQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, delete, func, insert, select

from central.clock import random_64
from central.storage.database import Database
from central.storage.trust_tables import trust_events

EventKind = Literal[
    "claim_unknown",
    "claim_guessed",
    "claim_burnt",
    "claim_expired",
    "claim_reused",
    "request_refused",
    "enrolled",
    "renewed",
    "renewal_refused",
    "revoked",
    "revoked_seen",
    "card_cloned",
    "shown_code_guessed",
    "newcomer_approved",
    "newcomer_denied",
    "newcomers_full",
]
KEPT_DAYS = 180
EVENTS_MAX = 10_000  # The oldest are forgotten beyond it; so a flood cannot fill the disk.
DETAIL_CHARACTERS_MAX = 200
DAY_MS = 86_400_000
CLONE_NOTED_MS = 600_000


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. subject: a gateway or a claim's name. address: of the caller."""

    at_ms: int
    kind: EventKind
    subject: str
    detail: str
    address: str


@dataclass(frozen=True, slots=True)
class Counted:
    """How often something of a kind happened to a subject, and when last."""

    kind: EventKind
    subject: str
    count: int
    last_ms: int


def note(
    connection: Connection,
    kind: EventKind,
    *,
    subject: str,
    detail: str,
    address: str,
    now_ms: int,
) -> None:
    """Keep an event."""
    connection.execute(
        insert(trust_events).values(
            event=f"{now_ms:015d}-{random_64():016x}",
            at_ms=now_ms,
            kind=kind,
            subject=_plain(subject),
            detail=_plain(detail),
            address=_plain(address),
        )
    )


def note_clones(database: Database, gateways: Sequence[str], *, now_ms: int) -> None:
    """Keep that two machines speak as one gateway, at most once in CLONE_NOTED_MS each."""
    if not gateways:
        return
    with database.write() as connection:
        since_ms = now_ms - CLONE_NOTED_MS
        known = counted_since(connection, ("card_cloned",), since_ms=since_ms, limit=EVENTS_MAX)
        for gateway in sorted(set(gateways) - {one.subject for one in known}):
            note(
                connection,
                "card_cloned",
                subject=gateway,
                detail="an epoch that was over speaks again",
                address="",
                now_ms=now_ms,
            )


def latest(connection: Connection, *, limit: int) -> tuple[Event, ...]:
    """Return the newest events, newest first."""
    table = trust_events.c
    query = select(table.at_ms, table.kind, table.subject, table.detail, table.address)
    rows = connection.execute(query.order_by(table.event.desc()).limit(limit))
    return tuple(Event(*row) for row in rows)


def counted_since(
    connection: Connection, kinds: Sequence[EventKind], *, since_ms: int, limit: int
) -> tuple[Counted, ...]:
    """Return what of these kinds happened since then, by kind and subject."""
    table = trust_events.c
    query = (
        select(table.kind, table.subject, func.count(), func.max(table.at_ms))
        .where(table.kind.in_(kinds), table.at_ms >= since_ms)
        .group_by(table.kind, table.subject)
        .order_by(table.kind, table.subject)
        .limit(limit)
    )
    return tuple(Counted(*row) for row in connection.execute(query))


def forget_old(connection: Connection, *, now_ms: int) -> None:
    """Forget events that are older than KEPT_DAYS, and the oldest beyond EVENTS_MAX."""
    oldest = f"{max(0, now_ms - KEPT_DAYS * DAY_MS):015d}"
    query = select(trust_events.c.event).order_by(trust_events.c.event.desc()).offset(EVENTS_MAX)
    beyond = connection.execute(query.limit(1)).scalar()
    first = oldest if beyond is None else max(oldest, f"{beyond}~")
    connection.execute(delete(trust_events).where(trust_events.c.event < first))


def _plain(text: str) -> str:
    """What a stranger sent becomes one printable line."""
    kept = "".join(one if one.isprintable() else "?" for one in text[:DETAIL_CHARACTERS_MAX])
    return kept.encode(errors="replace").decode()
