"""Lots whose first word was taken back have the next one's date after an upgrade, or none."""

import pytest

from central.ledger import lots as proof
from central.storage import tables
from central.storage.database import open_database
from central.storage.schema import migrate
from tests.central.scenery import rows
from tests.central.storage.test_as_of_migration import fill
from tests.central.storage.test_liveness_migration import upgraded

pytestmark = pytest.mark.filterwarnings(
    "ignore:Skipped unsupported reflection of expression-based index"
)
# record_no, lot, date, what the fact is, by which number it was taken back
POSTED = [
    (1, "A", "2062-06-01", "movement", 2),
    (2, "A", "2062-06-01", "reversal", 0),
    (3, "A", "2026-06-01", "movement", 0),
    (4, "B", "2062-06-01", "movement", 5),
    (5, "B", "2062-06-01", "reversal", 0),
    (6, "C", "2027-01-01", "movement", 0),
    (7, "C", "2028-01-01", "movement", 8),
    (8, "C", "2028-01-01", "reversal", 0),
    (9, "D", "2062-06-01", "movement", 10),
    (10, "D", "2062-06-01", "movement", 0),  # Of a settlement, which took the ninth back.
    (262_150, "D", "2027-02-01", "movement", 0),
]


@pytest.fixture
def before(database_url):
    database = open_database(database_url)
    with database.write() as connection:
        upgraded(connection, "0039")
        for number, lot, date, kind, back in POSTED:
            own = number == 10
            key = {"warehouse": "SH1", "gateway": "central" if own else "g", "epoch": "e"}
            fact = key | {"record_no": number, "seq": number, "kind": kind, "record_ms": number}
            line = {"warehouse": "SH1", "record_no": number, "line_no": 1, "item": "MILK"}
            line |= {"lot": lot, "expiry_date": date}
            fill(connection, [("facts", fact), ("lines", line)])
            if back:
                mark = key | {"seq": number, "by_epoch": "e", "by_seq": back}
                fill(connection, [("reversals", mark)])
        took = {"warehouse": "SH1", "gateway": "central", "epoch": "e", "seq": 10}
        took |= {"discrepancy": "d", "number": 1, "back_gateway": "g", "back_epoch": "e"}
        fill(connection, [("settlement_facts", took | {"back_seq": 9})])
        for lot, date, first in (
            ("A", "2062-06-01", 1),
            ("B", "2062-06-01", 4),
            ("C", "2027-01-01", 6),
            ("D", "2062-06-01", 9),
        ):
            kept = {"warehouse": "SH1", "item": "MILK", "lot": lot, "expiry_date": date}
            fill(connection, [("lots", kept | {"first_record_no": first})])
    yield database
    database.close()


def test_lots_have_the_date_of_the_first_fact_that_stands(before):
    migrate(before, generation="g")
    assert rows(before, tables.lots, "lot", "expiry_date", "first_record_no") == [
        ("A", "2026-06-01", 3),
        ("C", "2027-01-01", 6),
        ("D", "2027-02-01", 262_150),
    ]
    told = ("lot", "number", "expiry_date", "record_no", "at_ms", "cause")
    assert rows(before, tables.lot_dates, *told) == [
        ("A", 1, "2062-06-01", 1, 1, "stated"),
        ("A", 2, "2026-06-01", 262_150, 262_150, "taken_back"),
        ("B", 1, "2062-06-01", 4, 4, "stated"),
        ("B", 2, "", 262_150, 262_150, "taken_back"),
        ("D", 1, "2062-06-01", 9, 9, "stated"),
        ("D", 2, "2027-02-01", 262_150, 262_150, "taken_back"),
    ]
    with before.read() as connection:
        assert list(proof.faults(connection)) == []
