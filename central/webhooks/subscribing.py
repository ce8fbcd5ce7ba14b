"""Who is told of what, as people set it at the desk. Edge of the database."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection, Row, delete, func, select, update

from central.errors import Conflict, NotThere, Unusable
from central.ledger.desk import Change, require_version
from central.storage import bulk, tables
from central.storage.subscription_tables import deliveries, subscriptions
from central.webhooks.kinds import checked_kinds, is_wanted

KIND = "webhook"  # Of its events.
SUBSCRIPTIONS_MAX = 100
URL_CHARACTERS_MAX = 1000
KINDS_MAX = 50


@dataclass(frozen=True, slots=True)
class Subscription:
    """One subscriber. secret_hex: the key of its signatures.

    kinds: of objects, empty for all but those that have to be named (`kinds.ONLY_IF_NAMED`).
    """

    code: str
    url: str
    kinds: tuple[str, ...]
    secret_hex: str = field(repr=False)
    active: bool
    version: int
    made_ms: int
    last_event_no: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event that a subscriber has not taken yet."""

    event_no: int
    kind: str
    code: str
    state: str
    attempts_count: int
    next_ms: int
    last_status: int
    last_error: str


def subscribe(
    change: Change, *, url: str, kinds: Sequence[str], new_secret: Callable[[], str]
) -> Subscription:
    """Tell somebody of every event from now on. Raises Unusable, Conflict."""
    known = checked_kinds(kinds)
    count = change.connection.execute(select(func.count()).select_from(subscriptions)).scalar_one()
    if count >= SUBSCRIPTIONS_MAX:
        raise Conflict(
            f"there are {count} subscriptions, no more are kept",
            hint="Delete subscriptions that nobody needs.",
        )
    last = change.connection.execute(select(func.max(tables.object_events.c.event_no)))
    made = Subscription(
        code=change.next_code("WH"),
        url=_checked_url(url),
        kinds=known,
        secret_hex=new_secret(),
        active=True,
        version=1,
        made_ms=change.now_ms,
        last_event_no=last.scalar_one() or 0,
    )
    bulk.insert_rows(change.connection, subscriptions, [_row(made)])
    change.note(KIND, made.code, "made", to=_origin(made.url), kinds=list(made.kinds))
    return made


def change_subscription(
    change: Change,
    code: str,
    *,
    version: int | None,
    url: str | None = None,
    kinds: Sequence[str] | None = None,
    active: bool | None = None,
    new_secret: Callable[[], str] | None = None,
) -> Subscription:
    """Change what is given, None for what stays; return it as it is now.

    What it has not taken of kinds that are no longer its own is forgotten.
    Raises NotThere, Outdated, Unusable.
    """
    present = load_subscription(change.connection, code)
    require_version(present.version, version, what=f"subscription {code}")
    changed = replace(
        present,
        url=_checked_url(url) if url is not None else present.url,
        kinds=present.kinds if kinds is None else checked_kinds(kinds, before=present.kinds),
        active=active if active is not None else present.active,
        secret_hex=new_secret() if new_secret is not None else present.secret_hex,
        version=present.version + 1,
    )
    bulk.upsert_rows(change.connection, subscriptions, [_row(changed)])
    if changed.kinds != present.kinds:
        _forget_others(change.connection, changed)
    change.note(KIND, code, "changed", **_told(present, changed))
    return changed


def unsubscribe(change: Change, code: str, *, version: int | None) -> None:
    """Tell somebody nothing more; what they have not taken is forgotten. Raises as above."""
    present = load_subscription(change.connection, code)
    require_version(present.version, version, what=f"subscription {code}")
    for table in (deliveries, subscriptions):
        change.connection.execute(delete(table).where(table.c.subscription == code))
    change.note(KIND, code, "deleted", to=_origin(present.url))


