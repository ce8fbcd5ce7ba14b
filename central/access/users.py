"""Who may work here and as what; every change is noted with before and after. Edge of the database.

Names are codes, in small letters: they stand beside each change as its actor, so nobody is ever
deleted and no name is given out twice; who leaves is disabled.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select, update

from central.access.permissions import EVERYWHERE, Grant, Role
from central.errors import Conflict, NotThere, Unusable
from central.ledger.desk import Change
from central.storage import bulk
from central.storage.access_tables import (
    access_grants,
    access_recovery_codes,
    access_sessions,
    access_tokens,
    access_users,
)
from central.storage.reference_tables import warehouses

KIND = "user"
USERS_MAX = 5000
GIVEN_PASSWORD_DAYS = 7  # So long somebody may come in with a password that another has given.
GIVEN_PASSWORD_MS = GIVEN_PASSWORD_DAYS * 24 * 3_600_000
GRANTS_MAX = 64
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,47}")
DISPLAY_CHARACTERS_MAX = 80
# Actors that are no people: the ledger itself, and what is changed where nobody signs in.
PROVIDER = "provider"  # As an actor: the identity provider, by its groups.
RESERVED = frozenset({"provider", "staff", "ledger", "console", "nobody", "system", "central"})


@dataclass(frozen=True, slots=True)
class User:
    """Somebody. password_hash: "" without a password. external: "" without the provider.

    totp_secret: "" without a second factor. disabled_ms: 0 for whoever may come in.
    password_until_ms: 0 for a password of one's own; one that another has given lets in until then,
    and to nothing but the choice of one's own.
    """

    name: str
    display_name: str
    password_hash: str
    external: str
    totp_secret: str
    totp_waiting: str
    totp_step: int
    made_ms: int
    disabled_ms: int
    password_until_ms: int = 0
    grants: frozenset[Grant] = frozenset()

    def __repr__(self) -> str:
        return f"User({self.name!r})"  # Its secrets never come into a log.


def find_user(connection: Connection, name: str) -> User | None:
    """Return somebody with all grants, None if there is nobody of that name."""
    found = _users(connection, [name])
    return found[0] if found else None


def find_external(connection: Connection, external: str) -> User | None:
    """Return whoever the identity provider calls so."""
    query = select(access_users.c.name).where(access_users.c.external == external)
    name = connection.execute(query).scalars().first()
    return find_user(connection, name) if name is not None else None


def list_users(connection: Connection, *, after: str = "", limit: int = USERS_MAX) -> list[User]:
    """Return everybody by name. after: the last name of the page before."""
    name = access_users.c.name
    names = select(name).where(name > after).order_by(name).limit(limit)
    return _users(connection, list(connection.execute(names).scalars()))


def add_user(
    change: Change,
    name: str,
    *,
    display_name: str = "",
    password_hash: str = "",
    external: str = "",
    grants: Iterable[Grant] = (),
    is_given: bool = False,
) -> User:
    """Add somebody. password_hash: "" for whoever comes from the provider only.

    is_given: another has chosen the password, so they have to choose their own.
    Raises Unusable, Conflict.
    """
    name = checked_name(name)
    if find_user(change.connection, name) is not None:
        raise Conflict(f"there is a user {name} already", hint="Choose another name.")
    count = change.connection.execute(select(func.count()).select_from(access_users)).scalar_one()
    if count >= USERS_MAX:
        raise Conflict(f"there are {count} users, no more are kept", hint="Reuse nobody's account.")
    shown = _shown_name(display_name)
    until_ms = change.now_ms + GIVEN_PASSWORD_MS if is_given and password_hash else 0
    user = User(name, shown, password_hash, external, "", "", 0, change.now_ms, 0, until_ms)
    bulk.insert_rows(change.connection, access_users, [_row(user)])
    user = replace(user, grants=_checked_grants(change.connection, grants))
    _write_grants(change, user)
    change.note(KIND, name, "added", after=_told(user))
    return user


def set_grants(change: Change, name: str, grants: Iterable[Grant]) -> User:
    """Make these all that somebody is; sessions stay and mean the new ones at once.

    Raises NotThere, Unusable, Conflict where nobody would be left to administer.
    """
    before = required_user(change.connection, name)
    after = replace(before, grants=_checked_grants(change.connection, grants))
    if before.grants != after.grants:
        _require_administrator(change.connection, after)
        _write_grants(change, after)
        change.note(KIND, name, "granted", before=_told(before), after=_told(after))
    return after


def set_disabled(change: Change, name: str, *, disabled: bool) -> User:
    """Dismiss somebody, whose sessions and tokens end at once, or let them in again.

    Raises NotThere, Conflict where nobody would be left to administer.
    """
    before = required_user(change.connection, name)
    after = replace(before, disabled_ms=change.now_ms if disabled else 0)
    if bool(before.disabled_ms) == disabled:
        return before
    if disabled:
        _require_administrator(change.connection, after)
        end_everything(change, name)
    _update(change.connection, name, disabled_ms=after.disabled_ms)
    action = "disabled" if disabled else "enabled"
    change.note(KIND, name, action, before=_told(before), after=_told(after))
    return after


def set_password(
    change: Change, name: str, *, password_hash: str, keep_session: str = "", is_given: bool = False
) -> None:
    """Give somebody a password; all sessions end, but for that from which it was changed.

    password_hash: of `new_hash`, made before the change holds the ledger. is_given: another has
    chosen it, so they have to choose their own. Raises NotThere.
    """
    required_user(change.connection, name)
    until_ms = change.now_ms + GIVEN_PASSWORD_MS if is_given else 0
    _update(change.connection, name, password_hash=password_hash, password_until_ms=until_ms)
    _end_sessions(change.connection, name, but=keep_session)
    if is_given:
        change.note(KIND, name, "password_given", until_ms=until_ms)
    else:
        change.note(KIND, name, "password_changed")


def renew_hash(connection: Connection, name: str, kept: str) -> None:
    """Keep a password in today's strength; it is the same one."""
    _update(connection, name, password_hash=kept)


