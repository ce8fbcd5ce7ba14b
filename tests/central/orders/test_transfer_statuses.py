"""Goods of a transfer arrive as what they left as: held, rejected, in inspection, available."""

from dataclasses import replace

import pytest

from central.errors import Conflict, Unusable
from central.ledger.entries import BALANCE_MICRO_MAX
from central.ledger.transit_statuses import MUCH, keys_in_books, places_short
from central.ledger.verify import verify_ledger
from central.orders.proofs import PROOFS
from central.orders.settling.discrepancy_views import read_detail
from central.orders.settling.settlement_book import settle
from central.orders.settling.settlements import Decision
from central.storage import purchasing_tables, tables
from tests.central.orders.transferring import MICRO, Scene
from tests.central.scenery import rows, set_policy, sscc

KIND = "moved_unavailable"
PALLET = sscc(1)


@pytest.fixture
def scene(database):
    """4 available and 5 held bolts at SH1."""
    made = Scene(database)
    made.gateways["SH1"].move("BOLT", "4", target="BIN-1")
    made.gateways["SH1"].move("BOLT", "5", target="BIN-2", to_status="held")
    made.send()
    yield made
    assert verify_ledger(database, proofs=PROOFS).faults == ()


def stock(scene, warehouse="BJ1"):
    """{(place, status): whole units} at places of a warehouse."""
    held = rows(scene.database, tables.balances, "warehouse", "location", "status", "on_hand_micro")
    found = {}
    for house, place, status, micro in held:
        if house == warehouse and "/" not in place and place != "supplier" and micro:
            found[place, status] = found.get((place, status), 0) + micro / MICRO
    return found


def opened(scene, warehouse):
    """The open `moved_unavailable` of a warehouse, with all that is known of it."""
    columns = ("id", "warehouse", "kind", "state")
    found = rows(scene.database, tables.discrepancies, *columns)
    (identity,) = [one[0] for one in found if one[1:] == (warehouse, KIND, "open")]
    with scene.database.read() as connection:
        return read_detail(connection, identity, now_ms=scene.clock.time_ms)


def inspected(scene):
    """(document, whole units that arrived, whether it is open) of the inspections at BJ1."""
    columns = ("warehouse", "document", "arrived_micro", "open")
    found = rows(scene.database, purchasing_tables.inspections, *columns)
    return [(one[1], one[2] / MICRO, int(one[3])) for one in found if one[0] == "BJ1"]


def actions(detail):
    return [one.decision.action for one in detail.proposals]


def decided(scene, detail, decision):
    with scene.desk.change(actor="li.na") as change:
        settle(change, detail.row.id, replace(decision, reason="seen there"))


@pytest.mark.parametrize("status", ["held", "rejected", "inspection"])
def test_goods_arrive_as_what_they_left_as_available_ones_first(scene, status):
    if status != "held":
        scene.gateways["SH1"].move(
            "BOLT", "5", source="BIN-2", target="BIN-2", from_status="held", to_status=status
        )
    code = scene.released(("BOLT", 9))
    scene.ship(code, 4)
    scene.ship(code, 5, place="BIN-2")
    scene.send()
    scene.receive(code, 6)
    scene.send()
    assert stock(scene) == {("BIN-1", "available"): 4, ("BIN-1", status): 2}
    scene.receive(code, 2)
    scene.receive(code, 1, to_status="rejected")
    scene.send()
    last = {("BIN-1", "rejected"): 1}
    whole = {("BIN-1", "available"): 4, ("BIN-1", status): 4}
    if status == "rejected":
        last = {("BIN-1", "rejected"): 5}
    assert stock(scene) == whole | last
    assert scene.told(KIND) == [(KIND, "open")]  # Of the source alone.
    assert scene.state(code) == "received"


def test_what_arrives_in_inspection_is_inspected_there_until_it_is_taken_back(scene):
    scene.gateways["SH1"].move(
        "BOLT", "5", source="BIN-2", target="BIN-2", from_status="held", to_status="inspection"
    )
    code = scene.released(("BOLT", 5))
    scene.ship(code, 5, place="BIN-2")
    scene.send()
    for _ in range(2):
        scene.receive(code, 5)
        scene.send()
        assert inspected(scene) == [(code, 5, 1)]
        scene.gateways["BJ1"].reverse(len(scene.gateways["BJ1"].bodies))
        scene.send()
        assert inspected(scene) == [(code, 0, 0)]


