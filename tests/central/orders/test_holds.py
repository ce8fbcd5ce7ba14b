"""Goods are held at the desk and given free again: a lot, a place, a balance; orders lose them."""

import pytest

from central.contract.reference import Item
from central.ledger.reference_desk import put_item
from tests.central.orders.purchasing import Purchasing
from tests.central.scenery import Gateway, enrol

RECALL = {"item": "BOLT", "lot": "L1", "reason": "recalled"}
ROW = {"item": "BOLT", "lot": "", "warehouse": "SH1", "location": "BIN-1", "reason": "wet"}


@pytest.fixture
def site(database):
    """Bolts of L1 in two warehouses, of L2 beside them, some without a lot."""
    site = Purchasing(database)
    there = Gateway("bj1-dock-1", warehouse="BJ1")
    enrol(database, there)
    there.move("BOLT", "7", lot="L1")
    site.inbox.accept([there.offer()])
    for quantity, fields in (
        ("10", {"lot": "L1"}),
        ("4", {"lot": "L1", "target": "BIN-2"}),
        ("5", {"lot": "L2"}),
        ("3", {"lot": ""}),
    ):
        site.receive(quantity, **fields)
    return site


def there(site, item="BOLT"):
    """{(warehouse, place, lot, status): pieces} of what stands in places."""
    return {
        (one["warehouse"], one["location"], one["lot"], one["status"]): one["on_hand"]
        for one in site.get("/stock", item=item)["stock"]
    }


def changed(site, before):
    after = there(site)
    return {
        key: after.get(key, "0")
        for key in before.keys() | after
        if before.get(key) != after.get(key)
    }


HELD = [
    pytest.param(
        RECALL,
        {
            ("BJ1", "BIN-1", "L1", "available"): "0",
            ("BJ1", "BIN-1", "L1", "held"): "7",
            ("SH1", "BIN-1", "L1", "available"): "0",
            ("SH1", "BIN-1", "L1", "held"): "10",
            ("SH1", "BIN-2", "L1", "available"): "0",
            ("SH1", "BIN-2", "L1", "held"): "4",
        },
        id="a lot everywhere",
    ),
    pytest.param(
        RECALL | {"warehouse": "BJ1"},
        {("BJ1", "BIN-1", "L1", "available"): "0", ("BJ1", "BIN-1", "L1", "held"): "7"},
        id="a lot in one warehouse",
    ),
    pytest.param(
        {"warehouse": "SH1", "location": "BIN-1", "reason": "water"},
        {
            ("SH1", "BIN-1", "", "available"): "0",
            ("SH1", "BIN-1", "", "held"): "3",
            ("SH1", "BIN-1", "L1", "available"): "0",
            ("SH1", "BIN-1", "L1", "held"): "10",
            ("SH1", "BIN-1", "L2", "available"): "0",
            ("SH1", "BIN-1", "L2", "held"): "5",
        },
        id="a place",
    ),
    pytest.param(
        ROW,
        {("SH1", "BIN-1", "", "available"): "0", ("SH1", "BIN-1", "", "held"): "3"},
        id="goods that have no lot",
    ),
    pytest.param(
        ROW | {"quantity": "2"},
        {("SH1", "BIN-1", "", "available"): "1", ("SH1", "BIN-1", "", "held"): "2"},
        id="a part of a balance",
    ),
    pytest.param(
        ROW | {"lot": None, "quantity": "4"},
        {
            ("SH1", "BIN-1", "", "available"): "0",
            ("SH1", "BIN-1", "", "held"): "3",
            ("SH1", "BIN-1", "L1", "available"): "9",
            ("SH1", "BIN-1", "L1", "held"): "1",
        },
        id="a quantity of an item at a place, whatever the lot",
    ),
]


@pytest.mark.parametrize(("body", "expected"), HELD)
def test_goods_are_held_and_freed_again(site, body, expected):
    before = there(site)
    done = site.post("/holds", body, status=201)
    assert changed(site, before) == expected
    assert [one["fact"].split("/")[0] for one in done["goods"]] == ["central"] * len(done["goods"])
    assert {one["status"] for one in done["goods"]} == {"available"}
    freed = site.post("/holds/release", body, status=201)
    assert there(site) == before
    assert len(freed["goods"]) == len(done["goods"])
    assert (site.faults(), site.discrepancies()) == ([], [])


