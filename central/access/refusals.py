"""Counts what is refused, by whom it was tried, for alerts and figures. Edge of the database.

Whoever floods us costs a number in memory, and a few rows every few seconds: never a row, or a
wait for the database, for each attempt.
"""

from collections import Counter
from dataclasses import dataclass, replace
from threading import Lock
from typing import Literal, get_args

from sqlalchemy import delete, func, select

from central.storage import bulk
from central.storage.database import Database
from central.storage.refusal_tables import refusals as table

RefusalKind = Literal[
    "token_dismissed",  # Of somebody who may not in any more. subject: the token's number.
    "token_ended",  # Taken back, or past its day. subject: the token's number.
    "token_unknown",  # A wrong secret, or none of ours. subject: the address.
    "oidc_forged",  # Signed by somebody else, or made for something else. subject: the address.
    "oidc_not_begun",  # Of another browser, of before, used twice. subject: the address.
    "sign_in_paused",  # While nobody listens. subject: the name, or the address.
    "connection_slow",  # Nothing came, or nothing was taken, for long. subject: the address.
    "connections_many",  # More at once than one address may hold. subject: the address.
    # By the broker, as its log tells it (`central/trust/broker_words.py`).
    "broker_publish",  # Published, or would have in a will. subject: the name in the certificate.
    "broker_subscribe",  # Asked to read, and gets nothing. subject: the same.
    "broker_certificate",  # Revoked, past its day, of another authority. subject: the address.
    "broker_no_certificate",  # subject: the address.
    "broker_handshake",  # No TLS, or none that is good enough. subject: the address.
    "broker_login",  # By name and password. subject: the name, or what it called itself.
    "broker_full",  # As many as it takes are there. subject: the address.
]
REFUSAL_KINDS: tuple[RefusalKind, ...] = get_args(RefusalKind)
WAITING_MAX = 1000  # Subjects between two writes; further ones count as OTHERS.
KEPT_MAX = 10_000  # In the database; those of long ago go first.
OTHERS = "others"
TEXT_CHARACTERS_MAX = 200
FORGOTTEN_MS = 24 * 3_600_000  # So long after the last, counting begins anew.
# Of connections: browsers open one in advance and leave it, now and then for days.
HELD_FORGOTTEN_MS = 10 * 60_000
WRITE_EVERY_S = 5.0


@dataclass(frozen=True, slots=True)
class _Waiting:
    """What is not written yet. address, detail: of the last."""

    count: int
    address: str
    detail: str


class Refusals:
    """What one process refuses. Any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: dict[tuple[RefusalKind, str], _Waiting] = {}
        self._totals: Counter[RefusalKind] = Counter()

    def count(
        self,
        kind: RefusalKind,
        *,
        subject: str,
        address: str = "",
        detail: str = "",
    ) -> None:
        """Count one more; it costs no wait. detail: never what a stranger sent as a secret."""
        key = (kind, _plain(subject))
        with self._lock:
            self._totals[kind] += 1
            if key not in self._waiting and len(self._waiting) >= WAITING_MAX:
                key = (kind, OTHERS)
            known = self._waiting.get(key)
            count = 1 + (known.count if known is not None else 0)
            self._waiting[key] = _Waiting(count, _plain(address), _plain(detail))

    def totals(self) -> dict[RefusalKind, int]:
        """Return how many of each kind there were since this process began."""
        with self._lock:
            return {kind: self._totals[kind] for kind in REFUSAL_KINDS}

    @property
    def waits(self) -> bool:
        """Return whether something is not written yet."""
        return bool(self._waiting)

    def write(self, database: Database, *, now_ms: int) -> None:
        """Write what was counted meanwhile. Raises LedgerUnavailable; then it goes on waiting."""
        with self._lock:
            taken, self._waiting = self._waiting, {}
        if not taken:
            return
        written = False
        try:
            _add(database, taken, now_ms=now_ms)
            written = True
        finally:
            if not written:
                self._put_back(taken)

    def _put_back(self, taken: dict[tuple[RefusalKind, str], _Waiting]) -> None:
        with self._lock:
            for key, one in taken.items():
                newer = self._waiting.get(key)
                if newer is not None:
                    self._waiting[key] = replace(newer, count=newer.count + one.count)
                elif len(self._waiting) < WAITING_MAX:
                    self._waiting[key] = one


def _add(
    database: Database, taken: dict[tuple[RefusalKind, str], _Waiting], *, now_ms: int
) -> None:
    keys = sorted(taken)
    columns = table.c
    with database.write() as connection:
        # In one order everywhere: other processes count, too, and nobody waits for one another.
        bulk.insert_missing_rows(
            connection, table, [(kind, subject, "", "", 0, 0, 0) for kind, subject in keys]
        )
        for kind, subject in keys:
            one = taken[(kind, subject)]
            row = connection.execute(
                select(table)
                .where(columns.kind == kind, columns.subject == subject)
                .with_for_update()
            ).one()
            anew = now_ms - row.last_ms >= _forgotten_ms(kind)
            count = one.count + (0 if anew else row.refused_count)
            first_ms = now_ms if anew else row.first_ms
            values = (kind, subject, one.address, one.detail, count, first_ms, now_ms)
            bulk.upsert_rows(connection, table, [values])
        connection.execute(delete(table).where(columns.last_ms < now_ms - FORGOTTEN_MS))
        kept = connection.execute(select(func.count()).select_from(table)).scalar_one()
        if kept > KEPT_MAX:
            oldest = select(columns.last_ms).order_by(columns.last_ms).offset(kept - KEPT_MAX - 1)
            last_ms = connection.execute(oldest.limit(1)).scalar_one()
            connection.execute(delete(table).where(columns.last_ms <= last_ms))


def _forgotten_ms(kind: RefusalKind) -> int:
    return HELD_FORGOTTEN_MS if kind in {"connection_slow", "connections_many"} else FORGOTTEN_MS


def _plain(text: str) -> str:
    """What a stranger sent becomes one printable line."""
    kept = "".join(one if one.isprintable() else "?" for one in text[:TEXT_CHARACTERS_MAX])
    return kept.encode(errors="replace").decode()
