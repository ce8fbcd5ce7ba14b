"""Stations are told after an upgrade what items ask for, though nobody edits their cards."""

from importlib import import_module

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations

from central.ledger.expected import read_every_change
from central.ledger.state import read_state
from central.storage.database import open_database
from central.storage.schema import migrate
from tests.central.outbox.test_touched_entries import known, served
from tests.central.scenery import set_policy
from tests.central.storage.test_as_of_migration import fill
from tests.central.storage.test_liveness_migration import upgraded

pytestmark = pytest.mark.filterwarnings(
    "ignore:Skipped unsupported reflection of expression-based index"
)
ASKED = {
    "A": {"serial_tracked": True},
    "B": {"expiry_tracked": True},
    "C": {"min_days_left_to_ship": 5},
    "D": {"inspected": True},
}


@pytest.fixture
def before(database_url):
    database = open_database(database_url)
    with database.write() as connection:
        upgraded(connection, "0036")
        state = {"generation": "g", "record_no": "0", "reference_revision": "7"}
        fill(connection, [("ledger_state", {"key": one, "value": state[one]}) for one in state])
        fill(connection, [("items", {"item": item, "unit": "C62"}) for item in ASKED])
    yield database
    database.close()


def noted(database):
    """The revision of the reference data, and what touched it since the seventh."""
    migrate(database, generation="g")
    with database.read() as connection:
        revision = read_state(connection).reference_revision
        return revision, read_every_change(connection, after=7, until=revision)


def test_items_that_ask_for_something_are_touched_once_by_one_revision(before):
    gone = {"item": "GONE", "serial_tracked": True}
    with before.write() as connection:
        policies = [{"item": item} | asked for item, asked in ASKED.items()]
        fill(connection, [("item_policies", one) for one in [*policies, gone]])
    expected = (8, [("item", "", item) for item in "ABC"])
    assert noted(before) == expected
    assert noted(before) == expected  # The next start touches nothing.


def test_where_no_item_asks_for_anything_the_revision_stays(before):
    with before.write() as connection:
        fill(connection, [("item_policies", {"item": "D", "inspected": True})])
    assert noted(before) == (7, [])


def test_a_gateway_learns_by_it_what_its_items_ask_for(database):
    outbox, _, *told = served(database)
    set_policy(database, "BOLT", serial_tracked=True, min_days_left_to_ship=5)
    outbox.settle()

    def asked(one):
        (bolt,) = [item for item in known(one).items if item.code == "BOLT"]
        return bolt.serial_tracked, bolt.expiry_tracked, bolt.min_days_left_to_ship

    assert [asked(one) for one in told] == [(False, False, 0)] * 2
    version = import_module("central.storage.migrations.versions.v0037_items_told_anew")
    with (
        database.write() as connection,
        Operations.context(MigrationContext.configure(connection)),
    ):
        version.upgrade()
    outbox.settle()
    assert [asked(one) for one in told] == [(True, False, 5)] * 2
    assert all(one.stream == one.snapshot.stream for one in told), "nobody loaded a snapshot"
