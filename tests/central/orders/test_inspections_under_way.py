"""Goods in inspection that leave by a transfer are decided on where they go, each of them once."""

from dataclasses import replace

import pytest

from central.errors import Conflict
from central.ledger.verify import verify_ledger
from central.orders.proofs import PROOFS
from central.orders.purchasing.inspection_book import DecisionAsked, decide
from central.orders.purchasing.inspection_reading import InspectionFilter, list_inspections
from central.orders.settling.discrepancy_views import read_detail
from central.orders.settling.settlement_book import reopen, settle
from central.storage import tables
from tests.central.orders.transferring import MICRO, Scene
from tests.central.scenery import rows


@pytest.fixture
def scene(database):
    """10 bolts came to BIN-1 of SH1 and wait for inspection."""
    made = Scene(database)
    made.gateways["SH1"].move("BOLT", "10", target="BIN-1", to_status="inspection")
    made.send()
    yield made
    assert verify_ledger(database, proofs=PROOFS).faults == ()


def inspections(scene):
    """(warehouse, arrived, in inspection, held, gone, accepted, open) of each, in whole units."""
    with scene.database.read() as connection:
        found = list_inspections(connection, InspectionFilter(), after="", limit=99)
    return [
        (
            one.inspection.warehouse,
            *(
                micro / MICRO
                for micro in (
                    one.inspection.arrived_micro,
                    one.amounts.inspection_micro,
                    one.amounts.held_micro,
                    one.amounts.gone_micro,
                    one.amounts.accepted_micro,
                )
            ),
            one.inspection.open,
        )
        for one in found
    ]


def standing(scene, status="inspection"):
    """{warehouse: whole units} that wait at places."""
    found = {}
    columns = ("warehouse", "location", "status", "on_hand_micro")
    for house, place, was, micro in rows(scene.database, tables.balances, *columns):
        if was == status and "/" not in place and place != "supplier" and micro:
            found[house] = found.get(house, 0) + micro / MICRO
    return found


def carried(scene, quantity, *, source="SH1", destination="BJ1", **fields):
    """The code of a transfer by which so many left and arrived."""
    code = scene.released(("BOLT", quantity), source=source, destination=destination)
    scene.ship(code, quantity, at=source, **fields)
    scene.send(source)
    scene.receive(code, quantity, at=destination, **fields)
    scene.send(destination)
    return code


def accept(scene, code, quantity):
    with scene.desk.change(actor="li.na") as change:
        decide(change, code, [DecisionAsked("accept", quantity * MICRO)], version=None)


def test_goods_that_come_back_are_decided_on_once(scene):
    carried(scene, 6)
    left, there = ("SH1", 10, 4, 0, 6, 0, True), ("BJ1", 6, 6, 0, 0, 0, True)
    assert inspections(scene) == [left, there]
    assert standing(scene) == {"SH1": 4, "BJ1": 6}
    carried(scene, 6, source="BJ1", destination="SH1")
    gone, back = ("BJ1", 6, 0, 0, 6, 0, False), ("SH1", 6, 6, 0, 0, 0, True)
    assert inspections(scene) == [left, gone, back]
    assert standing(scene) == {"SH1": 10}
    for code, quantity in (("QI-000001", 5), ("QI-000003", 7)):
        with pytest.raises(Conflict):
            accept(scene, code, quantity)
    accept(scene, "QI-000001", 4)
    accept(scene, "QI-000003", 6)
    assert [one[-1] for one in inspections(scene)] == [False] * 3
    assert standing(scene) == {}
    assert standing(scene, "available") == {"SH1": 10}


def test_goods_that_come_back_under_the_same_transfer_are_decided_on_once(scene):
    code = carried(scene, 10)
    scene.ship(code, 10, at="BJ1")
    scene.send()
    scene.receive(code, 10, at="SH1")
    scene.send()
    assert standing(scene) == {"SH1": 10}
    assert [(one[0], *one[2:]) for one in inspections(scene)] == [
        ("SH1", 0, 0, 10, 0, False),
        ("BJ1", 0, 0, 10, 0, False),
        ("SH1", 10, 0, 0, 0, True),
    ]


@pytest.mark.parametrize("at_once", [False, True], ids=["call by call", "in one call"])
def test_who_takes_back_that_goods_left_has_them_decided_on_as_before(scene, at_once):
    code = scene.released(("BOLT", 6))
    gateway = scene.gateways["SH1"]
    scene.ship(code, 6)
    if not at_once:
        scene.send()
        assert inspections(scene) == [("SH1", 10, 4, 0, 6, 0, True)]
    gateway.reverse(len(gateway.bodies))
    scene.send()
    assert inspections(scene) == [("SH1", 10, 10, 0, 0, 0, True)]
    assert standing(scene) == {"SH1": 10}
    scene.ship(code, 10)  # And again, more than was asked for.
    scene.send()
    assert inspections(scene) == [("SH1", 10, 0, 0, 10, 0, False)]


def test_who_takes_back_that_goods_arrived_has_them_decided_on_nowhere_yet(scene):
    code = carried(scene, 6)
    gateway = scene.gateways["BJ1"]
    gateway.reverse(len(gateway.bodies))
    scene.send()
    assert [one[2] for one in inspections(scene)] == [4, 0]
    scene.receive(code, 6)
    scene.send()
    assert [one[2] for one in inspections(scene)] == [4, 6]


def test_held_goods_of_an_inspection_are_no_longer_its_own(scene):
    scene.gateways["SH1"].move(
        "BOLT", "6", source="BIN-1", target="BIN-1", business_step="inspecting",
        from_status="inspection", to_status="held",
    )  # fmt: skip
    scene.send()
    code = scene.released(("BOLT", 6))
    scene.ship(code, 6, from_status="held", to_status="held")
    scene.send()
    assert inspections(scene) == [("SH1", 10, 4, 0, 6, 0, True)]
    scene.gateways["SH1"].reverse(len(scene.gateways["SH1"].bodies))
    scene.send()
    assert inspections(scene) == [("SH1", 10, 4, 6, 0, 0, True)]


def test_what_the_desk_has_back_from_a_transfer_is_decided_on_once(scene):
    code = scene.released(("BOLT", 6))
    scene.ship(code, 6)
    scene.send()
    columns = ("id", "kind")
    found = rows(scene.database, tables.discrepancies, *columns)
    (identity,) = [one for one, kind in found if kind == "moved_unavailable"]
    with scene.database.read() as connection:
        detail = read_detail(connection, identity, now_ms=scene.clock.time_ms)
    decision = next(one.decision for one in detail.proposals if one.decision.action == "reverse")
    for again in (False, True):
        with scene.desk.change(actor="li.na") as change:
            if again:
                reopen(change, identity, reason="it did leave", take_back=True)
            else:
                settle(change, identity, replace(decision, reason="it is here"))
        waiting = sum(one[2] for one in inspections(scene))
        assert {"SH1": waiting} == standing(scene)
        assert waiting == (4 if again else 10)


def test_where_more_leaves_than_waits_nothing_is_left_to_decide(scene):
    code = scene.released(("BOLT", 12))
    scene.ship(code, 12)
    scene.send()
    assert inspections(scene) == [("SH1", 10, 0, 0, 10, 0, False)]