def set_second_factor(
    change: Change, name: str, *, secret: str, waiting: str, step: int, action: str
) -> None:
    """Keep what belongs to a second factor; `action` is what is noted of it, "" for nothing."""
    _update(change.connection, name, totp_secret=secret, totp_waiting=waiting, totp_step=step)
    if action:
        change.note(KIND, name, action)


def end_everything(change: Change, name: str) -> None:
    """End all sessions and take back all tokens of somebody."""
    _end_sessions(change.connection, name, but="")
    table = access_tokens
    change.connection.execute(
        update(table)
        .where(table.c.name == name, table.c.ended_ms == 0)
        .values(ended_ms=change.now_ms)
    )


def forget_recovery_codes(connection: Connection, name: str) -> None:
    """Make all recovery codes of somebody worthless."""
    connection.execute(delete(access_recovery_codes).where(access_recovery_codes.c.name == name))


def required_user(connection: Connection, name: str) -> User:
    """Return somebody. Raises NotThere."""
    user = find_user(connection, name)
    if user is None:
        raise NotThere(f"there is no user {name}", hint="Choose a name from the list of users.")
    return user


def must_first(user: User, *, second_factor: str) -> str:
    """Return what somebody has to do before anything else: choose a "password", set up a
    "second_factor", "" for nothing. second_factor: as in `AccessSection`."""
    if user.password_until_ms and not user.external:
        return "password"
    may_all = Grant(Role.ADMINISTRATOR) in user.grants and bool(user.password_hash)
    is_missing = second_factor == "administrators" and not user.totp_secret
    return "second_factor" if may_all and is_missing else ""


def checked_name(name: str) -> str:
    """Return a name that somebody can have. Raises Unusable."""
    if NAME.fullmatch(name) is None or name in RESERVED:
        raise Unusable(
            f"{name[:60]!r} cannot be somebody's name here",
            hint="Take up to 48 small letters, digits, dots and dashes, such as li.na.",
        )
    return name