def try_again(change: Change, code: str) -> int:
    """Let what was given up be tried again at once; return how many events. Raises NotThere."""
    load_subscription(change.connection, code)
    table = deliveries.c
    done = change.connection.execute(
        update(deliveries)
        .where(table.subscription == code, table.state == "given_up")
        .values(state="waiting", next_ms=change.now_ms, first_ms=change.now_ms, attempts_count=0)
    )
    return done.rowcount


def load_subscription(connection: Connection, code: str) -> Subscription:
    """Return a subscription. Raises NotThere."""
    found = connection.execute(
        select(subscriptions).where(subscriptions.c.subscription == code)
    ).first()
    if found is None:
        raise NotThere(
            f"there is no subscription {code}", hint="List the subscriptions and take its code."
        )
    return _subscription(found)


def list_subscriptions(
    connection: Connection, *, after: str = "", limit: int = SUBSCRIPTIONS_MAX
) -> list[Subscription]:
    """Return subscriptions by code. after: the last code of the page before."""
    code = subscriptions.c.subscription
    query = select(subscriptions).where(code > after).order_by(code).limit(limit)
    rows = connection.execute(query)
    return [_subscription(row) for row in rows]


def list_deliveries(
    connection: Connection, code: str, *, after_event_no: int, limit: int
) -> list[Delivery]:
    """Return what a subscriber has not taken, in the order of events."""
    table = deliveries.c
    rows = connection.execute(
        select(deliveries)
        .where(table.subscription == code, table.event_no > after_event_no)
        .order_by(table.event_no)
        .limit(limit)
    )
    return [
        Delivery(
            row.event_no,
            row.kind,
            row.code,
            row.state,
            row.attempts_count,
            row.next_ms,
            row.last_status,
            row.last_error,
        )
        for row in rows
    ]


def _forget_others(connection: Connection, one: Subscription) -> None:
    """Forget what waits or was given up of kinds that a subscription is not to."""
    table = deliveries.c
    mine = table.subscription == one.code
    kinds = connection.execute(select(table.kind).where(mine).distinct()).scalars()
    others = [kind for kind in kinds if not is_wanted(kind, among=one.kinds)]
    if others:
        connection.execute(delete(deliveries).where(mine, table.kind.in_(others)))


def _told(before: Subscription, after: Subscription) -> dict[str, Any]:
    """Return what the history keeps: an address may hold a secret, so only whose it is."""
    pairs: dict[str, list[object]] = {
        "to": [_origin(before.url), _origin(after.url)],
        "kinds": [list(before.kinds), list(after.kinds)],
        "active": [before.active, after.active],
    }
    changes = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
    also = {
        "address_changed": before.url != after.url,
        "secret_changed": before.secret_hex != after.secret_hex,
    }
    return {"changes": changes} | {name: True for name, is_so in also.items() if is_so}


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"  # Which holds no password: none is taken.


def _checked_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        port = parts.port
        (parts.hostname or "").encode("idna")  # As whoever looks the name up will write it.
    except ValueError:
        parts, port = urlsplit(""), None
    usable = parts.scheme in {"http", "https"} and parts.hostname and port != 0
    if not usable or len(url) > URL_CHARACTERS_MAX or not url.isprintable() or " " in url:
        raise Unusable(
            f"{url[:80]!r} is no address that can be told anything",
            hint="Write an address like https://erp.example.com/hooks/stock.",
        )
    if parts.username or parts.password:
        raise Unusable(
            "the address holds a password, which would stand in logs",
            hint="Leave user and password out: the signature tells who speaks.",
        )
    return url


def _row(one: Subscription) -> bulk.Row:
    return (
        one.code,
        one.url,
        json.dumps(one.kinds),
        one.secret_hex,
        one.active,
        one.version,
        one.made_ms,
        one.last_event_no,
        0,  # What was changed is tried at once.
    )


def _subscription(row: Row[Any]) -> Subscription:
    return Subscription(
        code=row.subscription,
        url=row.url,
        kinds=tuple(json.loads(row.kinds_json)),
        secret_hex=row.secret,
        active=bool(row.active),
        version=row.version,
        made_ms=row.made_ms,
        last_event_no=row.last_event_no,
    )