def test_a_recall_reaches_what_came_in_another_unit_before_its_item_was_known(site):
    site.receive("500", item="SALT", unit="GRM", lot="S1")
    with site.desk.change(actor="li.na") as change:
        put_item(change, Item(code="SALT", name="Salt", name_zh="Salt", unit="KGM"))
    site.receive("2", item="SALT", unit="KGM", lot="S1", target="BIN-2")
    salt = {"item": "SALT", "lot": "S1", "reason": "recalled"}
    before = site.discrepancies()
    done = site.post("/holds", salt, status=201)
    assert [(one["quantity"], one["unit"]) for one in done["goods"]] == [
        ("500", "GRM"),
        ("2", "KGM"),
    ]
    assert site.stock("SALT") == {("BIN-1", "held"): 500_000_000, ("BIN-2", "held"): 2_000_000}
    site.post("/holds/release", salt, status=201)
    assert site.stock("SALT") == {
        ("BIN-1", "available"): 500_000_000,
        ("BIN-2", "available"): 2_000_000,
    }
    assert (site.faults(), site.discrepancies()) == ([], before)


def test_a_station_that_names_the_flag_of_holds_is_posted_in_the_unit_of_the_item(site):
    site.receive("2", item="RICE", lot="R1")
    site.gateway.move(
        "RICE", "500", source="BIN-1", target="BIN-1", unit="GRM", lot="R1",
        business_step="inspecting", from_status="inspection", to_status="held",
        flags=("quality_hold",),
    )  # fmt: skip
    site.send()
    assert site.stock("RICE") == {("BIN-1", "inspection"): 1_500_000, ("BIN-1", "held"): 500_000}
    assert site.faults() == []


def test_what_is_freed_may_be_rejected(site):
    site.post("/holds", RECALL, status=201)
    body = RECALL | {"warehouse": "SH1", "becomes": "rejected"}
    site.post("/holds/release", body, status=201)
    found = {key[3]: amount for key, amount in there(site).items() if key[2] == "L1"}
    assert found == {"held": "7", "rejected": "4"}
    assert site.faults() == []


REFUSED = [
    pytest.param({"item": "BOLT", "reason": "x"}, 422, "which goods", id="an item alone"),
    pytest.param({"warehouse": "SH1", "reason": "x"}, 422, "which goods", id="a warehouse alone"),
    pytest.param(RECALL | {"reason": " "}, 422, "needs a reason", id="no reason"),
    pytest.param(RECALL | {"quantity": "1"}, 422, "one item at one place", id="of no place"),
    pytest.param(ROW | {"quantity": "0"}, 422, "greater than zero", id="a quantity of zero"),
    pytest.param(ROW | {"quantity": "1.5"}, 422, "1.5", id="a part of a piece"),
    pytest.param(ROW | {"quantity": "4"}, 409, "only 3 of 4 is there", id="less is there"),
    pytest.param(RECALL | {"lot": "L9"}, 409, "nothing of it is there", id="no such lot"),
    pytest.param(ROW | {"location": "BIN-9"}, 422, "has no place", id="no such place"),
    pytest.param(ROW | {"warehouse": "XX9"}, 422, "no warehouse is called", id="no warehouse"),
    pytest.param(ROW | {"location": "BIN-3"}, 409, "nothing of it is there", id="an empty place"),
]


@pytest.mark.parametrize(("body", "status", "said"), REFUSED)
def test_what_cannot_be_held_is_refused_and_nothing_is_done(site, body, status, said):
    before = there(site)
    problem = site.post("/holds", body, status=status)
    assert said in problem["detail"]
    assert problem["hint"]
    assert there(site) == before


def test_what_is_not_held_is_not_given_free(site):
    problem = site.post("/holds/release", RECALL, status=409)
    assert "nothing of it is there that is held" in problem["detail"]


def test_a_hold_that_is_repeated_is_done_once_and_one_that_is_outdated_not_at_all(site):
    seen = site.ask("GET", "/holds?item=BOLT&lot=&warehouse=SH1&location=BIN-1")
    version = int(seen.headers["ETag"].strip('"'))
    site.receive("1", lot="")
    site.post("/holds", ROW, status=412, version=version)
    part = ROW | {"quantity": "1"}
    first = site.ask("POST", "/holds", part, version=version + 1, key="once")
    again = site.ask("POST", "/holds", part, version=version + 1, key="once")
    assert (first.status_code, again.json()) == (201, first.json())
    assert int(first.headers["ETag"].strip('"')) > version
    assert there(site)["SH1", "BIN-1", "", "held"] == "1"


