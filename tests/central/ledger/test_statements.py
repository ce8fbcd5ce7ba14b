"""How many statements a change at the desk costs: no look-up is paid that cannot matter."""

import pytest

from central.ledger.desk import Desk
from tests.central.scenery import FixedClock, load

PLAIN = {"from_location": "adjustment"}
COSTS = [
    pytest.param(PLAIN, 8, id="plain"),
    pytest.param(PLAIN | {"to_status": "held"}, 8, id="of a status"),
    pytest.param(PLAIN | {"net_weight": "2.5", "weight_unit": "KGM"}, 8, id="weighed"),
    pytest.param(PLAIN | {"serial": "S1"}, 10, id="a serial number"),
    pytest.param(PLAIN | {"lot": "L1", "expiry_date": "2027-01-31"}, 9, id="a dated lot"),
    pytest.param({"document": "PO-1", "document_line": 1}, 10, id="under a document"),
]


def said_by(desk, count, **fields):
    """The statements of one change that posts so many movements, without BEGIN and COMMIT."""
    said = []
    with desk.change(actor="li.na") as change:
        raw = change.connection.connection.driver_connection
        raw.set_trace_callback(said.append)
        values = {
            "business_step": "storing",
            "from_location": "supplier",
            "to_location": "BIN-1",
            "item": "BOLT",
            "unit": "C62",
            "quantity_micro": 1_000,
        }
        drafts = [change.movement(warehouse="SH1", **(values | fields)) for _ in range(count)]
        change.post(drafts)
        raw.set_trace_callback(None)
    # Of many rows SQLite is told one by one, with the same statement.
    kinds = [statement.split("VALUES")[0] for statement in said]
    return [one for one, before in zip(kinds, ["", *kinds], strict=False) if one != before]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("fields", "most"), COSTS)
def test_a_movement_at_the_desk_takes_few_statements(database, fields, most):
    load(database)
    desk = Desk(database, clock=FixedClock())
    said_by(desk, 1, **fields)  # What is known of items and places is remembered from now on.
    statements = said_by(desk, 1, **fields)
    assert 1 + len(statements) <= most, statements  # The lock was taken before.
    assert len(said_by(desk, 100, **fields)) <= len(statements)
