"""What items ask for of lots, serial numbers and dates, and what is said of what lacks it."""

import pytest

from central.ledger.entries import GoodsRule, Known
from central.ledger.goods_rules import lots_asked, plain_routes
from central.ledger.verify import verify_ledger
from tests.central.orders.settling import Settling
from tests.central.scenery import NOW_MS, discrepancies, set_policy

DAY_MS = 86_400_000  # NOW_MS, at which the clock stands, is in the day 2026-05-28 UTC.
LOTS = {"lot_tracked": True}
DATES = {"expiry_tracked": True}
SERIALS = {"serial_tracked": True}
SOON = {"expiry_tracked": True, "min_days_left_to_ship": 5}
AGED = {"min_days_left_to_ship": 5}
IN, OUT = {}, {"source": "BIN-1", "target": "customer"}
FOUND = {"source": "adjustment"}
LOST = {"source": "BIN-1", "target": "adjustment"}
WITHIN = {"source": "BIN-1", "target": "BIN-2"}
LACKING = [
    pytest.param(LOTS, IN, [("lot_missing", "BOLT")], id="a lot, coming in"),
    pytest.param(LOTS, WITHIN, [("lot_missing", "BOLT")], id="a lot, within"),
    pytest.param(LOTS, OUT, [("lot_missing", "BOLT")], id="a lot, going out"),
    pytest.param(LOTS, {"lot": "L1"}, [], id="nothing: its lot is stated"),
    pytest.param(LOTS, FOUND, [("lot_missing", "BOLT")], id="a lot, found"),
    pytest.param(SERIALS, FOUND, [("serial_missing", "BOLT")], id="a serial number, found"),
    pytest.param(DATES, FOUND | {"lot": "L1"}, [("expiry_missing", "BOLT/L1")], id="a date, found"),
    pytest.param(LOTS, LOST, [], id="nothing: a count missed it"),
    pytest.param(LOTS, {"source": "BIN-1", "target": "scrap"}, [], id="nothing: it is scrapped"),
    pytest.param(LOTS, {"source": "production", "target": "customer"}, [], id="never here"),
    pytest.param(SERIALS, IN, [("serial_missing", "BOLT")], id="a serial number"),
    pytest.param(SERIALS, {"serial": "S1"}, [], id="nothing: its serial number is stated"),
    pytest.param(DATES, IN, [("lot_missing", "BOLT")], id="a lot, of which a date is kept"),
    pytest.param(DATES, {"lot": "L1"}, [("expiry_missing", "BOLT/L1")], id="a date"),
    pytest.param(DATES, OUT | {"lot": "L1"}, [], id="nothing: the date matters coming in"),
    pytest.param(DATES, {"lot": "L1", "expiry_date": "2027-01-01"}, [], id="nothing: dated"),
    pytest.param(
        DATES | SERIALS, IN, [("lot_missing", "BOLT"), ("serial_missing", "BOLT")], id="several"
    ),
]
SHIPPED = [
    pytest.param(DATES, "2026-05-28", {}, False, id="on its last day"),
    pytest.param(DATES, "2026-05-27", {}, True, id="a day late"),
    pytest.param(SOON, "2026-06-02", {}, False, id="just days enough"),
    pytest.param(SOON, "2026-06-01", {}, True, id="a day too few"),
    pytest.param(AGED, "2026-06-01", {}, True, id="a day too few, of any lot with a date"),
    pytest.param({}, "2020-01-01", {}, False, id="an item that asks for nothing"),
    pytest.param(SOON, "2026-06-01", {"event_time_ms": NOW_MS - DAY_MS}, False, id="a day before"),
    pytest.param(
        SOON,
        "2026-06-01",
        {"event_time_ms": NOW_MS - DAY_MS, "clock_synced": False},
        True,
        id="by a clock that was not set",
    ),
    pytest.param(SOON, "2026-06-02", {"event_time_ms": NOW_MS + DAY_MS}, False, id="a clock ahead"),
    pytest.param(SOON, "2026-06-01", {"target": "supplier"}, False, id="back to the supplier"),
]


def told(site):
    return [(kind, subject) for kind, subject, _ in discrepancies(site.database)]


