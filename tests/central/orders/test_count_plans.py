"""Cyclic counts are due by class and last count; accuracy and proofs say what counts found."""

import pytest
from sqlalchemy import update

from central.storage import count_tables
from tests.central.orders.counting import MINUTE_MS, Counting

DAY_MS = 24 * 60 * MINUTE_MS


@pytest.fixture
def counting(database):
    scene = Counting(database)
    scene.policies(
        {"item": "BOLT", "abc": "A", "cost_micro": 500_000},
        {"item": "NUT", "abc": "B"},
        {"item": "RICE"},
    )
    scene.put(scene.counter, 10, at=1)
    scene.put(scene.counter, 10, at=1, location="BIN-2")
    scene.put(scene.counter, 20, at=1, item="NUT")
    scene.put(scene.counter, 3, at=1, item="RICE", location="BIN-3")
    scene.send()
    return scene


def put_plan(counting, code="main", *, status=200, version=None, **fields):
    body = {"warehouse": "SH1"} | {name: value for name, value in fields.items() if value != ""}
    answer = counting.ask("PUT", f"/count-plans/{code}", body, version=version)
    assert answer.status_code == status, answer.text
    return answer.json()


def due(counting, code="main"):
    return [
        (one["location"], one["item"]) for one in counting.get(f"/count-plans/{code}/due")["due"]
    ]


def count_all(counting, code, amounts):
    """Have everything that a count asks for counted and accepted."""
    counting.act(code, "release")
    entries = [
        {"location": location, "item": item, "quantity": quantity}
        for (location, item), quantity in amounts.items()
    ]
    counting.act(code, "entries", {"counted_by": "an", "entries": entries})
    return counting.settle(code)


EVERYTHING = [("BIN-1", "BOLT"), ("BIN-2", "BOLT"), ("BIN-1", "NUT"), ("BIN-3", "RICE")]


def test_what_was_never_counted_is_due_first_and_then_by_class(counting):
    put_plan(counting, a_days=30, b_days=90, c_days=180)
    assert due(counting) == EVERYTHING
    drawn = counting.post("/count-plans/main/draw", status=201)
    assert (drawn["kind"], drawn["plan"], drawn["lines_count"]) == ("cyclic", "main", 4)
    assert due(counting) == [], "a count asks for all of it"
    assert counting.post("/count-plans/main/draw", status=409)["title"] == "Not possible now"
    amounts = dict.fromkeys(EVERYTHING, "10") | {("BIN-1", "NUT"): "20", ("BIN-3", "RICE"): "3"}
    count_all(counting, drawn["code"], amounts)
    start_ms = counting.clock.time_ms
    for days, expected in ((29, []), (30, EVERYTHING[:2]), (90, EVERYTHING[:3]), (180, EVERYTHING)):
        counting.clock.time_ms = start_ms + days * DAY_MS
        assert due(counting) == expected, days


def test_what_nobody_knows_is_never_due_and_keeps_nothing_from_being_drawn(counting):
    counting.put(counting.counter, 4, at=2, item="WHAT")
    counting.send()
    put_plan(counting, a_days=30, b_days=90, c_days=180)
    assert due(counting) == EVERYTHING
    assert counting.post("/count-plans/main/draw", status=201)["lines_count"] == 4


def test_a_plan_takes_as_much_as_one_count_holds_and_leaves_classes_out(counting):
    plan = put_plan(counting, a_days=30, b_days=0, c_days=0, lines_max=1)
    assert due(counting) == EVERYTHING[:2]
    assert counting.post("/count-plans/main/draw", status=201)["lines_count"] == 1
    assert due(counting) == EVERYTHING[1:2]
    assert plan["version"] == 1
    assert put_plan(counting, a_days=0, b_days=0, c_days=0, status=422, version="*")["hint"]
    stale = counting.ask("PUT", "/count-plans/main", {"warehouse": "SH1"}, version=7)
    assert stale.status_code == 412
    assert "If-Match" in put_plan(counting, a_days=14, status=428)["hint"]
    assert put_plan(counting, a_days=14, version=1)["version"] == 2
    assert put_plan(counting, "other", status=404, version="*")["hint"]
    assert [one["a_days"] for one in counting.get("/count-plans")["plans"]] == [14]
    moved = counting.ask("PUT", "/count-plans/main", {"warehouse": "BJ1"}, version=2)
    assert moved.status_code == 409
    assert counting.ask("GET", "/count-plans/none").status_code == 404


