"""What unweighed goods take along, and quantities in packs, as movements are posted and proved."""

from dataclasses import replace

import pytest
from sqlalchemy import text

from central.ledger.desk import Desk
from central.ledger.verify import verify_ledger
from central.orders.catalogue.item_cards import Pack
from central.orders.catalogue.items import put_cards, read_items
from central.storage import tables
from tests.central.scenery import (
    FixedClock,
    Gateway,
    discrepancies,
    furnished,
    lines_of,
    rows,
    set_packs,
    set_policy,
)

M = 1_000_000


def at_places(database):
    found = rows(database, tables.balances, "location", "on_hand_micro", "weight_micro")
    return {location: (on_hand / M, weight) for location, on_hand, weight in found}


def weighed(gateway, quantity, weight, source="supplier", target="BIN-1"):
    stated = {"net_weight": weight, "weight_unit": "KGM" if weight else ""}
    gateway.move(quantity=quantity, source=source, target=target, **stated)


OUT = ("BIN-1", "customer")
SHARES = [
    pytest.param(
        [("3", "2.5"), ("3", "", *OUT), ("1", "0.8")],
        {"BIN-1": (1, 800_000), "customer": (3, 2_500_000), "supplier": (-4, -3_300_000)},
        id="all of it goes with all of its weight",
    ),
    pytest.param(
        [("3", "2.5"), ("1", "", *OUT), ("1", "", *OUT), ("1", "", *OUT)],
        {"BIN-1": (0, 0), "customer": (3, 2_500_000), "supplier": (-3, -2_500_000)},
        id="the last piece takes what rounding left",
    ),
    pytest.param(
        [("3", "2.5"), ("2", "", "BIN-1", "BIN-2")],
        {"BIN-1": (1, 833_334), "BIN-2": (2, 1_666_666), "supplier": (-3, -2_500_000)},
        id="within the warehouse",
    ),
    pytest.param(
        [("3", "2.5"), ("5", "", *OUT), ("1", "", *OUT)],
        {"BIN-1": (-3, 0), "customer": (6, 2_500_000), "supplier": (-3, -2_500_000)},
        id="more than there is takes all, and then nothing",
    ),
    pytest.param(
        [("3", "2.5"), ("1", "2.6", *OUT), ("1", "", *OUT)],
        {"BIN-1": (1, -100_000), "customer": (2, 2_600_000), "supplier": (-3, -2_500_000)},
        id="of less than nothing nobody has a share",
    ),
]


@pytest.mark.parametrize(("moves", "expected"), SHARES)
@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("kept", ["KGM", ""])
def test_goods_that_go_unweighed_take_their_share_along(database, moves, expected, at_once, kept):
    gateway = Gateway()
    inbox = furnished(database, gateway)
    set_policy(database, "BOLT", weight_unit=kept)
    for move in moves:
        weighed(gateway, *move)
    for first, last in [(1, None)] if at_once else [(n, n) for n in range(1, len(moves) + 1)]:
        inbox.accept([gateway.offer(first, last)])
    found = {key: amounts for key, amounts in at_places(database).items() if any(amounts)}
    assert found == {key: amounts for key, amounts in expected.items() if any(amounts)}
    assert verify_ledger(database).faults == ()


def test_a_reversal_takes_back_the_share_that_was_posted(database):
    gateway = Gateway()
    inbox = furnished(database, gateway)
    weighed(gateway, "3", "2.5")
    weighed(gateway, "2", "", *OUT)
    weighed(gateway, "4", "4")
    gateway.reverse(2)
    inbox.accept([gateway.offer()])
    assert at_places(database)["BIN-1"] == (7, 6_500_000)
    assert at_places(database)["customer"] == (0, 0)
    assert verify_ledger(database).faults == ()


def test_each_status_gives_its_own_share(database):
    gateway = Gateway()
    inbox = furnished(database, gateway)
    weighed(gateway, "2", "1")
    gateway.move(quantity="2", to_status="held", net_weight="3", weight_unit="KGM")
    gateway.move(quantity="3", source="BIN-1", target="BIN-2")
    inbox.accept([gateway.offer()])
    assert lines_of(database, 3) == [
        (1, "BIN-1", "available", -2 * M, -1_000_000),
        (2, "BIN-2", "available", 2 * M, 1_000_000),
        (3, "BIN-1", "held", -1 * M, -1_500_000),
        (4, "BIN-2", "held", 1 * M, 1_500_000),
    ]
    assert verify_ledger(database).faults == ()


MISSING = [
    pytest.param(("supplier", "BIN-1"), 1, id="comes in"),
    pytest.param(("customer", "BIN-1"), 1, id="comes back"),
    pytest.param(("BIN-1", "customer"), 1, id="leaves"),
    pytest.param(("BIN-1", "in_transit"), 1, id="leaves for another warehouse"),
    pytest.param(("BIN-1", "BIN-2"), 0, id="stays"),
    pytest.param(("BIN-1", "scrap"), 0, id="is written off"),
]