@pytest.mark.parametrize(("policy", "way", "expected"), LACKING)
def test_a_movement_lacks_what_its_item_asks_for(database, policy, way, expected):
    site = Settling(database)
    set_policy(database, "BOLT", **policy)
    site.dock.move("BOLT", **way)
    site.send()
    found = [one for one in told(site) if one[0] != "negative_balance"]
    assert found == expected
    assert verify_ledger(database).faults == ()


@pytest.mark.parametrize(("policy", "expiry_date", "way", "is_late"), SHIPPED)
def test_goods_are_shipped_after_their_date(database, policy, expiry_date, way, is_late):
    site = Settling(database)
    set_policy(database, "BOLT", **policy)
    site.dock.move("BOLT", quantity="3", lot="L1", expiry_date=expiry_date)
    site.send()
    site.dock.move("BOLT", **(OUT | {"lot": "L1"} | way))
    site.send()
    assert told(site) == ([("expired_shipped", "BOLT/L1")] if is_late else [])
    site.proved()


def test_facts_without_end_open_one_discrepancy_and_are_all_posted(database):
    site = Settling(database)
    set_policy(database, "BOLT", **SOON)
    site.dock.move("BOLT", quantity="30", lot="L1", expiry_date="2026-05-29")
    for _ in range(20):
        site.dock.move("BOLT", **OUT, lot="L1")
        site.dock.move("BOLT")
    site.send()
    assert discrepancies(database) == [
        ("expired_shipped", "BOLT/L1", 20),
        ("lot_missing", "BOLT", 20),
    ]
    assert site.on_hand() == {("BIN-1", "L1"): 10, ("BIN-1", ""): 20, ("customer", "L1"): 20} | {
        ("supplier", "L1"): -30,
        ("supplier", ""): -20,
    }
    row = site.found("expired_shipped")
    said = "it expires on 2026-05-29 and was shipped on 2026-05-28, 5 days before are asked for"
    assert row["detail"] == said
    assert row["facts_count"] == len(row["facts"]) == 20
    site.proved()


def test_a_missing_date_settles_itself_when_somebody_says_it(database):
    site = Settling(database)
    set_policy(database, "BOLT", **DATES)
    site.dock.move("BOLT", lot="L1")
    site.dock.move("BOLT", lot="L2")
    site.send()
    assert told(site) == [("expiry_missing", "BOLT/L1"), ("expiry_missing", "BOLT/L2")]
    site.dock.move("BOLT", lot="L1", expiry_date="2027-01-01")
    site.send()
    assert site.found("expiry_missing", "open")["subject"] == "BOLT/L2"
    settled = site.found("expiry_missing", "settled")
    said = "the expiry date of the lot is known now"
    assert (settled["subject"], settled["settlement"]) == ("BOLT/L1", said)
    site.dock.move("BOLT", lot="L1")
    site.send()
    assert site.found("expiry_missing")["facts_count"] == 1
    site.proved()


@pytest.mark.parametrize("action", ["accept", "reverse"])
def test_what_lacks_something_is_settled_and_opens_nothing_new(database, action):
    site = Settling(database)
    set_policy(database, "BOLT", **DATES, **SERIALS)
    site.dock.move("BOLT", quantity="2")
    site.dock.move("BOLT", **WITHIN)
    site.send()
    row = site.found("lot_missing")
    assert (row["cause"], row["facts_count"], len(row["facts"])) == ("data", 2, 2)
    body = {} if action == "accept" else {"action": "reverse"}
    answer = site.settle("lot_missing", body or None)
    assert answer.status_code == 200, answer.text
    held = {} if action == "reverse" else {("BIN-1", ""): 1, ("BIN-2", ""): 1, ("supplier", ""): -2}
    assert site.on_hand() == held
    assert discrepancies(database) == [("lot_missing", "BOLT", 2), ("serial_missing", "BOLT", 2)]
    if action == "reverse":
        why = site.found("serial_missing", "settled")["settlement"]
        assert why.startswith("record 2 was taken back as lot_missing BOLT was settled")
        # What that settlement took back is there again, and lacks what it lacked.
        answer = site.ask("POST", f"/discrepancies/{row['id']}/reopen", {"reason": "no"})
        assert answer.status_code == 200, answer.text
        assert len(site.found("serial_missing")["facts"]) == 2
    assert site.settle("serial_missing").status_code == 200
    site.proved()


