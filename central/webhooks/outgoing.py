"""Which events are due to whom, and what became of each attempt. Edge of the database.

    object_events --fill--> deliveries --due--> an attempt --+-- taken: deleted
                                 ^                           +-- failed: later, or given up
                                 `---------------------------'

Of one object a subscriber gets the events in their order: one that waits holds back the later ones
of its object, and of no other. One that was given up holds back nothing; `previous_event_no` in the
next message shows the subscriber that it missed something. Each subscriber has its own share of a
turn, and one who does not answer at all is left alone for up to a minute: so no other waits for it.
"""

import json
from dataclasses import dataclass, field
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, delete, func, select, update

from central.orders.money_fields import without_money_fields
from central.stock.times import utc_text
from central.storage import bulk
from central.storage.database import Database
from central.storage.subscription_tables import deliveries, subscriptions
from central.storage.tables import object_events
from central.webhooks.kinds import is_wanted
from central.webhooks.messages import QUIET_MS_MAX, EventData, Message, is_over, pause_ms

EVENTS_AT_ONCE_MAX = 500
DUE_OF_ONE_MAX = 16  # Of one subscriber, in one turn.
GIVEN_UP_KEPT_MS = 30 * 24 * 3_600_000  # So long it may be tried again.
ERROR_CHARACTERS_MAX = 200


@dataclass(frozen=True, slots=True)
class Due:
    """One attempt to make."""

    subscription: str
    url: str
    secret_hex: str = field(repr=False)
    attempts_count: int
    first_ms: int
    message: Message


def fill(database: Database, *, now_ms: int) -> bool:
    """Make deliveries of new events; return False if there are more. Raises LedgerUnavailable."""
    with database.read() as connection:
        newest = connection.execute(select(func.max(object_events.c.event_no))).scalar_one() or 0
        behind = [
            (row.subscription, row.last_event_no, set(json.loads(row.kinds_json)))
            for row in connection.execute(
                select(subscriptions).where(
                    subscriptions.c.active, subscriptions.c.last_event_no < newest
                )
            )
        ]
    for code, last_event_no, kinds in behind:
        with database.write() as connection:
            _fill_one(connection, code, last_event_no, kinds, now_ms=now_ms)
    return all(newest - last_event_no <= EVENTS_AT_ONCE_MAX for _, last_event_no, _ in behind)


def read_due(connection: Connection, *, now_ms: int) -> list[Due]:
    """Return attempts to make now: of each subscriber the ones that wait longest; one an object."""
    waiting = deliveries.c
    is_due = (waiting.state == "waiting") & (waiting.next_ms <= now_ms)
    asking = (
        select(subscriptions.c.subscription)
        .where(
            subscriptions.c.active,
            subscriptions.c.quiet_until_ms <= now_ms,
            select(waiting.event_no)
            .where(waiting.subscription == subscriptions.c.subscription, is_due)
            .exists(),
        )
        .order_by(subscriptions.c.subscription)
    )
    rows = [
        row
        for code in connection.execute(asking).scalars()
        for row in connection.execute(_due_of(code, is_due))
    ]
    return [
        Due(
            subscription=row.subscription,
            url=row.url,
            secret_hex=row.secret,
            attempts_count=row.attempts_count,
            first_ms=row.first_ms,
            message=Message(
                type=f"{row.kind}.{row.action}",
                timestamp=utc_text(row.at_ms) or "",
                data=EventData(
                    event_no=row.event_no,
                    previous_event_no=_previous(connection, row.kind, row.code, row.event_no),
                    kind=row.kind,
                    code=row.code,
                    action=row.action,
                    warehouse=row.warehouse,
                    actor=row.actor,
                    fields=_without_money(row.fields_json),
                ),
            ),
        )
        for row in rows
    ]


def note_taken(database: Database, due: Due) -> None:
    """Note that a subscriber has taken an event. Raises LedgerUnavailable."""
    with database.write() as connection:
        connection.execute(delete(deliveries).where(_same(due)))


