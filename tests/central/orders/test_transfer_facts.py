"""Transfers while gateways ship and receive: part by part, too little, too much, in any order."""

import pytest

from central.errors import Conflict, Unusable
from central.ledger.verify import verify_ledger
from central.orders.reserving.availability import availability
from central.orders.transfers.transfer_closing import Closing, Thing
from central.orders.transfers.transfer_store import load_transfer, read_standing
from central.orders.transfers.transfer_transit import list_under_way
from central.orders.transfers.transfer_views import TransferFilter, list_transfers, read_detail
from central.storage import tables, transfer_tables
from tests.central.orders.transferring import MICRO, Scene
from tests.central.scenery import NOW_MS, on_hand, rows

BOLT = Thing("BOLT", "", "", "C62")
BEFORE, AFTER = "received_before_shipped", "moved_after_end"
DAY_MS = 24 * 3600 * 1000


@pytest.fixture
def scene(database):
    """Ten bolts of no lot at SH1."""
    made = Scene(database)
    made.gateways["SH1"].move("BOLT", "100", target="BIN-1")
    made.send()
    return made


def proved(scene):
    assert verify_ledger(scene.database).faults == ()
    assert scene.faults() == []


def transit(scene, code):
    with scene.database.read() as connection:
        return list_under_way(connection, load_transfer(connection, code), after=None, limit=100)


def test_shipped_and_received_in_parts_it_goes_through_every_phase(scene):
    code = scene.released(("BOLT", 10))
    seen = []
    for work, quantity in (("ship", 4), ("ship", 6), ("receive", 7), ("receive", 3)):
        getattr(scene, work)(code, quantity)
        scene.send()
        seen.append((scene.state(code), scene.under_way(code).get(("BOLT", ""), 0)))
        proved(scene)
    assert seen == [("shipping", 4), ("in_transit", 10), ("receiving", 3), ("received", 0)]
    assert scene.figures(code) == {1: (10, 10)}
    assert scene.close(code).shown_state == "closed"
    assert on_hand(scene.database)["BJ1", "BIN-1", ""] == 10 * MICRO
    assert scene.told() == []
    proved(scene)


def test_what_came_short_is_closed_with_reasons_and_nothing_is_under_way(scene):
    code = scene.released(("BOLT", 10))
    scene.ship(code, 10)
    scene.receive(code, 6)
    scene.send()
    for wrong in ([], [Closing(BOLT, 3 * MICRO, "lost")]):
        with pytest.raises(Conflict) as caught:
            scene.close(code, *wrong)
        (difference,) = caught.value.fields["differences"]
        assert (difference["item"], difference["under_way"]) == ("BOLT", "4")
    with pytest.raises(Unusable, match="NOWHERE"):
        scene.close(code, Closing(BOLT, 4 * MICRO, "sent_back", "NOWHERE"))
    assert (scene.state(code), scene.under_way(code)) == ("receiving", {("BOLT", ""): 4})
    closed = scene.close(
        code,
        Closing(BOLT, 1 * MICRO, "lost", note="fell off"),
        Closing(BOLT, 1 * MICRO, "damaged"),
        Closing(BOLT, 2 * MICRO, "sent_back", "BIN-2"),
        reason="the truck had an accident",
    )
    assert (closed.shown_state, closed.under_way_since_ms) == ("closed", 0)
    assert code not in {row[0] for row in rows(scene.database, tables.documents, "document")}
    held = on_hand(scene.database)
    assert (held["SH1", "BIN-1", ""], held["SH1", "BIN-2", ""]) == (90 * MICRO, 2 * MICRO)
    assert (held["SH1", "adjustment", ""], held["SH1", "scrap", ""]) == (MICRO, MICRO)
    assert scene.under_way(code) == {}
    kept = rows(scene.database, transfer_tables.transfer_closings, "closing", "reason", "gateway")
    assert kept == [(1, "lost", "central"), (2, "damaged", "central"), (3, "sent_back", "central")]
    assert scene.told() == []
    proved(scene)


