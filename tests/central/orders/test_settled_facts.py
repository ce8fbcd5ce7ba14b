"""What is proposed about a discrepancy is about every fact behind it, not the first one alone."""

import pytest

from central.orders.settling.settlement_choice import PARTS_AT_ONCE_MAX
from central.storage import tables
from tests.central.orders.settling import Settling
from tests.central.scenery import rows


@pytest.fixture
def site(database):
    made = Settling(database)
    yield made
    made.proved()


def stock(site):
    """{(place, status): whole units} in the warehouse."""
    held = rows(site.database, tables.balances, "location", "status", "on_hand_micro")
    return {(place, status): micro // 10**6 for place, status, micro in held if micro}


def held_goods_left(site):
    """3 of the held left, twice, and one was written off; 4 available ones left as they may."""
    away = {"source": "BIN-1", "business_step": "shipping"}
    site.dock.move(quantity="10", to_status="held")
    site.dock.move(quantity="4")
    site.dock.move(quantity="4", target="customer", **away)
    for _ in range(2):
        site.dock.move(quantity="3", target="customer", **away)
    site.dock.move(quantity="1", target="scrap", from_status="held", **away)
    site.send()


def test_all_held_goods_that_left_are_told_and_taken_back(site):
    held_goods_left(site)
    before = stock(site)
    assert before["BIN-1", "held"] == 3
    row = site.found("moved_unavailable")
    assert (row["facts_count"], [one["seq"] for one in row["facts"]]) == (2, [4, 5])
    told, back = row["proposals"]
    assert told["why"] == "They have left: tell customer about 6 C62."
    assert back["why"].startswith("Move 6 C62 back from customer to BIN-1")
    assert site.settle("moved_unavailable", back["body"]).status_code == 200
    assert stock(site)["BIN-1", "held"] == 9
    answer = site.ask("POST", f"/discrepancies/{row['id']}/reopen", {"reason": "no"})
    assert answer.status_code == 200, answer.text
    assert stock(site) == before


def test_all_goods_that_came_with_another_date_are_given_to_the_lot_that_was_meant(site):
    site.dock.move(quantity="1", lot="E", expiry_date="2027-01-01")
    site.dock.move(quantity="2", lot="E", expiry_date="2027-02-01")
    site.dock.move(quantity="4", lot="E", expiry_date="2027-01-01")
    site.dock.move(quantity="8", lot="E")
    site.dock.move(quantity="16", lot="E", target="BIN-2", expiry_date="2027-02-01")
    site.dock.move(quantity="32", lot="F", expiry_date="2027-02-01")
    site.send()
    row = site.found("expiry_differs")
    assert [one["seq"] for one in row["facts"]] == [2, 5]
    assert row["proposals"][-1]["why"].startswith("Move 18 C62 back from BIN-1, BIN-2 to supplier")
    assert site.settle("expiry_differs", {"action": "reassign", "lot": "F"}).status_code == 200
    held = {key: amount for key, amount in site.on_hand().items() if key[0] != "supplier"}
    assert held == {
        ("BIN-1", "E"): 13,
        ("BIN-1", "F"): 34,
        ("BIN-2", "F"): 16,
    }


@pytest.mark.parametrize("kind", ["moved_unavailable", "expiry_differs"])
def test_facts_that_are_right_hide_none_behind_them(site, kind):
    away = {"source": "BIN-1", "target": "customer", "business_step": "shipping"}
    wrong, right = {
        "moved_unavailable": (away | {"from_status": "held"}, away),
        "expiry_differs": (
            {"lot": "E", "expiry_date": "2027-02-01"},
            {"lot": "E", "expiry_date": "2027-01-01"},
        ),
    }[kind]
    site.dock.move(quantity="9", to_status="held")
    site.dock.move(quantity="600")
    site.dock.move(lot="E", expiry_date="2027-01-01")
    site.dock.move(**wrong)
    for _ in range(PARTS_AT_ONCE_MAX):
        site.dock.move(**right)
    site.dock.move(**wrong)
    site.send()
    row = site.found(kind)
    last = PARTS_AT_ONCE_MAX + 5
    assert (row["facts_count"], [one["seq"] for one in row["facts"]]) == (2, [4, last])
    answer = site.settle(kind, {"action": "reverse"})
    assert (answer.status_code, answer.json()["state"]) == (200, "settled"), answer.text
    assert len(answer.json()["settlements"][0]["facts"]) == 2
