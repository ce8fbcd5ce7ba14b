"""Who is signed in, from which browser, until when. Edge of the database.

The name of a session is 256 random bits that only the browser has; here stands its digest. What
scripts must send beside the cookie is derived from the name, so it needs no row of its own.
"""

import hashlib
import hmac
from dataclasses import dataclass

from sqlalchemy import Connection, delete, select, update

from central.storage import bulk
from central.storage.access_tables import access_sessions

NAME_CHARACTERS = 64
SESSIONS_PER_USER_MAX = 20
CODE_STAGE_MS = 10 * 60_000  # So long the second factor may take.
JOURNEY_MS = 10 * 60_000  # So long the way over an identity provider may take.
SEEN_STEP_MS = 60_000  # No more often a session is written to say that it is in use.
BROWSER_CHARACTERS_MAX = 120
CSRF_WORDS = b"dockledger request of a page"


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody's session. stage: "code" while the second factor is asked for, else "whole"."""

    digest: str
    name: str
    stage: str
    made_ms: int
    seen_ms: int
    address: str
    browser: str


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a session lives after its last and after its first request."""

    idle_ms: int
    absolute_ms: int


def digest_of(secret: str) -> str:
    """Return what is kept of a secret of 256 random bits; it needs no salt."""
    return hashlib.sha256(secret.encode()).hexdigest()


def csrf_of(session_name: str) -> str:
    """Return what a page's script has to send beside the cookie of a session."""
    return hmac.new(session_name.encode(), CSRF_WORDS, hashlib.sha256).hexdigest()


def open_session(
    connection: Connection,
    session_name: str,
    *,
    name: str,
    stage: str,
    now_ms: int,
    address: str,
    browser: str,
) -> Session:
    """Begin a session; beyond SESSIONS_PER_USER_MAX the one that was used longest ago ends."""
    table = access_sessions
    kept = select(table.c.digest).where(table.c.name == name).order_by(table.c.seen_ms.desc())
    old = list(connection.execute(kept).scalars())[SESSIONS_PER_USER_MAX - 1 :]
    if old:
        connection.execute(delete(table).where(table.c.digest.in_(old)))
    shown = "".join(character for character in browser if character.isprintable())
    session = Session(
        digest_of(session_name),
        name,
        stage,
        now_ms,
        now_ms,
        address,
        shown[:BROWSER_CHARACTERS_MAX],
    )
    row = (session.digest, name, stage, now_ms, now_ms, address, session.browser)
    bulk.insert_rows(connection, table, [row])
    return session


def find_session(
    connection: Connection, session_name: str, *, now_ms: int, limits: Limits
) -> Session | None:
    """Return a session that has not ended, None for any other."""
    if len(session_name) != NAME_CHARACTERS:
        return None
    return find_by_digest(connection, digest_of(session_name), now_ms=now_ms, limits=limits)


def find_by_digest(
    connection: Connection, digest: str, *, now_ms: int, limits: Limits
) -> Session | None:
    """Return the session of a digest, as `find_session` does."""
    row = connection.execute(
        select(access_sessions).where(access_sessions.c.digest == digest)
    ).one_or_none()
    if row is None:
        return None
    session = Session(*row)
    return session if _lives(session, now_ms=now_ms, limits=limits) else None


def touch_session(connection: Connection, session: Session, *, now_ms: int) -> None:
    """Note that a session is in use."""
    table = access_sessions
    connection.execute(update(table).where(table.c.digest == session.digest).values(seen_ms=now_ms))


def list_sessions(
    connection: Connection, name: str, *, now_ms: int, limits: Limits
) -> list[Session]:
    """Return the sessions of somebody that have not ended, the last used first."""
    table = access_sessions
    rows = connection.execute(
        select(table)
        .where(table.c.name == name, table.c.stage == "whole")
        .order_by(table.c.seen_ms.desc())
        .limit(SESSIONS_PER_USER_MAX)
    )
    found = [Session(*row) for row in rows]
    return [one for one in found if _lives(one, now_ms=now_ms, limits=limits)]


def end_session(connection: Connection, digest: str, *, name: str) -> bool:
    """End a session of somebody; return whether there was one."""
    table = access_sessions
    gone = connection.execute(delete(table).where(table.c.digest == digest, table.c.name == name))
    return bool(gone.rowcount)


def forget_ended(connection: Connection, *, now_ms: int, limits: Limits) -> None:
    """Delete what has ended by itself."""
    table = access_sessions
    connection.execute(
        delete(table).where(
            (table.c.seen_ms < now_ms - limits.idle_ms)
            | (table.c.made_ms < now_ms - limits.absolute_ms)
        )
    )


def _lives(session: Session, *, now_ms: int, limits: Limits) -> bool:
    """A clock that was set back ends no session and lengthens none by more than it was set."""
    if session.stage == "code" and now_ms - session.made_ms > CODE_STAGE_MS:
        return False
    return (
        now_ms - session.seen_ms <= limits.idle_ms
        and now_ms - session.made_ms <= limits.absolute_ms
    )
