"""What a settlement leaves of goods that were too many, or that nobody asked for, stays open."""

import pytest

from central.contract.reference import DocumentLine, ExpectedDocument, Item
from central.ledger.reference_desk import put_document, put_item, withdraw_document
from central.orders.settling.settlement_book import settle
from central.orders.settling.settlements import Decision
from central.storage import tables
from central.web.drawing import drawing_in
from central.web.settlement_words import sentence
from tests.central.orders.sales_scenes import ONE, Scene
from tests.central.orders.settling import Settling
from tests.central.scenery import rows


@pytest.fixture
def site(database):
    made = Settling(database)
    yield made
    made.proved()


def expect(site, code, *lines, kind="shipment", tolerance="0"):
    """Stations work on a document; lines: (item, quantity), numbered from 1."""
    made = tuple(
        DocumentLine(line=line, item=item, quantity=quantity, tolerance_percent=tolerance)
        for line, (item, quantity) in enumerate(lines, 1)
    )
    with site.desk.change(actor="x") as change:
        document = ExpectedDocument(
            code=code, warehouse="SH1", partner="Acme", kind=kind, lines=made
        )
        put_document(change, document)


def shipped(site, quantity, *, item="BOLT", line=1, document="SO-1", **fields):
    values = {"source": "BIN-1", "target": "customer", "business_step": "shipping"}
    return site.dock.move(
        item, quantity, document=document, document_line=line, **(values | fields)
    )


def bodies(row):
    """(action, document, line, quantity) of each proposal, best first."""
    keys = ("action", "document", "document_line", "quantity")
    return [tuple(one["body"].get(key) for key in keys) for one in row["proposals"]]


def state_and_actual(answer):
    assert answer.status_code == 200, answer.text
    return answer.json()["state"], answer.json()["actual"]


def test_what_came_too_much_is_settled_bit_by_bit(site):
    expect(site, "PO-7", ("NUT", "10"), kind="receipt")
    site.dock.move("NUT", "15", document="PO-7", document_line=1)
    site.send()
    back = {"action": "reverse", "quantity": "2"}
    assert state_and_actual(site.settle("over_received", back)) == ("open", "13")
    row = site.found("over_received")
    (event,) = site.get(f"/history/discrepancy/{row['id']}")["events"]
    assert (event["action"], row["settlement"]) == ("settled_in_part", "")
    assert site.received("PO-7", "NUT") == {1: 13}
    # What a part of was taken back is still behind it, and can be taken back, too.
    assert bodies(row) == [("reverse", None, None, "3"), ("accept", None, None, None)]
    assert state_and_actual(site.settle("over_received")) == ("settled", "13")
    assert (site.received("PO-7", "NUT"), site.on_hand("NUT")["BIN-1", ""]) == ({1: 10}, 10)
    body = {"reason": "they were there", "take_back": True}
    assert site.ask("POST", f"/discrepancies/{row['id']}/reopen", body).status_code == 200
    assert (site.found("over_received")["actual"], site.received("PO-7", "NUT")) == ("13", {1: 13})


def test_what_left_too_much_is_settled_bit_by_bit(site):
    expect(site, "SO-1", ("BOLT", "10"))
    expect(site, "SO-2", ("BOLT", "2"))
    site.dock.move(quantity="20")
    shipped(site, "9")
    shipped(site, "6")
    site.send()
    row = site.found("over_shipped")
    assert bodies(row)[0] == ("reassign", "SO-2", 1, "2")
    why = row["proposals"][0]["why"]
    assert why == "SO-2 line 1 still expects 2 C62. 3 C62 are left, and it stays open."
    chinese = sentence(why, drawing_in("zh").texts)
    assert chinese.endswith("还剩 3 件，此差异保持未处理。")
    assert state_and_actual(site.settle("over_shipped")) == ("open", "13")
    by_hand = {"action": "reverse", "quantity": "1"}
    assert state_and_actual(site.settle("over_shipped", by_hand)) == ("open", "12")
    assert bodies(site.found("over_shipped"))[0] == ("reverse", None, None, "2")
    assert state_and_actual(site.settle("over_shipped")) == ("settled", "12")
    assert (site.received("SO-1"), site.received("SO-2")) == ({1: 10}, {1: 2})
    assert site.on_hand()["BIN-1", ""] == 8


def test_what_is_left_within_the_tolerance_is_none(site):
    expect(site, "PO-7", ("NUT", "10"), kind="receipt", tolerance="20")
    expect(site, "PO-8", ("NUT", "3"), kind="receipt")
    site.dock.move("NUT", "15", document="PO-7", document_line=1)
    site.send()
    row = site.found("over_received")
    assert row["proposals"][0]["why"] == "PO-8 line 1 still expects 3 C62."
    assert state_and_actual(site.settle("over_received")) == ("settled", "15")
    assert site.received("PO-7", "NUT") == {1: 12}


