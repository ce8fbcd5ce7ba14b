"""Stock keeps its status, available goods go first, and what has to be inspected waits for it."""

import pytest

from central.contract.facts import Movement
from central.contract.wire_types import EpochSeq
from central.ledger.desk import Desk
from central.ledger.entries import Entry, Line
from central.ledger.pairs import are_those_of, over_statuses
from central.ledger.stock_at import shown_stock
from central.ledger.verify import verify_ledger
from central.storage import tables
from tests.central.scenery import (
    NOW_MS,
    FixedClock,
    Gateway,
    discrepancies,
    furnished,
    lines_of,
    rows,
    set_policy,
)

M = 1_000_000
STOCK = [("available", 4), ("inspection", 2), ("held", 1), ("rejected", 3)]


def stocked(database, stock=STOCK):
    """An inbox, a gateway, and so much of each status at BIN-1."""
    gateway = Gateway()
    inbox = furnished(database, gateway)
    with Desk(database, clock=FixedClock()).change(actor="li.na") as change:
        change.post(
            [
                change.movement(
                    warehouse="SH1",
                    business_step="storing",
                    from_location="adjustment",
                    to_location="BIN-1",
                    item="BOLT",
                    quantity_micro=quantity * M,
                    unit="C62",
                    to_status=status,
                )
                for status, quantity in stock
            ]
        )
    return inbox, gateway


def at(database, location):
    return {
        row[7]: row[8] // M
        for row in rows(database, tables.balances)
        if row[1] == location and row[8]
    }


TAKEN = [
    pytest.param("3", {"available": 3}, [], id="what is available is enough"),
    pytest.param("4", {"available": 4}, [], id="all that is available"),
    pytest.param("5", {"available": 4, "inspection": 1}, [], id="and some that waits"),
    pytest.param(
        "8", {"available": 4, "inspection": 2, "held": 1, "rejected": 1}, [], id="and more"
    ),
    pytest.param(
        "12",
        {"available": 6, "inspection": 2, "held": 1, "rejected": 3},
        ["negative_balance"],
        id="more than there is",
    ),
]


@pytest.mark.parametrize(("quantity", "taken", "found"), TAKEN)
def test_a_gateways_movement_takes_what_is_available_first(database, quantity, taken, found):
    inbox, gateway = stocked(database)
    gateway.move(quantity=quantity, source="BIN-1", target="BIN-2")
    gateway.reverse(1)
    inbox.accept([gateway.offer(1, 1)])
    assert at(database, "BIN-2") == taken
    left = {status: there - taken.get(status, 0) for status, there in STOCK}
    assert at(database, "BIN-1") == {status: one for status, one in left.items() if one}
    assert [one[0] for one in discrepancies(database)] == found
    lines = lines_of(database, 5)
    assert [line[:3] for line in lines] == [
        (2 * number + side + 1, place, status)
        for number, status in enumerate(taken)
        for side, place in enumerate(("BIN-1", "BIN-2"))
    ]
    assert verify_ledger(database).faults == ()
    inbox.accept([gateway.offer(2, 2)])
    assert (at(database, "BIN-1"), at(database, "BIN-2")) == (dict(STOCK), {})
    assert verify_ledger(database).faults == ()


def test_however_they_are_called_the_same_goods_go(database):
    inbox, gateway = stocked(database)
    for _ in range(12):
        gateway.move(source="BIN-1", target="BIN-2")
    inbox.accept([gateway.offer()])
    at_once = rows(database, tables.lines), discrepancies(database)
    assert at(database, "BIN-1") == {"available": -2}
    assert len(at_once[0]) == 8 + 24
    assert [one[0] for one in at_once[1]] == ["negative_balance"]


