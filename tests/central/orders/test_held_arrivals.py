"""What a station takes back of goods whose status was changed since: what they became there."""

import pytest

from central.ledger import changed_reading
from tests.central.orders.settling import Settling
from tests.central.orders.test_decided_arrivals import came, decided, inspections, opened, undone
from tests.central.orders.test_settled_statuses import stock
from tests.central.scenery import set_policy

NONE = (0, 0, 0, 0, 0, 0)


@pytest.fixture
def site(database):
    made = Settling(database)
    yield made
    made.proved()


def held(site, quantity=None, item="BOLT", place="BIN-1", path="/holds", **fields):
    asked = {"warehouse": "SH1", "location": place, "item": item, "reason": "looked at"}
    site.post(path, asked | ({"quantity": quantity} if quantity else {}) | fields)


def freed(site, quantity=None, **fields):
    held(site, quantity, path="/holds/release", **fields)


def moved(site, quantity, source, target, step="storing", **fields):
    site.dock.move("BOLT", quantity, source=source, target=target, business_step=step, **fields)
    site.send()
    return len(site.dock.bodies)


@pytest.mark.parametrize(
    "since",
    [
        [(held, "10")],
        [(held, "6")],
        [(held, "10"), (freed, "4")],
        [(held, "10"), (freed, "10")],
        [(held, "10"), (lambda site, much: freed(site, much, becomes="rejected"), "7")],
        [(held, "6"), (freed, "2"), (held, "5")],
    ],
)
def test_what_was_held_of_a_receipt_goes_with_it(site, since):
    seq = came(site, "10")
    for act, quantity in since:
        act(site, quantity)
    undone(site, seq)
    assert (stock(site, "BOLT"), opened(site)) == ({}, [])


def test_what_a_station_held_goes_with_its_receipt(site):
    seq = came(site, "10")
    moved(site, "6", "BIN-1", "BIN-1", "inspecting", from_status="available", to_status="held")
    undone(site, seq)
    assert (stock(site, "BOLT"), opened(site)) == ({}, [])


def test_what_a_station_held_and_the_desk_freed_is_available_once(site):
    came(site, "10")
    said = {"from_status": "available", "to_status": "held"}
    seq = moved(site, "10", "BIN-1", "BIN-1", "inspecting", **said)
    freed(site)
    undone(site, seq)
    assert (stock(site, "BOLT"), opened(site)) == ({("BIN-1", "available"): 10}, [])


def test_a_hold_and_its_receipt_taken_back_together_leave_nothing(site):
    seq = came(site, "10")
    moved(site, "6", "BIN-1", "BIN-1", "inspecting", from_status="available", to_status="held")
    undone(site, seq + 1, seq)
    assert (stock(site, "BOLT"), opened(site)) == ({}, [])


def test_what_may_be_held_of_other_goods_stays_held(site):
    came(site, "20")
    seq = came(site, "10")
    held(site, "6")
    undone(site, seq)
    assert stock(site, "BOLT") == {("BIN-1", "available"): 14, ("BIN-1", "held"): 6}
    moved(site, "14", "BIN-1", "customer", "shipping")
    undone(site, 1)  # The 14 are gone: that is told, and what is held goes.
    assert stock(site, "BOLT") == {("BIN-1", "available"): -14}
    assert opened(site) == ["BIN-1/BOLT////C62"]


@pytest.mark.parametrize(
    ("hold_at", "left"), [(1, {("BIN-1", "available"): 10}), (2, {("BIN-1", "held"): 10})]
)
def test_of_two_receipts_that_one_goes_which_is_taken_back(site, hold_at, left):
    for number in (1, 2):
        came(site, "10")
        if number == hold_at:
            held(site, "10")
    undone(site, 1)
    assert (stock(site, "BOLT"), opened(site)) == (left, [])
    undone(site, 2)
    assert (stock(site, "BOLT"), opened(site)) == ({}, [])


