"""Goods with serial numbers that are kept in a measure are parted: drums of cable, by the metre."""

import pytest

from central.contract.reference import Item
from central.ledger.reference_desk import put_item
from central.orders.catalogue.item_cards import Policy, item_faults
from central.storage import catalogue_tables, tables
from tests.central.orders.catalogue import ONE, plain_item
from tests.central.orders.purchasing import Purchasing
from tests.central.orders.test_impossible_quantities import HALVES
from tests.central.scenery import rows


@pytest.fixture
def site(database):
    """DRUM in metres, PUMP in cases, PIN in dozens; with serial numbers; S1 of both is there."""
    site = Purchasing(database)
    for item, unit in (("DRUM", "MTR"), ("PUMP", "XCS"), ("PIN", "DZN")):
        with site.desk.change(actor="test") as change:
            put_item(change, Item(code=item, name=item, name_zh="", unit=unit, kind="bulk"))
        kept = {"item": item, "serial_tracked": True, "rotation": "fefo"}
        site.put(catalogue_tables.item_policies, kept)
    site.receive("12.5", item="DRUM", unit="MTR", serial="S1")
    site.receive("2.5", item="PUMP", unit="XCS", serial="S1")
    return site


@pytest.mark.parametrize("kind", sorted(HALVES.keys() - {"counter sale"}))  # It names pieces.
def test_a_drum_of_cable_is_ordered_moved_and_sent_back_by_the_metre(site, kind):
    path, body = HALVES[kind]
    numbered = {} if path == "/transfers" else {"line": 1}
    for item, quantity, status in (
        ("DRUM", "12.5", 201),
        ("PUMP", "2.5", 422),
        ("PIN", "0.3", 422),
        ("PIN", "0.5", 201),
    ):
        said = body | {"lines": [numbered | {"item": item, "quantity": quantity}]}
        answer = site.ask("POST", path, said)
        assert answer.status_code == status, (item, answer.text)


def test_a_part_of_what_is_measured_is_held_and_given_free(site):
    body = {"lot": "", "serial": "S1", "warehouse": "SH1", "location": "BIN-1", "reason": "wet"}
    asked = body | {"item": "DRUM", "quantity": "0.5"}
    for path in ("/holds", "/holds/release"):
        (goods,) = site.post(path, asked, status=201)["goods"]
        assert (goods["serial"], goods["quantity"]) == ("S1", "0.5")
    refused = site.post("/holds", asked | {"item": "PUMP"}, status=422)
    assert "a part of a piece" in refused["detail"]
    assert site.faults() == []


def test_a_count_enters_what_it_found_of_goods_with_serial_numbers(site):
    body = {"warehouse": "SH1", "lines": [{"location": "BIN-1", "item": ""}]}
    code = site.post("/counts", body, status=201)["code"]
    site.post(f"/counts/{code}/release")
    found = {"location": "BIN-1", "serial": "S1", "item": "DRUM", "quantity": "12.5"}
    path = f"/counts/{code}/entries"
    entered = site.post(path, {"counted_by": "an", "entries": [found]})
    assert entered["observations_count"] == 1
    cases = found | {"item": "PUMP", "quantity": "2.5"}
    refused = site.post(path, {"counted_by": "an", "entries": [cases]}, status=422)
    assert "cannot all bear the serial number" in refused["detail"]
    assert site.faults() == []


def test_levels_of_goods_with_serial_numbers_are_whole_where_their_unit_counts():
    policy = Policy(serial_tracked=True, min_micro=ONE // 2)
    faulty = {"C62", "XCS"}
    for unit in ("C62", "XCS", "MIL", "MTR", "KGM", "LTR", "X1"):  # X1 is a length, the chain.
        for kind in ("piece", "bulk"):
            faults = list(item_faults(plain_item(unit=unit, kind=kind, policy=policy)))
            assert [one.field for one in faults] == ["policy.min"] * (unit in faulty), (unit, kind)


def test_a_drum_of_cable_is_sold_over_the_counter_by_the_metre(site):
    site.receive("4", item="DRUM", unit="MTR", serial="S2")

    def sell(quantity, *serials, item="DRUM", status=201):
        line = {"line": 1, "item": item, "quantity": quantity, "serials": serials}
        body = {"warehouse": "SH1", "customer": "SHOP", "lines": [line]}
        return site.post("/sales-orders/sell", body, status=status)

    for quantity, serials in (("2.5", ()), ("2", ("S1", "S2")), ("1", ("S1", "S2"))):
        refused = sell(quantity, *serials, status=422)
        assert refused["fields"] == {"line": 1, "item": "DRUM"}
    assert "line of their own" in refused["hint"]
    sell("2.5", "S1")
    short = sell("4.5", "S2", status=409)["fields"]["lines"]
    assert short == [{"line": 1, "item": "DRUM", "wanted": "4.5", "available": "4"}]
    sell("4", "S2")
    left = rows(site.database, tables.balances, "serial", "item", "location", "on_hand_micro")
    there = {one[0]: one[3] / ONE for one in left if one[1:3] == ("DRUM", "BIN-1")}
    assert {serial: micro for serial, micro in there.items() if micro} == {"S1": 10}
    # What is counted, or is a package, is whole: a number each.
    sell("2", "S1", item="PUMP", status=422)
    assert site.faults() == []
    told = rows(site.database, tables.discrepancies, "kind", "item")
    assert told == [("piece_parted", "PUMP")]  # 2.5 cases of it came in one.
