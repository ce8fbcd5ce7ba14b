"""Catch weight under way between warehouses, and weights of which no pieces are left."""

import pytest
from sqlalchemy import text

from central.contract.quantities import QUANTITY_MAX
from central.ledger.entries import BALANCE_MICRO_MAX, BalanceKey, Line
from central.ledger.verify import verify_ledger
from central.ledger.weight_rests import WeighedPlaces
from central.orders.transfers.transfer_closing import Thing
from central.storage import tables
from tests.central.orders.transferring import Scene
from tests.central.scenery import (
    Gateway,
    discrepancies,
    furnished,
    lines_of,
    rows,
    set_policy,
    sscc,
)

M = 1_000_000
KG = 1_000_000
BOLT = Thing("BOLT", "", "", "C62")


def weight(kilograms):
    return {"net_weight": kilograms, "weight_unit": "KGM"} if kilograms else {}


def under_way(database, code):
    """Pieces and kilograms under way in all books."""
    found = rows(database, tables.balances, "location", "on_hand_micro", "weight_micro")
    own = [row[1:] for row in found if row[0] == f"in_transit/{code}"]
    return sum(row[0] for row in own) / M, sum(row[1] for row in own) / KG


def held(database, *wanted):
    """{(warehouse, location): (pieces, kilograms)} without what is under way or outside."""
    sums = {}
    names = ("warehouse", "location", "on_hand_micro", "weight_micro")
    for warehouse, location, *amounts in rows(database, tables.balances, *names):
        if location.startswith(("BIN", *wanted)):
            before = sums.get((warehouse, location), (0, 0))
            sums[warehouse, location] = (before[0] + amounts[0] / M, before[1] + amounts[1] / KG)
    return {place: amounts for place, amounts in sums.items() if any(amounts)}


def kinds(database):
    return sorted({kind for kind, _, _ in discrepancies(database)})


@pytest.fixture
def scene(database):
    """Thirty weighed bolts, 10 kg, at SH1; they are kept by weight, too."""
    set_policy(database, "BOLT", weight_unit="KGM")
    made = Scene(database)
    made.gateways["SH1"].move("BOLT", "30", **weight("10"))
    made.send()
    yield made
    assert verify_ledger(database).faults == ()
    assert made.faults() == []


def test_what_comes_unweighed_out_of_a_transfer_weighs_what_was_shipped(scene):
    code = scene.released(("BOLT", 9))
    scene.ship(code, 9, **weight("2.5"))
    scene.send()
    seen = []
    for quantity in (2, 4, 3):
        scene.receive(code, quantity)
        scene.send()
        seen.append(under_way(scene.database, code))
    assert seen == [(7, 1.944445), (3, 0.833334), (0, 0)]
    assert held(scene.database) == {("SH1", "BIN-1"): (21, 7.5), ("BJ1", "BIN-1"): (9, 2.5)}
    assert kinds(scene.database) == ["weight_missing"]


def test_pallets_are_opened_on_the_way_and_weigh_on_together(scene):
    code = scene.released(("BOLT", 9))
    scene.gateways["SH1"].move("BOLT", "4", sscc=sscc(1), **weight("2"))
    scene.ship(code, 4, sscc=sscc(1))
    scene.ship(code, 5, **weight("1"))
    scene.receive(code, 6)
    scene.receive(code, 3, sscc=sscc(1))
    scene.send()
    assert under_way(scene.database, code) == (0, 0)
    assert held(scene.database)["BJ1", "BIN-1"] == (9, 3)


SETTLED = [
    pytest.param("9", "2.4", 0.1, id="lighter"),
    pytest.param("9", "2.6", -0.1, id="heavier"),
]