def test_who_takes_back_what_was_sent_gets_it_as_it_was(scene):
    code = scene.released(("BOLT", 9))
    scene.ship(code, 5, place="BIN-2")
    scene.receive(code, 5, at="SH1", place="BIN-3")
    scene.send()
    assert stock(scene, "SH1") == {("BIN-1", "available"): 4, ("BIN-3", "held"): 5}


def test_what_left_on_the_same_unit_comes_first(scene):
    scene.gateways["SH1"].move("BOLT", "6", target="BIN-2", to_status="rejected", sscc=PALLET)
    code = scene.released(("BOLT", 15))
    scene.ship(code, 6, place="BIN-2", sscc=PALLET)
    scene.ship(code, 4)
    scene.send()
    scene.receive(code, 5, sscc=PALLET)
    scene.receive(code, 5)  # The pallet was opened on the way.
    scene.send()
    assert stock(scene) == {("BIN-1", "rejected"): 6, ("BIN-1", "available"): 4}


def test_all_in_one_call_is_as_call_by_call(scene):
    code = scene.released(("BOLT", 9))
    scene.ship(code, 5, place="BIN-2")
    scene.receive(code, 3)
    scene.receive(code, 2)
    first = scene.gateways["SH1"].offer(scene.sent["SH1"] + 1)
    scene.inbox.accept([first, scene.gateways["BJ1"].offer()])
    assert stock(scene) == {("BIN-1", "held"): 5}
    assert scene.told("received_before_shipped") == []


def received_before(scene):
    """5 came before the source has told that it had held them."""
    code = scene.released(("BOLT", 5))
    scene.ship(code, 5, place="BIN-2")
    scene.receive(code, 5)
    scene.send("BJ1")
    assert stock(scene) == {("BIN-1", "available"): 5}
    scene.send("SH1")
    return code


def test_what_came_before_its_facts_is_told_of_and_posted_as_it_left(scene):
    code = received_before(scene)
    assert scene.told("received_before_shipped") == [("received_before_shipped", "settled")]
    detail = opened(scene, "BJ1")
    assert (detail.row.document, detail.row.actual) == (code, 5)
    assert detail.row.detail == "5 came as available that left as held"
    assert len(detail.facts) == 1
    assert actions(detail) == ["reassign", "accept"]
    for wrong in ({"lot": "L"}, {"item": "NUT"}, {"quantity_micro": MICRO}):
        with pytest.raises(Unusable, match="just as it was"):
            decided(scene, detail, Decision(action="reassign", **wrong))
    decided(scene, detail, detail.proposals[0].decision)
    assert stock(scene) == {("BIN-1", "held"): 5}
    assert (scene.figures(code), scene.under_way(code)) == ({1: (5, 5)}, {})
    columns = ("warehouse", "kind", "state")
    told = rows(scene.database, tables.discrepancies, *columns)
    assert not [one for one in told if one[0] == "BJ1" and one[2] == "open"]
    assert actions(opened(scene, "SH1")) == ["accept"]


def test_what_came_before_its_facts_settles_itself_when_it_comes_once_more(scene):
    code = received_before(scene)
    detail = opened(scene, "BJ1")
    scene.gateways["BJ1"].reverse(1)
    scene.send()
    assert actions(opened(scene, "SH1")) == ["accept", "reverse"]  # They are under way once more.
    scene.receive(code, 5)
    scene.send()
    assert stock(scene) == {("BIN-1", "held"): 5}
    with scene.database.read() as connection:
        after = read_detail(connection, detail.row.id, now_ms=scene.clock.time_ms)
    assert (after.row.state, after.row.settlement) == (
        "settled",
        "what was received has the status with which it left",
    )


