"""Writes what a ledger of SQLite has posted several times over, to have a larger one soon. Root.

What happened in a warehouse happens in the next one as well, later: the same rows of facts, lines,
reversals and discrepancies with further record numbers, of a further epoch of its gateways, and
balances that have both. So many other items and places are moved as by as many more postings. What
follows a ledger (copies, sums, late days) is not written here: the product makes it.
"""

import sqlite3
from pathlib import Path

from tests.bench.big_goods import WAREHOUSES

CACHE_KIB = 2 * 1024 * 1024
_NEXT = f"printf('W%02d', (CAST(substr({{}}, 2, 2) AS INTEGER) + :times) % {WAREHOUSES})"
_WAREHOUSE = _NEXT.format("warehouse")
_GATEWAY = f"{_NEXT.format('gateway')} || substr(gateway, 4)"
_OWN = ", ".join(f"'W{number:02d}'" for number in range(WAREHOUSES))
_LATER, _FURTHER = "+ :times * :span_ms", "+ :times * :count"
_STATEMENTS = (
    "INSERT INTO facts (warehouse, gateway, epoch, seq, kind, body, digest, event_time_ms,"
    f" clock_synced, record_ms, record_no) SELECT {_WAREHOUSE}, {_GATEWAY}, :epoch, seq, kind,"
    f" body, digest, event_time_ms {_LATER}, clock_synced, record_ms {_LATER}, record_no {_FURTHER}"
    " FROM facts WHERE record_no <= :count ORDER BY warehouse, gateway, epoch, seq",
    "INSERT INTO lines (warehouse, record_no, line_no, location, item, lot, serial, sscc,"
    " expiry_date, unit, quantity_micro, status, weight_micro)"
    f" SELECT {_WAREHOUSE}, record_no {_FURTHER}, line_no, location, item, lot, serial, sscc,"
    " expiry_date, unit, quantity_micro, status, weight_micro FROM lines"
    f" WHERE warehouse IN ({_OWN}) AND record_no <= :count ORDER BY warehouse, record_no, line_no",
    "INSERT INTO balances (warehouse, location, item, lot, serial, sscc, unit, status,"
    " on_hand_micro, record_no, weight_micro)"
    f" SELECT {_WAREHOUSE}, location, item, lot, serial, sscc, unit, status, on_hand_micro,"
    f" record_no {_FURTHER}, weight_micro FROM temp.first_balances"
    " WHERE true ON CONFLICT DO UPDATE SET on_hand_micro = on_hand_micro + excluded.on_hand_micro,"
    " record_no = excluded.record_no",
    "INSERT INTO reversals (warehouse, gateway, epoch, seq, by_epoch, by_seq)"
    f" SELECT {_WAREHOUSE}, {_GATEWAY}, :epoch, seq, :epoch, by_seq FROM temp.first_reversals",
    "INSERT INTO discrepancies (id, warehouse, kind, subject, gateway, epoch, seq, item, location,"
    " lot, unit, document, document_line, expected_micro, actual_micro, detail, state, facts_count,"
    " opened_ms, record_no, settled_ms, settlement, owner, due_ms, version)"
    f" SELECT 'r' || :times || substr(id, 3), {_WAREHOUSE}, kind, subject, {_GATEWAY}, :epoch, seq,"
    " item, location, lot, unit, document, document_line, expected_micro, actual_micro, detail,"
    f" state, facts_count, opened_ms {_LATER}, record_no {_FURTHER}, settled_ms, settlement,"
    " owner, due_ms, version FROM temp.first_discrepancies first WHERE state <> 'open' OR NOT"
    f" EXISTS (SELECT 1 FROM discrepancies d WHERE d.warehouse = {_NEXT.format('first.warehouse')}"
    " AND d.state = 'open' AND d.kind = first.kind AND d.subject = first.subject)",
    "UPDATE ledger_state SET value = :count + :times * :count WHERE key = 'record_no'",
)


class Repeated:
    """A ledger whose postings are written again and again. Nobody else writes meanwhile."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        for pragma in (f"cache_size = -{CACHE_KIB}", "synchronous = OFF", "temp_store = MEMORY"):
            self._connection.execute(f"PRAGMA {pragma}")
        for name in ("balances", "reversals", "discrepancies"):
            self._connection.execute(f"CREATE TEMP TABLE first_{name} AS SELECT * FROM {name}")
        found = self._connection.execute(
            "SELECT MAX(record_no), MAX(record_ms) - MIN(record_ms) FROM facts"
        )
        self._count, self._span_ms = found.fetchone()

    def write(self, times: int) -> None:
        """Write all of it once more. times: 1, 2, 3 ... for the first, second, third time."""
        bounds = {
            "times": times,
            "count": self._count,
            "span_ms": self._span_ms,
            "epoch": f"{times + 1:08x}-0000000000000001",
        }
        self._connection.execute("BEGIN IMMEDIATE")
        for statement in _STATEMENTS:
            self._connection.execute(statement, bounds)
        self._connection.execute("COMMIT")

    def close(self) -> None:
        """Close the ledger."""
        self._connection.close()
