"""A sale over the counter: ordered, set aside and handed over in one change, or not at all."""

import threading

import pytest

from central.errors import Conflict, Unusable
from central.orders.sales.counter_sale import Stated, hand_over, sell_at_once
from central.orders.sales.customer_return_book import (
    DecisionAsked,
    ReturnAsked,
    ReturnLineAsked,
    act_on_return,
    decide_on_return,
    request_return,
)
from central.orders.sales.sales_book import reopen_order, sign_order, submit_order
from central.orders.sales.sales_lines import LineAsked, OrderAsked
from central.storage import bulk, catalogue_tables, sales_tables, settlement_tables, tables
from tests.central.orders.sales_scenes import ONE, Scene
from tests.central.scenery import rows
from tests.central.storage.counting import statements_of

EARLY, LATE = {"lot": "L1", "expiry_date": "2026-08-01"}, {"lot": "L2", "expiry_date": "2026-09-01"}
STOCK = [("BIN-1", 4, LATE), ("BIN-2", 3, EARLY)]


def sold(scene, *lines, stated=None, **fields):
    lines = tuple(
        line if isinstance(line, LineAsked) else LineAsked(number, "BOLT", line * ONE)
        for number, line in enumerate(lines, 1)
    )
    asked = OrderAsked(**{"warehouse": "SH1", "customer": "SHOP"} | fields, lines=lines)
    return scene.change(sell_at_once, asked, stated=stated).code


def left(database, item="BOLT"):
    """(location, lot, serial, pieces, weight) of what is in the warehouse."""
    names = ("location", "lot", "serial", "on_hand_micro", "weight_micro", "item")
    return sorted(
        (location, lot, serial, micro / ONE, weight / ONE)
        for location, lot, serial, micro, weight, what in rows(database, tables.balances, *names)
        if what == item and micro and location not in ("supplier", "customer")
    )


def opened(database):
    return rows(database, tables.discrepancies, "kind", "subject")


def everything(database):
    """Whatever a sale could leave behind."""
    written = (
        sales_tables.sales_orders, sales_tables.sales_order_lines, sales_tables.reservations,
        sales_tables.allocated, tables.facts, tables.lines, tables.balances,
        tables.document_progress, tables.object_events, tables.object_numbers,
        tables.ledger_state, tables.discrepancies,
    )  # fmt: skip
    return {one.name: sorted(rows(database, one, *one.columns.keys()), key=repr) for one in written}


def tracked(database, *, weight_unit="", serials=False):
    row = ("BOLT", 1, False, weight_unit, False, serials, *[0] * 7, "fefo", "", "", "", 0)
    with database.write() as connection:
        bulk.upsert_rows(connection, catalogue_tables.item_policies, [row])


def test_what_is_sold_leaves_at_once_from_the_lot_that_expires_first(database):
    scene = Scene(database, stock=STOCK)
    code = sold(scene, 5)
    assert left(database) == [("BIN-1", "L2", "", 2, 0)]
    figures = scene.figures(code)
    assert (figures.order.state, figures.stage, figures.order.version) == ("approved", "shipped", 4)
    gone = [(row.stock.lot, row.shipped_micro / ONE, row.state) for row in figures.reservations]
    assert sorted(gone) == [("L1", 3, "shipped"), ("L2", 2, "shipped")]
    events = rows(database, tables.object_events, "event_no", "code", "action")
    steps = [action for _, of, action in sorted(events) if of == code]
    assert steps == ["drafted", "submitted", "approved", "handed_over"]
    assert (scene.document(code), rows(database, tables.documents, "document")) == ([], [("PO-1",)])
    assert opened(database) == []
    scene.check()
    scene.change(sign_order, code, signed_by="Wang Wei")
    assert scene.stage(code) == "signed"
    scene.check()


def test_two_lines_of_one_item_share_what_there_is(database):
    scene = Scene(database, stock=STOCK)
    code = sold(scene, 4, 3, code="MY-1")
    assert (code, left(database)) == ("MY-1", [])
    figures = scene.figures(code)
    assert [line.progress.done_micro / ONE for line in figures.lines] == [4, 3]
    assert figures.stage == "shipped"
    scene.check()


@pytest.mark.parametrize(
    ("lines", "fields", "refused"),
    [
        pytest.param((1, 7), {}, Conflict, id="more than there is"),
        pytest.param((2,), {"customer": "GONE"}, Conflict, id="to nobody"),
        pytest.param((2,), {"warehouse": "XX"}, Unusable, id="from nowhere"),
        pytest.param((LineAsked(1, "BOLT", 2 * ONE, lot="L3"),), {}, Conflict, id="of another lot"),
        pytest.param((LineAsked(1, "WHAT", ONE),), {}, Unusable, id="nothing known"),
    ],
)
def test_a_sale_that_is_refused_leaves_everything_as_it_was(database, lines, fields, refused):
    scene = Scene(database, stock=STOCK)
    before = everything(database)
    with pytest.raises(refused):
        sold(scene, *lines, **fields)
    assert everything(database) == before
    scene.check()


def test_what_is_promised_to_somebody_else_is_not_sold(database):
    scene = Scene(database, stock=STOCK)
    promised = scene.order(5)
    with pytest.raises(Conflict) as refused:
        sold(scene, 1, 3)
    assert refused.value.fields["lines"] == [
        {"line": 2, "item": "BOLT", "wanted": "3", "available": "1"}
    ]
    sold(scene, 2)
    assert sum(pieces for *_, pieces in scene.held(promised)) == 5
    scene.check()