@pytest.mark.parametrize(("quantity", "came", "lost"), SETTLED)
def test_what_the_last_pieces_weigh_more_or_less_is_written_off_and_said(
    scene, quantity, came, lost
):
    code = scene.released(("BOLT", 9))
    scene.ship(code, 9, **weight("2.5"))
    scene.receive(code, 9, **weight(came))
    scene.send()
    assert under_way(scene.database, code) == (0, 0)
    assert held(scene.database, "adjustment") == {
        ("SH1", "BIN-1"): (21, 7.5),
        ("BJ1", "BIN-1"): (9, float(came)),
        ("BJ1", "adjustment"): (0, pytest.approx(lost)),
    }
    table = tables.discrepancies
    told = rows(scene.database, table, "kind", "document", "actual_micro", "unit")
    assert told == [("weight_differs", code, round(lost * KG), "KGM")]


def test_received_before_it_was_shipped_it_weighs_nothing_and_the_weight_is_said(scene):
    code = scene.released(("BOLT", 9))
    scene.receive(code, 9)
    scene.send("BJ1")
    assert under_way(scene.database, code) == (-9, 0)
    scene.ship(code, 9, **weight("2.5"))
    scene.send()
    assert under_way(scene.database, code) == (0, 0)
    assert held(scene.database, "adjustment") == {
        ("SH1", "BIN-1"): (21, 7.5),
        ("SH1", "adjustment"): (0, 2.5),
        ("BJ1", "BIN-1"): (9, 0),
    }
    expected = ["received_before_shipped", "weight_differs", "weight_missing"]
    assert kinds(scene.database) == expected


@pytest.mark.parametrize("reason", ["lost", "damaged"])
def test_who_closes_a_transfer_leaves_neither_pieces_nor_weight_under_way(scene, reason):
    code = scene.released(("BOLT", 9))
    for number in (1, 2):
        scene.gateways["SH1"].move("BOLT", "5", sscc=sscc(number), **weight(f"{number}.7"))
        scene.ship(code, 5, sscc=sscc(number))
    scene.receive(code, 7)
    scene.send()
    scene.close_everything(code, reason)
    assert scene.state(code) == "closed"
    assert under_way(scene.database, code) == (0, 0)
    assert "weight_differs" not in kinds(scene.database)


def test_what_is_found_at_the_end_of_a_transfer_weighs_what_it_did_when_it_came(scene):
    code = scene.released(("BOLT", 9))
    scene.ship(code, 4, **weight("2"))
    scene.receive(code, 4)
    scene.receive(code, 2, **weight("1.1"))
    scene.send()
    assert under_way(scene.database, code) == (-2, -1.1)
    scene.close_everything(code)
    assert under_way(scene.database, code) == (0, 0)
    assert "weight_differs" not in kinds(scene.database)


def test_a_receipt_that_is_taken_back_gives_its_share_back(scene):
    code = scene.released(("BOLT", 9))
    scene.ship(code, 9, **weight("2.5"))
    scene.receive(code, 9, **weight("2.4"))
    scene.send()
    scene.gateways["BJ1"].reverse(1)
    scene.send()
    assert under_way(scene.database, code) == (9, 2.5)
    assert held(scene.database, "adjustment") == {("SH1", "BIN-1"): (21, 7.5)}


def test_an_item_that_nobody_weighs_takes_no_share_of_a_weight_under_way(database):
    scene = Scene(database)
    scene.gateways["SH1"].move("BOLT", "30", **weight("10"))
    code = scene.released(("BOLT", 9))
    scene.ship(code, 9, **weight("2.5"))
    scene.receive(code, 9)
    scene.send()
    assert under_way(database, code) == (0, 2.5)
    assert verify_ledger(database).faults == ()


OUT = ("BIN-1", "customer")
RESTS = [
    pytest.param([("3", "2.5"), ("3", "2.4", *OUT)], {2: (2, 100_000)}, id="dried"),
    pytest.param([("3", "2.5"), ("3", "2.7", *OUT)], {2: (2, -200_000)}, id="swollen"),
    pytest.param([("3", "2.5"), ("3", "", *OUT)], {}, id="unweighed"),
    pytest.param(
        [("3", "2.5"), ("1", "2.6", *OUT), ("2", "0.3", *OUT)], {3: (2, -400_000)}, id="in parts"
    ),
    pytest.param([("3", "", *OUT), ("3", "2.5")], {2: (2, 2_500_000)}, id="left before it came"),
]


