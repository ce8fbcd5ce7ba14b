"""Machines that show a code and ask to be let in, as the database has them. Edge of SQLAlchemy."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, or_, select, update

from central.storage.trust_tables import newcomers
from central.trust.claiming import CLAIM_HOURS, HOUR_MS
from central.trust.registry import DAY_MS, lock_gateway

CODE_MS = 15 * 60_000  # So long a code is good; afterwards another one is asked for.
DECIDED_KEPT_MS = CLAIM_HOURS * HOUR_MS + DAY_MS  # Longer than the claim of an approval is good.
WAITING_MAX = 256
WAITING_OF_ONE_MAX = 16  # Of one address: a site behind one address installs so many at once.
ASKING_LOCK = "newcomers/asking"  # No gateway's code has a slash.
NewcomerState = Literal["waiting", "approved", "denied", "expired"]


@dataclass(frozen=True, slots=True)
class NewcomerRow:
    """A machine that asks to be let in, as the table says."""

    name: str
    code_digest: bytes
    secret_digest: bytes
    csr: str
    spki: bytes
    signing_key: bytes
    hardware: str
    gateway: str
    address: str
    network: str
    asked_ms: int
    expires_ms: int
    interval_s: int
    polled_ms: int
    decision: str
    decided_by: str
    decided_ms: int
    claim: str
    receive_location: str

    def state(self, *, now_ms: int) -> NewcomerState:
        """Return what became of it. A clock that was set far back makes no code live for ever."""
        if self.decision == "approved":
            return "approved"
        if self.decision == "denied":
            return "denied"
        good = self.asked_ms - CODE_MS <= now_ms < self.expires_ms
        return "waiting" if good else "expired"


def by_secret(connection: Connection, digest: bytes) -> NewcomerRow | None:
    """Return the machine that has a secret."""
    return _one(connection, newcomers.c.secret_digest == digest)


def by_code(connection: Connection, digest: bytes) -> NewcomerRow | None:
    """Return the machine that shows, or has shown, a code."""
    return _one(connection, newcomers.c.code_digest == digest)


def lock_newcomer(connection: Connection, name: str) -> NewcomerRow | None:
    """Return a machine about which nobody else decides before our transaction ends."""
    lock_gateway(connection, f"newcomer/{name}")
    return _one(connection, newcomers.c.name == name)


def write_newcomer(connection: Connection, row: NewcomerRow) -> None:
    """Add one."""
    values = {column: getattr(row, name) for column, name in zip(COLUMNS, FIELDS, strict=True)}
    connection.execute(insert(newcomers).values(values))


def change_newcomer(connection: Connection, name: str, **values: object) -> None:
    """Change some columns of one."""
    connection.execute(update(newcomers).where(newcomers.c.name == name).values(values))


def make_room(connection: Connection, *, spki: bytes, now_ms: int) -> None:
    """Forget what is over, and what the same key has asked before; nobody else asks meanwhile."""
    lock_gateway(connection, ASKING_LOCK)
    table = newcomers.c
    waiting = table.state == "waiting"
    over = or_(table.expires_ms <= now_ms, table.asked_ms > now_ms + CODE_MS, table.spki == spki)
    old = and_(table.state != "waiting", table.decided_ms <= now_ms - DECIDED_KEPT_MS)
    connection.execute(delete(newcomers).where(or_(and_(waiting, over), old)))


def waiting_counts(connection: Connection, network: str) -> tuple[int, int]:
    """Return how many wait, and how many of them are of a network; after `make_room`."""
    table = newcomers.c
    query = select(func.count()).where(table.state == "waiting")
    total = connection.execute(query).scalar_one()
    own = connection.execute(query.where(table.network == network)).scalar_one()
    return int(total), int(own)


def _one(connection: Connection, condition: ColumnElement[bool]) -> NewcomerRow | None:
    row = connection.execute(select(newcomers).where(condition)).first()
    return NewcomerRow(*row) if row is not None else None


COLUMNS: Sequence[str] = tuple(column.name for column in newcomers.columns)
FIELDS: Sequence[str] = tuple("decision" if one == "state" else one for one in COLUMNS)
