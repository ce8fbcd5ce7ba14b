"""What was kept before the past was: since when it is known, and what was settled until when."""

import pytest
from sqlalchemy import MetaData, select

from central.orders.sales.reservations_as_of import known_since_ms
from central.storage.database import open_database
from central.storage.schema import migrate
from central.storage.settlement_tables import settlements
from tests.central.storage.test_liveness_migration import upgraded

EMPTY = {bool: False, int: 0, str: "", bytes: b""}
DECIDED = [  # number, action, at_ms; what was settled before a reopening of which nobody decided.
    ("d", 1, "adjust", 40), ("d", 2, "reopen", 50), ("d", 3, "reopen", 70), ("e", 1, "reopen", 90),
]  # fmt: skip


def fill(connection, rows):
    """Rows of which only some columns are named."""
    found = MetaData()
    found.reflect(connection)
    for name, values in rows:
        table = found.tables[name]
        blank = {
            column.name: EMPTY[column.type.python_type]
            for column in table.columns
            if not column.nullable and column.server_default is None
        }
        connection.execute(table.insert().values(blank | values))


@pytest.fixture
def before(database_url):
    database = open_database(database_url)
    with database.write() as connection:
        upgraded(connection, "0031")
    yield database
    database.close()


@pytest.mark.parametrize(
    ("last", "since_ms"),
    [
        pytest.param(("reservations", {"reserved_ms": 900}), 900, id="set-aside-at-the-desk"),
        pytest.param(("object_events", {"event_no": 5, "at_ms": 950}), 950, id="given-up-there"),
        pytest.param(("facts", {"record_no": 5, "record_ms": 980}), 980, id="shipped"),
    ],
)
def test_what_was_set_aside_is_known_since_the_last_that_can_have_changed_it(
    before, last, since_ms
):
    with before.write() as connection:
        fill(connection, [("reservations", {"holder": "SO-1", "reserved_ms": 10}), last])
    migrate(before, generation="g")
    with before.read() as connection:
        assert known_since_ms(connection) == since_ms


def test_where_nothing_was_ever_set_aside_all_of_it_is_known(before):
    with before.write() as connection:
        fill(connection, [("facts", {"record_no": 5, "record_ms": 980})])
    migrate(before, generation="g")
    with before.read() as connection:
        assert known_since_ms(connection) == 0


def test_what_was_opened_again_had_been_settled_by_the_decision_before(before):
    with before.write() as connection:
        names = ("discrepancy", "number", "action", "at_ms")
        fill(connection, [("settlements", dict(zip(names, one, strict=True))) for one in DECIDED])
    migrate(before, generation="g")
    table = settlements.c
    with before.read() as connection:
        rows = connection.execute(
            select(table.undone_ms).order_by(table.discrepancy, table.number)
        ).scalars()
        assert list(rows) == [0, 40, 0, 0]
