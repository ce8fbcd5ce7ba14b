"""Goods of a released transfer are set aside at its source, as those of orders are."""

import pytest

from central.errors import Conflict
from central.orders.reserving import reservation_proof
from central.orders.reserving.reservation_rows import read_reservations
from central.orders.sales.sales_book import approve_order, draft_order, submit_order
from central.orders.sales.sales_lines import LineAsked, OrderAsked
from central.orders.sales.stale_guidance import StaleGuidance
from central.orders.transfers.transfer_book import (
    LineWanted,
    create_transfer,
    decide,
    edit_transfer,
    release_at_once,
)
from central.orders.transfers.transfer_closing import Closing, remainders_of
from central.orders.transfers.transfer_end_book import close_transfer
from central.orders.transfers.transfer_store import load_transfer, read_standing
from central.storage import sales_tables, tables, transfer_tables
from tests.central.orders.sales_scenes import ONE, Scene, promise_scarce_goods
from tests.central.scenery import discrepancies, rows

EARLY = {"lot": "L1", "expiry_date": "2026-12-31"}
LATE = {"lot": "L2", "expiry_date": "2027-12-31"}
ENDS = {"source": "SH1", "destination": "BJ1"}


def line(pieces, item="BOLT", **fields):
    return LineWanted(item, pieces * ONE, **fields)


def released(scene, *lines, **fields):
    return scene.change(release_at_once, lines, **ENDS, **fields).code


def drafted(scene, *lines, **fields):
    """A transfer that was approved."""
    code = scene.change(create_transfer, lines, **ENDS, **fields).code
    for action in ("request", "approve"):
        act(scene, code, action)
    return code


def act(scene, code, action):
    return scene.change(decide, code, action, version=None, reason="because")


def load_truck(scene, code, source, quantity, *, number=1, item="BOLT", **fields):
    said = {"document": code, "document_line": number, "step": "shipping"} | fields
    scene.move(source, "in_transit", quantity, item=item, **said)


def kept(scene, code):
    with scene.database.read() as connection:
        found = read_reservations(connection, [load_transfer(connection, code).holder])
    return sorted(found, key=lambda row: (row.holder, row.stock))


def held(scene, code):
    """(line, location, lot, pieces) of all that is set aside for a transfer."""
    return [
        (row.holder.line, row.stock.location, row.stock.lot, row.quantity_micro / ONE)
        for row in kept(scene, code)
        if row.quantity_micro
    ]


def told(scene, code, warehouse="SH1"):
    """(number, location, lot, quantity) of what stations of a warehouse are told."""
    names = ("warehouse", "document", "line", "location", "lot", "expected_micro")
    found = rows(scene.database, tables.document_lines, *names)
    return [(*row[2:5], row[5] / ONE) for row in found if row[:2] == (warehouse, code)]


def shipped(scene, code):
    """{line: shipped} in whole units, and the state as people name it."""
    with scene.database.read() as connection:
        transfer = load_transfer(connection, code)
        standing = read_standing(connection, transfer)
    lines = standing.figures.lines
    return {number: one.shipped_micro / ONE for number, one in lines.items()}, transfer.shown_state


def under_way(scene, code):
    with scene.database.read() as connection:
        places = read_standing(connection, load_transfer(connection, code)).places
    return remainders_of(places)


def test_goods_of_a_released_transfer_are_promised_to_nobody_else(database):
    scene = Scene(database, stock=[("BIN-1", 100)])
    code = released(scene, line(100))
    assert held(scene, code) == [(1, "BIN-1", "", 100)]
    with pytest.raises(Conflict) as caught:
        scene.order(100, backorders=False)
    assert caught.value.fields["lines"] == [
        {"line": 1, "item": "BOLT", "wanted": "100", "available": "0"}
    ]
    load_truck(scene, code, "BIN-1", 100)
    assert (held(scene, code), shipped(scene, code)) == ([], ({1: 100}, "in_transit"))
    assert (rows(database, sales_tables.allocated), discrepancies(database)) == ([], [])
    scene.check()


