"""Alerts say what is wrong with stock, orders and gateways, and go away with their reason."""

from datetime import date, timedelta

import msgspec
import pytest
from sqlalchemy import insert, update

from central.contract.states import DeviceState
from central.stock.alert_book import KEPT_S, AlertBook
from central.stock.alerts import KINDS, PER_KIND_MAX, SEVERITY, Alert, counts_of, in_order
from central.stock.alerts_gateways import gateway_alerts
from central.stock.alerts_orders import order_alerts
from central.stock.alerts_stock import stock_alerts
from central.stock.deliveries import day_text
from central.stock.kpis import DAY_MS
from central.storage import catalogue_tables, tables
from tests.central.orders.purchasing import Purchasing, row
from tests.central.orders.sales_scenes import Scene
from tests.central.orders.transferring import Scene as Transferring
from tests.central.scenery import NOW_MS, FixedClock, Gateway, furnished

MICRO = 1_000_000
TODAY = date.fromisoformat(day_text(NOW_MS))


def said(database, function, now_ms=NOW_MS):
    with database.read() as connection:
        return list(function(connection, now_ms=now_ms))


def kinds(alerts):
    return sorted((one.kind, one.warehouse, one.subject) for one in alerts)


def put(database, table, **values):
    with database.write() as connection:
        connection.execute(insert(table), [row(table, **values)])


def test_every_kind_has_a_severity_and_bad_ones_come_first():
    assert set(SEVERITY) == set(KINDS)
    made = [Alert(kind=kind, warehouse="SH1", subject="X") for kind in KINDS]
    ordered = in_order(reversed(made))
    severities = [one.severity for one in ordered]
    assert severities == sorted(severities, key=lambda one: one != "bad")
    counts = counts_of(ordered)
    assert counts.count == len(KINDS) and not counts.more
    many = [Alert(kind="clock_unsynced", warehouse="", subject="g")] * PER_KIND_MAX
    assert counts_of(many).more


@pytest.fixture
def dock(database):
    gateway = Gateway()
    inbox = furnished(database, gateway)

    def move(*moves):
        begun = len(gateway.bodies)
        for item, quantity, source, target, fields in moves:
            gateway.move(item, quantity, source=source, target=target, **fields)
        inbox.accept([gateway.offer(begun + 1)])

    return move


