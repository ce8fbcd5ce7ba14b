"""A code that was meant for another item: its goods get the statuses that they had in the books."""

import pytest

from central.contract.reference import DocumentLine, ExpectedDocument, Item
from central.ledger.reference_desk import put_document, put_item
from central.storage import tables
from tests.central.orders.settling import Settling
from tests.central.orders.test_settled_decisions import opened_again
from tests.central.scenery import rows, set_policy

SOLD = {"source": "BIN-1", "target": "customer", "business_step": "shipping"}
PUT_AWAY = {"source": "BIN-1", "target": "BIN-2", "business_step": "storing"}
SAID = {"source": "BIN-1", "target": "BIN-1", "business_step": "inspecting"}
SCENES = {
    # What was held was not there yet; the receipt before the last is found in two statuses.
    "decided before it came": (
        {"quantity": "2"},
        {"quantity": "1", **PUT_AWAY},
        {"quantity": "2", "to_status": "held", **SAID},
        {"quantity": "6"},
        {"quantity": "2", "to_status": "available", **SAID},
        {"quantity": "3", "target": "BIN-2", "to_status": "rejected"},
    ),
    "below zero": (
        {"quantity": "2"},
        {"quantity": "3", **SOLD, "source": "BIN-2"},
        {"quantity": "2", **PUT_AWAY},
        {"quantity": "2", "to_status": "inspection", **SAID},
        {"quantity": "4"},
    ),
    # What left when nothing else was there waited for inspection.
    "left uninspected": (
        {"quantity": "2"},
        {"quantity": "14", "to_status": "inspection"},
        {"quantity": "3", **SOLD},
        {"quantity": "4", **SOLD},
        {"quantity": "9"},
    ),
    "decided while available": (
        {"quantity": "8"},
        {"quantity": "2", "to_status": "rejected", **PUT_AWAY, "business_step": "inspecting"},
        {"quantity": "4", "to_status": "inspection"},
    ),
}


def stock(site, item):
    """{(place, status): whole units} in the warehouse, zeros left out."""
    names = ("item", "location", "status", "on_hand_micro")
    found = rows(site.database, tables.balances, *names)
    return {
        (location, status): micro // 10**6
        for code, location, status, micro in found
        if code == item and micro and location.startswith("BIN")
    }


def of_a_code_that_nobody_knows(database, scene):
    site = Settling(database)
    for fields in SCENES[scene]:
        site.dock.move("GADGET", **fields)
    site.send()
    return site


@pytest.mark.parametrize("scene", SCENES)
def test_a_code_is_settled_with_the_statuses_that_its_goods_had_and_nothing_stays_of_it(
    database, scene
):
    site = of_a_code_that_nobody_knows(database, scene)
    before = stock(site, "GADGET")
    body = {"action": "reassign", "item": "BOLT", "factor": "1"}
    assert site.settle("unknown_item", body).status_code == 200
    assert (stock(site, "GADGET"), stock(site, "BOLT")) == ({}, before)
    site.proved()
    opened_again(site, "unknown_item")
    assert (stock(site, "GADGET"), stock(site, "BOLT")) == (before, {})
    site.proved()


def test_a_factor_counts_for_goods_of_each_status(database):
    site = of_a_code_that_nobody_knows(database, "left uninspected")
    before = stock(site, "GADGET")
    body = {"action": "reassign", "item": "BOLT", "factor": "12"}
    assert site.settle("unknown_item", body).status_code == 200
    assert stock(site, "BOLT") == {key: 12 * units for key, units in before.items()}
    site.proved()


