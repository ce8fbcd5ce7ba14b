"""What counts for a document and names none of its lines is judged as its order shows it."""

import pytest

from central.storage import tables
from tests.central.ledger.test_progress import document, put, stated
from tests.central.orders.purchasing import Purchasing
from tests.central.orders.sales_scenes import Scene
from tests.central.orders.transferring import Scene as Transferring
from tests.central.scenery import Gateway, discrepancies, furnished, rows

NUTS = {"item": "NUT", "quantity": "10"}


def open_ones(scene):
    return [(kind, subject) for kind, subject, state, _ in scene.discrepancies() if state == "open"]


CAME = [
    pytest.param([(8, 0), (8, 1)], id="without a line, then on it"),
    pytest.param([(8, 1), (8, 0)], id="on the line, then without"),
    pytest.param([(16, 0)], id="without a line"),
    pytest.param([(10, 0), (1, 1), (1, 1)], id="one by one"),
]


@pytest.mark.parametrize("came", CAME)
@pytest.mark.parametrize("at_once", [True, False])
def test_too_much_is_found_whichever_line_facts_name(database, came, at_once):
    scene = Purchasing(database)
    code = scene.order(NUTS)
    for quantity, line in came:
        fields = {"document": code, "document_line": line}
        scene.gateway.move("NUT", str(quantity), **fields)
        if not at_once:
            scene.send()
    if at_once:
        scene.send()
    assert scene.get(f"/purchase-orders/{code}")["fulfilment"] == "over"
    assert open_ones(scene) == [("over_received", f"{code}/1/NUT")]
    (row,) = rows(database, tables.discrepancies, "expected_micro", "actual_micro")
    assert row == (10_000_000, sum(quantity for quantity, _ in came) * 1_000_000)
    assert scene.faults() == []


def test_as_much_as_lines_ask_for_is_not_too_much(database):
    scene = Purchasing(database)
    code = scene.order(NUTS, NUTS | {"quantity": "5"})
    scene.receive("5", item="NUT", document=code, line=2)
    scene.receive("10", item="NUT", document=code)
    assert open_ones(scene) == []
    scene.receive("1", item="NUT", document=code)
    assert open_ones(scene) == [("over_received", f"{code}/2/NUT")]


def test_the_proposal_takes_back_what_is_too_much_and_no_line_lacks_it(database):
    scene = Purchasing(database)
    code = scene.order(NUTS, NUTS | {"quantity": "5"})
    scene.receive("12", item="NUT", document=code)
    scene.receive("4", item="NUT", document=code, line=2)
    (row,) = scene.get("/discrepancies")["discrepancies"]
    detail = scene.get(f"/discrepancies/{row['id']}")
    actions = [(one["body"]["action"], one["body"].get("quantity")) for one in detail["proposals"]]
    assert actions == [("reverse", "1"), ("accept", None)]
    body = detail["proposals"][0]["body"] | {"reason": "one too many"}
    scene.post(f"/discrepancies/{row['id']}/settle", body)
    assert open_ones(scene) == []
    assert scene.stock("NUT") == {("BIN-1", "available"): 15_000_000}
    assert scene.get(f"/purchase-orders/{code}")["fulfilment"] == "complete"
    assert scene.faults() == []


def test_goods_before_their_order_that_are_too_many_are_told_with_it(database):
    scene = Purchasing(database)
    scene.receive("16", item="NUT", document="PO-X")
    scene.order(NUTS, code="PO-X")
    assert open_ones(scene) == [("over_received", "PO-X/1/NUT")]
    assert ("unknown_document", "PO-X", "settled") in [one[:3] for one in scene.discrepancies()]


def test_an_unknown_item_that_was_one_of_the_order_counts_with_the_rest(database):
    scene = Purchasing(database)
    code = scene.order(NUTS)
    scene.receive("5", item="N0T", document=code)
    unknown = next(
        one for one in scene.get("/discrepancies")["discrepancies"] if one["kind"] == "unknown_item"
    )
    body = {"action": "reassign", "item": "NUT", "reason": "misread"}
    scene.post(f"/discrepancies/{unknown['id']}/settle", body)
    scene.receive("10", item="NUT", document=code, line=1)
    assert ("over_received", f"{code}/1/NUT") in open_ones(scene)


KINDS = [
    pytest.param("receipt", ("supplier", "BIN-1"), "over_received", id="receipt"),
    pytest.param("customer_return", ("customer", "BIN-1"), "over_received", id="customer return"),
    pytest.param("supplier_return", ("BIN-1", "supplier"), "over_shipped", id="supplier return"),
    pytest.param("transfer_in", ("in_transit", "BIN-1"), "over_received", id="transfer in"),
]


@pytest.mark.parametrize(("kind", "way", "found"), KINDS)
@pytest.mark.parametrize("earlier", [False, True])
def test_all_kinds_of_documents_tell_what_is_too_much(database, kind, way, found, earlier):
    gateway = Gateway()
    inbox = furnished(database, gateway)
    gateway.move(document="D-1", **stated(*way, "9") | {"document_line": 0})
    if earlier:
        inbox.accept([gateway.offer()])
    put(database, document(kind))
    if not earlier:
        inbox.accept([gateway.offer()])
    assert (found, "D-1/1/BOLT", 1) in discrepancies(database)


def test_what_left_an_order_without_a_pick_is_judged_by_the_order(database):
    scene = Scene(database, stock=[("BIN-1", 20)])
    code = scene.order(5, upto="released")
    scene.ship(code, "BIN-1", 3)
    assert discrepancies(database) == []
    scene.ship(code, "BIN-1", 6)
    assert discrepancies(database) == [("over_shipped", f"{code}/0/BOLT", 1)]
    columns = ("expected_micro", "actual_micro", "state")
    assert rows(database, tables.discrepancies, *columns) == [(5_000_000, 9_000_000, "open")]
    scene.gateway.reverse(3)
    scene.send()
    (row,) = rows(database, tables.discrepancies, "state", "settlement")
    assert row == ("settled", "record 4 brought it to what is asked for")
    scene.check()


def test_what_left_without_a_pick_is_no_excess_of_picks_that_are_told_anew(database):
    scene = Scene(database, stock=[("BIN-1", 20)])
    code = scene.order(5, upto="released")
    scene.ship(code, "BIN-1", 3)
    put(database, shipment(code, quantity="2"))
    scene.ship(code, "BIN-1", 2, line=1)
    assert discrepancies(database) == []


def test_what_left_a_source_without_a_pick_is_judged_by_the_transfer(database):
    scene = Transferring(database)
    scene.gateways["SH1"].move("BOLT", "20")
    scene.send()
    code = scene.released(("BOLT", 5))
    scene.ship(code, 5, line=0)
    scene.send()
    assert discrepancies(database) == []
    scene.ship(code, 4, line=0)
    scene.send()
    assert discrepancies(database) == [("over_shipped", f"{code}/0/BOLT", 1)]
    scene.gateways["SH1"].reverse(3)
    scene.send()
    (row,) = rows(database, tables.discrepancies, "state", "settlement")
    assert row == ("settled", "record 4 brought it to what is asked for")
    assert scene.faults() == []


def shipment(code, *, quantity):
    return document("shipment", code=code, quantity=quantity)