@pytest.mark.parametrize(("moves", "expected"), RESTS)
@pytest.mark.parametrize("at_once", [True, False])
def test_no_place_is_left_with_a_weight_and_no_pieces(database, moves, expected, at_once):
    gateway = Gateway()
    inbox = furnished(database, gateway)
    for quantity, kilograms, *ends in moves:
        source, target = ends or ("supplier", "BIN-1")
        gateway.move(quantity=quantity, source=source, target=target, **weight(kilograms))
    for first, last in [(1, None)] if at_once else [(n, n) for n in range(1, len(moves) + 1)]:
        inbox.accept([gateway.offer(first, last)])
    found = {
        number: (len(rest), rest[1][4])
        for number in range(1, len(moves) + 1)
        if (rest := [line for line in lines_of(database, number) if not line[3]])
    }
    assert found == expected
    told = [one for one in discrepancies(database) if one[0] == "weight_differs"]
    assert told == [("weight_differs", "BIN-1/BOLT////C62", 1)] * len(expected)
    assert verify_ledger(database).faults == ()


def test_the_movement_that_left_a_rest_is_taken_back_with_it(database):
    gateway = Gateway()
    inbox = furnished(database, gateway)
    gateway.move(quantity="3", **weight("2.5"))
    gateway.move(quantity="3", source="BIN-1", target="customer", **weight("2.4"))
    gateway.reverse(2)
    gateway.move(quantity="3", source="BIN-1", target="customer", **weight("2.3"))
    gateway.reverse(1)
    inbox.accept([gateway.offer()])
    assert held(database, "adjustment") == {
        ("SH1", "BIN-1"): (-3, -2.5),
        ("SH1", "adjustment"): (0, 0.2),
    }
    assert verify_ledger(database).faults == ()


def test_pieces_for_which_no_weight_is_left_are_said(database):
    gateway = Gateway()
    inbox = furnished(database, gateway)
    set_policy(database, "BOLT", weight_unit="KGM")
    gateway.move(quantity="3", **weight("2.5"))
    gateway.move(quantity="1", source="BIN-1", target="customer", **weight("2.6"))
    inbox.accept([gateway.offer()])
    assert discrepancies(database) == [("weight_missing", "BIN-1/BOLT////C62", 1)]


@pytest.mark.parametrize("at_once", [True, False])
def test_what_is_written_off_adds_up(database, at_once):
    gateway = Gateway()
    inbox = furnished(database, gateway)
    for kilograms in ("0.9", "0.8"):
        gateway.move(quantity="1", **weight("1"))
        gateway.move(quantity="1", source="BIN-1", target="customer", **weight(kilograms))
    for first, last in [(1, None)] if at_once else [(n, n) for n in range(1, 5)]:
        inbox.accept([gateway.offer(first, last)])
    assert held(database, "adjustment") == {("SH1", "adjustment"): (0, pytest.approx(0.3))}
    assert verify_ledger(database).faults == ()


FORGED = [
    pytest.param("UPDATE lines SET weight_micro = 0 WHERE quantity_micro = 0", "rest", id="none"),
    pytest.param(
        "UPDATE lines SET location = 'scrap' WHERE quantity_micro = 0 AND line_no = 4",
        "lines",
        id="elsewhere",
    ),
    pytest.param(
        "UPDATE lines SET weight_micro = 2 * weight_micro WHERE quantity_micro = 0",
        "rest",
        id="twice",
    ),
]


@pytest.mark.parametrize(("forgery", "check"), FORGED)
def test_a_rest_that_is_another_is_found(database, forgery, check):
    gateway = Gateway()
    inbox = furnished(database, gateway)
    gateway.move(quantity="3", **weight("2.5"))
    gateway.move(quantity="3", source="BIN-1", target="customer", **weight("2.4"))
    inbox.accept([gateway.offer()])
    with database.write() as connection:
        connection.execute(text(forgery))
    assert check in {fault.check for fault in verify_ledger(database).faults}


