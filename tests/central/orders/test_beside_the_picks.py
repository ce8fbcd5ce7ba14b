"""What left beside the picks of an order is too much once these are done in full, too."""

from dataclasses import replace

import pytest

from central.orders.settling.discrepancy_views import read_detail
from central.orders.settling.settlement_book import settle
from central.storage import tables
from tests.central.orders import sales_scenes, transferring
from tests.central.orders.sales_scenes import ONE
from tests.central.scenery import rows


def told(database):
    names = ("kind", "subject", "state", "expected_micro", "actual_micro")
    found = rows(database, tables.discrepancies, *names)
    return [(*one[:3], one[3] / ONE, one[4] / ONE) for one in found if one[0] == "over_shipped"]


def picked(database, at_once):
    """An order of 10 with two picks of 5; three and two left without a pick, then both in full."""
    scene = sales_scenes.Scene(database, stock=[("BIN-2", 5), ("BIN-1", 5)])
    code = scene.order(10, upto="released")
    assert [one[0] for one in scene.document(code)] == [1, 2]
    scene.receive("BIN-3", 20)
    said = [("BIN-3", "3", 0), ("BIN-3", "2", 0), ("BIN-2", "5", 1), ("BIN-1", "5", 2)]
    for source, quantity, line in said:
        fields = {"source": source, "target": "customer", "business_step": "shipping"}
        named = {"document": code, "document_line": line}
        scene.gateway.move("BOLT", quantity, **fields, **named)
        if not at_once:
            scene.send()
    if at_once:
        scene.send()
    return scene, code


@pytest.mark.parametrize("at_once", [True, False])
def test_what_left_beside_the_picks_of_an_order_is_told_once_they_are_done(database, at_once):
    scene, code = picked(database, at_once)
    assert told(database) == [("over_shipped", f"{code}/0/BOLT", "open", 10, 15)]
    ((identity,),) = rows(database, tables.discrepancies, "id")
    with database.read() as connection:
        best, *_ = read_detail(connection, identity, now_ms=scene.clock.now_ms()).proposals
    assert (best.decision.action, best.decision.quantity_micro) == ("reverse", 5 * ONE)
    scene.change(settle, identity, replace(best.decision, reason="looked"))
    assert [one[2] for one in told(database)] == ["settled"]
    assert scene.figures(code).lines[0].progress.done_micro == 10 * ONE
    scene.check()


def test_a_pick_that_is_taken_back_settles_what_left_beside_it(database):
    scene, _ = picked(database, at_once=False)
    scene.gateway.reverse(len(scene.gateway.bodies))
    scene.send()
    assert [one[2] for one in told(database)] == ["settled"]
    scene.check()


def test_what_is_told_of_a_pick_is_not_told_twice(database):
    scene = sales_scenes.Scene(database, stock=[("BIN-2", 5), ("BIN-1", 5)])
    code = scene.order(10, upto="released")
    scene.receive("BIN-3", 20)
    scene.ship(code, "BIN-3", 1)
    scene.ship(code, "BIN-2", 7, line=1)
    scene.ship(code, "BIN-1", 4, line=2)
    assert told(database) == [("over_shipped", f"{code}/1/BOLT", "open", 5, 7)]
    scene.ship(code, "BIN-1", 1, line=2)
    assert sorted(told(database)) == [
        ("over_shipped", f"{code}/0/BOLT", "open", 10, 11),
        ("over_shipped", f"{code}/1/BOLT", "open", 5, 7),
    ]
    scene.check()


@pytest.mark.parametrize("at_once", [True, False])
def test_what_left_beside_the_picks_of_a_transfer_is_told_once_they_are_done(database, at_once):
    scene = transferring.Scene(database)
    gateway = scene.gateways["SH1"]
    gateway.move("BOLT", "5")
    gateway.move("BOLT", "5", target="BIN-2")
    scene.send()
    code = scene.released(("BOLT", 10))
    gateway.move("BOLT", "20", target="BIN-3")
    picks = sorted(
        one[1:]
        for one in rows(database, tables.document_lines, "document", "line", "location")
        if one[0] == code and one[2]
    )
    assert len(picks) == 2
    for quantity, line, place in [(5, 0, "BIN-3"), *((5, *pick) for pick in picks)]:
        scene.ship(code, quantity, line=line, place=place)
        if not at_once:
            scene.send()
    scene.send()
    assert told(database) == [("over_shipped", f"{code}/0/BOLT", "open", 10, 15)]
    gateway.reverse(len(gateway.bodies))
    scene.send()
    assert [one[2] for one in told(database)] == ["settled"]
    assert scene.faults() == []