@pytest.mark.parametrize("at_once", [True, False], ids=["at once", "by steps"])
def test_more_than_there_is_is_not_released_and_the_answer_says_what_is_available(
    database, at_once
):
    scene = Scene(database, stock=[("BIN-1", 8)])
    first = released(scene, line(3))
    wanted = (line(1), line(99_999), line(1, "NUT"))
    code = "" if at_once else drafted(scene, *wanted)
    with pytest.raises(Conflict, match="of BOLT 4 of 99999 are available") as caught:
        released(scene, *wanted) if at_once else act(scene, code, "release")
    assert caught.value.fields["lines"] == [
        {"line": 2, "item": "BOLT", "wanted": "99999", "available": "4"},
        {"line": 3, "item": "NUT", "wanted": "1", "available": "0"},
    ]
    assert rows(database, sales_tables.reservations, "holder", "quantity_micro") == [
        (first, 3 * ONE)
    ]
    states = rows(database, transfer_tables.transfers, "transfer", "state")
    assert states == [(first, "released")] + ([] if at_once else [(code, "approved")])
    scene.check()


def test_a_transfer_that_may_be_short_sets_aside_what_there_is_and_the_rest_once_it_comes(database):
    scene = Scene(database, stock=[("BIN-1", 8)])
    code = drafted(scene, line(20))
    act(scene, code, "revise")
    scene.change(edit_transfer, code, version=None, backorders=True)
    for action in ("request", "approve", "release"):
        act(scene, code, action)
    assert held(scene, code) == [(1, "BIN-1", "", 8)]
    # What waits stands under the line's own number, what is set aside under another.
    assert told(scene, code) == [(1, "", "", 12), (2, "BIN-1", "", 8)]
    with pytest.raises(Conflict, match="of BOLT 0 of 12 are available"):
        act(scene, code, "reserve")
    scene.receive("BIN-2", 5)
    assert act(scene, code, "reserve").version == 9
    assert told(scene, code) == [(1, "", "", 7), (2, "BIN-1", "", 8), (3, "BIN-2", "", 5)]
    load_truck(scene, code, "BIN-1", 8, number=2)
    load_truck(scene, code, "BIN-2", 5, number=3)
    assert (shipped(scene, code), held(scene, code)) == (({1: 13}, "shipping"), [])
    scene.receive("BIN-3", 9)
    act(scene, code, "reserve")
    assert held(scene, code) == [(1, "BIN-3", "", 7)]
    assert told(scene, code)[0] == (1, "BIN-3", "", 7)  # Now nothing waits any more.
    load_truck(scene, code, "BIN-3", 7)
    assert shipped(scene, code) == ({1: 20}, "in_transit")
    assert discrepancies(database) == []
    scene.check()


def test_the_lot_that_expires_first_goes_first_and_stations_are_told_which_bin_and_lot(database):
    scene = Scene(database, stock=[("BIN-1", 5, LATE), ("BIN-2", 5, EARLY)])
    code = released(scene, line(7))
    assert held(scene, code) == [(1, "BIN-1", "L2", 2), (1, "BIN-2", "L1", 5)]
    # BIN-2 is passed first.
    assert told(scene, code) == [(1, "BIN-2", "L1", 5), (2, "BIN-1", "L2", 2)]
    assert told(scene, code, "BJ1") == [(1, "", "", 7)]
    load_truck(scene, code, "BIN-1", 2, number=2, lot="L2")
    assert shipped(scene, code) == ({1: 2}, "shipping")
    load_truck(scene, code, "BIN-2", 5, lot="L1")
    assert shipped(scene, code) == ({1: 7}, "in_transit")
    assert (held(scene, code), discrepancies(database)) == ([], [])
    scene.check()


def test_a_line_that_names_a_place_or_a_lot_gets_those_alone(database):
    scene = Scene(database, stock=[("BIN-1", 5, LATE), ("BIN-2", 5, EARLY), ("BIN-3", 5, LATE)])
    code = released(scene, line(2, from_location="BIN-3"), line(6, lot="L2"))
    assert held(scene, code) == [
        (1, "BIN-3", "L2", 2),
        (2, "BIN-1", "L2", 5),
        (2, "BIN-3", "L2", 1),
    ]
    assert told(scene, code) == [
        (1, "BIN-3", "L2", 2),
        (2, "BIN-3", "L2", 1),
        (3, "BIN-1", "L2", 5),
    ]
    with pytest.raises(Conflict, match="of BOLT 2 of 3 are available"):
        released(scene, line(3, from_location="BIN-3"))
    scene.check()


