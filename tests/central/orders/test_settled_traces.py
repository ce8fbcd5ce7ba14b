"""The trace of a lot goes on with the lot that it was settled to be, until that is taken back."""

import pytest

from tests.central.orders.settling import Settling


@pytest.fixture
def site(database):
    made = Settling(database)
    yield made
    made.proved()


def traced(site, lot):
    """What is known of a lot: [(lot, place, quantity)] of its ends, {(lot, place)} where it is."""
    found = site.get(f"/trace?item=BOLT&lot={lot}")
    assert found["complete"]
    numbers = [step["record_no"] for step in found["steps"]]
    assert numbers == sorted(set(numbers))
    ends = (
        [(end["lot"], end["location"], end["quantity"]) for end in found[way]]
        for way in ("came_from", "went_to")
    )
    return *ends, {(one["lot"], one["location"]) for one in found["whereabouts"]}


def settled(site, lot):
    return [
        (one["from_lot"], one["to_lot"], one["quantity"])
        for one in site.get(f"/trace?item=BOLT&lot={lot}")["settled"]
    ]


def misread(site, *, shipped="L0", is_of="LI", quantity="2"):
    """Ship pieces of a lot as another one, and settle as proposed that they were of it."""
    site.dock.move(quantity="6", lot=is_of, target="BIN-2")
    site.dock.move(quantity=quantity, lot=shipped, source="BIN-2", target="customer")
    site.send()
    answer = site.settle("negative_balance", {"action": "reassign", "lot": is_of})
    assert answer.status_code == 200, answer.text


def test_a_recall_finds_what_left_as_another_lot(site):
    misread(site)
    came, went, here = [("LI", "supplier", "6")], [("L0", "customer", "2")], {("LI", "BIN-2")}
    assert traced(site, "LI") == (came, went, here)
    assert traced(site, "L0") == (came, went, set())
    assert settled(site, "LI") == settled(site, "L0") == [("LI", "L0", "2")]


def test_a_trace_goes_on_through_several_settlements_one_way_at_a_time(site):
    site.dock.move(quantity="9", lot="L1", target="BIN-2")
    site.dock.move(quantity="1", lot="L1", source="BIN-2", target="scrap")
    site.send()
    misread(site, shipped="L0", is_of="LI")
    misread(site, shipped="LI", is_of="L1", quantity="5")
    came, went, here = traced(site, "LI")
    assert came == [("L1", "supplier", "15"), ("LI", "supplier", "6")]
    assert sorted(went) == [("L0", "customer", "2"), ("LI", "customer", "5")]
    assert traced(site, "L0")[0] == came and traced(site, "L0")[1] == [("L0", "customer", "2")]
    assert sorted(traced(site, "L1")[1]) == [("L0", "customer", "2"), ("L1", "scrap", "1"),
                                             ("LI", "customer", "5")]  # fmt: skip
    assert here == set()


def test_a_settlement_that_was_taken_back_is_not_followed(site):
    misread(site)
    row = site.found("negative_balance", "settled")
    body = {"reason": "no", "take_back": True}
    answer = site.ask("POST", f"/discrepancies/{row['id']}/reopen", body)
    assert answer.status_code == 200, answer.text
    assert settled(site, "LI") == settled(site, "L0") == []
    assert traced(site, "LI") == ([("LI", "supplier", "6")], [], {("LI", "BIN-2")})
    assert traced(site, "L0") == ([], [("L0", "customer", "2")], {("L0", "BIN-2")})


def test_what_a_count_finds_is_no_other_lot(site):
    site.dock.move(quantity="6", lot="LI", target="BIN-2")
    site.dock.move(quantity="2", lot="L0", source="BIN-2", target="customer")
    site.send()
    assert site.settle("negative_balance", {"action": "adjust", "counted": "0"}).status_code == 200
    assert traced(site, "L0")[0] == [("L0", "adjustment", "2")]
    assert traced(site, "LI")[1] == [] and settled(site, "L0") == []
