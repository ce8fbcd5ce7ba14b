"""What a gateway undoes after it was settled is taken back as what the settlement made of it."""

import pytest

from central.contract.reference import DocumentLine, ExpectedDocument
from central.ledger.reference_desk import put_document
from central.orders.settling import settlement_steps
from central.orders.transfers.transfer_book import LineWanted, create_transfer, decide
from tests.central.orders.settling import Settling
from tests.central.orders.test_settlement_proposals import DOCUMENT, _in_chinese
from tests.central.scenery import set_policy

FIGURES = ("arrived", "in_inspection", "held", "accepted", "rejected", "scrapped")
DRILL = {"item": "DRILL", "serial": "S1", "quantity": "1"}
MILK = {"item": "MILK", "quantity": "5"}


@pytest.fixture
def site(database):
    made = Settling(database, DOCUMENT)
    set_policy(database, "HAM", weight_unit="GRM")
    set_policy(database, "QI", inspected=True)
    set_policy(database, "MILK", expiry_tracked=True, lot_tracked=True)
    set_policy(database, "DRILL", serial_tracked=True)
    lines = (DocumentLine(line=1, item="BOLT", quantity="4"),)
    two = ExpectedDocument(
        code="PO-2", warehouse="SH1", partner="Acme", kind="receipt", lines=lines
    )
    with made.desk.change(actor="x") as change:
        put_document(change, two)
    yield made
    made.proved()


def stock(site):
    """Whole units at each place inside, of all items, by warehouse, and what they weigh."""
    found = {}
    for warehouse in ("SH1", "BJ1"):
        for row in site.get(f"/stock?warehouse={warehouse}&limit=500")["stock"]:
            if row["on_hand"] != "0" or row.get("weight", "0") not in ("0", ""):
                what = tuple(row[name] for name in ("item", "lot", "serial", "status"))
                found[warehouse, row["location"], *what] = (row["on_hand"], row.get("weight", ""))
    return found


def undo(site, seq, gateway=None):
    gateway = gateway or site.dock
    gateway.reverse(seq)
    site.send(gateway)