def test_what_is_on_its_way_is_told_and_not_held(site):
    site.gateway.move("BOLT", "4", source="BIN-2", target="in_transit", lot="L1", document="TR-9")
    site.send()
    page = site.get("/holds", item="BOLT", lot="L1")
    assert [(one["location"], one["quantity"]) for one in page["under_way"]] == [
        ("in_transit/TR-9", "4")
    ]
    assert len(site.post("/holds", RECALL, status=201)["goods"]) == 2
    assert len(site.get("/holds", item="BOLT", lot="L1")["under_way"]) == 1


def sold(site, quantity, *, backorders=True):
    """An order of the shop in SH1, approved with what there is; its code."""
    lines = [{"line": 1, "item": "BOLT", "quantity": quantity}]
    body = {"warehouse": "SH1", "customer": "SHOP", "backorders": backorders, "lines": lines}
    code = site.post("/sales-orders", body, status=201)["code"]
    site.post(f"/sales-orders/{code}/submit")
    return code


def available(site):
    (one,) = site.get("/availability", item="BOLT", warehouse="SH1")["availability"]
    return {name: one[name] for name in ("available", "held", "allocated")}


def test_held_goods_are_not_set_aside_and_freed_ones_are(site):
    site.post("/holds", RECALL, status=201)
    assert available(site) == {"available": "8", "held": "14", "allocated": "0"}
    code = sold(site, "9", backorders=False)
    site.post(f"/sales-orders/{code}/approve", status=409)
    site.post("/holds/release", RECALL | {"warehouse": "SH1"}, status=201)
    site.post(f"/sales-orders/{code}/approve")
    assert available(site) == {"available": "13", "held": "0", "allocated": "9"}
    assert site.faults() == []


def test_held_goods_are_not_sold_over_the_counter(site):
    site.post("/holds", ROW | {"lot": None}, status=201)
    site.post("/holds", ROW | {"lot": "L1", "location": "BIN-2"}, status=201)
    lines = [{"line": 1, "item": "BOLT", "quantity": "1"}]
    body = {"warehouse": "SH1", "customer": "SHOP", "lines": lines}
    site.post("/sales-orders/sell", body, status=409)
    site.post("/holds/release", ROW | {"quantity": "1"}, status=201)
    site.post("/sales-orders/sell", body, status=201)
    assert site.faults() == []


def test_an_order_that_loses_its_goods_gets_others_or_is_short(site):
    code = sold(site, "16")
    site.post(f"/sales-orders/{code}/approve")
    site.post("/holds", RECALL, status=201)
    short = [(kind, state) for kind, _, state, _ in site.discrepancies()]
    assert short == [("reservation_short", "open")]
    assert available(site) == {"available": "0", "held": "14", "allocated": "8"}
    site.post("/holds/release", RECALL | {"warehouse": "SH1"}, status=201)
    site.post(f"/sales-orders/{code}/reserve")
    assert available(site) == {"available": "6", "held": "0", "allocated": "16"}
    assert site.faults() == []


def test_a_hold_of_what_waits_for_inspection_is_a_decision_of_it(site):
    site.receive("100", item="RICE", lot="R1")
    body = {"item": "RICE", "lot": "R1", "reason": "smells"}
    site.post("/holds", body | {"status": "available"}, status=409)
    site.post("/holds", body, status=201)
    (found,) = site.get("/inspections")["inspections"]
    assert (found["in_inspection"], found["held"]) == ("0", "100")
    part = {"warehouse": "SH1", "location": "BIN-1", "quantity": "30", "reason": "aired"}
    site.post("/holds/release", body | part, status=201)
    rest = {"becomes": "rejected", "reason": "mould"}
    site.post("/holds/release", body | rest, status=201)
    (found,) = site.get("/inspections")["inspections"]
    assert (found["accepted"], found["rejected"], found["open"]) == ("30", "70", False)
    told = [(one["decision"], one["reason"], one["actor"]) for one in found["decisions"]]
    assert told == [
        ("hold", "smells", "li.na"),
        ("accept", "aired", "li.na"),
        ("reject", "mould", "li.na"),
    ]
    assert site.faults() == []


