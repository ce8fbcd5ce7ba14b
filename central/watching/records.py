"""Which alerts were told, and the letters that wait. Edge of the database."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection, delete, func, insert, select, update

from central.ledger.state import append_events, lock_ledger
from central.stock.alerts import KINDS, Alert
from central.storage.database import Database
from central.storage.subscription_tables import subscriptions
from central.storage.watching_tables import (
    alert_mails,
    alert_records,
    watched_starts,
    watching_marks,
)
from central.watching.judging import Known
from central.watching.letters import Letter
from central.webhooks.messages import pause_ms

MAILS_AT_ONCE_MAX = 20
MAILS_KEPT_MS = 30 * 24 * 3_600_000
MAILS_WAITING_MAX = 1000  # With a mail server that is away, one letter every few minutes.
GIVE_UP_MS = 72 * 3_600_000
ERROR_CHARACTERS_MAX = 200
STARTS_MAX = 20  # Of each, remembered.
CENTRAL = ""  # Among what starts; gateways have codes.
EVENTS_AT_ONCE_MAX = 200


@dataclass(frozen=True, slots=True)
class Waiting:
    """A letter to send. attempts_count: made in vain so far."""

    mail_no: int
    recipient: str
    message_id: str
    letter: Letter
    attempts_count: int
    first_ms: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of one letter. error: "" if the server took it. for_good: it never will."""

    mail: Waiting
    error: str
    for_good: bool = False


def load_known(connection: Connection) -> dict[str, Known]:
    """Return every alert that is remembered, by its key."""
    found: dict[str, Known] = {}
    for row in connection.execute(select(alert_records)):
        if row.kind in KINDS:
            alert = msgspec.json.decode(row.alert_json, type=Alert)
            found[row.alert_key] = Known(alert, row.first_ms, row.gone_ms, row.told_ms)
    return found


def remember(connection: Connection, alerts: Iterable[Alert], *, now_ms: int) -> None:
    """Remember new alerts, of which people are told in the same transaction."""
    rows = [
        {
            "alert_key": alert.key,
            "kind": alert.kind,
            "severity": alert.severity,
            "alert_json": msgspec.json.encode(alert).decode(),
            "first_ms": now_ms,
            "gone_ms": 0,
            "told_ms": now_ms,
        }
        for alert in alerts
    ]
    if rows:
        connection.execute(insert(alert_records), rows)


def mark_told(connection: Connection, alerts: Iterable[Alert], *, now_ms: int) -> None:
    """Note that people are told again."""
    keys = [alert.key for alert in alerts]
    where = alert_records.c.alert_key.in_(keys)
    connection.execute(update(alert_records).where(where).values(told_ms=now_ms))


def mark_gone(connection: Connection, keys: Sequence[str], *, gone_ms: int) -> None:
    """Note since when alerts are not there; 0: they are back."""
    where = alert_records.c.alert_key.in_(keys)
    connection.execute(update(alert_records).where(where).values(gone_ms=gone_ms))


def forget(connection: Connection, keys: Sequence[str]) -> None:
    """Forget alerts that are over."""
    connection.execute(delete(alert_records).where(alert_records.c.alert_key.in_(keys)))


def queue_letter(
    connection: Connection, recipient: str, letter: Letter, *, message_id: str, now_ms: int
) -> bool:
    """Have a letter sent; return False if too many wait. message_id: the same at each attempt."""
    table = alert_mails.c
    waiting = select(func.count()).select_from(alert_mails).where(table.state == "waiting")
    if connection.execute(waiting).scalar_one() >= MAILS_WAITING_MAX:
        return False
    newest = connection.execute(select(func.max(table.mail_no))).scalar_one() or 0
    connection.execute(
        insert(alert_mails).values(
            mail_no=newest + 1,
            recipient=recipient,
            message_id=message_id,
            subject=letter.subject,
            body=letter.body,
            state="waiting",
            attempts_count=0,
            first_ms=now_ms,
            next_ms=now_ms,
            last_error="",
        )
    )
    return True


def due_letters(connection: Connection, *, now_ms: int) -> list[Waiting]:
    """Return letters to send now, in the order in which they were written."""
    table = alert_mails.c
    rows = connection.execute(
        select(alert_mails)
        .where(table.state == "waiting", table.next_ms <= now_ms)
        .order_by(table.mail_no)
        .limit(MAILS_AT_ONCE_MAX)
    )
    return [
        Waiting(
            row.mail_no,
            row.recipient,
            row.message_id,
            Letter(row.subject, row.body),
            row.attempts_count,
            row.first_ms,
        )
        for row in rows
    ]


