"""What stations decide about inspected goods closes the inspections of central, and opens again."""

import pytest

from tests.central.orders.purchasing import Purchasing


@pytest.fixture
def site(database):
    return Purchasing(database)


def arrived(site, quantity="100", *, lot="L1", document=""):
    return site.receive(
        quantity, item="RICE", lot=lot, document=document, line=1 if document else 0
    )


def say(site, quantity, becomes, *, of="inspection", target="", sent=True, **fields):
    """A station says what became of goods in BIN-1; return the number of the fact."""
    values = {
        "item": "RICE",
        "business_step": "inspecting",
        "unit": "KGM",
        "lot": "L1",
        "from_status": of,
        "to_status": becomes,
        "operator": "ann",
    }
    values |= {"source": "BIN-1", "target": target or "BIN-1"} | fields
    seq = site.gateway.move(quantity=quantity, **values)
    if sent:
        site.send()
    return seq


def inspections(site):
    names = ("in_inspection", "held", "accepted", "rejected", "scrapped", "open")
    found = site.get("/inspections")["inspections"]
    return [tuple(one[name] for name in names) for one in found]


# What the station says, in order, and what the inspection of 100 then has.
DECISIONS = [
    pytest.param([("100", "available", {})], ("0", "0", "100", "0", "0", False), id="accept"),
    pytest.param([("40", "available", {})], ("60", "0", "40", "0", "0", True), id="a part of it"),
    pytest.param(
        [("100", "rejected", {"target": "STAGE-1"})],
        ("0", "0", "0", "100", "0", False),
        id="reject to another place",
    ),
    pytest.param(
        [("100", "held", {}), ("30", "available", {"of": "held"})],
        ("0", "70", "30", "0", "0", True),
        id="hold, then accept a part",
    ),
    pytest.param(
        [("1", "", {"target": "scrap"}), ("99", "available", {})],
        ("0", "0", "99", "0", "1", False),
        id="a sample is used up",
    ),
]


@pytest.mark.parametrize(("said", "expected"), DECISIONS)
def test_what_a_station_decides_is_the_decision(site, said, expected):
    arrived(site)
    for quantity, becomes, fields in said:
        say(site, quantity, becomes, **fields)
    assert inspections(site) == [expected]
    assert site.faults() == []


def test_a_decision_tells_who_took_it_where_and_why_and_which_fact_it_is(site):
    arrived(site)
    seq = say(site, "100", "rejected", flags=("reason_damaged",), target="STAGE-1")
    (found,) = site.get("/inspections")["inspections"]
    (step,) = found["decisions"]
    assert step["fact"] == f"sh1-dock-1/{site.gateway.epoch}/{seq}"
    told = [step[name] for name in ("decision", "source", "location", "to_location")]
    assert told == ["reject", "inspection", "BIN-1", "STAGE-1"]
    assert (step["actor"], step["reason"], step["quantity"]) == ("ann", "damaged", "100")


def test_goods_that_arrive_and_are_accepted_in_one_batch_are_decided_on(site):
    fields = {"unit": "KGM", "lot": "L1"}
    site.gateway.move("RICE", "10", **fields)
    say(site, "10", "available")
    assert inspections(site) == [("0", "0", "10", "0", "0", False)]
    assert site.faults() == []


def test_a_decision_counts_for_the_oldest_inspection_first(site):
    order = site.order({"item": "RICE", "quantity": "60"})
    arrived(site, "60", document=order)
    arrived(site, "40")
    say(site, "70", "available")
    assert inspections(site) == [
        ("0", "0", "60", "0", "0", False),
        ("30", "0", "10", "0", "0", True),
    ]
    assert site.faults() == []


def test_what_the_desk_decided_before_is_not_decided_again(site):
    arrived(site)
    (one,) = site.get("/inspections")["inspections"]
    body = {"decisions": [{"decision": "accept", "quantity": "80"}]}
    site.post(f"/inspections/{one['code']}/decisions", body)
    say(site, "20", "rejected")
    assert inspections(site) == [("0", "0", "80", "20", "0", False)]
    assert site.faults() == []


def test_more_than_waits_is_a_discrepancy_and_no_decision(site):
    arrived(site)
    say(site, "130", "available")
    assert inspections(site) == [("0", "0", "100", "0", "0", False)]
    assert site.stock("RICE") == {
        ("BIN-1", "available"): 130_000_000,
        ("BIN-1", "inspection"): -30_000_000,
    }
    kinds = [kind for kind, *_ in site.discrepancies()]
    assert kinds == ["negative_balance"]
    assert site.faults() == []


@pytest.mark.parametrize("together", [False, True], ids=["in two batches", "in one batch"])
def test_a_decision_that_is_undone_opens_the_inspection_again(site, together):
    arrived(site)
    seq = say(site, "60", "available", sent=not together)
    site.gateway.reverse(seq, operator="bob")
    site.send()
    assert inspections(site) == [("100", "0", "0", "0", "0", True)]
    assert site.stock("RICE") == {("BIN-1", "inspection"): 100_000_000}
    (found,) = site.get("/inspections")["inspections"]
    assert [(one["quantity"], one["actor"]) for one in found["decisions"]] == [
        ("60", "ann"),
        ("-60", "bob"),
    ]
    assert found["arrived"] == "100"
    assert site.faults() == []


def test_a_short_pick_that_holds_available_goods_is_no_inspection(site):
    site.receive("5", item="BOLT")
    say(site, "5", "held", of="available", item="BOLT", unit="C62", lot="")
    assert site.stock("BOLT") == {("BIN-1", "held"): 5_000_000}
    assert inspections(site) == []
    assert site.faults() == []
