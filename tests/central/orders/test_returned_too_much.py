"""More comes back than an order shipped, or goes back than it received: told, and settled."""

from dataclasses import replace

from central.orders.explained_returns import ExplainedReturns
from central.orders.settling.discrepancy_views import read_detail
from central.orders.settling.settlement_book import settle
from central.orders.settling.settlements import Decision
from central.storage import tables
from tests.central.orders.purchasing import Purchasing
from tests.central.orders.sales_scenes import ONE, Scene, policy
from tests.central.orders.test_customer_returns import come_back, requested
from tests.central.orders.test_returns_of_orders import sold, wanted
from tests.central.orders.test_supplier_returns import BOLTS, asked, send_back
from tests.central.scenery import Gateway, enrol, on_hand, rows

PLAIN = [("BIN-3", 9)]
LOTS = [("BIN-1", 5, {"lot": "A"}), ("BIN-2", 5, {"lot": "B"})]
TOLD = ("subject", "state", "expected_micro", "actual_micro", "detail")


def told(database):
    """What is said of returns, in whole units."""
    found = rows(database, tables.discrepancies, "kind", *TOLD)
    assert {row[0] for row in found if row[2] == "open"} <= {"over_returned"}
    return [
        (subject, state, moved // ONE, back // ONE, detail)
        for kind, subject, state, moved, back, detail in found
        if kind == "over_returned"
    ]


def opened(database):
    """The one open discrepancy, with its proposals."""
    ((identity,),) = (
        (row[0],) for row in rows(database, tables.discrepancies, "id", "state") if row[1] == "open"
    )
    with database.read() as connection:
        return read_detail(connection, identity, now_ms=0)


def there(database):
    """{(warehouse, place, lot): whole units} of what is not with suppliers."""
    return {key: micro // ONE for key, micro in on_hand(database).items() if key[1] != "supplier"}


def bodies(detail):
    return [
        (one.decision.action, one.decision.lot, (one.decision.quantity_micro or 0) // ONE)
        for one in detail.proposals
    ]


def decide(desk, detail, decision=None):
    with desk.change(actor="li.na") as change:
        best = replace(detail.proposals[0].decision, reason="looked")
        settle(change, detail.row.id, decision or best)


def returned(scene, order, pieces, lot="", **fields):
    """The code of a released return of an order."""
    return wanted(scene, order, pieces, lot, upto="released", **fields)


def test_a_shipment_that_is_taken_back_after_its_goods_came_back_is_told(database):
    scene = Scene(database, stock=PLAIN)
    order = sold(scene, ("BIN-3", "", 5))
    shipment = len(scene.gateway.bodies)
    code = returned(scene, order, 5)
    come_back(scene, code, 2)
    come_back(scene, code, 3)
    assert told(database) == []
    scene.gateway.reverse(shipment)
    scene.send()
    assert told(database) == [
        (f"{code}/BOLT", "open", 0, 5, f"{order} shipped 0 of it, and 5 came back")
    ]
    assert on_hand(database)["SH1", "customer", ""] == -5 * ONE
    detail = opened(database)
    assert bodies(detail) == [("reverse", None, 5), ("accept", None, 0)]
    assert [one.page for one in detail.advice] == [f"/sales-orders/{order}"]
    assert len(detail.facts) == 2
    decide(scene.desk, detail)
    assert there(database) == {("SH1", "BIN-3", ""): 9}
    assert [row[1] for row in told(database)] == ["settled"]
    scene.check()


def test_shipped_once_more_it_is_no_more_and_is_accepted(database):
    scene = Scene(database, stock=PLAIN)
    order = sold(scene, ("BIN-3", "", 5))
    shipment = len(scene.gateway.bodies)
    come_back(scene, returned(scene, order, 5), 5)
    scene.gateway.reverse(shipment)
    scene.send()
    scene.ship(order, "BIN-3", 5)
    assert bodies(opened(database)) == [("accept", None, 0)]
    assert opened(database).advice == ()
    decide(scene.desk, opened(database))


def test_taken_back_at_the_station_the_return_settles_itself(database):
    scene = Scene(database, stock=PLAIN)
    order = sold(scene, ("BIN-3", "", 5))
    shipment = len(scene.gateway.bodies)
    code = returned(scene, order, 5)
    come_back(scene, code, 5)
    arrival = len(scene.gateway.bodies)
    scene.gateway.reverse(shipment)
    scene.send()
    scene.gateway.reverse(arrival)
    scene.send()
    assert [row[1] for row in told(database)] == ["settled"]
    assert rows(database, tables.discrepancies, "settlement") == [
        (f"it is no more than {order} moved",)
    ]


def test_a_settlement_that_takes_a_shipment_back_is_told_too(database):
    scene = Scene(database, stock=[("BIN-3", 20)])
    order = sold(scene, ("BIN-3", "", 12))  # Of 9.
    come_back(scene, returned(scene, order, 12), 12)
    ((identity,),) = rows(database, tables.discrepancies, "id")
    with scene.desk.change(actor="li.na") as change:
        decision = Decision(action="reverse", quantity_micro=3 * ONE, reason="still there")
        settle(change, identity, decision)
    kinds = rows(database, tables.discrepancies, "kind", "state", "expected_micro", "actual_micro")
    assert sorted(kinds) == [
        ("over_returned", "open", 9 * ONE, 12 * ONE),
        ("over_shipped", "settled", 9 * ONE, 12 * ONE),
    ]
    assert bodies(opened(database)) == [("reverse", None, 3), ("accept", None, 0)]
    decide(scene.desk, opened(database))
    assert there(database) == {("SH1", "BIN-1", ""): 9, ("SH1", "BIN-3", ""): 11}
    scene.check()


def test_it_is_accepted_and_told_again_when_it_becomes_more(database):
    scene = Scene(database, stock=PLAIN)
    order = sold(scene, ("BIN-3", "", 3), ("BIN-3", "", 2))
    second = len(scene.gateway.bodies)
    come_back(scene, returned(scene, order, 5), 5)
    scene.gateway.reverse(second)
    scene.send()
    decide(scene.desk, opened(database), Decision(action="accept", reason="never counted"))
    scene.gateway.reverse(second - 1)
    scene.send()
    assert sorted(row[1:4] for row in told(database)) == [("open", 0, 5), ("settled", 3, 5)]


def test_each_of_several_returns_is_told_with_its_part_and_open_until_all_is_explained(database):
    scene = Scene(database, stock=PLAIN)
    order = sold(scene, ("BIN-3", "", 5))
    shipment = len(scene.gateway.bodies)
    first, second = (returned(scene, order, pieces) for pieces in (2, 3))
    come_back(scene, first, 2)
    come_back(scene, second, 2)
    come_back(scene, second, 1)
    scene.gateway.reverse(shipment)
    scene.send()
    assert [row[:4] for row in told(database)] == [
        (f"{first}/BOLT", "open", 0, 5),
        (f"{second}/BOLT", "open", 0, 5),
    ]
    ids = dict(rows(database, tables.discrepancies, "document", "id"))
    for code, pieces in ((second, 3), (first, 2)):
        with database.read() as connection:
            detail = read_detail(connection, ids[code], now_ms=0)
        assert bodies(detail)[0] == ("reverse", None, pieces)
        decide(scene.desk, detail)
    assert [row[1] for row in told(database)] == ["settled", "settled"]
    assert there(database) == {("SH1", "BIN-3", ""): 9}
    scene.check()


def test_of_what_a_settlement_leaves_it_stays_open(database):
    scene = Scene(database, stock=PLAIN)
    order = sold(scene, ("BIN-3", "", 5))
    shipment = len(scene.gateway.bodies)
    come_back(scene, returned(scene, order, 5), 5)
    scene.gateway.reverse(shipment)
    scene.send()
    some = Decision(action="reverse", quantity_micro=2 * ONE, reason="two never came")
    decide(scene.desk, opened(database), some)
    assert [row[1:4] for row in told(database)] == [("open", 0, 3)]
    assert bodies(opened(database)) == [("reverse", None, 3), ("accept", None, 0)]
    decide(scene.desk, opened(database))
    assert there(database) == {("SH1", "BIN-3", ""): 9}
    scene.check()


def test_what_a_return_does_not_expect_is_told_as_that_alone(database):
    scene = Scene(database, stock=PLAIN)
    order = sold(scene, ("BIN-3", "", 5))
    code = returned(scene, order, 3)
    come_back(scene, code, 1, item="NUT")
    come_back(scene, code, 7)  # Of 3, and of 5 that went out.
    kinds = rows(database, tables.discrepancies, "kind", "item")
    assert sorted(kinds) == [("over_received", "BOLT"), ("unexpected", "NUT")]


def test_goods_of_a_lot_that_the_order_did_not_ship_are_told_and_were_of_one_that_it_did(database):
    scene = Scene(database, stock=LOTS)
    order = sold(scene, ("BIN-1", "A", 5))
    code = returned(scene, order, 3)
    come_back(scene, code, 1, lot="A")
    assert told(database) == []
    come_back(scene, code, 2, lot="B")
    assert told(database) == [
        (f"{code}/BOLT/B", "open", 0, 2, f"{order} shipped 0 of it, and 2 came back")
    ]
    detail = opened(database)
    assert bodies(detail) == [("reassign", "A", 2), ("reverse", None, 2), ("accept", None, 0)]
    assert detail.proposals[0].why == f"{order} moved 4 C62 more of lot A."
    decide(scene.desk, detail)
    assert there(database) == {
        ("SH1", "BIN-1", "A"): 3,
        ("SH1", "BIN-2", "B"): 5,
        ("SH1", "customer", "A"): 2,
    }
    scene.check()


def test_more_of_a_lot_than_the_order_shipped_of_it_is_told(database):
    scene = Scene(database, stock=[("BIN-1", 20, {"lot": "A"}), ("BIN-2", 20, {"lot": "B"})])
    sold(scene, ("BIN-1", "A", 3))  # Customers have enough of it, of another order.
    order = sold(scene, ("BIN-1", "A", 1), ("BIN-2", "B", 4))
    code = returned(scene, order, 5)
    come_back(scene, code, 1, lot="A")
    come_back(scene, code, 1, lot="A")
    assert [row[:4] for row in told(database)] == [(f"{code}/BOLT/A", "open", 1, 2)]
    assert bodies(opened(database))[0] == ("reassign", "B", 1)
    scene.check()


def test_what_was_shipped_without_a_lot_may_be_of_any(database):
    scene = Scene(database, stock=[*PLAIN, LOTS[0]])
    order = sold(scene, ("BIN-3", "", 3), ("BIN-1", "A", 2))
    code = returned(scene, order, 5)
    come_back(scene, code, 3, lot="B")
    assert told(database) == []
    come_back(scene, code, 1, lot="B")
    assert [row[:4] for row in told(database)] == [(f"{code}/BOLT/B", "open", 3, 4)]


def test_a_serial_number_that_the_order_did_not_ship_is_told(database):
    scene = Scene(database, stock=[("BIN-1", 1, {"serial": "S1"}), ("BIN-1", 1, {"serial": "S2"})])
    policy(database, serial_tracked=True)
    order = scene.order(1, upto="released")
    scene.ship(order, "BIN-1", 1, serial="S1")
    code = returned(scene, order, 1)
    come_back(scene, code, 1, serial="S9")
    assert [row[:4] for row in told(database)] == [(f"{code}/BOLT/S9", "open", 0, 1)]
    assert bodies(opened(database)) == [("reverse", None, 1), ("accept", None, 0)]
    decide(scene.desk, opened(database))
    assert on_hand(database)["SH1", "BIN-1", ""] == ONE
    scene.check()


def test_a_return_into_another_warehouse_is_compared_with_what_was_shipped_elsewhere(database):
    scene = Scene(database, stock=LOTS)
    branch = Gateway("bj1-dock-1", warehouse="BJ1")
    enrol(database, branch)
    order = sold(scene, ("BIN-1", "A", 4))
    shipment = len(scene.gateway.bodies)
    code = returned(scene, order, 3, "A", warehouse="BJ1")
    fields = {"source": "customer", "target": "BIN-1", "business_step": "receiving"}
    branch.move("BOLT", "3", document=code, document_line=1, lot="A", **fields)
    scene.inbox.accept([branch.offer(1)])
    assert told(database) == []
    scene.gateway.reverse(shipment)
    scene.send()
    assert [row[:4] for row in told(database)] == [(f"{code}/BOLT", "open", 0, 3)]
    assert rows(database, tables.discrepancies, "warehouse", "gateway") == [("BJ1", "sh1-dock-1")]
    detail = opened(database)
    assert [one.fact_id.gateway for one in detail.facts] == ["bj1-dock-1"]
    decide(scene.desk, detail)
    assert on_hand(database)["SH1", "BIN-1", "A"] == 5 * ONE
    assert ("BJ1", "BIN-1", "A") not in on_hand(database)
    scene.check()


def test_of_a_return_without_an_order_nothing_is_said(database):
    scene = Scene(database)
    come_back(scene, requested(scene), 4, lot="L9")
    assert told(database) == []


def sent_back(site, order, quantity, **fields):
    """The code of a released return of BOLT to the supplier, of which so much has left."""
    line = BOLTS | {"unit": "C62", "quantity": quantity}
    code = site.post("/supplier-returns", asked(line, order=order), status=201)["code"]
    for action in ("approve", "release"):
        site.post(f"/supplier-returns/{code}/{action}")
    send_back(site, code, quantity, **fields)
    return code


def test_a_receipt_that_is_taken_back_after_its_goods_went_back_is_told(database):
    site = Purchasing(database)
    site.receive("20")
    order = site.order({"item": "BOLT", "quantity": "6", "unit": "C62"})
    receipt = site.receive("6", document=order, line=1)
    code = sent_back(site, order, "4")
    assert told(database) == []
    site.gateway.reverse(receipt)
    site.send()
    assert told(database) == [
        (f"{code}/BOLT", "open", 0, 4, f"{order} received 0 of it, and 4 went back")
    ]
    detail = opened(database)
    assert bodies(detail) == [("reverse", None, 4), ("accept", None, 0)]
    assert [one.page for one in detail.advice] == [f"/purchase-orders/{order}"]
    decide(site.desk, detail)
    assert site.stock("BOLT") == {("BIN-1", "available"): 20_000_000}
    assert site.faults() == []


def test_goods_of_a_lot_that_the_order_did_not_receive_go_back_and_are_told(database):
    site = Purchasing(database)
    site.receive("20", lot="B")
    order = site.order({"item": "BOLT", "quantity": "6", "unit": "C62"})
    site.receive("6", document=order, line=1, lot="A")
    code = sent_back(site, order, "4", lot="B")
    assert [row[:4] for row in told(database)] == [(f"{code}/BOLT/B", "open", 0, 4)]
    detail = opened(database)
    assert bodies(detail) == [("reassign", "A", 4), ("reverse", None, 4), ("accept", None, 0)]
    decide(site.desk, detail)
    assert site.faults() == []


def test_goods_that_came_back_before_they_were_told_to_have_left_settle_themselves(database):
    scene = Scene(database, stock=PLAIN)
    order = sold(scene, ("BIN-3", "", 5))
    shipment = len(scene.gateway.bodies)
    come_back(scene, returned(scene, order, 5), 5)
    scene.gateway.reverse(shipment)
    scene.send()
    explained = ExplainedReturns(database, desk=scene.desk, clock=scene.clock)
    assert explained.tick() == 0
    scene.ship(order, "BIN-3", 5)
    assert explained.tick() == 0  # Not yet.
    scene.clock.time_ms += 10_000
    assert (explained.tick(), [row[1] for row in told(database)]) == (1, ["settled"])
    assert rows(database, tables.discrepancies, "settlement") == [
        (f"it is no more than {order} moved",)
    ]
    scene.check()
