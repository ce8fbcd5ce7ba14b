"""Sales orders from draft to signature, with stations that ship what they were told, and not."""

import pytest

from central.errors import Conflict, NotThere, Outdated, Unusable
from central.orders.document_progress import CountedKey
from central.orders.sales.sales_book import (
    approve_order,
    cancel_order,
    close_order,
    draft_order,
    edit_order,
    recall_order,
    release_order,
    reopen_order,
    reserve_order,
    send_back_order,
    sign_order,
    submit_order,
)
from central.orders.sales.sales_lines import LineAsked, OrderAsked
from central.orders.sales.sales_orders import STATES, SalesLine, SalesOrder, figures_of
from central.orders.sales.sales_reading import SalesFilter, list_orders
from central.orders.sales.sales_remainders import give_up, pick_short, reserve_backorders
from central.storage import sales_tables, tables
from tests.central.orders.sales_scenes import ONE, Scene, policy
from tests.central.scenery import discrepancies, rows

EARLY = {"lot": "L1", "expiry_date": "2026-12-31"}
LATE = {"lot": "L2", "expiry_date": "2027-12-31"}


def order_of(state):
    return SalesOrder(
        *("SO-1", 1, "SH1", "SHOP", state, True, "", "", "", "", "", "", False, "", "", 0, 0, 0),
        lines=(SalesLine(1, "BOLT", "C62", 5 * ONE), SalesLine(2, "BOLT", "C62", 5 * ONE)),
    )