def note_failed(
    database: Database, due: Due, *, status: int, error: str, now_ms: int, jitter: float
) -> None:
    """Note a failed attempt: it is made again later, or given up (`messages.is_over`).

    status: of the answer, 0 for none, after which nothing is tried for a while; 410 (Gone) ends the
    subscription's activity, as its answer asks. Raises LedgerUnavailable.
    """
    attempts_count = due.attempts_count + 1
    wait_ms = pause_ms(attempts_count, jitter=jitter)
    over = is_over(attempts_count, since_ms=now_ms - due.first_ms)
    table = subscriptions.c
    with database.write() as connection:
        connection.execute(
            update(deliveries)
            .where(_same(due))
            .values(
                state="given_up" if over else "waiting",
                attempts_count=attempts_count,
                next_ms=now_ms + wait_ms,
                last_status=status,
                last_error=error[:ERROR_CHARACTERS_MAX],
            )
        )
        if not status:
            connection.execute(
                update(subscriptions)
                .where(table.subscription == due.subscription)
                .values(quiet_until_ms=now_ms + min(wait_ms, QUIET_MS_MAX))
            )
        if status == 410:
            connection.execute(
                update(subscriptions)
                .where(table.subscription == due.subscription)
                .values(active=False, version=table.version + 1)
            )


def _due_of(subscription: str, is_due: ColumnElement[bool]) -> Select[Any]:
    waiting, earlier = deliveries.c, deliveries.alias().c
    held_back = (
        select(earlier.event_no)
        .where(
            earlier.subscription == waiting.subscription,
            earlier.kind == waiting.kind,
            earlier.code == waiting.code,
            earlier.event_no < waiting.event_no,
            earlier.state == "waiting",
        )
        .exists()
    )
    events = object_events.c
    return (
        select(
            deliveries,
            subscriptions.c.url,
            subscriptions.c.secret,
            events.action,
            events.warehouse,
            events.actor,
            events.at_ms,
            events.fields_json,
        )
        .join_from(deliveries, subscriptions, subscriptions.c.subscription == waiting.subscription)
        .join(object_events, events.event_no == waiting.event_no)
        .where(waiting.subscription == subscription, is_due, ~held_back)
        .order_by(waiting.next_ms, waiting.event_no)
        .limit(DUE_OF_ONE_MAX)
    )


def _fill_one(
    connection: Connection, code: str, last_event_no: int, kinds: set[str], *, now_ms: int
) -> None:
    events = connection.execute(
        select(object_events.c.event_no, object_events.c.kind, object_events.c.code)
        .where(object_events.c.event_no > last_event_no)
        .order_by(object_events.c.event_no)
        .limit(EVENTS_AT_ONCE_MAX)
    ).all()
    rows = [
        (code, event.event_no, event.kind, event.code, "waiting", 0, now_ms, now_ms, 0, "")
        for event in events
        if is_wanted(event.kind, among=kinds)
    ]
    moved_on = connection.execute(
        update(subscriptions)
        .where(subscriptions.c.subscription == code, subscriptions.c.last_event_no == last_event_no)
        .values(last_event_no=events[-1].event_no)
    )
    if moved_on.rowcount:  # Else somebody has deleted it, or another process was here.
        bulk.insert_rows(connection, deliveries, rows)
    old = deliveries.c
    connection.execute(
        delete(deliveries).where(
            old.subscription == code,
            old.state == "given_up",
            old.next_ms < now_ms - GIVEN_UP_KEPT_MS,
        )
    )


def _previous(connection: Connection, kind: str, code: str, event_no: int) -> int:
    table = object_events.c
    found = connection.execute(
        select(func.max(table.event_no)).where(
            table.kind == kind, table.code == code, table.event_no < event_no
        )
    )
    return found.scalar_one() or 0


def _same(due: Due) -> ColumnElement[bool]:
    table = deliveries.c
    return (table.subscription == due.subscription) & (table.event_no == due.message.data.event_no)


def _without_money(fields_json: str) -> msgspec.Raw:
    # Nobody knows what a subscriber's people may see; whoever may, asks with a key of their own.
    return msgspec.Raw(msgspec.json.encode(without_money_fields(msgspec.json.decode(fields_json))))
