"""What left beyond what was asked for stays told when stations are told anew of their order."""

from dataclasses import replace

import pytest

from central.orders.sales.sales_book import reserve_order
from central.orders.sales.sales_steps import book_of, save_step, tell_if_released
from central.orders.sales.sales_store import read_order
from central.orders.sales.stale_guidance import StaleGuidance
from central.orders.settling.discrepancy_views import read_detail
from central.orders.settling.settlement_book import settle
from central.orders.transfers.transfer_goods import tell_source
from central.orders.transfers.transfer_store import load_transfer
from central.storage import tables
from tests.central.orders import sales_scenes, transferring
from tests.central.orders.sales_scenes import ONE
from tests.central.scenery import rows


def told(database):
    """{what it is about: its state} of all that is wrong with documents."""
    found = rows(database, tables.discrepancies, "kind", "subject", "state")
    kinds = ("over_shipped", "unexpected")
    return {subject.partition("/")[2]: state for kind, subject, state in found if kind in kinds}


def tell(scene, code):
    """Stations are told what is set aside for an order now, whatever the reason."""
    with scene.desk.change(actor="li.na") as change:
        order = read_order(change.connection, code)
        book = book_of(change, [order])
        save_step(change, tell_if_released(change, book, order), "stations_told")
        book.write()


def picks(scene, code):
    """{number: pieces} that stations are told."""
    return {number: pieces for number, _, _, pieces in scene.document(code)}


def test_a_pick_of_which_too_much_left_is_told_as_much_as_was_asked_for(database):
    scene = sales_scenes.Scene(database, stock=[("BIN-1", 40)])
    code = scene.order(10, upto="released")
    scene.ship(code, "BIN-1", 12, line=1)
    for _ in range(2):
        tell(scene, code)
        assert picks(scene, code) == {1: 10}
        assert told(database) == {"1/BOLT": "open"}
    # What comes back settles it.
    scene.gateway.reverse(len(scene.gateway.bodies))
    scene.send()
    assert told(database) == {"1/BOLT": "settled"}
    scene.check()


def of_two_bins(database):
    """A released order of 20 with picks of 10 each of BIN-2 and BIN-1; there is more by now."""
    scene = sales_scenes.Scene(database, stock=[("BIN-2", 10), ("BIN-1", 10)])
    code = scene.order(20, upto="released")
    assert [one[:2] for one in scene.document(code)] == [(1, "BIN-2"), (2, "BIN-1")]
    scene.receive("BIN-1", 40)
    return scene, code


def test_what_a_line_has_too_much_stays_with_the_pick_that_has_it(database):
    scene, code = of_two_bins(database)
    scene.ship(code, "BIN-2", 10, line=1)
    scene.ship(code, "BIN-1", 13, line=2)
    tell(scene, code)
    assert (picks(scene, code), told(database)) == ({1: 10, 2: 10}, {"2/BOLT": "open"})
    scene.check()


def test_what_one_pick_has_too_much_of_another_of_its_line_is_none(database):
    scene, code = of_two_bins(database)
    scene.ship(code, "BIN-2", 10, line=1)
    scene.ship(code, "BIN-1", 2, line=1)
    tell(scene, code)
    assert (picks(scene, code), told(database)) == ({1: 12, 2: 8}, {"1/BOLT": "settled"})
    # Who was not told yet takes what he was sent for: that is too much.
    scene.ship(code, "BIN-1", 10, line=2)
    tell(scene, code)
    assert picks(scene, code) == {1: 12, 2: 8}
    assert told(database) == {"1/BOLT": "settled", "2/BOLT": "open"}
    scene.check()


def test_what_left_under_a_pick_that_was_done_with_stays_unexpected(database):
    scene, code = of_two_bins(database)
    scene.ship(code, "BIN-1", 20, line=2)
    tell(scene, code)
    assert (picks(scene, code), told(database)) == ({2: 20}, {"2/BOLT": "settled"})
    scene.ship(code, "BIN-2", 4, line=1)
    tell(scene, code)
    assert picks(scene, code) == {2: 20}
    assert told(database) == {"2/BOLT": "settled", "BOLT": "open"}
    scene.check()