def test_what_came_too_much_is_found(scene):
    code = scene.released(("BOLT", 10))
    scene.ship(code, 10)
    scene.receive(code, 12)
    scene.send()
    assert scene.under_way(code) == {("BOLT", ""): -2}
    assert scene.told() == [("over_received", "open"), (BEFORE, "open")]
    scene.close(code, Closing(BOLT, 2 * MICRO, "found"))
    assert scene.told() == [("over_received", "settled"), (BEFORE, "settled")]
    assert "closed by li.na (found)" in scene.settlements("over_received")[0]
    assert on_hand(scene.database)["BJ1", "adjustment", ""] == -2 * MICRO
    proved(scene)


def test_received_before_the_facts_of_the_source_settles_itself_and_says_why(scene):
    code = scene.released(("BOLT", 10))
    scene.ship(code, 10)
    scene.receive(code, 4)
    scene.receive(code, 6)
    scene.send("BJ1")
    assert (scene.state(code), scene.under_way(code)) == ("receiving", {("BOLT", ""): -10})
    assert scene.told() == [(BEFORE, "open")]
    proved(scene)
    scene.send("SH1")
    assert (scene.state(code), scene.under_way(code)) == ("received", {})
    assert scene.told() == [(BEFORE, "settled")]
    assert scene.settlements(BEFORE) == [
        "sh1-dock-1's fact has come (record 4 of SH1): nothing under way now"
    ]
    proved(scene)


def test_part_of_the_missing_facts_settles_nothing(scene):
    code = scene.released(("BOLT", 10))
    scene.receive(code, 10)
    scene.send()
    scene.ship(code, 4)
    scene.send()
    assert scene.told() == [(BEFORE, "open")]
    (found,) = rows(scene.database, tables.discrepancies, "kind", "facts_count", "warehouse")
    assert found == (BEFORE, 1, "BJ1")
    scene.ship(code, 6)
    scene.send()
    assert scene.told() == [(BEFORE, "settled")]
    proved(scene)


def test_another_lot_and_a_wrong_item_explain_themselves_at_the_place(scene):
    code = scene.released(("BOLT", 10))
    scene.gateways["SH1"].move("BOLT", "10", target="BIN-1", lot="A")
    scene.gateways["SH1"].move("NUT", "3", target="BIN-1")
    scene.ship(code, 10, lot="A")
    scene.ship(code, 3, "NUT", line=0)
    scene.receive(code, 10, lot="B")
    scene.receive(code, 3, "NUT", line=0)
    scene.send()
    assert scene.under_way(code) == {("BOLT", "A"): 10, ("BOLT", "B"): -10}
    with scene.database.read() as connection:
        figures = read_detail(connection, load_transfer(connection, code)).standing.figures
    assert [micro for _, micro in figures.unasked_shipped] == [3 * MICRO]
    assert [micro for _, micro in figures.unasked_received] == [3 * MICRO]
    assert scene.state(code) == "receiving"
    with pytest.raises(Conflict):
        scene.close(code, Closing(Thing("BOLT", "A", "", "C62"), 10 * MICRO, "lost"))
    scene.close(
        code,
        Closing(Thing("BOLT", "A", "", "C62"), 10 * MICRO, "lost"),
        Closing(Thing("BOLT", "B", "", "C62"), 10 * MICRO, "found"),
    )
    assert {state for _, state in scene.told()} == {"settled"}
    proved(scene)


def test_a_pallet_that_is_opened_on_the_way_still_sums_to_nothing(scene):
    code = scene.released(("BOLT", 10))
    sscc = "106141412345678908"
    scene.gateways["SH1"].move("BOLT", "10", target="BIN-1", sscc=sscc)
    scene.ship(code, 10, sscc=sscc)
    scene.receive(code, 9)
    scene.send()
    assert scene.under_way(code) == {("BOLT", ""): 1}
    scene.close(code, Closing(BOLT, MICRO, "lost"))
    assert scene.under_way(code) == {}
    moved = rows(scene.database, tables.lines, "record_no", "location", "sscc")
    assert moved[-2:] == [(5, "adjustment", sscc), (5, f"in_transit/{code}", sscc)]
    proved(scene)


