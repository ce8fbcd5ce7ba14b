"""Periods that were closed before weights were kept have theirs after an upgrade."""

import pytest
from sqlalchemy import select, text

from central.storage.database import open_database
from central.storage.schema import migrate
from central.storage.settlement_tables import period_balances
from tests.central.storage.test_as_of_migration import fill
from tests.central.storage.test_liveness_migration import upgraded

pytestmark = pytest.mark.filterwarnings(
    "ignore:Skipped unsupported reflection of expression-based index"
)
GOODS = {"warehouse": "SH1", "item": "HAM", "unit": "C62", "status": "available"}
# record_no, when it happened, when it was recorded, place, pieces, weight
POSTED = [
    (1, 10, 11, "BIN-1", 4, 16_000_000),
    (2, 20, 21, "BIN-1", -1, -4_100_000),
    (3, 20, 21, "BIN-2", 1, 4_100_000),
    (4, 30, 22, "BIN-2", -1, -4_000_000),  # Dated ahead of the ledger: when it was recorded.
    (5, 150, 151, "BIN-1", -1, -3_900_000),  # After the end of the first.
    (6, 40, 152, "BIN-1", 1, 9_000_000),  # Late for the first.
]


@pytest.fixture
def before(database_url):
    database = open_database(database_url)
    with database.write() as connection:
        upgraded(connection, "0038")
        for number, happened, recorded, location, pieces, weight in POSTED:
            fact = {"warehouse": "SH1", "record_no": number, "seq": number, "kind": "movement"}
            times = {"event_time_ms": happened, "record_ms": recorded, "clock_synced": True}
            line = {"record_no": number, "line_no": 1, "location": location}
            amounts = {"quantity_micro": pieces * 1_000_000, "weight_micro": weight}
            fill(connection, [("facts", fact | times), ("lines", GOODS | line | amounts)])
    yield database
    database.close()


def kept(database):
    """{(period, place): (pieces, weight)}, in millionths."""
    table = period_balances.c
    columns = (table.number, table.location, table.on_hand_micro, table.weight_micro)
    with database.read() as connection:
        return {tuple(row[:2]): tuple(row[2:]) for row in connection.execute(select(*columns))}


def test_closed_periods_have_the_weights_that_their_closing_knew(before):
    with before.write() as connection:
        for number, end, known in ((1, 100, 5), (2, 200, 6)):
            period = {"number": number, "period": f"P{number}", "through_ms": end}
            fill(connection, [("periods", period | {"closed_record_no": known})])
            at = {"number": number, "location": "BIN-1", "on_hand_micro": 3_000_000}
            fill(connection, [("period_balances", GOODS | at)])
    migrate(before, generation="g")
    assert kept(before) == {
        (1, "BIN-1"): (3_000_000, 11_900_000),
        (1, "BIN-2"): (0, 100_000),
        (2, "BIN-1"): (3_000_000, 17_000_000),
        (2, "BIN-2"): (0, 100_000),
    }


def test_a_ledger_that_closed_no_period_keeps_nothing(before):
    migrate(before, generation="g")
    assert kept(before) == {}
    with before.read() as connection:
        assert connection.execute(text("SELECT COUNT(*) FROM lines")).scalar_one() == len(POSTED)