def test_what_is_stated_is_done_and_told(database):
    inbox, gateway = stocked(database)
    gateway.move(source="BIN-1", target="BIN-2", from_status="held", quantity="2")
    gateway.move(source="BIN-1", target="BIN-2", to_status="held", quantity="5")
    gateway.move(source="BIN-1", target="BIN-1", from_status="rejected", to_status="available")
    inbox.accept([gateway.offer()])
    assert at(database, "BIN-2") == {"held": 7}
    assert at(database, "BIN-1") == {"available": 1, "inspection": 1, "held": -1, "rejected": 2}
    assert discrepancies(database) == [("negative_balance", "BIN-1/BOLT////C62/held", 1)]
    assert verify_ledger(database).faults == ()


# What an inspector says of goods at BIN-1 of which nobody said what they were, and what is so then.
DECIDED = [
    pytest.param("2", "held", {"available": 4, "held": 3, "rejected": 3}, [], id="what waits"),
    pytest.param("5", "held", {"available": 1, "held": 6, "rejected": 3}, [], id="then available"),
    pytest.param("7", "held", {"held": 7, "rejected": 3}, [], id="what is held stays so"),
    pytest.param("6", "rejected", {"held": 1, "rejected": 9}, [], id="rejected"),
    pytest.param(
        "5", "available", {"available": 6, "held": 1, "rejected": 3}, [], id="accepted already"
    ),
    pytest.param(
        "12",
        "held",
        {"available": -2, "held": 12},
        ["negative_balance"],
        id="more held than there is",
    ),
    pytest.param(
        "9",
        "available",
        {"available": 9, "inspection": -3, "held": 1, "rejected": 3},
        ["negative_balance"],
        id="more accepted than there is",
    ),
]


@pytest.mark.parametrize(("quantity", "becomes", "there", "found"), DECIDED)
def test_a_decision_is_about_what_waits_then_about_what_is_available(
    database, quantity, becomes, there, found
):
    inbox, gateway = stocked(database)
    decided = {"business_step": "inspecting", "source": "BIN-1", "target": "BIN-1"}
    gateway.move(quantity=quantity, to_status=becomes, **decided)
    gateway.reverse(1)
    inbox.accept([gateway.offer(1, 1)])
    assert at(database, "BIN-1") == there
    assert [one[0] for one in discrepancies(database)] == found
    assert verify_ledger(database).faults == ()
    inbox.accept([gateway.offer(2, 2)])
    assert at(database, "BIN-1") == dict(STOCK)
    assert verify_ledger(database).faults == ()


def test_a_gateway_is_compared_with_the_sum_over_all_statuses(database):
    inbox, gateway = stocked(database)
    gateway.move(source="BIN-1", target="BIN-2", quantity="5")
    gateway.move(source="BIN-2", target="in_transit", document="TR-1")
    inbox.accept([gateway.offer()])
    head = EpochSeq(start_count=gateway.epoch.start_count, nonce=gateway.epoch.nonce, seq=2)
    with database.read() as connection:
        shown = {
            revision: shown_stock(
                connection,
                warehouse="SH1",
                gateway=gateway.code,
                revision=revision,
                heads=[head],
            )
            for revision in (4, 6)
        }
    expected = {("BIN-1", 5 * M), ("BIN-2", 4 * M)}
    for levels in shown.values():
        assert {(key[0], micro) for key, micro in levels.items() if micro} == expected


LEAVES = [
    pytest.param("customer", {}, ["moved_unavailable"], id="to a customer"),
    pytest.param("in_transit", {}, ["moved_unavailable"], id="to another warehouse"),
    pytest.param("in_transit", {"document": "PO-1"}, ["moved_unavailable"], id="under a document"),
    pytest.param("supplier", {}, [], id="back to the supplier"),
    pytest.param("scrap", {}, [], id="to scrap"),
    pytest.param("BIN-2", {}, [], id="inside the warehouse"),
]