def test_of_two_who_sell_the_last_piece_at_once_one_is_refused(database):
    scene = Scene(database, stock=[("BIN-1", 1)])
    together, outcomes = threading.Barrier(2), []

    def sell():
        together.wait()
        try:
            outcomes.append(sold(scene, 1))
        except Conflict:
            outcomes.append("refused")

    sellers = [threading.Thread(target=sell) for _ in range(2)]
    for seller in sellers:
        seller.start()
    for seller in sellers:
        seller.join()
    assert sorted(outcomes) == ["SO-000001", "refused"]
    assert left(database) == []
    scene.check()


def test_nothing_is_sold_in_a_closed_period(database):
    scene = Scene(database, stock=STOCK)
    through_ms = scene.clock.now_ms() + 1
    with database.write() as connection:
        period = (1, "2026-06", through_ms, through_ms, 2, "li.na", "", "[]")
        bulk.insert_rows(connection, settlement_tables.periods, [period])
        bulk.upsert_rows(connection, tables.ledger_state, [("closed_through_ms", str(through_ms))])
    before = everything(database)
    with pytest.raises(Unusable, match="period 2026-06 is closed"):
        sold(scene, 1)
    assert everything(database) == before
    scene.clock.time_ms = through_ms
    assert scene.stage(sold(scene, 1)) == "shipped"


def test_what_was_sold_comes_back_and_is_sold_again(database):
    scene = Scene(database, stock=STOCK)
    code = sold(scene, 7)
    asked = ReturnAsked(
        "SH1", "SHOP", "damaged", (ReturnLineAsked(1, "BOLT", 2 * ONE, lot="L1"),), order_code=code
    )
    back = scene.change(request_return, asked).returned.code
    for action in ("approve", "release"):
        scene.change(act_on_return, back, action, version=None)
    scene.move("customer", "DOCK-1", 2, step="receiving", lot="L1", document=back, document_line=1)
    decided = [
        DecisionAsked(1, "restock", 2 * ONE, location="DOCK-1", to_location="BIN-3", lot="L1")
    ]
    scene.change(decide_on_return, back, decided, version=None)
    scene.change(act_on_return, back, "close", version=None)
    assert scene.stage(code) == "shipped"
    sold(scene, 2)
    assert (left(database), opened(database)) == ([], [])
    scene.check()


def test_a_weighed_item_is_sold_with_its_weight_alone(database):
    weighed = [("BIN-1", 4, LATE | {"net_weight": "8", "weight_unit": "KGM"})]
    scene = Scene(database)
    tracked(database, weight_unit="KGM")
    for target, quantity, fields in weighed:
        scene.receive(target, quantity, **fields)
    with pytest.raises(Unusable, match="what it weighs"):
        sold(scene, 1)
    sold(scene, 1, stated={1: Stated(net_micro=2_100_000)})
    assert left(database) == [("BIN-1", "L2", "", 3, 5.9)]
    scene.receive("BIN-2", 1, **EARLY, net_weight="2", weight_unit="KGM")
    with pytest.raises(Unusable, match="one weight"):
        sold(scene, 2, stated={1: Stated(net_micro=4 * ONE)})
    assert opened(database) == []
    scene.check()


def test_an_item_with_serial_numbers_is_sold_by_them_alone(database):
    scene = Scene(database)
    tracked(database, serials=True)
    for serial in ("S1", "S2", "S3"):
        scene.receive("BIN-1", 1, serial=serial)
    for stated, said in (({}, "which pieces"), ({1: Stated(("S2", "S2"))}, "1 serial numbers")):
        with pytest.raises(Unusable, match=said):
            sold(scene, 2, stated=stated)
    sold(scene, 2, stated={1: Stated(("S2", "S3"))})
    assert left(database) == [("BIN-1", "", "S1", 1, 0)]
    with pytest.raises(Conflict):
        sold(scene, 1, stated={1: Stated(("S2",))})
    scene.check()


@pytest.mark.postgresql
@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_sale_of_one_line_takes_three_statements_where_the_last_one_came_from(database):
    scene = Scene(database, stock=[("BIN-1", 9)])
    sold(scene, 1)
    asked = OrderAsked("SH1", "SHOP", (LineAsked(1, "BOLT", ONE),))
    with scene.desk.change(actor="li.na") as change, statements_of(change.connection) as said:
        sell_at_once(change, asked)
        assert len(said) == 2  # The lock, all else with the stock; the commit writes by another.
    scene.receive("BIN-1", 3, lot="L1", expiry_date="2026-08-01")  # Goes first, but elsewhere.
    with scene.desk.change(actor="li.na") as change, statements_of(change.connection) as said:
        sell_at_once(change, asked)
        assert len(said) == 3
    assert left(database) == [("BIN-1", "", "", 7, 0), ("BIN-1", "L1", "", 2, 0)]
    scene.check()


@pytest.mark.parametrize("state", ["draft", "submitted"])
def test_an_order_that_waits_for_approval_is_sold_as_it_stands(database, state):
    scene = Scene(database, stock=STOCK)
    code = scene.order(9, upto=state)
    with pytest.raises(Conflict):
        scene.change(hand_over, code)
    code = scene.order(4)
    scene.change(reopen_order, code, reason="the customer is here")
    if state == "submitted":
        scene.change(submit_order, code)
    order = scene.change(hand_over, code)
    assert (order, scene.stage(code)) == (scene.figures(code).order, "shipped")
    assert left(database) == [("BIN-1", "L2", "", 3, 0)]
    with pytest.raises(Conflict, match="hand_over is not possible"):
        scene.change(hand_over, code)
    assert (scene.document(code), opened(database)) == ([], [])
    scene.check()
