"""How much of a lot or serial number came in, or back, under documents. Edge of the database.

The ledger counts under a document by item alone. What it was of, the movements say: they are found
by the index of lots and serial numbers, the newest first.
"""

from collections.abc import Container
from typing import Any

from sqlalchemy import Connection, Row, text

from central.contract.facts import Movement, Reversal
from central.ledger.entries import FactKey
from central.ledger.locations import CUSTOMER
from central.ledger.opening import DocumentKey
from central.ledger.reading import read_fact
from central.storage import bulk, tables
from central.storage.line_blocks import Tracing, in_blocks, last_to_read, traced_lines

LINES_READ_MAX = 5000  # At customers, or suppliers; what came before is not counted.

_LINES_SQL = """
SELECT own.warehouse, own.quantity_micro, fact.gateway, fact.seq, fact.body
FROM {first}
JOIN lines AS own ON own.warehouse = first.warehouse AND own.record_no = first.record_no
     AND own.location = :outside
JOIN facts AS fact ON fact.record_no = first.record_no
WHERE {in_blocks} AND first.item = :item AND first.{name} = :code AND first.{name} <> ''
      AND first.line_no = 1 AND own.unit = :unit
ORDER BY first.record_no DESC, own.line_no
LIMIT :limit
"""


def came_back(
    connection: Connection,
    returns: Container[DocumentKey],
    *,
    item: str,
    unit: str,
    lot: str,
    serial: str,
    outside: str = CUSTOMER,
) -> int:
    """Return how much (10^-6) of a serial number, or of a lot if "", came back under returns.

    What was taken back is deducted, whoever did it. outside: where it came from; from suppliers it
    came under orders, and what went back to them is below zero.
    """
    name: Tracing = "serial" if serial else "lot"
    query = _LINES_SQL.format(
        first=traced_lines(connection.dialect.name, name),
        in_blocks=in_blocks(after=0, through=last_to_read(connection)),
        name=name,
    )
    values = {"outside": outside, "item": item, "unit": unit, "code": serial or lot}
    rows = connection.execute(text(query), values | {"limit": LINES_READ_MAX})
    came_micro: int = sum(
        -row.quantity_micro
        for row in rows
        if (row.warehouse, _document(connection, row)) in returns
    )
    return came_micro


def _document(connection: Connection, row: Row[Any]) -> str:
    """Return under which document a line is; of a reversal, that of what it took back."""
    fact = read_fact(bytes(row.body), seq=row.seq)
    if isinstance(fact, Reversal):
        key = FactKey(row.warehouse, row.gateway, fact.reverses_epoch, fact.reverses_seq)
        (stored,) = bulk.select_by_key(connection, tables.facts, [key], columns_count=4)
        fact = read_fact(bytes(stored[5]), seq=key.seq)
    return fact.document if isinstance(fact, Movement) else ""