@pytest.mark.parametrize(
    ("policy", "of_warehouse", "expected"),
    [
        pytest.param({}, None, [], id="no bounds, no alerts"),
        pytest.param({"min_micro": 10 * MICRO}, None, [], id="exactly the least"),
        pytest.param({"min_micro": 11 * MICRO}, None, [("below_minimum", 10, 11)], id="less"),
        pytest.param(
            {"min_micro": 20 * MICRO, "safety_micro": 12 * MICRO},
            None,
            [("below_safety", 10, 12)],
            id="only the worse of both",
        ),
        pytest.param({"max_micro": 9 * MICRO}, None, [("above_maximum", 10, 9)], id="too much"),
        pytest.param(
            {"min_micro": 5 * MICRO},
            {"min_micro": 15 * MICRO},
            [("below_minimum", 10, 15)],
            id="the warehouse has its own bound",
        ),
    ],
)
def test_stock_out_of_its_bounds_is_told_with_both_figures(
    database, dock, policy, of_warehouse, expected
):
    dock(("BOLT", "10", "supplier", "BIN-1", {}))
    put(database, catalogue_tables.item_policies, item="BOLT", version=1, **policy)
    if of_warehouse:
        values = {"warehouse": "SH1", "item": "BOLT"} | of_warehouse
        put(database, catalogue_tables.item_places, **values)
    found = said(database, stock_alerts)
    figures = [(one.kind, one.figure_micro // MICRO, one.bound_micro // MICRO) for one in found]
    assert figures == expected
    assert all(one.warehouse == "SH1" and one.name_zh == "螺栓" for one in found)


def test_a_warehouse_that_never_had_an_item_is_asked_for_it_only_by_its_own_bound(database, dock):
    dock(("BOLT", "10", "supplier", "BIN-1", {}))
    put(database, catalogue_tables.item_policies, item="BOLT", version=1, min_micro=MICRO)
    assert said(database, stock_alerts) == []
    put(database, catalogue_tables.item_places, warehouse="BJ1", item="BOLT", min_micro=5 * MICRO)
    assert kinds(said(database, stock_alerts)) == [("below_minimum", "BJ1", "BOLT")]


def test_stock_below_zero_names_its_place_and_goes_away(database, dock):
    dock(("BOLT", "3", "BIN-2", "customer", {"business_step": "shipping"}))
    (found,) = said(database, stock_alerts)
    assert (found.kind, found.location, found.figure_micro) == (
        "negative_stock",
        "BIN-2",
        -3 * MICRO,
    )
    dock(("BOLT", "3", "supplier", "BIN-2", {}))
    assert said(database, stock_alerts) == []


@pytest.mark.parametrize(
    ("days", "days_left", "expected"),
    [
        pytest.param(-1, 0, "lot_expired", id="yesterday"),
        pytest.param(0, 0, "lot_expiring", id="today it is still good"),
        pytest.param(10, 20, "lot_unshippable", id="too near to be shipped"),
        pytest.param(29, 20, "lot_expiring", id="within a month"),
        pytest.param(31, 20, None, id="later"),
    ],
)
def test_lots_are_told_of_before_they_expire(database, dock, days, days_left, expected):
    expiry = (TODAY + timedelta(days=days)).isoformat()
    dock(("BOLT", "5", "supplier", "BIN-1", {"lot": "L1", "expiry_date": expiry}))
    put(
        database,
        catalogue_tables.item_policies,
        item="BOLT",
        version=1,
        min_days_left_to_ship=days_left,
    )
    found = said(database, stock_alerts)
    assert [one.kind for one in found] == ([expected] if expected else [])
    assert all((one.lot, one.due) == ("L1", expiry) for one in found)
    dock(("BOLT", "5", "BIN-1", "scrap", {"lot": "L1"}))
    assert said(database, stock_alerts) == [], "nothing of it is left"


def test_a_lot_that_came_without_a_date_expires_as_the_other_books_say(database):
    scene = Transferring(database)
    expiry, later = ((TODAY + timedelta(days=days)).isoformat() for days in (-1, 40))
    said_here = {"lot": "L1", "expiry_date": expiry}
    scene.gateways["SH1"].move("BOLT", "1", **said_here)
    scene.gateways["SH1"].move("BOLT", "1", target="scrap", source="BIN-1", lot="L1")
    scene.gateways["BJ1"].move("BOLT", "5", target="BIN-1", lot="L1")
    scene.gateways["BJ1"].move("BOLT", "7", target="BIN-1", lot="L2", expiry_date=later)
    scene.gateways["SH1"].move("BOLT", "2", lot="L2", expiry_date=expiry)
    scene.inbox.accept([scene.gateways[code].offer() for code in ("SH1", "BJ1")])
    found = [
        (one.kind, one.warehouse, one.lot, one.due, one.figure_micro // MICRO)
        for one in said(database, stock_alerts)
    ]
    assert found == [
        ("lot_expired", "BJ1", "L1", expiry, 5),
        ("lot_expired", "SH1", "L2", expiry, 2),
    ]


def test_goods_under_way_for_three_days_are_told_of(database):
    scene = Transferring(database)
    scene.gateways["SH1"].move("BOLT", "10")
    code = scene.released()
    scene.gateways["SH1"].move(
        "BOLT", "10", source="BIN-1", target="in_transit", document=code, event_time_ms=NOW_MS
    )
    scene.inbox.accept([scene.gateways["SH1"].offer()])
    assert said(database, order_alerts, NOW_MS + 3 * DAY_MS - 1) == []
    (found,) = said(database, order_alerts, NOW_MS + 3 * DAY_MS)
    assert (found.kind, found.subject, found.warehouse) == ("transfer_overdue", code, "BJ1")


def test_orders_that_did_not_come_or_go_in_time_are_told_of(database):
    site = Purchasing(database)
    due = (TODAY - timedelta(days=1)).isoformat()
    line = {"item": "BOLT", "quantity": "100", "unit": "C62"}
    missing, come = (site.order(line, promised_date=due) for _ in range(2))
    site.order(line, promised_date=TODAY.isoformat())
    site.receive("98", document=come, line=1)
    site.receive("97", document=missing, line=1)
    (found,) = said(database, order_alerts)
    assert (found.kind, found.subject, found.due) == ("purchase_overdue", missing, due)
    assert found.detail == "ACME"
    site.post(f"/purchase-orders/{missing}/lines/1/close", {"reason": "no more comes"})
    assert said(database, order_alerts) == []


def test_what_came_under_a_shipping_notice_is_not_waited_for(database):
    site = Purchasing(database)
    due = (TODAY - timedelta(days=1)).isoformat()
    code = site.order({"item": "BOLT", "quantity": "10", "unit": "C62"}, promised_date=due)
    lines = [{"line": 1, "item": "BOLT", "quantity": "10", "order_line": 1}]
    body = {"warehouse": "SH1", "supplier": "ACME", "order": code, "lines": lines}
    notice = site.post("/shipping-notices", body, status=201)["code"]
    site.post(f"/shipping-notices/{notice}/expect")
    assert [one.subject for one in said(database, order_alerts)] == [code]
    documents = site.documents()
    under = notice if notice in documents else code
    site.receive("10", document=under, line=1)
    assert said(database, order_alerts) == []


def test_a_sales_order_past_its_day_is_told_of_until_it_is_signed_for(database):
    scene = Scene(database, stock=[("BIN-1", 10)])
    due = (TODAY - timedelta(days=1)).isoformat()
    code = scene.order(5, promised_on=due, upto="released")
    scene.order(5, promised_on=TODAY.isoformat(), upto="released")
    scene.order(5, promised_on=due, upto="draft")
    (found,) = said(database, order_alerts)
    assert (found.kind, found.subject, found.detail) == ("sales_overdue", code, "SHOP")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param({}, [], id="young"),
        pytest.param({"opened_ms": NOW_MS - 8 * DAY_MS}, ["discrepancy_old"], id="a week old"),
        pytest.param({"due_ms": NOW_MS - 1}, ["discrepancy_overdue"], id="its day is over"),
        pytest.param({"kind": "fork"}, ["discrepancy_fork"], id="another card speaks"),
        pytest.param({"kind": "fork", "state": "settled"}, [], id="settled"),
    ],
)
def test_discrepancies_are_told_of_when_they_are_old_overdue_or_forks(database, values, expected):
    table = tables.discrepancies
    base = {"id": "d1", "warehouse": "SH1", "kind": "unexpected", "state": "open", "version": 1}
    put(database, table, **(base | {"opened_ms": NOW_MS - DAY_MS} | values))
    assert [one.kind for one in said(database, order_alerts)] == expected


STATE = {"online": True, "seen_ms": NOW_MS, "told_ms": NOW_MS, "clock_synced": True, "state_ms": 1}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param({}, [], id="well"),
        pytest.param({"seen_ms": 0}, [], id="never seen is not silent"),
        pytest.param({"online": False}, ["gateway_silent"], id="off line"),
        pytest.param({"seen_ms": NOW_MS - 400_000}, ["gateway_silent"], id="no sign of life"),
        pytest.param({"lag_s": 400, "unsent_count": 5}, ["gateway_lagging"], id="behind"),
        pytest.param({"problem": "journal"}, ["gateway_problem"], id="a problem"),
        pytest.param({"disk_used_percent": 90}, ["gateway_disk"], id="disk full"),
        pytest.param({"clock_synced": False}, ["clock_unsynced"], id="clock not set"),
        pytest.param(
            {
                "devices_json": msgspec.json.encode(
                    [
                        DeviceState(name="scale", device_class="scale", state="ready"),
                        DeviceState(
                            name="printer",
                            device_class="printer",
                            state="offline",
                            problem="paper_out",
                        ),
                    ]
                ).decode()
            },
            ["device_not_ready"],
            id="out of labels",
        ),
    ],
)
def test_gateways_are_told_of_with_what_is_wrong(database, values, expected):
    furnished(database, Gateway())
    with database.write() as connection:
        connection.execute(update(tables.gateways).values(**(STATE | values)))
    found = said(database, gateway_alerts)
    assert [one.kind for one in found] == expected
    assert all((one.subject, one.warehouse) == ("sh1-dock-1", "SH1") for one in found)
    if expected == ["device_not_ready"]:
        assert (found[0].location, found[0].detail) == ("printer", "paper_out")


