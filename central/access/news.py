"""What happened to somebody's account since they signed in before. Edge of the database.

Whoever has taken a password or made a key in another's name is found out by the one whose name it
is: there is no mail address to write to, so it is told at the next sign-in.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, func, literal, select

from central.storage.access_tables import access_tokens
from central.storage.desk_tables import object_events

NEWS_MAX = 20
FAILED_TOLD_MIN = 3  # One or two are one's own slips.
# What makes it easier or harder to come in under a name.
FACTORS = (
    *("password_changed", "password_given", "second_factor_added", "second_factor_removed"),
    *("recovery_code_used", "enabled", "granted"),
    "code_failed",  # A code used twice, or guessed by whoever has the password already.
)
FAILURES = ("failed", "password_failed")


@dataclass(frozen=True, slots=True)
class News:
    """One thing. kind, action: as in the audit. detail: e.g. what a key is for. count: how often.

    at_ms: when, of several the last. actor: who did it.
    """

    kind: str
    action: str
    at_ms: int
    actor: str
    detail: str = ""
    count: int = 1


def news_before_sign_in(connection: Connection, name: str) -> list[News]:
    """Return what happened since the last sign-in, for whoever is about to be let in."""
    before = _sign_ins(connection, name)
    return _news(connection, name, after_no=before[0] if before else 0)


def news_of_sign_in(connection: Connection, name: str) -> list[News]:
    """Return the same for whoever has just been let in; [] at the first sign-in of a life."""
    ends = _sign_ins(connection, name)
    return _news(connection, name, after_no=ends[1], through_no=ends[0]) if len(ends) > 1 else []


def _sign_ins(connection: Connection, name: str) -> list[int]:
    """Return the events of the last two times that somebody signed in, the newest first."""
    table = object_events.c
    query = (
        select(table.event_no)
        .where(table.kind == "sign_in", table.code == name, table.action == "signed_in")
        .order_by(table.event_no.desc())
        .limit(2)
    )
    return list(connection.execute(query).scalars())


def _news(connection: Connection, name: str, *, after_no: int, through_no: int = 0) -> list[News]:
    """Return what is between two events; after_no: 0 for nothing, through_no: 0 for no end."""
    if not after_no:
        return []
    table = object_events.c
    # Each kind of thing once, with how often: hundreds of one hide nothing of another.
    query = (
        select(
            *(table.kind, table.action, func.max(table.at_ms).label("at_ms"), table.actor),
            literal("").label("detail"),
            func.count().label("count"),
        )
        .where(table.kind.in_(("user", "sign_in")), table.code == name, table.event_no > after_no)
        .where(table.action.in_((*FACTORS, *FAILURES)))
        .group_by(table.kind, table.action, table.actor)
        .order_by(func.max(table.at_ms).desc())
        .limit(NEWS_MAX * 10)
    )
    if through_no:
        query = query.where(table.event_no < through_no)
    found = [News(*row) for row in connection.execute(query)]
    failed = [one for one in found if one.action in FAILURES]
    told = [one for one in found if one.action not in FAILURES]
    failed_count = sum(one.count for one in failed)
    if failed_count >= FAILED_TOLD_MIN:
        told.append(News("sign_in", "failed", failed[0].at_ms, failed[0].actor, count=failed_count))
    keys = access_tokens.c
    made = (
        select(table.kind, table.action, table.at_ms, table.actor, keys.label)
        .join(access_tokens, keys.token == table.code)
        .where(table.kind == "token", table.action == "added")
        .where(keys.name == name, table.event_no > after_no)
        .order_by(table.event_no.desc())
        .limit(NEWS_MAX)
    )
    if through_no:
        made = made.where(table.event_no < through_no)
    told += [News(*row) for row in connection.execute(made)]
    return sorted(told, key=lambda one: -one.at_ms)[:NEWS_MAX]