@pytest.mark.parametrize(("target", "fields", "found"), LEAVES)
def test_what_is_not_available_and_leaves_is_found(database, target, fields, found):
    inbox, gateway = stocked(database, [("held", 2)])
    gateway.move(source="BIN-1", target=target, **fields)
    gateway.reverse(1)
    inbox.accept([gateway.offer()])
    others = {"unexpected", "transit_unnamed"}
    said = [one[:2] for one in discrepancies(database) if one[0] not in others]
    assert said == [(kind, "BIN-1/BOLT////C62/held") for kind in found]
    assert verify_ledger(database).faults == ()


RECEIVED = [
    pytest.param("supplier", "BIN-1", {}, ("available", "inspection"), id="from a supplier"),
    pytest.param("customer", "BIN-1", {}, ("available", "inspection"), id="from a customer"),
    pytest.param("in_transit", "BIN-1", {}, ("available", "available"), id="from a warehouse"),
    pytest.param("production", "BIN-1", {}, ("available", "available"), id="made here"),
    pytest.param("supplier", "scrap", {}, ("available", "available"), id="scrapped at the dock"),
    pytest.param(
        "supplier", "BIN-1", {"to_status": "held"}, ("available", "held"), id="held at the dock"
    ),
    pytest.param(
        "supplier",
        "BIN-1",
        {"to_status": "available"},
        ("available", "available"),
        id="said to be inspected",
    ),
]


@pytest.mark.parametrize(("source", "target", "fields", "statuses"), RECEIVED)
def test_what_has_to_be_inspected_is_not_available_when_it_comes(
    database, source, target, fields, statuses
):
    gateway = Gateway()
    inbox = furnished(database, gateway)
    set_policy(database, "BOLT", inspected=True)
    for _ in range(2):
        gateway.move(source=source, target=target, **fields)
    gateway.move("NUT", source=source, target=target, **fields)
    inbox.accept([gateway.offer()])
    assert [line[2] for line in lines_of(database, 1) + lines_of(database, 2)] == [*statuses] * 2
    other = fields.get("to_status", "available")
    assert [line[2] for line in lines_of(database, 3)] == ["available", other]
    assert verify_ledger(database).faults == ()


def test_a_movement_that_was_taken_back_before_it_came_is_of_one_status(database):
    inbox, gateway = stocked(database)
    gateway.move(source="BIN-1", target="BIN-2", quantity="6")
    later = gateway.next_epoch()
    later.reverse(1, epoch=gateway.epoch)
    inbox.accept([later.offer(), gateway.offer()])
    assert at(database, "BIN-1") == dict(STOCK)
    assert verify_ledger(database).faults == ()


PAIR = (
    Line("W", 7, 1, "A", "I", "", "", "", "", "C62", -10, "available", -7),
    Line("W", 7, 2, "B", "I", "", "", "", "", "C62", 10, "available", 7),
)
PARTS = [
    pytest.param({"available": 10}, [("available", 10, 7)], id="all available"),
    pytest.param({}, [("available", 10, 7)], id="nothing there"),
    pytest.param({"available": -5}, [("available", 10, 7)], id="below zero already"),
    pytest.param({"held": 10}, [("held", 10, 7)], id="all held"),
    pytest.param(
        {"available": 3, "held": 4, "rejected": 9},
        [("available", 3, 2), ("held", 4, 2), ("rejected", 3, 3)],
        id="the last one weighs what is left",
    ),
    pytest.param(
        {"available": 3, "held": 4},
        [("available", 6, 4), ("held", 4, 3)],
        id="what is nowhere is taken as available",
    ),
]


@pytest.mark.parametrize(("there", "expected"), PARTS)
@pytest.mark.parametrize("keep", [True, False])
def test_a_pair_is_parted_over_what_is_there(there, expected, keep):
    pair = PAIR if keep else (PAIR[0], PAIR[1]._replace(status="rejected"))
    lines = over_statuses(pair, lambda status: there.get(status, 0), keep=keep)
    assert [line.line_no for line in lines] == list(range(1, len(lines) + 1))
    gives, takes = lines[::2], lines[1::2]
    assert [(one.status, -one.quantity_micro, -one.weight_micro) for one in gives] == expected
    assert [(one.quantity_micro, one.weight_micro) for one in takes] == [
        one[1:] for one in expected
    ]
    statuses = [one[0] for one in expected] if keep else ["rejected"] * len(expected)
    assert [one.status for one in takes] == statuses