def test_what_stations_count_without_a_line_fills_the_lines_of_the_item_in_order():
    counted = {CountedKey(0, "BOLT", "C62"): 7 * ONE, CountedKey(9, "NUT", "C62"): ONE}
    figures = figures_of(order_of("released"), [], counted)
    assert [line.progress.done_micro // ONE for line in figures.lines] == [5, 2]
    assert figures.stage == "part_shipped"
    assert figures.progress.unexpected == ((CountedKey(0, "NUT", "C62"), ONE),)


@pytest.mark.parametrize("state", ["draft", "submitted", "signed", "closed", "cancelled"])
def test_only_orders_that_were_approved_have_states_of_their_own_making(state):
    figures = figures_of(order_of(state), [], {})
    assert (figures.stage, figures.coverage) == (state, "none")
    assert not STATES["release"].get(state)


def test_an_order_of_many_lines_keeps_them_all_however_often_it_is_changed(database):
    scene = Scene(database, stock=[("BIN-1", 500)])
    code = scene.order(*[1] * 150, upto="draft")
    assert len(scene.figures(code).order.lines) == 150
    asked = [LineAsked(number, "BOLT", 2 * ONE) for number in range(1, 121)]
    scene.change(edit_order, code, OrderAsked("SH1", "SHOP", lines=tuple(asked)))
    scene.change(submit_order, code)
    assert [line.quantity_micro for line in scene.figures(code).order.lines] == [2 * ONE] * 120


def test_an_order_goes_from_draft_to_signature_and_stations_are_told_where_to_take_what(database):
    scene = Scene(database, stock=[("BIN-1", 5, EARLY), ("BIN-3", 9, LATE)])
    code = scene.order(7, upto="draft")
    assert scene.stage(code) == "draft"
    for step, stage in ((submit_order, "submitted"), (approve_order, "reserved")):
        scene.change(step, code)
        assert scene.stage(code) == stage
    assert scene.document(code) == []
    scene.change(release_order, code)
    # BIN-3 is passed before BIN-1.
    assert scene.document(code) == [(1, "BIN-3", "L2", 2), (2, "BIN-1", "L1", 5)]
    assert scene.stage(code) == "released"
    scene.ship(code, "BIN-1", 5, line=2, lot="L1")
    assert scene.stage(code) == "part_shipped"
    with pytest.raises(Conflict, match="not gone out in full") as caught:
        scene.change(sign_order, code, signed_by="Mr Wang")
    assert caught.value.fields == {"remaining": {"1": "2"}}
    scene.ship(code, "BIN-3", 2, line=1, lot="L2")
    assert scene.stage(code) == "shipped"
    scene.change(sign_order, code, signed_by="Mr Wang", tracking="SF-1")
    assert (scene.stage(code), scene.document(code)) == ("signed", [])
    scene.change(close_order, code)
    assert scene.figures(code).order.tracking == "SF-1"
    assert discrepancies(database) == []
    actions = [row[0] for row in rows(database, tables.object_events, "action", "event_no")]
    assert len(actions) == 6
    scene.check()


def test_what_cannot_be_set_aside_waits_for_the_next_receipt_the_oldest_promise_first(database):
    scene = Scene(database, stock=[("BIN-1", 4)])
    late = scene.order(6, promised_on="2026-07-01", upto="released")
    soon = scene.order(3, promised_on="2026-06-01")
    never = scene.order(3)
    scene.ship(late, "BIN-1", 4, line=1)
    assert (scene.stage(late), scene.stage(soon)) == ("part_shipped", "backorder")
    assert scene.figures(late).coverage == "backorder"
    covered = scene.change(reserve_backorders, "SH1")
    assert (covered.granted, covered.more) == ((), False)
    scene.receive("BIN-2", 4)
    covered = scene.change(reserve_backorders, "SH1")
    assert [(one.wanted.holder.code, one.granted_micro // ONE) for one in covered.granted] == [
        (soon, 3),
        (late, 1),
    ]
    assert scene.stage(never) == "backorder"
    # What stations know of a released order is brought up to date with it.
    assert scene.document(late) == [(1, "BIN-1", "", 4), (2, "BIN-2", "", 1)]
    scene.check()


def test_two_people_do_not_undo_each_other_and_no_step_is_done_out_of_turn(database):
    scene = Scene(database, stock=[("BIN-1", 4)])
    code = scene.order(2, upto="draft")
    scene.change(submit_order, code, version=1)
    with pytest.raises(Outdated):
        scene.change(approve_order, code, version=1)
    with pytest.raises(Conflict) as caught:
        scene.change(release_order, code, version=2)
    assert caught.value.fields == {
        "state": "submitted",
        "possible": ["send_back", "approve", "hand_over", "cancel"],
    }
    scene.change(send_back_order, code, reason="price")
    asked = OrderAsked("SH1", "SHOP", (LineAsked(1, "NUT", ONE),), backorders=False)
    scene.change(edit_order, code, asked, version=3)
    assert [line.line.item for line in scene.figures(code).lines] == ["NUT"]
    with pytest.raises(NotThere):
        scene.change(submit_order, "SO-9")
    with pytest.raises(Unusable, match="needs a reason"):
        scene.change(cancel_order, code, reason=" ")


@pytest.mark.parametrize(
    ("asked", "error", "match"),
    [
        ({"customer": "NOBODY"}, Unusable, "no customer"),
        ({"customer": "MILL"}, Conflict, "is a supplier"),
        ({"customer": "GONE"}, Conflict, "retired"),
        ({"warehouse": "XX"}, Unusable, "no warehouse"),
        ({"lines": (LineAsked(1, "WHAT", ONE),)}, Unusable, "no item"),
        ({"lines": (LineAsked(1, "BOLT", ONE), LineAsked(1, "NUT", ONE))}, Unusable, "twice"),
        ({"lines": ()}, Unusable, "0 lines"),
        ({"lines": (LineAsked(1, "BOLT", ONE, unit="KGM"),)}, Unusable, "not stated in"),
        ({"promised_on": "2026-02-30"}, Unusable, "no date"),
        ({"code": "PO-1"}, Conflict, "called PO-1"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_an_order_that_cannot_be_is_refused_whole(database, asked, error, match):
    scene = Scene(database)
    usual = {"warehouse": "SH1", "customer": "SHOP", "lines": (LineAsked(1, "BOLT", ONE),)}
    with pytest.raises(error, match=match):
        scene.change(draft_order, OrderAsked(**usual | asked))
    assert rows(database, sales_tables.sales_orders) == []


def test_an_order_is_cancelled_or_recalled_only_while_nothing_went_out(database):
    scene = Scene(database, stock=[("BIN-1", 9)])
    code = scene.order(4, upto="released")
    scene.change(recall_order, code)
    assert (scene.stage(code), scene.document(code)) == ("reserved", [])
    scene.change(reopen_order, code, reason="another lot")
    assert (scene.stage(code), scene.held(code)) == ("draft", [])
    for step in (submit_order, approve_order, release_order):
        scene.change(step, code)
    scene.ship(code, "BIN-1", 1, line=1)
    for step in (cancel_order, recall_order):
        with pytest.raises(Conflict, match="went out already"):
            scene.change(step, code, **({"reason": "x"} if step is cancel_order else {}))
    scene.check()


def test_goods_that_go_out_under_a_cancelled_order_are_posted_and_explained(database):
    scene = Scene(database, stock=[("BIN-1", 9)])
    code = scene.order(4, upto="released")
    scene.change(cancel_order, code, reason="the customer is gone")
    other = scene.order(7)
    scene.ship(code, "BIN-1", 4, line=1)
    assert scene.held(other) == [(1, "BIN-1", "", 5)]
    assert discrepancies(database) == [
        ("reservation_short", f"{other}/1", 1),
        ("unknown_document", code, 1),
    ]
    scene.check()


def test_what_went_out_before_the_release_keeps_counting_for_the_line_that_it_filled(database):
    scene = Scene(database, stock=[("BIN-1", 9)])
    code = scene.order(2, 3)
    scene.ship(code, "BIN-1", 1, line=2)
    done = [line.progress.done_micro // ONE for line in scene.figures(code).lines]
    scene.change(release_order, code)
    assert [line for line, *_ in scene.document(code)] == [3, 4]
    assert [line.progress.done_micro // ONE for line in scene.figures(code).lines] == done
    assert done == [1, 0]
    scene.check()


def test_giving_up_what_is_missing_ends_an_order_and_frees_what_is_too_much(database):
    scene = Scene(database, stock=[("BIN-1", 5)])
    code = scene.order(8, ("NUT", 1), upto="released")
    scene.ship(code, "BIN-1", 2, line=1)
    with pytest.raises(Conflict, match="not left"):
        scene.change(give_up, code, 1, reason="no more", quantity_micro=7 * ONE)
    scene.change(give_up, code, 1, reason="no more", quantity_micro=4 * ONE)
    assert scene.held(code) == [(1, "BIN-1", "", 2)]
    assert scene.document(code) == [(1, "BIN-1", "", 4)]
    scene.change(give_up, code, 2, reason="no more")
    scene.ship(code, "BIN-1", 2, line=1)
    assert scene.stage(code) == "shipped"
    other = scene.order(1)
    with pytest.raises(Conflict, match="nothing would be left"):
        scene.change(give_up, other, 1, reason="x")
    scene.check()


def test_a_pick_of_which_less_is_found_gets_other_stock_or_says_what_is_missing(database):
    scene = Scene(database, stock=[("BIN-1", 5), ("BIN-2", 2)])
    code = scene.order(5, upto="released")
    assert scene.document(code) == [(1, "BIN-1", "", 5)]
    scene.change(pick_short, code, 1, found_micro=1 * ONE)
    assert scene.held(code) == [(1, "BIN-1", "", 1), (1, "BIN-2", "", 2)]
    assert scene.document(code) == [(1, "BIN-1", "", 1), (2, "BIN-2", "", 2)]
    (found,) = rows(database, tables.discrepancies, "kind", "location", "detail")
    assert found == (
        "reservation_short",
        "BIN-1",
        "BIN-1 has less of BOLT than the books say: count it",
    )
    with pytest.raises(Conflict, match="is not short"):
        scene.change(pick_short, code, 2, found_micro=2 * ONE)
    with pytest.raises(Unusable, match="no pick 7"):
        scene.change(pick_short, code, 7, found_micro=0)
    scene.check()


def test_what_expires_while_it_is_set_aside_is_changed_before_stations_are_told(database):
    scene = Scene(database, stock=[("BIN-1", 5, {"lot": "L0", "expiry_date": "2026-06-15"})])
    code = scene.order(4)
    scene.receive("BIN-2", 5, **LATE)
    scene.clock.time_ms += 30 * 24 * 3600 * 1000
    scene.change(release_order, code)
    assert scene.document(code) == [(1, "BIN-2", "L2", 4)]
    assert scene.reasons(code) == [("BIN-1", "L0", 4, "may no longer be shipped")]
    scene.check()


def test_what_is_within_tolerance_is_shipped_and_the_rest_is_free_at_the_signature(database):
    scene = Scene(database)
    policy(database, "RICE", under_percent=2)
    scene.gateway.move("RICE", "100", target="BIN-1", unit="KGM")
    scene.send()
    code = scene.order(("RICE", 50), upto="released")
    scene.ship(code, "BIN-1", "49.5", line=1, item="RICE", unit="KGM")
    assert scene.stage(code) == "shipped"
    assert scene.held(code) == [(1, "BIN-1", "", 0.5)]
    scene.change(sign_order, code, signed_by="Mr Wang")
    assert scene.held(code) == []
    scene.check()


def test_lists_find_orders_by_what_has_become_of_them(database):
    scene = Scene(database, stock=[("BIN-1", 5)])
    first = scene.order(2, upto="released", promised_on="2026-05-01")
    second = scene.order(2, ("NUT", 1), promised_on="2026-05-01")
    third = scene.order(1, upto="draft")
    scene.ship(first, "BIN-1", 2, line=1)

    def codes(limit=10, after="", **wanted):
        with database.read() as connection:
            found, last = list_orders(connection, SalesFilter(**wanted), after=after, limit=limit)
        return [one.order.code for one in found], last

    assert codes() == ([first, second, third], "")
    assert codes(limit=2) == ([first, second], second)
    assert codes(limit=2, after=second) == ([third], "")
    assert codes(state="shipped") == ([first], "")
    assert codes(state="part_reserved", warehouse="SH1", customer="SHOP") == ([second], "")
    assert codes(state="draft", warehouse="BJ1") == ([], "")
    assert codes(item="NUT") == ([second], "")
    assert codes(late_on="2026-05-28") == ([second], "")


def test_an_order_that_waits_is_told_so_when_nothing_more_can_be_set_aside(database):
    scene = Scene(database, stock=[("BIN-1", 5)])
    code = scene.order(9)
    with pytest.raises(Conflict, match="0 of 4 are available"):
        scene.change(reserve_order, code)
    empty = scene.order(1)
    with pytest.raises(Conflict, match="nothing is set aside"):
        scene.change(release_order, empty)
