"""Every address answers what the OpenAPI document says, whatever it is asked."""

import os

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from central.api.context import Entrance, Outgoing
from central.api.writing import WriteSide
from central.inbox.inbox import Inbox
from central.ledger.desk import Desk
from central.orders.following import FOLLOWERS
from central.outbox.snapshot import Snapshots
from central.storage.database import open_database
from central.storage.schema import migrate
from central.web.app import create_app
from tests.central.scenery import FixedClock, Gateway, enrol, load

# More of both in a campaign: OPENAPI_EXAMPLES=200 pytest tests/central/api/test_openapi.py
EXAMPLES = int(os.environ.get("OPENAPI_EXAMPLES", "4"))
CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
)


@pytest.fixture(scope="module")
def schema(tmp_path_factory):
    database = open_database(f"sqlite:///{tmp_path_factory.mktemp('openapi') / 'ledger.db'}")
    migrate(database, generation="g")
    load(database)
    gateway = Gateway()
    enrol(database, gateway)
    clock = FixedClock()
    inbox = Inbox(database, clock=clock, followers=FOLLOWERS)
    gateway.move(quantity="12", document="PO-1", document_line=1, lot="L1")
    gateway.move(quantity="5", source="BIN-1", target="BIN-2", lot="L1", serial="S1")
    gateway.move("WHAT", target="NOWHERE")
    inbox.accept([gateway.offer()])
    snapshots = Snapshots(
        database, clock=clock, sign=gateway.key.sign, new_name=lambda: "n", told=lambda: None
    )
    app = create_app(
        database=database,
        clock=clock,
        site="demo",
        entrance=Entrance(
            inbox=inbox, sign=gateway.key.sign, counters=dict, credit=lambda: 1000
        ),
        telling=Outgoing(snapshots=snapshots, told=lambda: None, new_name=lambda: "n"),
        writing=WriteSide(Desk(database, clock=clock, followers=FOLLOWERS)),
    )
    yield schemathesis.openapi.from_asgi("/openapi.json", app)
    database.close()


def test_each_address_answers_what_the_document_says_whatever_it_is_asked(schema):
    faults = []
    for result in schema.get_all_operations():
        operation = result.ok()
        try:
            _asked(operation)
        except Exception as error:  # noqa: BLE001 - every address is tried, then all are named.
            faults.append(f"{operation.label}: {error}")
    assert not faults, "\n\n".join(faults)


def _asked(operation):
    @given(case=operation.as_strategy())
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def ask(case):
        case.call_and_validate(checks=CHECKS)

    ask()
