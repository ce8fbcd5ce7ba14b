"""Keys of programs: what each may do, where and until when. Edge of the database.

dlt_<16 hexadecimal digits: which one>_<64: the secret, of which only the digest is kept>
"""

import re
from dataclasses import dataclass

from sqlalchemy import Connection, func, literal, select, tuple_, update

from central.access.permissions import EVERYWHERE, Permission, Principal
from central.access.sessions import digest_of
from central.errors import Conflict, NotThere, Unusable
from central.ledger.desk import Change
from central.storage import bulk
from central.storage.access_tables import access_tokens

KIND = "token"
FORM = re.compile(r"dlt_([0-9a-f]{16})_([0-9a-f]{64})")
DAY_MS = 24 * 3_600_000
DAYS_MAX = 365
LABEL_CHARACTERS_MAX = 80
TOKENS_PER_USER_MAX = 50


@dataclass(frozen=True, slots=True)
class Token:
    """One key. name: its owner. warehouse: EVERYWHERE for all that the owner may."""

    token: str
    digest: str
    name: str
    label: str
    permissions: frozenset[Permission]
    warehouse: str
    made_ms: int
    expires_ms: int
    used_ms: int
    ended_ms: int

    def __repr__(self) -> str:
        return f"Token({self.token!r})"


def add_token(
    change: Change,
    principal: Principal,
    *,
    label: str,
    permissions: frozenset[Permission],
    warehouse: str,
    days: int,
    random_hex: str,
) -> tuple[Token, str]:
    """Give somebody a key for a program; return it with the text that is shown this one time.

    random_hex: 512 random bits. Raises Unusable, Conflict.
    """
    label = _checked_label(label)
    if not 1 <= days <= DAYS_MAX:
        raise Unusable(
            f"a token lasts 1 to {DAYS_MAX} days", hint="Make a new one when it has ended."
        )
    missing = {one for one in permissions if not _covers(principal, one, warehouse)}
    if missing or not permissions:
        raise Unusable(
            f"you may not give away {min(missing)}" if missing else "a token may do nothing",
            hint="Choose among what you may do yourself.",
        )
    table = access_tokens
    held = select(func.count()).where(table.c.name == principal.name, table.c.ended_ms == 0)
    if change.connection.execute(held).scalar_one() >= TOKENS_PER_USER_MAX:
        raise Conflict(
            f"you have {TOKENS_PER_USER_MAX} tokens, no more are kept",
            hint="Take back those that nothing uses.",
        )
    identity, secret = random_hex[:16], random_hex[64:128]
    token = Token(
        identity,
        digest_of(secret),
        principal.name,
        label,
        permissions,
        warehouse,
        change.now_ms,
        change.now_ms + days * DAY_MS,
        used_ms=0,
        ended_ms=0,
    )
    bulk.insert_rows(change.connection, table, [_row(token)])
    after = {"label": label, "permissions": sorted(permissions), "days": days}
    change.note(KIND, identity, "added", warehouse=warehouse, owner=principal.name, after=after)
    return token, f"dlt_{identity}_{secret}"


def end_token(change: Change, identity: str, *, owner: str = "") -> Token:
    """Take a key back at once. owner: whose it must be, "" for anybody's. Raises NotThere."""
    token = _find(change.connection, identity)
    if token is None or (owner and token.name != owner):
        raise NotThere(f"there is no token {identity[:40]}", hint="Load the list of tokens again.")
    if not token.ended_ms:
        table = access_tokens
        change.connection.execute(
            update(table).where(table.c.token == identity).values(ended_ms=change.now_ms)
        )
        change.note(KIND, identity, "ended", owner=token.name)
    return token


def find_token(connection: Connection, text: str, *, now_ms: int) -> Token | None:
    """Return the key that a program has sent, None for one that is wrong or has ended."""
    match = FORM.fullmatch(text)
    token = find_good(connection, match[1], now_ms=now_ms) if match is not None else None
    if match is None or token is None or token.digest != digest_of(match[2]):
        return None
    return token


def find_ended(connection: Connection, text: str) -> Token | None:
    """Return the key that a program has sent if it was one of ours and has ended, else None."""
    match = FORM.fullmatch(text)
    token = _find(connection, match[1]) if match is not None else None
    return token if match and token and token.digest == digest_of(match[2]) else None


def find_good(connection: Connection, identity: str, *, now_ms: int) -> Token | None:
    """Return the key of an identity, None if there is none or it has ended."""
    token = _find(connection, identity)
    if token is None or token.ended_ms or now_ms >= token.expires_ms:
        return None
    return token


def list_tokens(
    connection: Connection,
    *,
    owner: str = "",
    before: tuple[int, str] | None = None,
    limit: int,
) -> list[Token]:
    """Return keys, the newest first, also those that have ended. owner: "" for everybody's.

    before: made_ms and token of the last one of the page before.
    """
    table = access_tokens.c
    query = select(access_tokens).order_by(table.made_ms.desc(), table.token.desc())
    if owner:
        query = query.where(table.name == owner)
    if before is not None:
        query = query.where(tuple_(table.made_ms, table.token) < tuple_(*map(literal, before)))
    return [_token(row) for row in connection.execute(query.limit(limit))]


def touch_token(connection: Connection, token: Token, *, now_ms: int) -> None:
    """Note that a key is in use."""
    table = access_tokens
    connection.execute(update(table).where(table.c.token == token.token).values(used_ms=now_ms))


def _covers(principal: Principal, permission: Permission, warehouse: str) -> bool:
    places = {place for one, place in principal.allowed if one == permission}
    if warehouse == EVERYWHERE:
        return bool(places)  # The owner's own warehouses, whatever they are then.
    return EVERYWHERE in places or warehouse in places


def _checked_label(label: str) -> str:
    label = label.strip()
    if not 1 <= len(label) <= LABEL_CHARACTERS_MAX or not label.isprintable():
        raise Unusable(
            f"a token is named with 1 to {LABEL_CHARACTERS_MAX} printable characters",
            hint="Say which program it is for.",
        )
    return label


def _find(connection: Connection, identity: str) -> Token | None:
    rows = list(bulk.select_by_key(connection, access_tokens, [(identity,)], columns_count=1))
    return _token(rows[0]) if rows else None


def _token(row: bulk.Row) -> Token:
    identity, digest, name, label, words, *rest = row
    permissions = frozenset(Permission(one) for one in words.split())
    return Token(identity, digest, name, label, permissions, *rest)


def _row(token: Token) -> bulk.Row:
    return (
        token.token,
        token.digest,
        token.name,
        token.label,
        " ".join(sorted(token.permissions)),
        token.warehouse,
        token.made_ms,
        token.expires_ms,
        token.used_ms,
        token.ended_ms,
    )