def movement(**fields):
    values = {
        "seq": 1,
        "event_time_ms": NOW_MS,
        "clock_synced": True,
        "boot_id": "b",
        "monotonic_ns": 0,
        "warehouse": "W",
        "station": "s",
        "business_step": "storing",
        "from_location": "A",
        "to_location": "B",
        "item": "I",
        "quantity": "0.00001",
        "unit": "C62",
        "net_weight": "0.000007",
        "weight_unit": "KGM",
    }
    return Movement(**(values | fields))


ENTRY = Entry("W", "g", "e", 1, b"", b"", 7)
SPLIT = over_statuses(PAIR, lambda one: {"available": 3, "held": 7}.get(one, 0), keep=True)
INSPECTED = (PAIR[0], PAIR[1]._replace(status="inspection"))
RECEIVED_PAIR = (
    INSPECTED[0]._replace(location="supplier"),
    INSPECTED[1],
)
RIGHT = [
    pytest.param({}, PAIR, id="one pair"),
    pytest.param({}, SPLIT, id="parted"),
    pytest.param({"from_location": "supplier"}, RECEIVED_PAIR, id="to be inspected"),
    pytest.param({"to_status": "inspection"}, INSPECTED, id="stated"),
    pytest.param(
        {"quantity": "0.01", "unit": "GRM"},
        [*(one._replace(unit="KGM") for one in PAIR)],
        id="in another unit",
    ),
]
TWICE_OF_ONE = (*SPLIT[:2], *(one._replace(status="available") for one in SPLIT[2:]))
WRONG = [
    pytest.param({}, TWICE_OF_ONE, id="two parts of one status"),
    pytest.param({}, INSPECTED, id="another status for no reason"),
    pytest.param({"to_status": "held"}, PAIR, id="not the stated one"),
    pytest.param({"from_status": "held"}, PAIR, id="not the stated one before"),
    pytest.param({"quantity": "0.000011"}, PAIR, id="less than stated"),
    pytest.param({"item": "J"}, PAIR, id="another item"),
    pytest.param({"to_location": "C"}, PAIR, id="another place"),
    pytest.param({"net_weight": "0.000008"}, PAIR, id="another weight"),
    pytest.param(
        {"net_weight": "", "weight_unit": "", "flags": ("weightless",)},
        PAIR,
        id="a weight along with goods that take none",
    ),
    pytest.param(
        {"net_weight": "", "weight_unit": ""},
        tuple(one._replace(weight_micro=-one.weight_micro) for one in PAIR),
        id="a share below zero",
    ),
    pytest.param({}, (SPLIT[0], *SPLIT[2:]), id="half a pair"),
    pytest.param({}, (*SPLIT[2:], *SPLIT[:2]), id="in another order"),
    pytest.param({}, (*PAIR[:1], PAIR[1]._replace(quantity_micro=9)), id="not in balance"),
    pytest.param(
        {},
        (*SPLIT[:3], SPLIT[3]._replace(status="rejected")),
        id="a part of another status",
    ),
    pytest.param(
        {},
        (
            *(one._replace(weight_micro=0) for one in SPLIT[:2]),
            SPLIT[2]._replace(weight_micro=-7),
            SPLIT[3]._replace(weight_micro=7),
        ),
        id="weight on one part alone",
    ),
]


@pytest.mark.parametrize(("fields", "lines"), RIGHT)
def test_lines_that_a_fact_can_have_are_taken_as_its_own(fields, lines):
    assert are_those_of(ENTRY, movement(**fields), lines)


@pytest.mark.parametrize(("fields", "lines"), WRONG)
def test_lines_that_a_fact_cannot_have_are_found(fields, lines):
    assert not are_those_of(ENTRY, movement(**fields), lines)
