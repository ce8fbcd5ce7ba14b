"""Of a quantity below what moved the rest stays open, of whatever kind, until it is settled too."""

import pytest

from tests.central.orders.settling import Settling
from tests.central.scenery import set_policy


@pytest.fixture
def site(database):
    made = Settling(database)
    set_policy(database, "BOLT", lot_tracked=True)
    yield made
    made.proved()


def lot_missing(site):
    site.dock.move(quantity="10")
    return {"action": "reassign", "lot": "L1"}


def unit_differs(site):
    site.dock.move(quantity="10", unit="XPX", lot="L0")
    return {"action": "reassign", "factor": "1"}


def unknown_item(site):
    site.dock.move("B0LT", quantity="10", lot="L0")
    return {"action": "reassign", "item": "BOLT"}


@pytest.mark.parametrize("made", [lot_missing, unit_differs, unknown_item])
def test_what_a_quantity_leaves_of_a_fact_stays_open(site, made):
    body = made(site)
    site.send()
    kind = made.__name__
    answer = site.settle(kind, body | {"quantity": "4"})
    assert (answer.status_code, answer.json()["state"]) == (200, "open"), answer.text
    answer = site.settle(kind, body | {"quantity": "7"})
    assert answer.status_code == 422
    assert "moved 6, not 7" in answer.text
    answer = site.settle(kind, body | {"quantity": "5"})
    assert (answer.status_code, answer.json()["state"]) == (200, "open")
    answer = site.settle(kind, body)
    assert (answer.status_code, answer.json()["state"]) == (200, "settled")
    total = sum(amount for (place, _), amount in site.on_hand().items() if place == "BIN-1")
    assert total == 10
    identity = site.found(kind, state="settled")["id"]
    again = {"reason": "no", "take_back": True}
    answer = site.ask("POST", f"/discrepancies/{identity}/reopen", again)
    assert answer.status_code == 200, answer.text
    answer = site.settle(kind, body)
    assert (answer.status_code, answer.json()["state"]) == (200, "settled")


def test_all_of_it_settles_it(site):
    body = lot_missing(site)
    site.send()
    answer = site.settle("lot_missing", body | {"quantity": "10"})
    assert (answer.status_code, answer.json()["state"]) == (200, "settled")
    assert site.on_hand()["BIN-1", "L1"] == 10
