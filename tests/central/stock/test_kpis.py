"""Key figures say what happened: turnover, movers, age, deliveries, suppliers, docks."""

from datetime import date, timedelta
from fractions import Fraction

import pytest

from central.stock.deliveries import Delivery, causes_of, day_text, judge, monday_of, weeks_of
from central.stock.kpis import DAY_MS, Span, Turnover, age_classes, average_of
from central.stock.kpis_age import (
    UnderWay,
    by_warehouse,
    count_by_age,
    read_stock_age,
    read_under_way,
)
from central.stock.kpis_delivery import read_deliveries
from central.stock.kpis_docks import read_throughput
from central.stock.kpis_supply import read_suppliers
from central.stock.kpis_turnover import read_dead_stock, read_movers, read_turnover
from tests.central.orders.purchasing import Purchasing
from tests.central.orders.sales_scenes import Scene
from tests.central.scenery import NOW_MS

MICRO = 1_000_000
TODAY = day_text(NOW_MS)


def days(text, number):
    return (date.fromisoformat(text) + timedelta(days=number)).isoformat()


class Selling(Scene):
    """A warehouse whose goods came 200 days ago; `at` does something so many days ago."""

    def at(self, days_ago):
        self.clock.time_ms = NOW_MS - days_ago * DAY_MS
        return self

    def now(self):
        return {"event_time_ms": self.clock.time_ms - 1000}

    def came(self, quantity, **fields):
        self.receive("BIN-1", quantity, **(self.now() | fields))

    def sold(self, quantity, **fields):
        self.move("BIN-1", "customer", quantity, step="shipping", **(self.now() | fields))

    def span(self, length=30):
        return Span.of_days(length, now_ms=self.clock.now_ms())


@pytest.fixture
def shop(database):
    scene = Selling(database)
    scene.at(200).came(100)
    scene.at(45).sold(30)
    scene.at(20).came(30, item="NUT")
    scene.at(15).sold(20)
    scene.at(14).move("customer", "BIN-1", 5, step="receiving", **scene.now())
    return scene.at(0)


def read(scene, function, *args, **fields):
    with scene.database.read() as connection:
        return function(connection, *args, **fields)


@pytest.mark.parametrize(
    ("points", "average"),
    [
        pytest.param([], 0, id="nothing known"),
        pytest.param([7], 7, id="one moment"),
        pytest.param([10, 20], 15, id="straight between two"),
        pytest.param([10, 20, 10], 15, id="the ends count half"),
        pytest.param([-10, 10], 5, id="below zero is none"),
    ],
)
def test_the_average_goes_straight_from_moment_to_moment(points, average):
    assert average_of(points) == average


@pytest.mark.parametrize(
    ("now", "before", "expected"),
    [
        pytest.param((10, 100), (10, 100), (Fraction(73, 60), True, False, False), id="too slow"),
        pytest.param((60, 100), (60, 100), (Fraction(73, 10), False, True, False), id="too fast"),
        pytest.param((30, 100), (50, 100), (Fraction(73, 20), False, False, True), id="a drop"),
        pytest.param((35, 100), (50, 100), (Fraction(511, 120), False, False, False), id="no drop"),
        pytest.param((5, 0), (5, 100), (None, False, False, False), id="no stock"),
    ],
)
def test_turnover_has_a_norm_and_a_sudden_drop_is_flagged(now, before, expected):
    found = Turnover("", "C62", Fraction(30), *now, *before)
    assert (found.a_year, found.below_norm, found.above_norm, found.dropped) == expected


def test_turnover_is_what_was_shipped_by_the_stock_there_was(shop):
    whole, own = read(shop, read_turnover, shop.span())
    assert (whole.warehouse, own.warehouse, own.unit) == ("", "SH1", "C62")
    assert (own.shipped_micro, own.before_shipped_micro) == (15 * MICRO, 30 * MICRO)
    # Every five days: 70 70 100 80 85 85 85, and before that 100 100 100 70 70 70 70.
    assert own.average_micro == (70 + 85 + 2 * (70 + 100 + 80 + 85 + 85)) * MICRO // 12
    assert own.before_average_micro == (100 + 70 + 2 * (100 + 100 + 70 + 70 + 70)) * MICRO // 12
    assert read(shop, read_turnover, shop.span(), warehouse="BJ1") == []
    assert read(shop, read_turnover, shop.span(), warehouse="SH1")[0] == own


def test_movers_are_sorted_by_sales_and_tell_how_long_stock_lasts(shop):
    bolt, nut = read(shop, read_movers, shop.span())
    assert (bolt.item, bolt.name_zh, bolt.shipped_micro) == ("BOLT", "螺栓", 15 * MICRO)
    assert (bolt.before_shipped_micro, bolt.on_hand_micro) == (30 * MICRO, 55 * MICRO)
    assert bolt.covered_days(shop.span()) == 110
    assert (nut.item, nut.on_hand_micro, nut.covered_days(shop.span())) == ("NUT", 30 * MICRO, None)


