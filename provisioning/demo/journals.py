"""Reads a gateway's journal beside the gateway, without changing it. Edge of SQLite."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from central.contract.identifiers import Epoch
from gateway.journal.queries import stock_rows
from provisioning.demo.evidence import FactMark, Stock, StockKey

SELECT_EPOCHS = "SELECT start_count, nonce, first_number FROM epochs ORDER BY start_count"
SELECT_LAST = "SELECT coalesce(max(number), 0) FROM facts"
SELECT_FACTS = "SELECT number, digest FROM facts ORDER BY number"


@dataclass(frozen=True, slots=True)
class JournalContent:
    """Everything in a journal that the ledger must agree with. heads: last number by epoch."""

    facts: frozenset[FactMark]
    heads: dict[str, int]
    stock: Stock


def read_heads(path: Path) -> dict[str, int]:
    """Return the number of the last fact by epoch, for those epochs that have any."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        connection.execute("BEGIN")
        starts = connection.execute(SELECT_EPOCHS).fetchall()
        last_number = connection.execute(SELECT_LAST).fetchone()[0]
    ends = [*(first_number - 1 for _, _, first_number in starts[1:]), last_number]
    return {
        str(Epoch(start_count=start_count, nonce=int(nonce, 16))): end - first_number + 1
        for (start_count, nonce, first_number), end in zip(starts, ends, strict=True)
        if end >= first_number
    }


def read_journal(path: Path) -> JournalContent:
    """Return what a journal holds, as one consistent state. Raises sqlite3.Error."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        connection.execute("BEGIN")
        starts = [
            (first_number, str(Epoch(start_count=start_count, nonce=int(nonce, 16))))
            for start_count, nonce, first_number in connection.execute(SELECT_EPOCHS)
        ]
        marks: list[FactMark] = []
        heads: dict[str, int] = {}
        for number, digest in connection.execute(SELECT_FACTS):
            while len(starts) > 1 and starts[1][0] <= number:
                starts.pop(0)
            first_number, epoch = starts[0]
            seq = number - first_number + 1
            marks.append((epoch, seq, digest.hex()))
            heads[epoch] = seq
        rows = stock_rows(connection, location="", item="", sscc="")
        stock = {
            StockKey(row.location, row.item, row.lot, row.serial, row.sscc, row.unit): row.on_hand
            for row in rows
        }
        return JournalContent(facts=frozenset(marks), heads=heads, stock=stock)