def test_cancelled_in_transit_what_is_under_way_comes_back_or_is_accounted_for(scene):
    code = scene.released(("BOLT", 10))
    scene.ship(code, 10)
    scene.send()
    assert scene.act(code, "cancel", reason="wrong shop").shown_state == "returning"
    proved(scene)
    scene.gateways["SH1"].reverse(2, reason="unloaded again")
    scene.send()
    assert scene.state(code) == "cancelled"
    assert on_hand(scene.database)["SH1", "BIN-1", ""] == 100 * MICRO
    proved(scene)


def test_cancelled_in_transit_and_closed_with_reasons_it_stays_cancelled(scene):
    code = scene.released(("BOLT", 10))
    scene.ship(code, 10)
    scene.send()
    scene.act(code, "cancel", reason="wrong shop")
    closed = scene.close(code, Closing(BOLT, 10 * MICRO, "sent_back", "BIN-3"))
    assert (closed.shown_state, closed.ended_reason) == ("cancelled", "wrong shop")
    assert on_hand(scene.database)["SH1", "BIN-3", ""] == 10 * MICRO
    proved(scene)


def test_scans_that_arrive_after_it_was_cancelled_are_posted_told_once_and_accounted_for(scene):
    code = scene.released(("BOLT", 10))
    scene.ship(code, 4)
    scene.act(code, "cancel", reason="not needed")
    scene.ship(code, 6)
    scene.send()
    assert (scene.state(code), scene.under_way(code)) == ("returning", {("BOLT", ""): 10})
    assert scene.told() == [(AFTER, "open"), ("unknown_document", "settled")]
    assert AFTER in scene.settlements("unknown_document")[0]
    proved(scene)
    scene.receive(code, 10)
    scene.send()
    assert (scene.state(code), scene.under_way(code)) == ("cancelled", {})
    assert "bj1-dock-1's fact has come" in scene.settlements(AFTER)[0]
    assert {state for _, state in scene.told()} == {"settled"}
    proved(scene)


def test_a_late_receipt_reopens_a_closed_transfer_until_it_is_closed_once_more(scene):
    code = scene.released(("BOLT", 10))
    scene.ship(code, 10)
    scene.receive(code, 8)
    scene.send()
    scene.close(code, Closing(BOLT, 2 * MICRO, "lost"))
    with pytest.raises(Conflict, match="is closed"):
        scene.close(code)
    scene.receive(code, 2)
    scene.send()
    assert (scene.state(code), scene.under_way(code)) == ("reopened", {("BOLT", ""): -2})
    assert scene.told(AFTER) == [(AFTER, "open")]
    proved(scene)
    scene.close(code, Closing(BOLT, 2 * MICRO, "found"))
    assert scene.state(code) == "closed"
    assert {state for _, state in scene.told()} == {"settled"}
    kept = rows(scene.database, transfer_tables.transfer_closings, "closing", "reason")
    assert kept == [(1, "lost"), (2, "found")]
    proved(scene)


def test_once_something_was_received_it_is_closed_not_cancelled(scene):
    code = scene.released(("BOLT", 10))
    scene.ship(code, 10)
    scene.receive(code, 1)
    scene.send()
    with pytest.raises(Conflict, match="is receiving"):
        scene.act(code, "cancel")


def test_a_third_warehouse_that_unloads_it_explains_where_it_is(scene):
    code = scene.released(("BOLT", 10))
    scene.ship(code, 10)
    scene.receive(code, 10, at="CQ1")
    scene.send()
    assert scene.under_way(code) == {}
    (thing,) = transit(scene, code)
    assert (thing.shipped_micro, thing.received) == (10 * MICRO, {"CQ1": 10 * MICRO})
    assert scene.told() == [("unknown_document", "open")]
    proved(scene)


def test_what_came_to_a_third_warehouse_is_no_remainder_and_asks_for_a_reason(scene):
    code = scene.released(("BOLT", 4))
    scene.ship(code, 4)
    scene.receive(code, 1, at="CQ1")
    scene.send()
    assert remaining(scene, code) == (4, 0, 1, 3)
    scene.receive(code, 3, at="CQ1")
    scene.send()
    assert remaining(scene, code) == (4, 0, 4, 0)
    assert scene.state(code) == "receiving"
    proved(scene)
    with pytest.raises(Conflict, match="4 of BOLT came to another warehouse than BJ1"):
        scene.close(code)
    scene.close(code, reason="Chongqing keeps them")
    assert scene.told() == [("unknown_document", "settled")]
    proved(scene)