def test_a_rest_where_pieces_are_left_is_found(database):
    gateway = Gateway()
    inbox = furnished(database, gateway)
    gateway.move(quantity="3", **weight("2.5"))
    gateway.move(quantity="3", source="BIN-1", target="customer", **weight("2.4"))
    inbox.accept([gateway.offer()])
    with database.write() as connection:
        for sql in (
            "UPDATE lines SET quantity_micro = 4000000 WHERE record_no = 1 AND line_no = 2",
            "UPDATE lines SET quantity_micro = -4000000 WHERE record_no = 1 AND line_no = 1",
        ):
            connection.execute(text(sql))
    faults = [fault for fault in verify_ledger(database).faults if fault.check == "rest"]
    assert "pieces are left" in faults[0].detail


def test_another_share_of_what_is_under_way_is_found(scene, database):
    code = scene.released(("BOLT", 9))
    scene.ship(code, 9, **weight("2.5"))
    scene.receive(code, 2)
    scene.send()
    with database.write() as connection:
        connection.execute(
            text(
                "UPDATE lines SET weight_micro = weight_micro + 1"
                " WHERE warehouse = 'BJ1' AND line_no = 2"
            )
        )
    checks = {fault.check for fault in verify_ledger(database).faults}
    with database.write() as connection:
        connection.execute(
            text(
                "UPDATE lines SET weight_micro = weight_micro - 1"
                " WHERE warehouse = 'BJ1' AND line_no = 2"
            )
        )
    assert "share" in checks


def test_absurd_weights_are_written_off_no_further_than_a_balance_goes(database):
    """Else forged weights would pile up there until the database took no more."""
    gateway = Gateway()
    for number in range(22):
        came = {"source": "in_transit", "document": f"TR-{number // 5}"}
        gateway.move(quantity="1", **came, **weight(str(QUANTITY_MAX)))
        gateway.move(quantity="1", source="BIN-1", target="customer", **weight("0.001"))
    furnished(database, gateway).accept([gateway.offer()])
    weights = dict(rows(database, tables.balances, "location", "weight_micro"))
    assert 0 < weights["adjustment"] <= BALANCE_MICRO_MAX
    assert "quantity_overflow" in kinds(database)
    assert verify_ledger(database).faults == ()


def test_what_is_under_way_on_many_pallets_is_summed_up_once():
    class Amounts(list):
        reads = 0

        def __getitem__(self, slot):
            self.reads += 1
            return super().__getitem__(slot)

    what = ("in_transit/TR-1", "BOLT", "", "")
    keys = [BalanceKey("SH1", *what, sscc(number), "C62", "available") for number in range(100)]
    slots, amounts = dict(zip(keys, range(100), strict=True)), Amounts([M] * 100)
    places = WeighedPlaces(slots, keys, amounts, dict.fromkeys(range(100), 2 * KG))
    line = Line("SH1", 1, 1, *what, sscc(1), "", "C62", -M, "available", -KG)
    for number in range(50):
        assert places.left(line) == ((100 - number) * M, (200 - number) * KG)
        places.note([line])
    assert amounts.reads == 100


def test_what_is_taken_back_unweighed_leaves_no_weight_without_pieces_under_way(scene):
    code = scene.released(("BOLT", 11))
    scene.ship(code, 6, place="BIN-2")
    scene.ship(code, 5, place="BIN-2")
    scene.send()
    scene.receive(code, 6, **weight("4"))
    scene.send()
    assert under_way(scene.database, code) == (5, -4)
    gateway = scene.gateways["SH1"]
    gateway.reverse(len(gateway.bodies))
    scene.send()
    assert under_way(scene.database, code) == (0, 0)
    assert verify_ledger(scene.database).faults == ()