@pytest.mark.parametrize("quantity", ["20", "10", "3"])
def test_two_receipts_taken_back_at_once_share_what_is_held(site, quantity):
    came(site, "10")
    came(site, "10")
    held(site, quantity)
    undone(site, 1, 2)
    assert (stock(site, "BOLT"), opened(site)) == ({}, [])


def test_what_was_carried_on_while_held_is_told_and_found(site):
    seq = came(site, "10")
    held(site)
    moved(site, "10", "BIN-1", "BIN-2", from_status="held")
    undone(site, seq)
    assert opened(site) == ["BIN-1/BOLT////C62/held"]
    assert site.settle("negative_balance").status_code == 200
    assert stock(site, "BOLT") == {}


def test_what_was_shipped_while_held_is_told(site):
    seq = came(site, "10")
    held(site)
    moved(site, "4", "BIN-1", "customer", "shipping", from_status="held")
    undone(site, seq)
    assert stock(site, "BOLT") == {("BIN-1", "held"): -4}
    assert opened(site) == ["BIN-1/BOLT////C62/held"]


@pytest.mark.parametrize("quantity", [None, "6"])
def test_what_is_held_where_it_was_brought_goes_back_held(site, quantity):
    came(site, "10")
    seq = moved(site, "10", "BIN-1", "BIN-2")
    held(site, quantity, place="BIN-2")
    undone(site, seq)
    there = {("BIN-1", "held"): int(quantity or "10"), ("BIN-1", "available"): 4}
    assert stock(site, "BOLT") == {key: n for key, n in there.items() if quantity or n == 10}
    assert opened(site) == []
    undone(site, 1)
    assert opened(site) == ["BIN-1/BOLT////C62"]


def test_goods_of_a_lot_on_hold_go_as_they_are(database):
    set_policy(database, "BOLT", lot_tracked=True)
    site = Settling(database)
    came(site, "10", lot="L")
    held(site, lot="L", place=None, warehouse=None)
    came(site, "5", lot="L")  # Comes held.
    undone(site, 2)
    assert stock(site, "BOLT") == {("BIN-1", "held"): 10}
    came(site, "3", lot="L")
    freed(site, lot="L", place=None, warehouse=None)
    undone(site, 3 + 1)
    assert stock(site, "BOLT") == {("BIN-1", "available"): 10}
    undone(site, 1)
    assert (stock(site, "BOLT"), opened(site)) == ({}, [])
    site.proved()


def test_a_serial_number_that_was_held_goes(database):
    set_policy(database, "BOLT", serial_tracked=True)
    site = Settling(database)
    came(site, "1", serial="S1")
    came(site, "1", serial="S2")
    held(site, serial="S1")
    undone(site, 1)
    assert (stock(site, "BOLT"), opened(site)) == ({("BIN-1", "available"): 1}, [])
    site.proved()


def test_goods_of_a_catch_weight_go_with_all_that_they_weighed(database):
    set_policy(database, "BOLT", weight_unit="KGM")
    site = Settling(database)
    came(site, "3", net_weight="12.1", weight_unit="KGM")
    held(site, "1")
    undone(site, 1)
    assert (stock(site, "BOLT"), opened(site)) == ({}, [])
    assert site.get("/discrepancies?kind=weight_differs")["discrepancies"] == []
    site.proved()


def test_what_was_accepted_and_then_held_goes_with_its_receipt(database):
    set_policy(database, "BOLT", inspected=True)
    site = Settling(database)
    came(site, "10", document="PO-1")
    before = inspections(site)["PO-1"]
    seq = came(site, "6", document="PO-2")
    decided(site, "PO-2", ("accept", "5", {}), ("reject", "1", {}))
    site.dock.move(  # At the station: the desk would hold what waits as well.
        "BOLT",
        "4",
        source="BIN-1",
        target="BIN-1",
        business_step="inspecting",
        from_status="available",
        to_status="held",
    )
    site.send()
    freed(site, "1", becomes="rejected")
    undone(site, seq)
    assert stock(site, "BOLT") == {("BIN-1", "inspection"): 10}
    assert inspections(site) == {"PO-1": before, "PO-2": NONE}
    assert opened(site) == []
    site.proved()


