"""Writes rows that are made already: COPY or executemany, sorted upserts, nothing else. Edge.

What a ledger costs beyond this is decoding, digests, signatures and every decision.
"""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import psycopg

from tests.central.scenery import NOW_MS, Gateway

FACTS = (
    "warehouse gateway epoch seq kind body digest event_time_ms clock_synced record_ms record_no"
)
FACT_TYPES = "text text text int8 text bytea bytea int8 bool int8 int8"
# Status and weight of a line have their defaults here as in the ledger.
LINES = "warehouse record_no line_no location item lot serial sscc expiry_date unit quantity_micro"
LINE_TYPES = "text int8 int4 text text text text text text text int8"
BALANCES = (
    "warehouse location item lot serial sscc unit status on_hand_micro record_no weight_micro"
)
BALANCE_TYPES = "text text text text text text text text int8 int8 int8"
BALANCE_KEY = BALANCES.split()[:8]
BALANCE_CHANGES = (
    "on_hand_micro = excluded.on_hand_micro, record_no = excluded.record_no,"
    " weight_micro = excluded.weight_micro"
)
POSITIONS = (
    "gateway epoch warehouse acked_seq head_digest previous_epoch_head updated_ms stable_seq"
)
POSITION_CHANGES = "acked_seq = excluded.acked_seq, head_digest = excluded.head_digest"

Row = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class CallRows:
    """What one call writes. balances: sorted by key."""

    facts: Sequence[Row]
    lines: Sequence[Row]
    balances: Sequence[Row]
    position: Row
    record_no: int


class RowMaker:
    """Makes the rows that the ledger would write for plain movements of one gateway."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._balances: dict[Row, int] = {}

    def rows(self, moves: Sequence[tuple[str, str, str, int]], *, first: int) -> CallRows:
        """Return the rows of movements (from, to, item, pieces) with numbers from `first` on."""
        gateway, facts, lines = self._gateway, [], []
        changed: dict[Row, int] = {}
        epoch = str(gateway.epoch)
        for seq, (source, target, item, pieces) in enumerate(moves, first):
            body, digest = gateway.bodies[seq - 1], gateway.digests[seq]
            origin = (gateway.warehouse, gateway.code, epoch, seq, "movement", body, digest)
            facts.append((*origin, NOW_MS - 5_000, True, NOW_MS, seq))
            for number, place, micro in ((1, source, -pieces), (2, target, pieces)):
                amount = micro * 1_000_000
                line = (gateway.warehouse, seq, number, place, item, "", "", "", "", "C62", amount)
                lines.append(line)
                key = (gateway.warehouse, place, item, "", "", "", "C62", "available")
                self._balances[key] = self._balances.get(key, 0) + amount
                changed[key] = seq
        last = first + len(moves) - 1
        balances = [(*key, self._balances[key], changed[key], 0) for key in sorted(changed)]
        position = (gateway.code, epoch, gateway.warehouse, last, gateway.digests[last])
        return CallRows(facts, lines, balances, (*position, gateway.previous_head, NOW_MS, 0), last)


def sqlite_writer(path: str) -> Callable[[CallRows], None]:
    """Return what writes the rows of one call to a migrated SQLite file, committed."""
    raw = sqlite3.connect(path, isolation_level=None)
    for pragma in ("cache_size = -65536", "wal_autocheckpoint = 4000", "synchronous = FULL"):
        raw.execute(f"PRAGMA {pragma}")

    def write(rows: CallRows) -> None:
        raw.execute("BEGIN IMMEDIATE")
        raw.executemany(_insert("facts", FACTS), rows.facts)
        raw.executemany(_insert("lines", LINES), rows.lines)
        raw.executemany(_insert("balances", BALANCES) + _upsert(), rows.balances)
        raw.execute(_insert("positions", POSITIONS) + _move_on(), rows.position)
        raw.execute(
            "UPDATE ledger_state SET value = ? WHERE key = 'record_no'", (str(rows.record_no),)
        )
        raw.execute("COMMIT")

    return write


def postgresql_writer(connection: psycopg.Connection) -> Callable[[CallRows], None]:
    """Return what writes the rows of one call to a migrated PostgreSQL database, committed."""
    arrays = ", ".join(f"%s::{kind}[]" for kind in BALANCE_TYPES.split())
    upsert = f"INSERT INTO balances ({_names(BALANCES)}) SELECT * FROM unnest({arrays}){_upsert()}"
    move_on = _insert("positions", POSITIONS).replace("?", "%s") + _move_on()

    def write(rows: CallRows) -> None:
        _copy(connection, "facts", FACTS, FACT_TYPES, rows.facts)
        _copy(connection, "lines", LINES, LINE_TYPES, rows.lines)
        connection.execute(upsert, [list(column) for column in zip(*rows.balances, strict=True)])
        connection.execute(move_on, rows.position)
        connection.execute(
            "UPDATE ledger_state SET value = %s WHERE key = 'record_no'", (str(rows.record_no),)
        )
        connection.commit()

    return write


def _copy(
    connection: psycopg.Connection, table: str, columns: str, types: str, rows: Sequence[Row]
) -> None:
    sql = f"COPY {table} ({_names(columns)}) FROM STDIN (FORMAT BINARY)"
    with connection.cursor() as cursor, cursor.copy(sql) as copy:
        copy.set_types(types.split())
        for row in rows:
            copy.write_row(row)


def _insert(table: str, columns: str) -> str:
    slots = ", ".join("?" for _ in columns.split())
    return f"INSERT INTO {table} ({_names(columns)}) VALUES ({slots})"


def _upsert() -> str:
    return f" ON CONFLICT ({', '.join(BALANCE_KEY)}) DO UPDATE SET {BALANCE_CHANGES}"


def _move_on() -> str:
    return f" ON CONFLICT (gateway, epoch) DO UPDATE SET {POSITION_CHANGES}"


def _names(columns: str) -> str:
    return ", ".join(columns.split())
