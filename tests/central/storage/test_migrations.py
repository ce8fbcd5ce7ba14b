"""A ledger of an older version keeps everything that it has when it is migrated."""

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import inspect, text

from central.inbox.inbox import Inbox
from central.ledger.verify import verify_ledger
from central.storage import tables
from central.storage.database import open_database
from central.storage.schema import MIGRATIONS, migrate
from tests.central.scenery import NOW_MS, FixedClock, Gateway, on_hand, rows

FACT = (
    "INSERT INTO facts VALUES (:warehouse, :gateway, :epoch, :seq, 'movement', :body, :digest,"
    " :time, :synced, :time, :number)"
)
LINE = (
    "INSERT INTO lines VALUES (:warehouse, :gateway, :epoch, :seq, :line, :number, :location,"
    " 'BOLT', 'L1', '', '', '', 'C62', :micro)"
)
BALANCE = (
    "INSERT INTO balances VALUES (:warehouse, :location, 'BOLT', 'L1', '', '', 'C62', :micro, 2)"
)
POSITION = "INSERT INTO positions VALUES (:gateway, :epoch, :warehouse, 2, :digest, :before, 0)"
GATEWAY = (
    "INSERT INTO gateways VALUES (:gateway, 'demo', :warehouse, :key, 0, :no, 0, 0, '', 0, 0, '',"
    " '', '[]')"
)


@pytest.fixture
def old_ledger(database_url):
    """A ledger of revision 0001 with two movements of one gateway, 3 and 4 pieces."""
    database = open_database(database_url)
    gateway = Gateway()
    gateway.move(quantity="3", lot="L1")
    gateway.move(quantity="4", lot="L1")
    origin = {"warehouse": "SH1", "gateway": gateway.code, "epoch": str(gateway.epoch)}
    with database.write() as connection:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for key, value in (
            ("generation", "g-1"),
            ("record_no", "2"),
            ("reference_revision", "0"),
            ("quarantine_dropped_count", "0"),
        ):
            connection.execute(
                text("INSERT INTO ledger_state VALUES (:key, :value)"), {"key": key, "value": value}
            )
        key = {"key": gateway.public_key, "no": False}
        connection.execute(text(GATEWAY), origin | key)
        heads = {"digest": gateway.head, "before": gateway.previous_head}
        connection.execute(text(POSITION), origin | heads)
        for seq, pieces in ((1, 3), (2, 4)):
            fact = origin | {"seq": seq, "number": seq, "time": NOW_MS, "synced": True}
            blobs = {"body": gateway.bodies[seq - 1], "digest": gateway.digests[seq]}
            connection.execute(text(FACT), fact | blobs)
            for line, location, sign in ((1, "supplier", -1), (2, "BIN-1", 1)):
                side = {"line": line, "location": location, "micro": sign * pieces * 10**6}
                connection.execute(text(LINE), fact | side)
        for location, micro in (("supplier", -7_000_000), ("BIN-1", 7_000_000)):
            side = {"location": location, "micro": micro}
            connection.execute(text(BALANCE), origin | side)
    yield database, gateway
    database.close()


def test_an_older_ledger_keeps_its_facts_lines_and_balances_and_goes_on(old_ledger):
    database, gateway = old_ledger
    migrate(database, generation="another")
    assert rows(database, tables.lines, "record_no", "line_no", "location", "lot") == [
        (1, 1, "supplier", "L1"),
        (1, 2, "BIN-1", "L1"),
        (2, 1, "supplier", "L1"),
        (2, 2, "BIN-1", "L1"),
    ]
    for table in (tables.lines, tables.balances):
        assert set(rows(database, table, "status", "weight_micro")) == {("available", 0)}
    report = verify_ledger(database)
    assert (report.facts_count, report.lines_count, report.faults) == (2, 4, ())
    gateway.reverse(1)
    gateway.move(quantity="5", lot="L1")
    (outcome,) = Inbox(database, clock=FixedClock()).accept([gateway.offer()])
    assert (outcome.kind, outcome.ack.acked) == ("accepted", 4)
    assert on_hand(database)["SH1", "BIN-1", "L1"] == 9_000_000
    assert verify_ledger(database).faults == ()


@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
def test_what_changed_since_a_record_number_is_found_by_the_key_of_lines(old_ledger):
    database, _ = old_ledger
    migrate(database, generation="another")
    with database.read() as connection:
        # An older connection of SQLite describes the schema that it last read.
        connection.execute(text("SELECT 1 FROM lines"))
        indexes = {
            index["name"]: index["column_names"]
            for name in ("balances", "lines")
            for index in inspect(connection).get_indexes(name)
        }
        key = inspect(connection).get_pk_constraint("lines")["constrained_columns"]
    # Each posting changes balances: no index has what changes of them.
    changing = {"on_hand_micro", "record_no", "weight_micro"}
    of_balances = {name: set(columns) for name, columns in indexes.items() if "balances" in name}
    assert not [name for name, columns in of_balances.items() if columns & changing]
    assert key == ["warehouse", "record_no", "line_no"]
