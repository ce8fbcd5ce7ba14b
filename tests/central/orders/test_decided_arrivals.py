"""What a station takes back of goods that were decided on: what they became, nobody else's."""

import pytest

from tests.central.orders.settling import Settling
from tests.central.orders.test_settled_statuses import stock
from tests.central.scenery import set_policy

FIGURES = ("arrived", "in_inspection", "held", "accepted", "rejected", "scrapped")
NONE = (0, 0, 0, 0, 0, 0)


@pytest.fixture
def site(database):
    """10 of PO-1 wait for inspection at BIN-1."""
    set_policy(database, "BOLT", inspected=True)
    made = Settling(database)
    came(made, "10", document="PO-1")
    yield made
    made.proved()


def came(site, quantity, **fields):
    """The number of a fact by which goods came."""
    site.dock.move("BOLT", quantity, document_line=1, **fields)
    site.send()
    return len(site.dock.bodies)


def undone(site, *seqs):
    for seq in seqs:
        site.dock.reverse(seq)
    site.send()


def inspections(site):
    """What the figures of each inspection are, by its document."""
    rows = site.get("/inspections")["inspections"]
    return {row["document"]: tuple(int(row[name]) for name in FIGURES) for row in rows}


def decided(site, document, *decisions):
    (row,) = site.get(f"/inspections?document={document}")["inspections"]
    asked = [
        {"decision": decision, "quantity": quantity, "reason": "looked at"} | fields
        for decision, quantity, fields in decisions
    ]
    site.post(f"/inspections/{row['code']}/decisions", {"decisions": asked})


def opened(site):
    return [
        row["subject"] for row in site.get("/discrepancies?kind=negative_balance")["discrepancies"]
    ]


@pytest.mark.parametrize(
    "decisions",
    [
        [("accept", "6", {})],
        [("reject", "6", {})],
        [("hold", "6", {})],
        [("accept", "3", {}), ("reject", "2", {}), ("hold", "1", {})],
        [("hold", "6", {}), ("accept", "4", {"source": "held"})],
        [("hold", "6", {}), ("scrap", "2", {"source": "held"})],
        [("reject", "6", {}), ("scrap", "2", {"source": "rejected"})],
        [("sample_used", "1", {}), ("accept", "2", {})],
        [("accept", "6", {"to_location": "BIN-2"})],
        [("hold", "6", {"to_location": "BIN-2"}), ("accept", "1", {"source": "held"})],
    ],
)
def test_what_was_decided_of_a_receipt_goes_with_it_and_nothing_else(site, decisions):
    before = inspections(site)["PO-1"]
    seq = came(site, "6", document="PO-2")
    decided(site, "PO-2", *decisions)
    undone(site, seq)
    assert stock(site, "BOLT") == {("BIN-1", "inspection"): 10}
    assert inspections(site) == {"PO-1": before, "PO-2": NONE}
    assert opened(site) == []
    decided(site, "PO-1", ("accept", "10", {}))
    assert stock(site, "BOLT") == {("BIN-1", "available"): 10}


def test_what_is_not_there_any_more_of_what_was_accepted_is_told(site):
    seq = came(site, "6", document="PO-2")
    decided(site, "PO-2", ("accept", "6", {}))
    site.dock.move("BOLT", "6", source="BIN-1", target="BIN-2", business_step="storing")
    undone(site, seq)
    assert opened(site) == ["BIN-1/BOLT////C62"]
    assert site.settle("negative_balance").status_code == 200
    assert stock(site, "BOLT") == {("BIN-1", "inspection"): 10}
    assert inspections(site)["PO-2"] == NONE


def test_a_receipt_of_two_gives_back_what_cannot_lie_elsewhere(site):
    seq = came(site, "6", document="PO-2")
    other = came(site, "4", document="PO-2", target="BIN-2")
    decided(site, "PO-2", ("accept", "6", {"location": "BIN-1"}))
    undone(site, seq)
    assert stock(site, "BOLT") == {("BIN-1", "inspection"): 10, ("BIN-2", "inspection"): 4}
    assert inspections(site)["PO-2"] == (4, 4, 0, 0, 0, 0)
    undone(site, other)
    assert inspections(site)["PO-2"] == NONE


def test_two_receipts_taken_back_at_once_share_what_was_decided(site):
    seqs = [came(site, quantity, document="PO-2") for quantity in ("6", "4")]
    decided(site, "PO-2", ("accept", "7", {}), ("reject", "3", {}))
    undone(site, *seqs)
    assert stock(site, "BOLT") == {("BIN-1", "inspection"): 10}
    assert inspections(site)["PO-2"] == NONE


def test_a_station_takes_its_decision_and_then_its_receipt_back(site):
    decided(site, "PO-1", ("accept", "10", {}))
    seq = came(site, "6", document="PO-2")
    site.dock.move(
        "BOLT",
        "6",
        source="BIN-1",
        target="BIN-1",
        business_step="inspecting",
        from_status="inspection",
        to_status="available",
    )
    site.send()
    assert inspections(site)["PO-2"] == (6, 0, 0, 6, 0, 0)
    undone(site, seq + 1, seq)
    assert stock(site, "BOLT") == {("BIN-1", "available"): 10}
    assert inspections(site)["PO-2"] == NONE


def test_a_decision_that_took_other_goods_is_taken_back_where_it_took_them(site):
    site.dock.move("BOLT", "6", target="BIN-2")
    site.send()
    seq = len(site.dock.bodies)
    (row,) = [one for one in site.get("/inspections")["inspections"] if not one["document"]]
    asked = {"decision": "accept", "quantity": "6"}  # Of no place: of BIN-1, which comes first.
    site.post(f"/inspections/{row['code']}/decisions", {"decisions": [asked]})
    undone(site, seq)
    assert stock(site, "BOLT") == {("BIN-1", "inspection"): 4, ("BIN-2", "inspection"): 6}
    assert inspections(site)[""] == NONE


def test_goods_of_a_catch_weight_go_back_with_what_they_weighed(database):
    set_policy(database, "NUT", weight_unit="KGM", inspected=True)
    site = Settling(database)
    site.dock.move("NUT", "3", net_weight="12.1", weight_unit="KGM", document="PO-1")
    site.dock.move("NUT", "2", net_weight="8.5", weight_unit="KGM", document="PO-2")
    site.send()
    decided(site, "PO-2", ("accept", "2", {}))
    undone(site, 2)
    rows = site.get("/stock?item=NUT&warehouse=SH1")["stock"]
    assert [(row["status"], row["on_hand"]) for row in rows] == [("inspection", "3")]
    site.proved()