def test_what_has_gone_on_since_is_held_where_it_is(scene):
    received_before(scene)
    scene.gateways["BJ1"].move("BOLT", "2", source="BIN-1", target="HOLD")
    scene.send()
    detail = opened(scene, "BJ1")
    assert [(one.decision.action, one.why) for one in detail.proposals] == [
        ("accept", "They have gone on as available: hold what is left of them.")
    ]
    with pytest.raises(Conflict, match="gone on"):
        decided(scene, detail, Decision(action="reassign"))


def test_a_third_warehouse_that_nobody_told_has_it_said_as_well(scene):
    code = scene.released(("BOLT", 5))
    scene.ship(code, 5, place="BIN-2")
    scene.receive(code, 5, at="CQ1")
    scene.send()
    assert stock(scene, "CQ1") == {("BIN-1", "available"): 5}
    assert opened(scene, "CQ1").row.document == code


def test_goods_that_have_arrived_are_not_moved_back_at_the_source(scene):
    code = scene.released(("BOLT", 9))
    scene.ship(code, 5, place="BIN-2")
    scene.ship(code, 4)
    scene.send()
    assert actions(opened(scene, "SH1")) == ["accept", "reverse"]
    scene.receive(code, 4)  # The available ones: the others are under way.
    scene.send()
    assert actions(opened(scene, "SH1")) == ["accept", "reverse"]
    scene.receive(code, 1)
    scene.send()
    detail = opened(scene, "SH1")
    assert actions(detail) == ["accept"]
    with pytest.raises(Conflict, match="received since"):
        decided(scene, detail, Decision(action="reverse"))
    with pytest.raises(Unusable, match="left here"):
        decided(scene, detail, Decision(action="reassign"))
    decided(scene, detail, Decision(action="accept"))
    assert stock(scene) == {("BIN-1", "available"): 4, ("BIN-1", "held"): 1}


def test_unweighed_goods_of_two_statuses_have_one_share_of_the_weight(scene):
    set_policy(scene.database, "NUT", weight_unit="KGM")
    weighed = {"net_weight": "10", "weight_unit": "KGM"}
    scene.gateways["SH1"].move("NUT", "3", target="BIN-1", **weighed)
    scene.gateways["SH1"].move("NUT", "4", target="BIN-2", to_status="held", **weighed)
    code = scene.released(("NUT", 7))
    scene.ship(code, 3, item="NUT", **weighed)
    scene.ship(code, 4, item="NUT", place="BIN-2", **weighed)
    scene.send()
    scene.receive(code, 5, item="NUT")
    scene.receive(code, 2, item="NUT")
    scene.send()
    assert stock(scene) == {("BIN-1", "available"): 3, ("BIN-1", "held"): 4}
    weights = rows(scene.database, tables.balances, "warehouse", "location", "weight_micro")
    assert sum(one[2] for one in weights if one[:2] == ("BJ1", "BIN-1")) == 20 * MICRO


TAKEN = (("BJ1", "SH1"), ("in_transit/TR-1", "BOLT", "", "", "", "C62"))
READ = [
    pytest.param({"held": 5}, 5, (), False, id="as it left"),
    pytest.param({"held": 2, "available": 3}, 5, (), False, id="of two statuses"),
    pytest.param({"held": 5, "available": -3}, 5, (), False, id="what came before is no less"),
    pytest.param({"held": 4}, 5, (), True, id="less, or on another unit"),
    pytest.param({"held": 50}, MUCH, (), True, id="nobody knows how much"),
    pytest.param({"held": 5}, 5, ("in_transit/TR-1",), True, id="some may be taken back"),
]


@pytest.mark.parametrize(("there", "micro", "moved", "short"), READ)
def test_what_has_left_in_the_same_way_is_looked_up_with_the_rest(there, micro, moved, short):
    def on_hand(key):
        return there.get(key.status, 0) if key.warehouse == "SH1" else 0

    assert sorted(keys_in_books([TAKEN])) == [(house, *TAKEN[1]) for house in TAKEN[0]]
    everything = {(house, "in_transit/TR-1", "BOLT") for house in TAKEN[0]}
    assert places_short({TAKEN: micro}, on_hand, moved) == (everything if short else set())
    assert 2 * BALANCE_MICRO_MAX < MUCH