def test_other_goods_that_left_free_those_that_were_set_aside(database):
    scene = Scene(database, stock=[("BIN-1", 4), ("BIN-3", 5)])
    code = released(scene, line(5), line(4))
    assert held(scene, code) == [(1, "BIN-3", "", 5), (2, "BIN-1", "", 4)]
    scene.receive("BIN-2", 5)
    load_truck(scene, code, "BIN-2", 5)
    assert held(scene, code) == [(2, "BIN-1", "", 4)]
    (freed,) = [row for row in kept(scene, code) if row.freed_micro]
    assert (freed.stock.location, freed.reason) == ("BIN-3", "BOLT of BIN-2 went out instead")
    # A station that cannot tell the line counts for the lines in their order.
    load_truck(scene, code, "BIN-1", 3, number=0)
    assert (shipped(scene, code)[0], held(scene, code)) == ({1: 5, 2: 3}, [(2, "BIN-1", "", 1)])
    scene.check()


def test_what_a_station_loads_without_naming_a_pick_leaves_no_line_with_too_much(database):
    scene = Scene(database, stock=[("BIN-1", 4), ("BIN-3", 5, {"lot": "L1"})])
    code = released(scene, line(5, lot="L1"), line(4))
    load_truck(scene, code, "BIN-1", 4, number=0)
    # It filled line 1; what was set aside for that is too much by as much, and line 2 waits.
    assert shipped(scene, code)[0] == {1: 4, 2: 0}
    assert held(scene, code) == [(1, "BIN-3", "L1", 1), (2, "BIN-3", "L1", 4)]
    with database.read() as connection:
        assert load_transfer(connection, code).stale
    scene.check()


def test_goods_that_are_put_ready_stay_set_aside_and_what_comes_back_waits(database):
    scene = Scene(database, stock=[("BIN-1", 10)])
    code = released(scene, line(6))
    said = {"document": code, "document_line": 1, "step": "picking"}
    scene.move("BIN-1", "BIN-2", 4, **said)
    assert held(scene, code) == [(1, "BIN-1", "", 2), (1, "BIN-2", "", 4)]
    load_truck(scene, code, "BIN-2", 4)
    assert held(scene, code) == [(1, "BIN-1", "", 2)]
    scene.move("in_transit", "BIN-2", 1, document=code, document_line=1, step="shipping")
    assert shipped(scene, code)[0] == {1: 3}
    act(scene, code, "reserve")
    assert sum(one[3] for one in held(scene, code)) == 3
    scene.check()


@pytest.mark.parametrize(("end", "loaded"), [("cancel", 0), ("cancel", 4), ("close", 4)])
def test_the_end_of_a_transfer_frees_what_was_set_aside(database, end, loaded):
    scene = Scene(database, stock=[("BIN-1", 10)])
    code = released(scene, line(10))
    if loaded:
        load_truck(scene, code, "BIN-1", loaded)
    if end == "cancel":
        act(scene, code, "cancel")
    else:
        closings = [
            Closing(thing, micro, "lost") for thing, micro in under_way(scene, code).items()
        ]
        scene.change(close_transfer, code, closings, version=None)
    assert (held(scene, code), rows(database, sales_tables.allocated)) == ([], [])
    (row,) = kept(scene, code)
    why = "transfer cancelled: because" if end == "cancel" else "transfer closed"
    assert (row.freed_micro, row.reason) == ((10 - loaded) * ONE, why)
    assert scene.stage(scene.order(10 - loaded)) == "reserved"
    scene.check()


