"""What a ledger of the release before held is still there, and works, after its migration."""

from alembic import command
from alembic.config import Config
from sqlalchemy import MetaData, text

from central.contract.states import GatewayState, encode_state
from central.inbox.gateways import record_states
from central.inbox.time_correction import TimeCorrection
from central.stock.discrepancy_times import DiscrepancyFilter
from central.stock.states import list_discrepancies, list_gateways
from central.storage.database import open_database
from central.storage.schema import MIGRATIONS, migrate
from tests.central.scenery import FixedClock


def upgraded(connection, revision):
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def fill(connection):
    """One gateway, one discrepancy and one fact as the release before wrote them."""
    found = MetaData()
    found.reflect(connection)
    rows = {
        "gateways": {
            "gateway": "gw-1",
            "site": "demo",
            "warehouse": "SH1",
            "public_key": b"k" * 32,
            "online": True,
            "devices_json": "[]",
        },
        "discrepancies": {"id": "d", "warehouse": "SH1", "kind": "fork", "state": "open"},
        "facts": {
            "warehouse": "SH1",
            "gateway": "gw-1",
            "epoch": "00000001-0000000000000001",
            "kind": "movement",
            "clock_synced": False,
        },
    }
    for name, values in rows.items():
        table = found.tables[name]
        blank = {
            column.name: {bool: False, int: 0, str: "", bytes: b""}[column.type.python_type]
            for column in table.columns
            if not column.nullable and column.server_default is None
        }
        connection.execute(table.insert().values(blank | values))


def test_gateways_discrepancies_and_facts_survive(database_url):
    database = open_database(database_url)
    with database.write() as connection:
        upgraded(connection, "0003")
        fill(connection)
    migrate(database, generation="g")
    with database.read() as connection:
        (gateway,) = list_gateways(connection, limit=9)
        (row,) = list_discrepancies(connection, DiscrepancyFilter(), before=None, limit=9)
        kept = connection.execute(text("SELECT count(*) FROM facts")).scalar_one()
    assert (gateway.code, gateway.online, gateway.clock_synced) == ("gw-1", True, True)
    assert (gateway.told_time_ms, gateway.lost_count, gateway.known_time_ms) == (0, 0, None)
    assert (row.state, row.settlement, row.settled_time_ms) == ("open", "", 0)
    assert kept == 1
    state = GatewayState(gateway="gw-1", warehouse="SH1", epoch="e", online=True, time_ms=5)
    assert record_states(database, [("gw-1", encode_state(state))], clock=FixedClock())
    assert TimeCorrection(database, clock=FixedClock()).tick() == 0  # Its bytes are no fact.
    database.close()