def test_a_tolerance_is_none_of_what_used_it_up(database):
    scene = sales_scenes.Scene(database, stock=[("BIN-1", 40)])
    sales_scenes.policy(database, over_percent=20)
    code = scene.order(10, upto="released")
    scene.ship(code, "BIN-1", 12, line=1)
    tell(scene, code)
    assert (picks(scene, code), told(database)) == ({1: 10}, {})
    scene.ship(code, "BIN-1", 1, line=1)
    assert told(database) == {"1/BOLT": "open"}
    scene.check()


@pytest.mark.parametrize("number", [1, 2])
def test_a_pick_of_a_transfer_of_which_too_much_left_is_told_as_much_as_was_asked_for(
    database, number
):
    scene = transferring.Scene(database)
    scene.gateways["SH1"].move("BOLT", "10")
    scene.gateways["SH1"].move("BOLT", "10", target="BIN-2")
    scene.send()
    code = scene.released(("BOLT", 20))
    scene.gateways["SH1"].move("BOLT", "10", target="BIN-2")
    scene.ship(code, 10, place="BIN-1", line=3 - number)
    scene.ship(code, 13, place="BIN-2", line=number)
    scene.send()
    for _ in range(2):
        with scene.desk.change(actor="li.na") as change:
            tell_source(change, load_transfer(change.connection, code))
        names = ("document", "warehouse", "line", "expected_micro")
        lines = rows(database, tables.document_lines, *names)
        asked = {one[2]: one[3] / ONE for one in lines if one[:2] == (code, "SH1")}
        assert asked == {1: 10, 2: 10}
        assert told(database) == {f"{number}/BOLT": "open"}
    assert scene.faults() == []


def of_two_items(database):
    """A released order of 2 numbered nuts (picks 2 and 3) and 2 bolts, both nuts shipped as 1."""
    scene = sales_scenes.Scene(database, stock=[("BIN-3", 10)])
    for serial in ("S0", "S1"):
        scene.receive("BIN-1", 1, item="NUT", serial=serial)
    code = scene.order(("NUT", 2), ("BOLT", 2), upto="released")
    assert picks(scene, code) == {1: 2, 2: 1, 3: 1}
    for serial in ("S0", "S1"):
        scene.ship(code, "BIN-1", 1, line=1, item="NUT", serial=serial)
    assert told(database) == {"NUT": "open"}
    return scene, code


def test_goods_under_the_pick_of_another_item_are_none_of_that(database):
    scene, code = of_two_items(database)
    assert StaleGuidance(database, desk=scene.desk).tick() == 1
    # Both are still asked for, wherever there are any, until somebody has said what left.
    document = [(line, place, pieces) for line, place, _, pieces in scene.document(code)]
    assert document == [(1, "BIN-3", 2), (2, "", 1), (3, "", 1)]
    scene.check()


def test_goods_under_the_pick_of_another_item_are_given_to_their_own_when_told_anew(database):
    scene, code = of_two_items(database)
    StaleGuidance(database, desk=scene.desk).tick()
    for number in (2, 3):
        ((identity,),) = rows(database, tables.discrepancies, "id")
        with database.read() as connection:
            best = read_detail(connection, identity, now_ms=scene.clock.now_ms()).proposals[0]
        assert (best.decision.document, best.decision.document_line) == (code, number)
        scene.change(settle, identity, replace(best.decision, reason="looked"))
    assert told(database) == {"NUT": "settled"}
    assert [line.progress.done_micro for line in scene.figures(code).lines] == [2 * ONE, 0]
    tell(scene, code)
    assert picks(scene, code) == {1: 2, 2: 1, 3: 1}
    scene.check()


def test_what_is_set_aside_instead_ends_what_was_lost(database):
    scene, code = of_two_items(database)
    scene.receive("BIN-2", 2, item="NUT")
    scene.change(reserve_order, code)
    assert picks(scene, code) == {1: 2, 4: 2}
    assert told(database) == {"NUT": "open"}
    scene.check()
