"""Goods of catch weight that were not weighed: somebody says what they weighed, or leaves it."""

import pytest

from central.storage import tables
from tests.central.orders.settling import Settling
from tests.central.scenery import rows, set_policy


@pytest.fixture
def site(database):
    made = Settling(database)
    set_policy(database, "BOLT", weight_unit="GRM")
    yield made
    made.proved()


def held(site):
    """{location: (pieces, grams)} of all lots, zeros left out."""
    sums = {}
    for location, *amounts in rows(
        site.database, tables.balances, "location", "on_hand_micro", "weight_micro"
    ):
        before = sums.get(location, (0, 0))
        sums[location] = tuple(
            (was + more / 10**6) for was, more in zip(before, amounts, strict=True)
        )
    return {location: amounts for location, amounts in sums.items() if any(amounts)}


def test_what_came_unweighed_gets_its_weight_at_the_desk(site):
    site.dock.move(quantity="5", net_weight="4", weight_unit="KGM")
    site.dock.move(quantity="3")
    site.send()
    row = site.found("weight_missing")
    assert (row["cause"], row["actual"], row["proposals"]) == ("goods", "3", [])
    body = {"action": "reassign", "weight": "2500"}
    assert site.settle("weight_missing", {"action": "reassign"}).status_code == 422
    answer = site.settle("weight_missing", body)
    assert answer.status_code == 200, answer.text
    assert held(site) == {"BIN-1": (8, 6500), "supplier": (-8, -6500)}
    reopened = site.ask("POST", f"/discrepancies/{row['id']}/reopen", {"reason": "no"})
    assert reopened.status_code == 200, reopened.text
    assert held(site) == {"BIN-1": (8, 4000), "supplier": (-8, -4000)}


def test_what_left_unweighed_took_its_share_or_what_somebody_says(site):
    site.dock.move(quantity="3", net_weight="2500", weight_unit="GRM")
    site.dock.move(quantity="2", source="BIN-1", target="customer")
    site.send()
    row = site.found("weight_missing")
    assert [one["body"] for one in row["proposals"]] == [{"action": "accept"}]
    answer = site.settle("weight_missing", {"action": "reassign", "weight": "1600"})
    assert answer.status_code == 200, answer.text
    assert held(site) == {
        "BIN-1": (1, 900),
        "customer": (2, 1600),
        "supplier": (-3, -2500),
    }


def test_what_came_unweighed_goes_back_without_a_weight(site):
    site.dock.move(quantity="5", net_weight="4", weight_unit="KGM")
    site.dock.move(quantity="3")
    site.send()
    assert site.settle("weight_missing", {"action": "reverse"}).status_code == 200
    assert held(site) == {"BIN-1": (5, 4000), "supplier": (-5, -4000)}


def test_a_weight_is_that_of_one_fact(site):
    site.dock.move(quantity="3")
    site.dock.move(quantity="2")
    site.dock.move(quantity="2", lot="L1")
    site.dock.move(quantity="1", source="BIN-1", target="BIN-2")
    site.send()
    first = next(
        row
        for row in site.get("/discrepancies?kind=weight_missing")["discrepancies"]
        if not row["lot"]
    )
    path = f"/discrepancies/{first['id']}"
    assert [one["seq"] for one in site.get(path)["facts"]] == [1, 2]
    body = {"action": "reassign", "weight": "700", "reason": "weighed now"}
    answer = site.ask("POST", f"{path}/settle", body)
    assert answer.status_code == 422 and "of one fact" in answer.text
    fact = site.get(path)["facts"][1]
    name = f"{fact['gateway']}/{fact['epoch']}/{fact['seq']}"
    answer = site.ask("POST", f"{path}/settle", body | {"facts": [name]})
    assert answer.status_code == 200, answer.text
    assert held(site)["BIN-1"] == (6, 700)