def test_of_goods_that_come_to_wait_for_inspection_nothing_is_said_to_be_available(database):
    site = Settling(database)
    set_policy(database, "BOLT", inspected=True)
    site.dock.move("GADGET", "5")
    site.dock.move("GADGET", "1", to_status="held")
    site.dock.move("GADGET", "2", **PUT_AWAY)
    site.send()
    body = {"action": "reassign", "item": "BOLT", "factor": "1"}
    assert site.settle("unknown_item", body).status_code == 200
    assert stock(site, "BOLT") == {
        ("BIN-1", "inspection"): 3,
        ("BIN-1", "held"): 1,
        ("BIN-2", "inspection"): 2,
    }
    site.proved()


def test_of_a_line_that_got_too_much_each_part_keeps_the_statuses_that_it_had(database):
    """Of 5 that left, 3 of which waited for inspection, the last 2 did not leave."""
    site = Settling(database)
    line = DocumentLine(line=1, item="BOLT", quantity="3")
    told = ExpectedDocument(
        code="SO-9", warehouse="SH1", partner="Shop", kind="shipment", lines=(line,)
    )
    with site.desk.change(actor="x") as change:
        put_document(change, told)
    site.dock.move(quantity="2")
    site.dock.move(quantity="8", to_status="inspection")
    weighed = {"net_weight": "1", "weight_unit": "KGM"}
    site.dock.move(quantity="5", document="SO-9", document_line=1, **weighed, **SOLD)
    site.dock.move(quantity="9")
    site.send()
    assert stock(site, "BOLT") == {("BIN-1", "available"): 9, ("BIN-1", "inspection"): 5}
    body = {"action": "reverse", "quantity": "2"}
    assert site.settle("over_shipped", body).status_code == 200
    assert stock(site, "BOLT") == {("BIN-1", "available"): 9, ("BIN-1", "inspection"): 7}
    opened_again(site, "over_shipped")
    assert stock(site, "BOLT") == {("BIN-1", "available"): 9, ("BIN-1", "inspection"): 5}
    site.proved()


@pytest.mark.parametrize(
    ("asks", "kind"),
    [
        ({"lot_tracked": True}, "lot_missing"),
        ({"serial_tracked": True}, "serial_missing"),
    ],
)
def test_goods_that_are_named_at_the_desk_are_asked_for_what_their_item_asks_for(
    database, asks, kind
):
    site = Settling(database)
    set_policy(database, "BOLT", **asks)
    site.dock.move("GADGET", "3")
    site.send()
    assert site.get(f"/discrepancies?kind={kind}")["discrepancies"] == []
    body = {"action": "reassign", "item": "BOLT", "factor": "1"}
    assert site.settle("unknown_item", body).status_code == 200
    row = site.found(kind)
    assert (row["item"], row["location"], row["facts_count"]) == ("BOLT", "BIN-1", 1)
    assert [one["body"]["action"] for one in row["proposals"]] == ["accept"]
    site.proved()
    opened_again(site, "unknown_item")
    assert site.found(kind, "settled")["facts_count"] == 1
    site.proved()


def test_goods_of_a_code_whose_card_says_later_that_they_are_inspected_wait_for_it(database):
    site = Settling(database)
    site.dock.move("GADGET", "3")
    site.dock.move("GADGET", "1", **PUT_AWAY)
    site.send()
    set_policy(database, "GADGET", inspected=True)
    with site.desk.change(actor="x") as change:
        put_item(change, Item(code="GADGET", name="G", name_zh="G", unit="C62"))
    before = {("BIN-1", "available"): 2, ("BIN-2", "available"): 1}
    assert stock(site, "GADGET") == before
    refused = site.settle("unknown_item", {"action": "accept"})
    assert refused.status_code == 409
    assert "2 of its movements were not" in refused.json()["detail"]
    answer = site.settle("unknown_item")
    assert (answer.status_code, answer.json()["state"]) == (200, "settled"), answer.text
    assert stock(site, "GADGET") == {(*key[:1], "inspection"): n for key, n in before.items()}
    site.proved()
    site.dock.move("GADGET", "5", target="BIN-3")
    site.send()
    assert stock(site, "GADGET")["BIN-3", "inspection"] == 5
    site.proved()