def test_stations_of_the_source_hear_of_goods_that_have_moved(database):
    scene = Scene(database, stock=[("BIN-1", 5)])
    code = released(scene, line(5))
    guidance = StaleGuidance(database, desk=scene.desk)
    assert guidance.tick() == 0
    scene.move("BIN-1", "BIN-2", 5)
    assert (held(scene, code), told(scene, code)) == (
        [(1, "BIN-2", "", 5)],
        [(1, "BIN-1", "", 5)],
    )
    assert (guidance.tick(), guidance.tick()) == (1, 0)
    assert told(scene, code) == [(2, "BIN-2", "", 5)]
    events = rows(database, tables.object_events, "event_no", "code", "action", "actor")
    assert events[-1][1:] == (code, "stations_told", "ledger")
    load_truck(scene, code, "BIN-2", 5, number=2)
    assert shipped(scene, code) == ({1: 5}, "in_transit")
    scene.check()


def test_goods_that_are_gone_leave_whoever_reserved_last_short_until_others_are_set_aside(database):
    scene = Scene(database, stock=[("BIN-1", 5)])
    order = scene.order(2)
    scene.clock.time_ms += 1000
    code = released(scene, line(3))
    scene.move("BIN-1", "adjustment", 2, step="counting")
    assert (scene.held(order), held(scene, code)) == (
        [(1, "BIN-1", "", 2)],
        [(1, "BIN-1", "", 1)],
    )
    assert discrepancies(database) == [("reservation_short", f"{code}/1", 1)]
    assert StaleGuidance(database, desk=scene.desk).tick() == 1
    assert told(scene, code) == [(1, "BIN-1", "", 3)]
    scene.receive("BIN-2", 9)
    act(scene, code, "reserve")
    assert held(scene, code) == [(1, "BIN-1", "", 1), (1, "BIN-2", "", 2)]
    assert told(scene, code) == [(1, "BIN-1", "", 1), (2, "BIN-2", "", 2)]
    settled = rows(database, tables.discrepancies, "state", "settlement")
    assert settled == [("settled", "other stock was set aside")]
    scene.check()


@pytest.mark.parametrize("end", ["cancel", "close"])
def test_the_end_of_a_transfer_settles_that_it_was_short(database, end):
    scene = Scene(database, stock=[("BIN-1", 5)])
    code = released(scene, line(5))
    scene.move("BIN-1", "adjustment", 2, step="counting")
    assert discrepancies(database) == [("reservation_short", f"{code}/1", 1)]
    if end == "cancel":
        act(scene, code, "cancel")
    else:
        load_truck(scene, code, "BIN-1", 3)
        closings = [
            Closing(thing, micro, "lost") for thing, micro in under_way(scene, code).items()
        ]
        scene.change(close_transfer, code, closings, version=None)
    assert rows(database, tables.discrepancies, "state") == [("settled",)]
    scene.check()


def test_more_set_aside_than_a_transfer_asks_for_or_after_its_end_is_found(database):
    scene = Scene(database, stock=[("BIN-1", 9)])
    code = released(scene, line(5))
    lines, transfers = transfer_tables.transfer_lines, transfer_tables.transfers
    for change, said in (
        (lines.update().values(quantity_micro=4 * ONE), "4000000 ordered (micro), released"),
        (
            transfers.update().values(state="closed"),
            "4000000 ordered (micro), closed",
        ),
    ):
        with database.write() as connection:
            connection.execute(change)
        with database.read() as connection:
            found = [str(one) for one in reservation_proof.faults(connection)]
        assert len(found) == 1, found
        assert f"{code}/1" in found[0]
        assert said in found[0]


def test_32_clients_who_order_and_transfer_the_same_goods_promise_no_more_than_there_is(database):
    def ask(change, number, items):
        if number % 2:
            release_at_once(change, [line(1, item) for item in items], **ENDS)
            return
        lines = tuple(LineAsked(at, item, ONE) for at, item in enumerate(items, 1))
        code = draft_order(change, OrderAsked("SH1", "SHOP", lines, backorders=False)).code
        submit_order(change, code)
        approve_order(change, code)

    promise_scarce_goods(database, ask)
    kinds = {kind for (kind,) in rows(database, sales_tables.reservations, "holder_kind")}
    assert kinds == {"sales_order", "transfer"}