def test_what_a_short_pick_held_is_given_free(site):
    decided = {"business_step": "inspecting", "from_status": "available", "to_status": "held"}
    site.gateway.move(
        "BOLT", "2", source="BIN-1", target="BIN-1", flags=("reason_damaged", "short_pick"),
        **decided,
    )  # fmt: skip
    site.send()
    assert there(site)["SH1", "BIN-1", "", "held"] == "2"
    site.post("/holds/release", ROW, status=201)
    assert there(site)["SH1", "BIN-1", "", "available"] == "3"
    assert site.faults() == []


def test_a_hold_is_told_to_programs_and_by_its_history(site):
    code = site.post("/holds", RECALL, status=201)["code"]
    events = site.get(f"/history/stock_hold/{code}")["events"]
    assert sorted((one["warehouse"], one["fields"]["facts_count"]) for one in events) == [
        ("BJ1", 1),
        ("SH1", 2),
    ]
    assert {(one["action"], one["actor"], one["fields"]["reason"]) for one in events} == {
        ("held", "li.na", "recalled")
    }
    told = site.get("/epcis/events", limit=1000)["epcisBody"]["eventList"]
    held = [one for one in told if one.get("bizStep") == "inspecting"]
    assert len(held) == 3


def test_held_goods_are_put_on_no_transfer_and_freed_ones_are(site):
    site.post("/holds", RECALL | {"warehouse": "SH1"}, status=201)
    body = {
        "source_warehouse": "SH1",
        "destination_warehouse": "BJ1",
        "lines": [{"item": "BOLT", "quantity": "9"}],
    }
    site.post("/transfers/release", body, status=409)
    site.post("/holds/release", RECALL | {"warehouse": "SH1"}, status=201)
    site.post("/transfers/release", body, status=201)
    assert available(site) == {"available": "13", "held": "0", "allocated": "9"}
    assert site.faults() == []


def test_what_is_held_already_is_not_held_again(site):
    site.post("/holds", ROW | {"quantity": "2"}, status=201)
    done = site.post("/holds", ROW, status=201)
    assert [(one["status"], one["quantity"]) for one in done["goods"]] == [("available", "1")]
    problem = site.post("/holds", ROW, status=409)
    assert "nothing of it is there" in problem["detail"]


COMES_HELD = [
    pytest.param(RECALL, {}, "L1", "held", id="everywhere"),
    pytest.param(RECALL | {"warehouse": "SH1"}, {}, "L1", "held", id="in its warehouse"),
    pytest.param(RECALL | {"warehouse": "BJ1"}, {}, "L1", "available", id="in another warehouse"),
    pytest.param(RECALL, {}, "L2", "available", id="another lot"),
    pytest.param(RECALL, {"source": "customer"}, "L1", "held", id="from a customer"),
    pytest.param(
        RECALL | {"warehouse": "SH1", "location": "BIN-1"}, {}, "L1", "available", id="one place"
    ),
]


@pytest.mark.parametrize(("body", "way", "lot", "status"), COMES_HELD)
def test_what_comes_in_of_a_lot_on_hold_is_held(site, body, way, lot, status):
    site.post("/holds", body, status=201)
    before = there(site)
    move = {"source": "supplier"} | way
    site.gateway.move("BOLT", "6", target="BIN-3", lot=lot, **move)
    site.send()
    assert changed(site, before) == {("SH1", "BIN-3", lot, status): "6"}
    assert (site.faults(), site.discrepancies()) == ([], [])


def test_an_inspected_item_of_a_lot_on_hold_comes_in_held(site):
    site.receive("5", item="RICE", lot="R1")
    site.post("/holds", {"item": "RICE", "lot": "R1", "reason": "recalled"}, status=201)
    site.receive("2", item="RICE", lot="R1")
    assert site.stock("RICE") == {("BIN-1", "held"): 7_000_000}
    assert site.faults() == []


FREED = [
    pytest.param({}, "available", id="as a whole"),
    pytest.param({"becomes": "rejected"}, "held", id="rejected"),
    pytest.param({"warehouse": "SH1", "location": "BIN-1"}, "held", id="one place"),
    pytest.param({"warehouse": "SH1"}, "held", id="one warehouse of a hold everywhere"),
]


@pytest.mark.parametrize(("body", "status"), FREED)
def test_a_lot_stays_on_hold_until_it_is_given_free_as_a_whole(site, body, status):
    site.post("/holds", RECALL, status=201)
    site.post("/holds/release", RECALL | body, status=201)
    before = there(site)
    site.receive("6", lot="L1", target="BIN-3")
    assert changed(site, before) == {("SH1", "BIN-3", "L1", status): "6"}
    assert site.faults() == []