def test_goods_decided_on_where_they_were_brought_go_back_as_decided(database):
    set_policy(database, "BOLT", inspected=True)
    site = Settling(database)
    came(site, "10", document="PO-1")
    seq = moved(site, "10", "BIN-1", "BIN-2")
    decided(site, "PO-1", ("accept", "5", {}), ("reject", "2", {}), ("hold", "2", {}))
    undone(site, seq)
    there = {"available": 5, "rejected": 2, "held": 2, "inspection": 1}
    assert stock(site, "BOLT") == {("BIN-1", status): n for status, n in there.items()}
    assert opened(site) == []
    moved(site, "2", "BIN-1", "BIN-1", "inspecting", from_status="held", to_status="available")
    assert inspections(site)["PO-1"] == (10, 1, 0, 7, 2, 0)
    site.proved()


def test_what_is_too_much_to_look_through_is_told(site, monkeypatch):
    monkeypatch.setattr(changed_reading, "FACTS_MAX", 2)
    for number in (1, 2):
        came(site, "10")
        held(site)
        if number == 2:
            came(site, "1", target="BIN-2")
            undone(site, 2)
    assert (stock(site, "BOLT"), opened(site)) == (
        {("BIN-1", "held"): 10, ("BIN-2", "available"): 1},
        [],
    )
    undone(site, 1)  # Five facts came since.
    assert stock(site, "BOLT")[("BIN-1", "available")] == -10
    assert opened(site) == ["BIN-1/BOLT////C62"]


SAID = {"source": "BIN-1", "target": "BIN-1", "business_step": "inspecting"}
TO_HELD = SAID | {"from_status": "available", "to_status": "held"}
SOLD = {"source": "BIN-1", "target": "customer", "business_step": "shipping"}
TO_AVAILABLE = SAID | {"from_status": "inspection", "to_status": "available"}
# Movements of BOLT, or the number of the one that is taken back.
STORIES = {
    "held": [("10", {}), ("6", TO_HELD), 1],
    "held, then undone, then held": [("10", {}), ("6", TO_HELD), 2, ("4", TO_HELD), 1],
    "sold meanwhile": [("20", {}), ("10", {}), ("6", TO_HELD), ("20", SOLD), 2],
    "more came": [("10", {}), ("10", TO_HELD), ("10", {}), 1, 3],
}


@pytest.mark.parametrize("cut", [0, 1, 2, 3, 9])
@pytest.mark.parametrize("story", STORIES)
def test_it_is_the_same_however_facts_were_cut_into_batches(site, story, cut):
    for number, step in enumerate(STORIES[story]):
        if isinstance(step, int):
            site.dock.reverse(step)
        else:
            site.dock.move("BOLT", step[0], **step[1])
        if cut in {number, 9}:  # 9: each by itself.
            site.send()
    site.send()
    assert (stock(site, "BOLT"), opened(site)) == ({}, [])


@pytest.mark.parametrize("cut", [0, 1, 9])
def test_an_inspection_is_the_same_however_facts_were_cut(database, cut):
    set_policy(database, "BOLT", inspected=True)
    site = Settling(database)
    for number, (quantity, fields) in enumerate([("10", {}), ("6", TO_AVAILABLE), (None, {})]):
        if quantity:
            site.dock.move("BOLT", quantity, **fields)
        else:
            site.dock.reverse(1)
        if cut in {number, 9}:
            site.send()
    site.send()
    assert (stock(site, "BOLT"), inspections(site), opened(site)) == ({}, {"": NONE}, [])
    site.proved()