def parse_grant(text: str) -> Grant:
    """Return the grant of "keeper@SH1", or of "auditor" for every warehouse. Raises Unusable."""
    word, _, warehouse = text.strip().partition("@")
    try:
        return Grant(Role(word), warehouse.strip())
    except ValueError as error:
        raise Unusable(
            f"{word[:60]!r} is no role",
            hint=f"Take one of {', '.join(Role)}, perhaps with @ and a warehouse.",
        ) from error


def grant_text(grant: Grant) -> str:
    """Return a grant as `parse_grant` reads it."""
    return f"{grant.role}@{grant.warehouse}" if grant.warehouse else str(grant.role)


def _users(connection: Connection, names: list[str]) -> list[User]:
    """Return users by their names, which are all that there are between the first and the last."""
    if not names:
        return []
    table, grants = access_users, access_grants
    held: dict[str, set[Grant]] = {}
    wanted = table.c.name.between(names[0], names[-1])
    rows = connection.execute(select(table).where(wanted).order_by(table.c.name)).all()
    given = connection.execute(select(grants).where(grants.c.name.between(names[0], names[-1])))
    for row in given:
        held.setdefault(row.name, set()).add(Grant(Role(row.role), row.warehouse))
    return [replace(_user(row), grants=frozenset(held.get(row.name, ()))) for row in rows]


def _user(row: Row[Any]) -> User:
    return User(*tuple(row))


def _row(user: User) -> bulk.Row:
    return (
        user.name,
        user.display_name,
        user.password_hash,
        user.external,
        user.totp_secret,
        user.totp_waiting,
        user.totp_step,
        user.made_ms,
        user.disabled_ms,
        user.password_until_ms,
    )


def _shown_name(text: str) -> str:
    text = text.strip()
    if len(text) > DISPLAY_CHARACTERS_MAX or not text.isprintable():
        raise Unusable(
            f"a person's name has at most {DISPLAY_CHARACTERS_MAX} printable characters",
            hint="Write a shorter name.",
        )
    return text


def _checked_grants(connection: Connection, grants: Iterable[Grant]) -> frozenset[Grant]:
    wanted = frozenset(grants)
    if len(wanted) > GRANTS_MAX:
        raise Unusable(
            f"somebody has at most {GRANTS_MAX} roles", hint="Give a role for all warehouses."
        )
    named = {grant.warehouse for grant in wanted} - {EVERYWHERE}
    if named:
        known = connection.execute(
            select(warehouses.c.warehouse).where(warehouses.c.warehouse.in_(named))
        )
        if missing := named - set(known.scalars()):
            raise Unusable(
                f"there is no warehouse {min(missing)}", hint="Choose a warehouse of the list."
            )
    return wanted


def _write_grants(change: Change, user: User) -> None:
    table = access_grants
    change.connection.execute(delete(table).where(table.c.name == user.name))
    rows = [(user.name, str(one.role), one.warehouse) for one in user.grants]
    if rows:
        bulk.insert_rows(change.connection, table, sorted(rows))


def _require_administrator(connection: Connection, after: User) -> None:
    """Raise Conflict if nobody could administer any more once somebody is as `after` says."""
    wanted = Grant(Role.ADMINISTRATOR)
    others = [one for one in list_users(connection) if one.name != after.name]
    if not any(wanted in one.grants and not one.disabled_ms for one in (*others, after)):
        before = find_user(connection, after.name)
        if before is not None and wanted in before.grants and not before.disabled_ms:
            raise Conflict(
                f"{after.name} is the last one who may administer users",
                hint="Make somebody else an administrator of all warehouses first.",
            )


def _update(connection: Connection, name: str, **values: object) -> None:
    connection.execute(update(access_users).where(access_users.c.name == name).values(**values))


def _end_sessions(connection: Connection, name: str, *, but: str) -> None:
    table = access_sessions
    connection.execute(delete(table).where(table.c.name == name, table.c.digest != but))


def _told(user: User) -> dict[str, object]:
    """Return what is noted of somebody: no secrets."""
    return {
        "display_name": user.display_name,
        "roles": sorted(grant_text(grant) for grant in user.grants),
        "disabled": bool(user.disabled_ms),
        "external": user.external,
    }