@pytest.mark.parametrize(("ends", "count"), MISSING)
def test_it_is_said_when_goods_that_are_weighed_come_or_leave_unweighed(database, ends, count):
    gateway = Gateway()
    inbox = furnished(database, gateway)
    set_policy(database, "BOLT", weight_unit="KGM")
    weighed(gateway, "5", "2.5")
    gateway.move("NUT", quantity="5", source="supplier", target=ends[1])
    weighed(gateway, "2", "", *ends)
    weighed(gateway, "2", "", *ends)
    inbox.accept([gateway.offer()])
    found = [one for one in discrepancies(database) if one[0] == "weight_missing"]
    assert found == ([("weight_missing", "BIN-1/BOLT////C62", 2)] if count else [])


def test_another_share_than_that_of_the_moment_is_found(database):
    gateway = Gateway()
    inbox = furnished(database, gateway)
    weighed(gateway, "3", "2.5")
    weighed(gateway, "1", "", *OUT)
    inbox.accept([gateway.offer()])
    with database.write() as connection:
        for number, sign in ((1, "-"), (2, "+")):
            connection.execute(
                text(
                    f"UPDATE lines SET weight_micro = weight_micro {sign} 1"
                    f" WHERE record_no = 2 AND line_no = {number}"
                )
            )
    checks = [fault.check for fault in verify_ledger(database).faults]
    assert "share" in checks and "lines" not in checks


PACKED = [
    pytest.param("2", "CT", ("C62", 48 * M), id="cartons"),
    pytest.param("1", "DZN", ("C62", 12 * M), id="a dozen"),
    pytest.param("0.5", "CT", ("C62", 12 * M), id="half a carton"),
    pytest.param("9", "BAG", ("C62", 3 * M), id="a third each"),
    pytest.param("1", "BAG", ("BAG", 1 * M), id="no exact value"),
    pytest.param("1", "PF", ("PF", 1 * M), id="a pack that nobody knows"),
    pytest.param("9999999999", "CT", ("CT", 9_999_999_999 * M), id="too many"),
]


@pytest.mark.parametrize(("quantity", "unit", "expected"), PACKED)
def test_a_quantity_in_packs_is_kept_in_the_unit_of_the_item(database, quantity, unit, expected):
    gateway = Gateway()
    inbox = furnished(database, gateway)
    set_packs(database, "BOLT", CT=(24, 1), BAG=(1, 3))
    gateway.move(quantity=quantity, unit=unit)
    gateway.count(quantity, unit=unit)
    inbox.accept([gateway.offer()])
    kept = rows(database, tables.balances, "location", "unit", "on_hand_micro")
    assert ("BIN-1", *expected) in kept and len(kept) == 2
    kinds = [one[0] for one in discrepancies(database)]
    assert kinds == ([] if expected[0] == "C62" else ["unit_differs"])
    assert verify_ledger(database).faults == ()


def test_lines_of_a_pack_are_proved_with_what_it_held_when_they_were_posted(database):
    gateway = Gateway()
    inbox = furnished(database, gateway)
    desk = Desk(database, clock=FixedClock())
    seq = 0
    for sizes in ([24], [20], [20], [], [12]):
        with desk.change(actor="li.na") as change:
            stored = read_items(change.connection, ["BOLT"])["BOLT"]
            packs = tuple(Pack("CT", size) for size in sizes)
            put_cards(change, [replace(stored.card, packs=packs)], {"BOLT": stored})
        for quantity in ("1", "2"):
            gateway.move(quantity=quantity, unit="CT")
            seq += 1
            inbox.accept([gateway.offer(seq)])
    gateway.reverse(1)
    inbox.accept([gateway.offer(seq + 1)])
    kept = rows(database, tables.balances, "location", "unit", "on_hand_micro")
    held = 2 * 24 + 3 * 20 + 3 * 20 + 3 * 12
    assert ("BIN-1", "C62", held * M) in kept and ("BIN-1", "CT", 3 * M) in kept
    assert verify_ledger(database).faults == ()
    with database.write() as connection:
        connection.execute(text("UPDATE former_packs SET numerator = 21 WHERE numerator = 20"))
    assert [fault.check for fault in verify_ledger(database).faults] == ["lines"] * 4


def test_a_rest_is_proved_of_goods_that_left_their_weight_under_way(database):
    """Of an item that nobody says is weighed who comes unweighed takes no share from there."""
    gateway = Gateway()
    weighed(gateway, "4", "0.3", *OUT)  # Below zero, with a weight.
    under_way = {"quantity": "4", "document": "TR-1"}
    stated = {"net_weight": "2", "weight_unit": "KGM"}
    gateway.move(source="BIN-2", target="in_transit", **under_way, **stated)
    gateway.move(source="in_transit", target="BIN-1", **under_way)
    furnished(database, gateway).accept([gateway.offer()])
    places = at_places(database)
    assert (places["BIN-1"], places["in_transit/TR-1"]) == ((0, 0), (0, 2_000_000))
    assert verify_ledger(database).faults == ()
