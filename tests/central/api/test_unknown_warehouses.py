"""Every list that can be narrowed to a warehouse refuses one that is not there."""

import pytest

from central.api.parameters import PREFIX
from central.api.writing import WriteSide
from central.ledger.desk import Desk
from central.orders.following import FOLLOWERS
from tests.central.api.test_pages import whole_document
from tests.central.api.test_small_refusals import refused
from tests.central.clients import call
from tests.central.one_app import application
from tests.central.scenery import FixedClock, load

# What is asked for beside the warehouse, and what fills the parts of an address.
GOODS = {"item": "BOLT", "quantity": "1"}
BESIDE = {"/holds": {"item": "BOLT", "location": "BIN-1"}, "/putaway-suggestions": GOODS}
FILLED = {"{table}": "locations", "{code}": "FY"}


def narrowed():
    """Every address that can be asked with a warehouse, and further questions of transfers."""
    for path, methods in whole_document()["paths"].items():
        for one in methods.get("get", {}).get("parameters", ()):
            if (one["name"], one["in"]) == ("warehouse", "query"):
                yield path.removeprefix(PREFIX), "warehouse"
    for name in ("partner", "source", "destination"):
        yield "/transfers", name


NARROWED = list(narrowed())


@pytest.fixture
def app(database):
    load(database)
    clock = FixedClock()
    desk = Desk(database, clock=clock, followers=FOLLOWERS)
    made = application(database=database, clock=clock, writing=WriteSide(desk))
    body = {"period": "FY", "through": "2026-04-30"}
    assert call(made, "POST", f"{PREFIX}/periods", json=body).status_code == 201
    return made


@pytest.mark.parametrize(("path", "name"), NARROWED)
def test_a_warehouse_that_is_not_there_has_no_lists(app, path, name):
    assert len(NARROWED) > 35
    asked = BESIDE.get(path, {})
    for part, filling in FILLED.items():
        path = path.replace(part, filling)
    problem = refused(app, 422, "GET", path, params=asked | {name: "NO"})
    assert problem["detail"] == "no warehouse is called 'NO'"
    assert problem["fields"] == {"warehouse": "NO"} and problem["hint"]
    for known in ("SH1", "BJ1"):
        answer = call(app, "GET", PREFIX + path, params=asked | {name: known})
        assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("as_of", ["2026-05-01", "2026-05-01T08:00:00Z"])
@pytest.mark.parametrize("path", ["/stock", "/in-transit", "/reservations", "/discrepancies"])
def test_nor_has_it_lists_of_the_past(app, path, as_of):
    problem = refused(app, 422, "GET", path, params={"warehouse": "NO", "as_of": as_of})
    assert problem["detail"] == "no warehouse is called 'NO'"