def test_goods_without_a_lot_are_given_the_one_that_was_meant(database):
    site = Settling(database)
    set_policy(database, "BOLT", lot_tracked=True)
    site.dock.move("BOLT", quantity="2")
    site.dock.move("BOLT", **WITHIN)
    site.send()
    answer = site.settle("lot_missing", {"action": "reassign", "lot": "L7"})
    assert answer.status_code == 200, answer.text
    assert site.on_hand() == {("BIN-1", "L7"): 1, ("BIN-2", "L7"): 1, ("supplier", "L7"): -2}
    assert discrepancies(database) == [("lot_missing", "BOLT", 2)]
    site.proved()


def test_a_date_that_another_warehouse_has_stated_is_known(database):
    site = Settling(database)
    set_policy(database, "BOLT", **SOON)
    for lot, expiry_date in (("L1", "2027-01-01"), ("L2", "2026-05-29")):
        site.dock.move("BOLT", lot=lot, expiry_date=expiry_date)
        site.dock.move("BOLT", lot=lot, source="BIN-1", target="in_transit")
    site.send()
    for lot in ("L1", "L2", "L3"):
        site.other.move("BOLT", lot=lot, source="in_transit")
        site.other.move("BOLT", lot=lot, **OUT)
    site.send(site.other)
    found = [one for one in told(site) if one[0] not in {"negative_balance", "transit_unnamed"}]
    assert found == [("expired_shipped", "BOLT/L2"), ("expiry_missing", "BOLT/L3")]
    # What it states itself is what its own book has from then on.
    site.other.move("BOLT", lot="L1", expiry_date="2026-05-29", source="in_transit")
    site.other.move("BOLT", lot="L1", **OUT)
    site.send(site.other)
    assert ("expired_shipped", "BOLT/L1") in told(site)
    assert verify_ledger(database).faults == ()


def test_goods_that_become_another_status_where_they_stand_lack_nothing(database):
    site = Settling(database)
    site.dock.move("BOLT")
    site.send()
    set_policy(database, "BOLT", **LOTS, **SERIALS)
    held = {"from_status": "available", "to_status": "held"}
    site.dock.move("BOLT", source="BIN-1", target="BIN-1", **held)
    site.send()
    assert told(site) == []


def route(item="MILK", lot="L1", *, source="supplier", target="BIN-1", serial=""):
    return ("SH1", source, target, item, lot, serial, "", "C62")


ROUTES = [
    pytest.param(route("BOLT", ""), True, False, id="an item that asks for nothing"),
    pytest.param(route(), True, True, id="a lot of which the date is known"),
    pytest.param(route(lot="L2"), False, True, id="a lot without a date"),
    pytest.param(route(lot=""), False, False, id="no lot"),
    pytest.param(route(source="BIN-1", target="BIN-2"), True, False, id="within"),
    pytest.param(route(source="BIN-1", target="customer"), False, True, id="to a customer"),
    pytest.param(route("PUMP", ""), False, False, id="no serial number"),
    pytest.param(route("PUMP", "", serial="S1"), True, False, id="a serial number"),
    pytest.param(route("PUMP", "", target="scrap", source="BIN-1"), True, False, id="to scrap"),
]


@pytest.mark.parametrize(("moved", "is_plain", "asks_date"), ROUTES)
def test_a_route_is_plain_if_nothing_can_be_missing_on_it(moved, is_plain, asks_date):
    rules = {"MILK": GoodsRule(True, False, True, 0), "PUMP": GoodsRule(False, True, False, 0)}
    known = Known({}, frozenset(), {}, goods_rules=rules)
    dates = {("SH1", "MILK", "L1"): "2027-01-01"}
    assert (list(plain_routes(known, [moved], dates)) == [moved]) == is_plain
    asked = {("SH1", moved[3], moved[4])} if asks_date else set()
    assert lots_asked(known, [moved]) == asked
    assert lots_asked(Known({}, frozenset(), {}), [moved]) == set()