def test_accuracy_is_by_lines_and_by_quantity_with_an_alarm_below_98_percent(counting):
    empty = counting.get("/kpis/count-accuracy")
    assert (empty["groups"], empty["by_lines_percent"], empty["alarm"]) == ([], None, False)
    asked = [{"location": location, "item": item} for location, item in EVERYTHING]
    code = counting.planned(*asked, released=False)
    amounts = dict(zip(EVERYTHING, ("9", "10", "20", "3"), strict=True))
    count_all(counting, code, amounts)
    told = counting.get("/kpis/count-accuracy?warehouse=SH1")
    by_class = {one["abc"]: one for one in told["groups"]}
    assert set(by_class) == {"A", "B", ""}
    bolts = by_class["A"]
    assert (bolts["by_lines_percent"], bolts["by_quantity_percent"]) == ("50.00", "95.00")
    assert (bolts["matching"], bolts["total"], bolts["lost"]) == ("19", "20", "1")
    assert (bolts["variance_value"], bolts["alarm"]) == ("0.5", True)
    assert (by_class["B"]["by_quantity_percent"], by_class["B"]["alarm"]) == ("100.00", False)
    assert (told["by_lines_percent"], told["alarm"]) == ("75.00", True)
    assert counting.get("/kpis/count-accuracy?until=2026-01-01")["groups"] == []
    assert counting.get("/kpis/count-accuracy?since=2026-05-28&abc=B")["lines_count"] == 1
    assert counting.ask("GET", "/kpis/count-accuracy?since=x").status_code == 422


@pytest.mark.parametrize(
    ("values", "where", "said"),
    [
        pytest.param({"adjusted_micro": 0}, {"item": "BOLT"}, "its facts moved", id="adjusted"),
        pytest.param({"variance_micro": 5}, {"item": "BOLT"}, "not 5", id="variance"),
        pytest.param({"location": "BIN-9"}, {"item": "BOLT"}, "no such line", id="place"),
        pytest.param({"count": "CNT-9"}, {"item": "NUT"}, "", id="a matching line alone"),
    ],
)
def test_the_proof_finds_what_is_off_between_a_count_and_its_facts(counting, values, where, said):
    code = counting.planned({"location": "BIN-1"}, released=False)
    counting.act(
        code,
        "entries",
        {
            "counted_by": "an",
            "entries": [
                {"location": "BIN-1", "item": "BOLT", "quantity": "8"},
                {"location": "BIN-1", "item": "NUT", "quantity": "20"},
            ],
        },
    )
    counting.settle(code)
    assert counting.faults() == []
    table = count_tables.count_results
    with counting.database.write() as connection:
        chosen = [table.c[name] == value for name, value in where.items()]
        connection.execute(update(table).where(*chosen).values(values))
    found = " ".join(fault.detail for fault in counting.faults())
    assert bool(found) == bool(said)
    assert said in found


def test_the_proof_finds_results_of_a_count_that_is_not_posted(counting):
    code = counting.planned({"location": "BIN-1", "item": "BOLT"}, released=False)
    entry = {"location": "BIN-1", "item": "BOLT", "quantity": "10"}
    counting.act(code, "entries", {"counted_by": "an", "entries": [entry]})
    counting.settle(code)
    with counting.database.write() as connection:
        connection.execute(update(count_tables.counts).values(state="counting"))
    assert [fault.detail for fault in counting.faults()] == ["it has results, but is counting"]