def settle(site, kind, **body):
    answer = site.settle(kind, body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def unmatched(site, kind="reversal_unmatched"):
    """The undoing that is open, with its proposals, each in words of both languages."""
    row = site.found(kind)
    assert all(_in_chinese(one["why"]) for one in row["proposals"]), row["proposals"]
    return row


def take_back(site, kind="reversal_unmatched"):
    """Settle it as proposed first."""
    first = unmatched(site, kind)["proposals"][0]
    assert first["body"]["action"] == "reverse"
    answer = site.settle(kind, first["body"])
    assert (answer.status_code, answer.json()["state"]) == (200, "settled"), answer.text


def nothing_open(site):
    found = site.get("/discrepancies?state=open")["discrepancies"]
    return [(one["kind"], one["subject"]) for one in found] == []


# What a station said, and how it was settled: each is posted anew.
SETTLED = {
    "lot": ("lot_missing", MILK, {"action": "reassign", "lot": "L1"}),
    "lot of a shipment": (
        "lot_missing",
        MILK | {"source": "BIN-2", "target": "customer", "business_step": "shipping"},
        {"action": "reassign", "lot": "L1"},
    ),
    "part of a lot": ("lot_missing", MILK, {"action": "reassign", "lot": "L1", "quantity": "2"}),
    "item": ("unknown_item", {"item": "BLOT", "quantity": "5"}, {"item": "BOLT"}),
    "item with serial": ("unknown_item", DRILL | {"item": "DRLL"}, {"item": "DRILL"}),
    "item to inspect": ("unknown_item", {"item": "QUI", "quantity": "5"}, {"item": "QI"}),
    "item by a factor": (
        "unknown_item",
        {"item": "BX", "quantity": "5"},
        {"item": "BOLT", "factor": "1/3"},
    ),
    "unit": ("unit_differs", {"item": "BOLT", "unit": "XCT", "quantity": "3"}, {"factor": "12"}),
    "weight": ("weight_missing", {"item": "HAM", "quantity": "4"}, {"weight": "16000"}),
    "part of a weight": (
        "weight_missing",
        {"item": "HAM", "quantity": "4"},
        {"weight": "8000", "quantity": "2"},
    ),
    "order": ("unknown_document", {"quantity": "4", "document": "PO-8"}, {"document": "PO-2"}),
    "too much": (
        "over_received",
        {"quantity": "110", "document": "PO-1", "document_line": 1},
        {"document": "PO-2", "document_line": 1, "quantity": "4"},
    ),
    "too much, back": (
        "over_received",
        {"quantity": "110", "document": "PO-1", "document_line": 1},
        {"action": "reverse", "quantity": "10"},
    ),
    "date": (
        "expiry_differs",
        MILK | {"lot": "L9", "expiry_date": "2027-09-09"},
        {"action": "reassign", "lot": "L2"},
    ),
}


def come_before(site):
    """What is there already, so that nothing else is wrong: seven facts."""
    site.dock.move("MILK", "9", lot="L1", expiry_date="2027-01-01", target="BIN-2")
    site.dock.move("MILK", "9", lot="L2", expiry_date="2027-09-09", target="BIN-2")
    site.dock.move("MILK", "9", lot="L9", expiry_date="2027-01-01", target="BIN-2")
    site.dock.move("HAM", "3", net_weight="12", weight_unit="KGM")
    site.dock.move(quantity="7")
    site.send()


@pytest.mark.parametrize("name", SETTLED)
def test_what_a_settlement_made_of_an_undone_fact_is_taken_back_in_one_action(site, name):
    come_before(site)
    before = stock(site)
    kind, said, decision = SETTLED[name]
    site.dock.move(**{"quantity": "1"} | said)
    site.send()
    settle(site, kind, **{"action": "reassign", **decision})
    undo(site, 6)
    row = unmatched(site)
    assert [one["body"]["action"] for one in row["proposals"]] == ["reverse", "accept"]
    assert row["advice"] == []
    take_back(site)
    assert stock(site) == before
    assert site.received("PO-1") == site.received("PO-2") == {}
    assert nothing_open(site)
    # It can be opened again, and settled once more.
    row = site.found("reversal_unmatched", "settled")
    path = f"/discrepancies/{row['id']}"
    assert site.ask("POST", f"{path}/reopen", {"reason": "no"}).status_code == 200
    take_back(site)
    assert stock(site) == before


def test_of_several_facts_settled_together_the_undone_one_alone_is_taken_back(site):
    for quantity in ("2", "5", "2"):
        site.dock.move("BLOT", quantity)
    site.send()
    settle(site, "unknown_item", action="reassign", item="BOLT")
    undo(site, 2)
    why = "Take back what the books have of it: 5 C62 of BOLT, from BIN-1 to supplier."
    assert unmatched(site)["proposals"][0]["why"] == why
    take_back(site)
    assert site.on_hand() == {("supplier", ""): -4, ("BIN-1", ""): 4}
    for seq in (1, 3):
        undo(site, seq)
        take_back(site)
    assert site.on_hand() == {}


def test_what_was_settled_once_more_is_followed_to_what_it_is_now(site):
    site.dock.move("BLOT", "5")
    site.send()
    settle(site, "unknown_item", action="reassign", item="MILK")
    site.settle("lot_missing", {"action": "reassign", "lot": "L1", "quantity": "2"})
    settle(site, "lot_missing", action="reassign", lot="L2")
    found = site.on_hand("MILK")
    assert (found["BIN-1", "L1"], found["BIN-1", "L2"]) == (2, 3)
    undo(site, 1)
    take_back(site)
    assert site.on_hand("MILK") == site.on_hand("BLOT") == {}


def test_goods_that_moved_on_are_missing_where_they_were_as_after_any_undoing(site):
    site.dock.move("MILK", "5")
    site.send()
    settle(site, "lot_missing", action="reassign", lot="L1")
    site.dock.move("MILK", "3", lot="L1", source="BIN-1", target="BIN-2")
    undo(site, 1)
    take_back(site)
    assert site.on_hand("MILK") == {("BIN-1", "L1"): -3, ("BIN-2", "L1"): 3}
    assert site.settle("negative_balance").status_code == 200
    assert site.on_hand("MILK") == {}


def test_what_is_undone_twice_is_taken_back_once(site):
    site.dock.move("MILK", "5")
    site.send()
    settle(site, "lot_missing", action="reassign", lot="L1")
    undo(site, 1)
    undo(site, 1)
    first, second = site.get("/discrepancies?kind=reversal_unmatched")["discrepancies"]
    bodies = [
        site.get(f"/discrepancies/{one['id']}")["proposals"][0]["body"] for one in (first, second)
    ]
    assert bodies == [{"action": "reverse"}] * 2
    path = f"/discrepancies/{first['id']}/settle"
    assert site.ask("POST", path, {"reason": "x", **bodies[0]}).status_code == 200
    path = f"/discrepancies/{second['id']}/settle"
    assert site.ask("POST", path, {"reason": "x", **bodies[1]}).status_code == 409
    (left,) = unmatched(site)["proposals"]
    assert left["body"] == {"action": "accept"}
    assert site.on_hand("MILK") == {}


def reopen(site, row):
    return site.ask("POST", f"/discrepancies/{row['id']}/reopen", {"reason": "no"})


def test_a_settlement_that_was_taken_back_before_leaves_nothing_to_settle(site):
    site.dock.move("MILK", "5")
    site.send()
    settle(site, "lot_missing", action="reassign", lot="L1")
    assert reopen(site, site.found("lot_missing", "settled")).status_code == 200
    undo(site, 1)
    assert site.on_hand("MILK") == {}
    assert site.found("lot_missing", "settled")
    assert site.get("/discrepancies?kind=reversal_unmatched")["discrepancies"] == []


def test_a_settlement_that_is_taken_back_after_it_was_undone_lets_the_fact_itself_be(site):
    site.dock.move("MILK", "5")
    site.send()
    settle(site, "lot_missing", action="reassign", lot="L1")
    undo(site, 1)
    assert reopen(site, site.found("lot_missing", "settled")).status_code == 200
    assert site.on_hand("MILK") == {("supplier", ""): -5, ("BIN-1", ""): 5}
    take_back(site)
    assert site.on_hand("MILK") == {}
    assert nothing_open(site)


def test_what_was_taken_back_by_another_settlement_is_opened_there_first(site):
    site.dock.move("MILK", "5")
    site.send()
    settle(site, "lot_missing", action="reassign", lot="L1")
    undo(site, 1)
    take_back(site)
    assert reopen(site, site.found("lot_missing", "settled")).status_code == 409
    assert reopen(site, site.found("reversal_unmatched", "settled")).status_code == 200
    assert reopen(site, site.found("lot_missing", "settled")).status_code == 200
    assert site.on_hand("MILK") == {("supplier", ""): -5, ("BIN-1", ""): 5}


def test_what_was_taken_back_whole_leaves_nothing_to_take_back(site):
    site.dock.move("MILK", "5")
    site.send()
    settle(site, "lot_missing", action="reverse")
    undo(site, 1)
    (left,) = unmatched(site)["proposals"]
    assert left["body"] == {"action": "accept"}


def test_a_part_of_what_was_undone_is_refused(site):
    site.dock.move("MILK", "5")
    site.send()
    settle(site, "lot_missing", action="reassign", lot="L1")
    undo(site, 1)
    assert (
        site.settle("reversal_unmatched", {"action": "reverse", "quantity": "2"}).status_code == 422
    )


def decided(site, document, *decisions):
    (row,) = (one for one in site.get("/inspections")["inspections"] if one["document"] == document)
    asked = [{"reason": "x", **one} for one in decisions]
    if asked:
        site.post(f"/inspections/{row['code']}/decisions", {"decisions": asked})


def inspected(site):
    """The figures of each inspection of which anything came, by its document."""
    rows = site.get("/inspections")["inspections"]
    return {
        row["document"]: (row["open"], *(row[name] for name in FIGURES))
        for row in rows
        if any(row[name] != "0" for name in FIGURES)
    }


def figures(site, name):
    """The stock, and what inspections say; one goes on saying of what was used up that it was."""
    return stock(site), {} if name == "used up" else inspected(site)


ACCEPTED = {"decision": "accept", "quantity": "3"}
DECISIONS = {
    "nothing": (),
    "a part": (ACCEPTED, {"decision": "reject", "quantity": "1"}),
    "all": (ACCEPTED, {"decision": "hold", "quantity": "2"}),
    "elsewhere": (ACCEPTED, {"decision": "reject", "quantity": "2", "to_location": "BIN-3"}),
    "used up": (ACCEPTED, {"decision": "sample_used", "quantity": "1"}),
}


@pytest.mark.parametrize("name", DECISIONS)
@pytest.mark.parametrize("by", ["undoing", "settling"])
def test_goods_that_were_decided_on_are_taken_back_as_what_they_are(site, name, by):
    site.dock.move("QI", "6", document="PO-9")
    site.send()
    before = figures(site, name)
    if by == "undoing":
        site.dock.move("QUI", "5")
        site.send()
        settle(site, "unknown_item", action="reassign", item="QI")
    else:
        site.dock.move("QI", "5", document="PO-1", document_line=1)
        site.send()
    decided(site, "" if by == "undoing" else "PO-1", *DECISIONS[name])
    then = figures(site, name)
    if by == "undoing":
        undo(site, 2)
        take_back(site)
    else:
        settle(site, "unexpected", action="reverse")
    assert figures(site, name) == before
    kind = "reversal_unmatched" if by == "undoing" else "unexpected"
    assert reopen(site, site.found(kind, "settled")).status_code == 200
    assert figures(site, name) == then


@pytest.mark.parametrize("named", ["SH1", "BJ1"])
def test_what_was_posted_in_the_warehouse_that_was_meant_is_taken_back_there(site, named):
    site.dock.move()
    site.dock.move(quantity="5", warehouse="BJ1")
    site.send()
    settle(site, "wrong_warehouse", action="reassign", warehouse="BJ1")
    assert site.on_hand(warehouse="BJ1")["BIN-1", ""] == 5
    site.dock.move()
    site.dock.reverse(2, warehouse=named)
    site.send()
    kind = "reversal_unmatched" if named == "SH1" else "wrong_warehouse"
    assert unmatched(site, kind)["proposals"][0]["body"] == {
        "action": "reverse",
        "warehouse": "BJ1",
    }
    refused = site.settle(kind, {"action": "reverse"})
    assert (refused.status_code, refused.json()["fields"]["warehouse"]) == (422, "BJ1")
    take_back(site, kind)
    assert site.on_hand(warehouse="BJ1") == {}
    assert nothing_open(site)


def under_a_transfer(site, item, quantity, **fields):
    """Its code: SH1 has sent all of it, and BJ1 has received all."""
    with site.desk.change(actor="x") as change:
        wanted = [LineWanted(item, quantity * 10**6)]
        code = create_transfer(change, wanted, source="SH1", destination="BJ1").code
    for action in ("request", "approve", "release"):
        with site.desk.change(actor="x") as change:
            decide(change, code, action, version=None, reason="")
    said = {"quantity": str(quantity), "document": code, "document_line": 1}
    sent = {"source": "BIN-2", "target": "in_transit", "business_step": "transferring"}
    site.dock.move(item, **said, **sent, **fields)
    site.send()
    come = {"source": "in_transit", "business_step": "transferring"}
    site.other.move(item, **said, **come)
    site.send(site.other)
    return code


def test_a_transfer_whose_receipt_is_undone_is_under_way_again(site):
    site.dock.move("MILK", "9", lot="L1", expiry_date="2027-01-01", target="BIN-2")
    site.send()
    code = under_a_transfer(site, "MILK", 5, lot="L1")
    settle(site, "lot_missing", action="reassign", lot="L1")
    assert site.on_hand("MILK", "BJ1")["BIN-1", "L1"] == 5
    assert site.get("/in-transit")["in_transit"] == []
    undo(site, 1, site.other)
    take_back(site)
    assert site.on_hand("MILK", "BJ1") == {}
    (left,) = site.get("/in-transit")["in_transit"]
    assert (left["document"], left["lot"], left["quantity"]) == (code, "L1", "5")
    assert nothing_open(site)
    # Received after all it is there once.
    come = {"source": "in_transit", "business_step": "transferring", "lot": "L1"}
    site.other.move("MILK", "5", document=code, document_line=1, **come)
    site.send(site.other)
    assert site.on_hand("MILK", "BJ1")["BIN-1", "L1"] == 5
    assert nothing_open(site)


def test_what_counted_for_an_order_of_another_warehouse_counts_no_more(site):
    site.other.move(quantity="4", document="PO-2", document_line=1)
    site.send(site.other)
    settle(
        site,
        "unknown_document",
        action="reassign",
        document="PO-2",
        document_line=1,
        warehouse="SH1",
    )
    assert site.received("PO-2") == {1: 4}
    undo(site, 1, site.other)
    row = unmatched(site)
    assert row["proposals"][0]["why"].endswith("3 movements of BOLT.")
    take_back(site)
    assert site.received("PO-2") == {}
    assert site.on_hand() == site.on_hand(warehouse="BJ1") == {}


def test_goods_of_an_unknown_place_are_taken_from_where_they_were_moved(site):
    site.dock.move(quantity="5", target="BIN-2")
    site.dock.move(quantity="5", target="BIN-9")
    site.send()
    settle(site, "unknown_location", action="reassign", location="BIN-3")
    site.dock.move(quantity="1", source="BIN-3", target="DOCK-1")
    undo(site, 2)
    assert site.found("negative_balance")["proposals"][0]["body"]["location"] == "BIN-3"
    assert site.settle("negative_balance").status_code == 200
    assert site.on_hand()["BIN-2", ""] == 5


def test_goods_that_did_not_leave_an_unknown_place_are_told_and_moved_back(site):
    site.dock.move(quantity="9", target="BIN-1")
    site.dock.move(quantity="5", source="BIN-9", target="customer", business_step="shipping")
    site.send()
    settle(site, "unknown_location", action="reassign", location="BIN-1")
    assert site.on_hand()["BIN-1", ""] == 4
    undo(site, 2)
    row = unmatched(site, "unknown_location")
    assert [one["seq"] for one in row["facts"]][-1] == 3
    assert row["proposals"][0]["body"] == {"action": "reassign", "location": "BIN-1"}
    assert site.settle("unknown_location").status_code == 200
    assert site.on_hand() == {("supplier", ""): -9, ("BIN-1", ""): 9}
    assert nothing_open(site)


def test_what_versions_before_settled_alone_is_found_without_its_name(site, monkeypatch):
    monkeypatch.setattr(settlement_steps, "STANDS_FOR", "is like ")
    site.dock.move("MILK", "5")
    site.send()
    settle(site, "lot_missing", action="reassign", lot="L1")
    undo(site, 1)
    take_back(site)
    assert site.on_hand("MILK") == {}