def test_as_much_is_on_its_way_as_no_warehouse_has_received(scene):
    code = scene.released(("BOLT", 4))
    scene.ship(code, 4)
    scene.receive(code, 1, at="CQ1")
    scene.receive(code, 2)
    scene.send()
    with scene.database.read() as connection:
        figures = availability(connection, item="BOLT", warehouse="BJ1")
    assert figures.in_transit_micro == MICRO


def remaining(scene, code):
    """(shipped, received, elsewhere, remainder) of the first line, in whole units."""
    with scene.database.read() as connection:
        standing = read_standing(connection, load_transfer(connection, code))
    one = standing.figures.lines[1]
    figures = (one.shipped_micro, one.received_micro, one.elsewhere_micro, one.remainder_micro)
    return tuple(micro // MICRO for micro in figures)


def test_facts_before_the_release_count_once_it_is_released(scene):
    code = scene.draft(("BOLT", 10))
    scene.ship(code, 10)
    scene.send()
    assert scene.state(code) == "draft"
    proved(scene)
    for action in ("request", "approve", "release"):
        scene.act(code, action)
    assert scene.state(code) == "in_transit"
    scene.receive(code, 10)
    scene.send()
    assert scene.state(code) == "received"
    proved(scene)


def test_damaged_goods_are_counted_apart_where_they_are_put(scene):
    code = scene.released(("BOLT", 10))
    scene.ship(code, 10)
    scene.receive(code, 7)
    scene.receive(code, 3, place="HOLD")
    scene.send()
    with scene.database.read() as connection:
        detail = read_detail(connection, load_transfer(connection, code))
    assert detail.damaged_micro == {1: 3 * MICRO}
    assert (scene.state(code), scene.figures(code)) == ("received", {1: (10, 10)})


def test_the_place_names_the_facts_behind_each_thing_and_since_when(scene):
    code = scene.released(("BOLT", 10), ("NUT", 1))
    scene.ship(code, 2, event_time_ms=NOW_MS - 5 * DAY_MS)
    scene.receive(code, 2)
    scene.ship(code, 3, event_time_ms=NOW_MS - 3 * DAY_MS)
    scene.ship(code, 1, event_time_ms=NOW_MS - 2 * DAY_MS)
    scene.gateways["SH1"].move("NUT", "1", target="BIN-1")
    scene.ship(code, 1, "NUT", line=2, event_time_ms=NOW_MS - DAY_MS)
    scene.send()
    bolt, nut = transit(scene, code)
    assert (bolt.thing.item, bolt.shipped_micro, bolt.under_way_micro) == (
        "BOLT",
        6 * MICRO,
        4 * MICRO,
    )
    assert [(one.warehouse, one.location, one.quantity_micro) for one in bolt.facts] == [
        ("SH1", "BIN-1", 2 * MICRO),
        ("SH1", "BIN-1", 3 * MICRO),
        ("SH1", "BIN-1", 1 * MICRO),
        ("BJ1", "BIN-1", -2 * MICRO),
    ]
    assert bolt.facts[0].fact == f"sh1-dock-1/{scene.gateways['SH1'].epoch}/2"
    assert (bolt.since_ms, nut.since_ms) == (NOW_MS - 5 * DAY_MS, NOW_MS - DAY_MS)
    # The first two went and came; what is under way left after that.
    scene.ship(code, 5, event_time_ms=NOW_MS - DAY_MS // 2)
    scene.receive(code, 4)
    scene.send("BJ1")
    assert (scene.under_way(code).get(("BOLT", "")), scene.state(code)) == (None, "receiving")
    scene.send("SH1")
    assert transit(scene, code)[0].since_ms == NOW_MS - DAY_MS // 2
    with scene.database.read() as connection:
        for days, found in ((5, [code]), (6, [])):
            wanted = TransferFilter(under_way_days=days)
            listed = list_transfers(connection, wanted, now_ms=NOW_MS, before=None, limit=10)
            assert [one.code for one in listed] == found