def test_refused_payloads_are_told_of_by_gateway_and_reason(database):
    inbox = furnished(database, Gateway())
    inbox.accept([("sh1-dock-1", b"one"), ("sh1-dock-1", b"two")])
    (found,) = said(database, gateway_alerts)
    assert (found.kind, found.subject, found.lot) == ("quarantined", "sh1-dock-1", "unreadable")
    assert found.detail == "2"


def test_alerts_are_kept_for_a_while_and_fresh_ones_are_read(database, dock):
    book, clock = AlertBook(), FixedClock()

    def below_zero(**options):
        return sum(
            one.kind == "negative_stock" for one in book.read(database, clock, **options).alerts
        )

    assert below_zero() == 0
    dock(("BOLT", "3", "BIN-2", "customer", {"business_step": "shipping"}))
    assert below_zero() == 0
    clock.time_ms += 1
    assert below_zero(fresh=True) == 1
    dock(("BOLT", "3", "supplier", "BIN-2", {}))
    clock.time_ms += int(KEPT_S * 1000) - 1
    assert below_zero() == 1
    clock.time_ms += 1
    assert below_zero() == 0


def test_alerts_over_the_api_are_narrowed_and_counted_whole(database):
    site = Purchasing(database)
    site.gateway.move("BOLT", "2", source="BIN-1", target="customer", business_step="shipping")
    site.send()
    site.clock.time_ms += 9 * DAY_MS
    found = site.get("/alerts", severity="bad")
    assert [one["kind"] for one in found["alerts"]] == ["negative_stock", "gateway_silent"]
    assert (found["alerts"][0]["figure"], found["alerts"][0]["bound"]) == ("-2", "0")
    assert (found["bad_count"], found["warn_count"]) == (2, 1)
    assert [one["kind"] for one in site.get("/alerts", kind="discrepancy_old")["alerts"]]
    assert site.get("/alerts", warehouse="BJ1")["alerts"] == []
    assert site.ask("GET", "/alerts?kind=none").status_code == 422