def test_stock_is_dead_when_nothing_of_it_moved(shop):
    assert read(shop, read_dead_stock, now_ms=NOW_MS, days=30) == []
    (found,) = read(shop, read_dead_stock, now_ms=NOW_MS, days=17)
    assert (found.item, found.on_hand_micro, found.value_micro) == ("NUT", 30 * MICRO, None)
    assert found.last_ms == NOW_MS - 20 * DAY_MS
    assert read(shop, read_dead_stock, now_ms=NOW_MS, days=17, warehouse="BJ1") == []


def test_what_came_last_is_what_is_still_there(shop):
    bolt, nut = read(shop, read_stock_age, now_ms=NOW_MS)
    assert (bolt.item, bolt.on_hand_micro) == ("BOLT", 55 * MICRO)
    # Five came back two weeks ago, the others came 200 days ago.
    assert [one.amount_micro // MICRO for one in bolt.classes] == [5, 0, 0, 50, 0]
    assert [one.amount_micro // MICRO for one in nut.classes] == [30, 0, 0, 0, 0]
    everything = by_warehouse([bolt, nut])[0]
    assert (everything.warehouse, everything.items_count) == ("", 2)
    assert [one.amount_micro // MICRO for one in everything.classes] == [35, 0, 0, 50, 0]
    assert [(one.from_days, one.to_days) for one in age_classes([0, 0], [30])] == [
        (0, 30),
        (30, None),
    ]


def test_throughput_is_by_gateway_and_hour_of_the_last_day(shop):
    assert read(shop, read_throughput, now_ms=NOW_MS) == []
    shop.came(1)
    shop.came(2)
    shop.clock.time_ms += 3_600_000
    shop.sold(1)
    found = read(shop, read_throughput, now_ms=shop.clock.now_ms())
    assert [(one.gateway, one.facts_count, one.moved_count) for one in found] == [
        ("sh1-dock-1", 2, 2),
        ("sh1-dock-1", 1, 1),
    ]
    assert found[1].hour_ms - found[0].hour_ms == 3_600_000
    assert read(shop, read_under_way) == []


END_MS = NOW_MS - NOW_MS % DAY_MS + DAY_MS  # Of the promised day.
GOOD = {
    "complete": True,
    "done_ms": END_MS - 1,
    "approved_ms": 1,
    "reserved_ms": 1,
    "released_ms": 1,
}


@pytest.mark.parametrize(
    ("changes", "now_ms", "expected"),
    [
        pytest.param({}, END_MS, (True, "", 0), id="the last millisecond of the day"),
        pytest.param({"done_ms": END_MS}, END_MS, (False, "dock", 1), id="just after midnight"),
        pytest.param({"complete": False}, END_MS - 1, None, id="not due yet"),
        pytest.param({"complete": False}, END_MS, (False, "dock", 1), id="never left"),
        pytest.param({"complete": False}, END_MS + DAY_MS, (False, "dock", 2), id="a day later"),
        pytest.param({}, END_MS - 1, (True, "", 0), id="before its day"),
        pytest.param({"done_ms": END_MS, "released_ms": 0}, END_MS, (False, "release", 1), id="r"),
        pytest.param(
            {"done_ms": END_MS, "reserved_ms": END_MS}, END_MS, (False, "stock", 1), id="s"
        ),
        pytest.param(
            {"done_ms": END_MS, "approved_ms": END_MS}, END_MS, (False, "approval", 1), id="a"
        ),
        pytest.param({"given_up": True}, END_MS, (False, "given_up", 0), id="only a part"),
        pytest.param({"due": "2026-13-01"}, END_MS, None, id="no day"),
    ],
)
def test_a_delivery_is_judged_by_the_end_of_its_day_and_late_has_a_cause(changes, now_ms, expected):
    found = judge(
        Delivery("SO-1", "SHOP", "SH1", **({"due": TODAY} | GOOD | changes)), now_ms=now_ms
    )
    assert (found and (found.on_time, found.cause, found.late_days)) == expected


def test_weeks_begin_on_mondays_and_causes_are_counted():
    judged = [
        judge(
            Delivery("SO", "SHOP", "SH1", days(TODAY, -7 * week), **(GOOD | {"done_ms": done})),
            now_ms=END_MS,
        )
        for week, done in ((0, 1), (0, END_MS), (1, 1), (1, 2))
    ]
    weeks = weeks_of(judged, count=2, now_ms=NOW_MS)
    assert [(one.due_count, one.on_time_count, one.alarm) for one in weeks] == [
        (2, 2, False),
        (2, 1, True),
    ]
    assert date.fromisoformat(weeks[1].begins).weekday() == 0
    assert day_text(monday_of(NOW_MS)) == weeks[1].begins
    assert causes_of(judged) == (("dock", 1),)


def test_orders_are_on_time_when_all_of_them_left_by_the_promised_day(database):
    scene = Selling(database)
    scene.at(20).came(100)
    promised = days(TODAY, -5)
    scene.at(10)
    codes = {
        name: scene.order(10, promised_on=promised, upto=upto)
        for name, upto in (
            ("kept", "released"),
            ("late", "released"),
            ("part", "released"),
            ("never", "approved"),
            ("ignored", "draft"),
        )
    }
    unfit = scene.order(500, promised_on=promised, upto="released")
    scene.at(6)
    for name, quantity in (("kept", 10), ("part", 4)):
        scene.ship(codes[name], "BIN-1", quantity, **scene.now())
    scene.at(2).ship(codes["late"], "BIN-1", 10, **scene.now())
    scene.at(0)
    found = read(scene, read_deliveries, scene.span())
    said = {one.delivery.code: (one.on_time, one.cause, one.late_days) for one in found}
    assert said == {
        codes["kept"]: (True, "", 0),
        codes["late"]: (False, "dock", 3),
        codes["part"]: (False, "dock", 5),
        codes["never"]: (False, "release", 5),
        unfit: (False, "stock", 5),
    }
    assert read(scene, read_deliveries, scene.span(), warehouse="BJ1") == []
    assert read(scene, read_deliveries, scene.span(3)) == []


def test_suppliers_are_judged_by_lines_in_time_and_inspections_that_passed(database):
    site = Purchasing(database)
    line = {"item": "BOLT", "quantity": "100", "unit": "C62", "promised_date": days(TODAY, -2)}
    rice = {"item": "RICE", "quantity": "100", "promised_date": days(TODAY, -2)}
    early, late = site.order(line, rice), site.order(line)
    missing = site.order(line)
    site.order(line | {"promised_date": days(TODAY, 2)})
    soon = {"event_time_ms": NOW_MS - 3 * DAY_MS}
    # Two percent less is as ordered.
    site.receive("98", document=early, line=1, **soon)
    site.receive("60", item="RICE", document=early, line=2, lot="L1", **soon)
    site.receive("40", item="RICE", document=early, line=2, lot="L2", **soon)
    site.receive("100", document=late, line=1, event_time_ms=NOW_MS - 1000)
    first, second = site.get("/inspections", open="true")["inspections"]
    for inspection, decision in ((first, "accept"), (second, "reject")):
        one = {"decision": decision, "quantity": inspection["arrived"], "reason": "looked at"}
        site.post(f"/inspections/{inspection['code']}/decisions", {"decisions": [one]})
    span = Span.of_days(30, now_ms=NOW_MS + 1)
    with database.read() as connection:
        (found,) = read_suppliers(connection, span)
    assert (found.supplier, found.name) == ("ACME", "Acme Ltd")
    assert (found.due_count, found.on_time_count, found.alarm) == (4, 2, True)
    assert found.late_orders == (late, missing)
    assert (found.decided_count, found.passed_count) == (2, 1)
    site.clock.time_ms += 1
    said = site.get("/kpis/suppliers")["suppliers"][0]
    assert (said["on_time_percent"], said["pass_percent"]) == ("50.00", "50.00")


def test_key_figures_over_the_api_say_their_span_and_are_cut_not_rounded(database):
    site = Purchasing(database)
    site.receive("3")
    site.gateway.move("BOLT", "2", source="BIN-1", target="customer", business_step="shipping")
    site.send()
    site.clock.time_ms += 1000
    best = site.get("/kpis/movers")["items"]
    assert [(one["item"], one["shipped"], one["on_hand"]) for one in best] == [("BOLT", "2", "1")]
    turnover = site.get("/kpis/turnover", days="7")
    assert (turnover["days"], turnover["norm"]) == (7, ["3.00", "6.00"])
    assert turnover["turnover"][0]["shipped"] == "2"
    now_ms = site.clock.now_ms()
    with database.read() as connection:
        assert all(one.early for one in read_turnover(connection, Span.of_days(7, now_ms=now_ms)))
        later = Span(now_ms - 1, now_ms + DAY_MS)
        assert not any(one.early for one in read_turnover(connection, later))
    assert site.get("/kpis/stock-age")["items"][0]["ages"][0]["amount"] == "1"
    assert site.get("/kpis/throughput")["hours"][0]["facts_count"] == 2
    assert site.get("/kpis/deliveries")["percent"] is None
    assert site.ask("GET", "/kpis/turnover?days=0").status_code == 422
    assert site.ask("GET", "/kpis/movers?order=any").status_code == 422


def test_transfers_are_counted_by_how_long_they_are_under_way():
    found = [UnderWay("TR", "SH1", "BJ1", NOW_MS - number * DAY_MS) for number in (0, 1, 2, 3, 9)]
    assert [one.amount_micro for one in count_by_age(found, now_ms=NOW_MS)] == [1, 2, 1, 1]