def note_sent(database: Database, mail_no: int, *, now_ms: int) -> None:
    """Note that the mail server has a letter; old ones are forgotten."""
    table = alert_mails.c
    with database.write() as connection:
        done = update(alert_mails).where(table.mail_no == mail_no)
        connection.execute(done.values(state="sent", next_ms=now_ms))
        old = (table.state != "waiting") & (table.next_ms < now_ms - MAILS_KEPT_MS)
        connection.execute(delete(alert_mails).where(old))
        # A server that takes letters again takes back what was given up for this recipient.
        recipient = select(table.recipient).where(table.mail_no == mail_no).scalar_subquery()
        given_up = (table.state == "given_up") & (table.recipient == recipient)
        connection.execute(update(alert_mails).where(given_up).values(state="lost"))


def note_not_sent(
    database: Database, mail: Waiting, *, error: str, for_good: bool, now_ms: int, jitter: float
) -> None:
    """Note a failed attempt. for_good: the server will never take it; else it is tried later."""
    attempts_count = mail.attempts_count + 1
    over = for_good or now_ms - mail.first_ms >= GIVE_UP_MS
    with database.write() as connection:
        connection.execute(
            update(alert_mails)
            .where(alert_mails.c.mail_no == mail.mail_no)
            .values(
                state="given_up" if over else "waiting",
                attempts_count=attempts_count,
                next_ms=now_ms + pause_ms(attempts_count, jitter=jitter),
                last_error=error[:ERROR_CHARACTERS_MAX],
            )
        )


def has_subscriber(connection: Connection) -> bool:
    """Return whether any program is told of alerts."""
    rows = connection.execute(select(subscriptions.c.kinds_json).where(subscriptions.c.active))
    return any(not (kinds := json.loads(row.kinds_json)) or "alert" in kinds for row in rows)


def append_alert_events(
    connection: Connection, alerts: Sequence[tuple[Alert, str, dict[str, str]]], *, now_ms: int
) -> None:
    """Tell programs of alerts: (alert, "raised" or "resolved", words for people)."""
    if not alerts:
        return
    lock_ledger(connection)
    append_events(
        connection,
        [
            (
                "alert",
                alert.key,
                action,
                alert.warehouse,
                "central",
                now_ms,
                json.dumps(words, ensure_ascii=False, sort_keys=True, separators=(",", ":")),
            )
            for alert, action, words in alerts[:EVENTS_AT_ONCE_MAX]
        ],
    )


def note_starts(
    connection: Connection, starts: Iterable[tuple[str, int, str]], *, own: str, now_ms: int
) -> None:
    """Note the starts that are running: (gateway, start counter, nonce). own: of this program.

    Starts between the last one that was seen and this one have been, too: their counter tells.
    """
    table = watched_starts.c
    last: dict[str, int] = {}
    there: set[tuple[str, str]] = set()
    for row in connection.execute(select(watched_starts)):
        last[row.subject] = max(last.get(row.subject, 0), row.start_count)
        there.add((row.subject, row.nonce))
    rows: list[dict[str, object]] = []
    for subject, start_count, nonce in (*starts, (CENTRAL, last.get(CENTRAL, 0) + 1, own)):
        if (subject, nonce) in there:
            continue
        # What runs when it is first heard of did not start now, as far as anybody knows.
        first_ms = now_ms if subject in last or subject == CENTRAL else 0
        between = range(
            max(last.get(subject, start_count - 1) + 1, start_count - STARTS_MAX), start_count
        )
        rows += [_start(subject, number, "", first_ms) for number in between]
        rows.append(_start(subject, start_count, nonce, first_ms))
    if rows:
        connection.execute(insert(watched_starts), rows)
    for subject, newest in last.items():
        old = (table.subject == subject) & (table.start_count < newest - STARTS_MAX)
        connection.execute(delete(watched_starts).where(old))


def read_mark(connection: Connection, mark: str) -> str:
    """Return what was remembered under a name, "" for nothing."""
    query = select(watching_marks.c.value).where(watching_marks.c.mark == mark)
    return connection.execute(query).scalar_one_or_none() or ""


def set_mark(connection: Connection, mark: str, value: str) -> None:
    """Remember something; "" forgets it."""
    connection.execute(delete(watching_marks).where(watching_marks.c.mark == mark))
    if value:
        connection.execute(insert(watching_marks).values(mark=mark, value=value))


def _start(subject: str, start_count: int, nonce: str, first_ms: int) -> dict[str, object]:
    return {
        "subject": subject,
        "start_count": start_count,
        "nonce": nonce,
        "first_ms": first_ms,
    }