def test_what_a_document_has_too_much_that_nobody_works_on_any_more_is_settled_bit_by_bit(site):
    expect(site, "PO-7", ("NUT", "10"), kind="receipt")
    site.dock.move("NUT", "15", document="PO-7", document_line=1)
    site.send()
    with site.desk.change(actor="x") as change:
        withdraw_document(change, warehouse="SH1", code="PO-7")
    back = {"action": "reverse", "quantity": "2"}
    assert state_and_actual(site.settle("over_received", back)) == ("open", "13")
    assert bodies(site.found("over_received"))[0] == ("reverse", None, None, "3")
    assert state_and_actual(site.settle("over_received")) == ("settled", "13")
    assert site.received("PO-7", "NUT") == {1: 10}


def test_one_serial_number_goes_to_each_line_that_expects_one(site):
    with site.desk.change(actor="x") as change:
        put_item(change, Item(code="SN", name="N", name_zh="N", unit="C62"))
    expect(site, "SO-1", ("SN", "1"), ("SN", "1"), ("BOLT", "2"))
    for serial in ("S0", "S1"):
        site.dock.move("SN", "1", serial=serial)
        shipped(site, "1", item="SN", line=3, serial=serial)
    site.send()
    row = site.found("unexpected")
    to_line = [("reassign", "SO-1", line, "1") for line in (1, 2)]
    assert bodies(row) == [*to_line, ("accept", None, None, None)]
    why = row["proposals"][0]["why"]
    assert why == "SO-1 line 1 still expects 1 C62. 1 C62 are left, and it stays open."
    assert state_and_actual(site.settle("unexpected"))[0] == "open"
    assert site.received("SO-1", "SN") == {1: 1, 3: 1}
    # The last one is all that is left, so no quantity is needed.
    assert bodies(site.found("unexpected"))[0] == ("reassign", "SO-1", 2, None)
    assert state_and_actual(site.settle("unexpected"))[0] == "settled"
    assert site.received("SO-1", "SN") == {1: 1, 2: 1}
    assert site.get("/discrepancies?state=open")["discrepancies"] == []


@pytest.mark.parametrize(
    ("kind", "document", "line"), [("unexpected", "SO-1", 2), ("unknown_document", "SO-9", 1)]
)
def test_of_one_movement_each_line_gets_what_it_expects_and_the_rest_stays_open(
    site, kind, document, line
):
    expect(site, "SO-1", ("BOLT", "3"), ("NUT", "2"))
    expect(site, "SO-2", ("BOLT", "1"))
    site.dock.move(quantity="20")
    shipped(site, "5", line=line, document=document)
    site.send()
    assert [one[1:] for one in bodies(site.found(kind))[:2]] == [("SO-1", 1, "3"), ("SO-2", 1, "1")]
    assert state_and_actual(site.settle(kind))[0] == "open"
    assert bodies(site.found(kind))[0] == ("reassign", "SO-2", 1, "1")
    assert state_and_actual(site.settle(kind))[0] == "open"
    assert bodies(site.found(kind)) == [("accept", None, None, None)]
    assert (site.received("SO-1")[1], site.received("SO-2")) == (3, {1: 1})
    assert abs(site.received(document)[line]) == 1
    assert site.on_hand()["BIN-1", ""] == 15
    back = {"action": "reverse"}
    assert state_and_actual(site.settle(kind, back))[0] == "settled"
    assert site.on_hand()["BIN-1", ""] == 16


def test_what_left_too_much_without_a_pick_is_settled_bit_by_bit(database):
    scene = Scene(database, stock=[("BIN-1", 40)])
    code = scene.order(10, upto="released")
    scene.ship(code, "BIN-1", 4)
    scene.ship(code, "BIN-1", 11)
    identity, subject = rows(database, tables.discrepancies, "id", "subject")[0]
    assert subject == f"{code}/0/BOLT"

    def left(**fields):
        decision = Decision(action="reverse", reason="looked", **fields)
        scene.change(settle, identity, decision)
        ((state, actual),) = rows(database, tables.discrepancies, "state", "actual_micro")
        done = scene.figures(code).lines[0].progress.done_micro
        return state, actual / ONE, done / ONE

    assert left(quantity_micro=2 * ONE) == ("open", 13, 13)
    assert left(quantity_micro=1 * ONE) == ("open", 12, 12)
    assert left() == ("settled", 12, 10)
    scene.check()
