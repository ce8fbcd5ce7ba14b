"""A closed period never changes; what comes late is posted, listed, and counts in the next one."""

from contextlib import suppress

import msgspec
import pytest
from sqlalchemy import text

from central.errors import Unusable
from central.orders.proofs import PROOFS
from central.orders.settling.periods import Period, counting_period, dated_ms, late_for
from tests.central.clients import call
from tests.central.orders.settling import Settling
from tests.central.scenery import NOW_MS

DAY_MS = 24 * 3600 * 1000
# scenery.NOW_MS is 2026-05-28 20:26:40 UTC.
MAY_26 = NOW_MS - 2 * DAY_MS
END_OF_26 = 1_779_840_000_000  # 2026-05-27 00:00 UTC


@pytest.fixture
def site(database):
    made = Settling(database)
    yield made
    made.proved()


def close(site, code="2026-05a", through="2026-05-26", **fields):
    return site.ask("POST", "/periods", {"period": code, "through": through, **fields})


def closed(site, **fields):
    answer = close(site, anyway=True, reason="known", **fields)
    assert answer.status_code == 201, answer.text
    return answer.json()


def balances(site, code="2026-05a", query=""):
    """{(warehouse, location, item): on hand} of a period."""
    page = site.get(f"/periods/{code}/balances{query}")
    return {
        (row["warehouse"], row["location"], row["item"]): row["on_hand"] for row in page["balances"]
    }


def test_the_figures_of_a_period_are_those_of_its_end_as_they_were_known(site):
    site.dock.move(quantity="10", event_time_ms=MAY_26)
    site.dock.move(quantity="3", source="BIN-1", target="customer", event_time_ms=END_OF_26 - 1)
    site.dock.move(quantity="2", source="BIN-1", target="BIN-2", event_time_ms=END_OF_26)
    site.other.move("NUT", "4", event_time_ms=MAY_26)
    site.other.move("NUT", "4", source="BIN-1", target="scrap", event_time_ms=MAY_26)
    site.send(site.dock, site.other)
    body = closed(site)
    assert (body["end_time"], body["closed_record_no"]) == ("2026-05-27T00:00:00.000Z", 5)
    figures = {
        ("SH1", "BIN-1", "BOLT"): "7",
        ("SH1", "customer", "BOLT"): "3",
        ("SH1", "supplier", "BOLT"): "-10",
        ("BJ1", "scrap", "NUT"): "4",
        ("BJ1", "supplier", "NUT"): "-4",
    }
    assert balances(site) == figures
    assert balances(site, query="?warehouse=BJ1&item=NUT").keys() == {
        ("BJ1", "scrap", "NUT"),
        ("BJ1", "supplier", "NUT"),
    }
    site.dock.move(quantity="1", source="BIN-1", target="scrap", event_time_ms=MAY_26)
    site.send()
    assert balances(site) == figures
    assert site.on_hand()["BIN-1", ""] == 4


def test_what_comes_late_is_posted_listed_and_counts_in_the_next_period(site):
    site.dock.move(quantity="10", event_time_ms=MAY_26)
    site.send()
    closed(site)
    site.dock.move(quantity="4", target="BIN-2", event_time_ms=MAY_26)
    site.dock.move(quantity="5", target="BIN-2", event_time_ms=END_OF_26)
    site.dock.move(quantity="6", target="BIN-2", event_time_ms=1, clock_synced=False)
    site.dock.weigh(event_time_ms=MAY_26)
    site.dock.reverse(1, event_time_ms=MAY_26)
    site.send()
    assert site.on_hand() == {("BIN-2", ""): 15, ("supplier", ""): -15}
    late = site.get("/periods/2026-05a/late")["facts"]
    assert [(one["movement"]["seq"], one["counts_in"]) for one in late] == [(2, None), (6, None)]
    assert late[0]["dated"] == "2026-05-26T20:26:40.000Z"
    totals = site.get("/periods/2026-05a/late/totals")["totals"]
    assert [(one["location"], one["quantity"], one["facts_count"]) for one in totals] == [
        ("BIN-1", "-10", 1),
        ("BIN-2", "4", 1),
    ]
    site.clock.time_ms += DAY_MS
    closed(site, code="2026-05b", through="2026-05-27")
    assert balances(site, "2026-05b") == {
        ("SH1", "BIN-2", "BOLT"): "9",
        ("SH1", "supplier", "BOLT"): "-9",
    }
    late = site.get("/periods/2026-05a/late")["facts"]
    assert {one["counts_in"] for one in late} == {"2026-05b"}
    assert [one["late_count"] for one in site.get("/periods")["periods"]] == [2, 0]
    # The figures of the second lack what is late for the first, and comes when both are closed.
    site.dock.move(quantity="1", event_time_ms=MAY_26)
    site.dock.move(quantity="2", event_time_ms=END_OF_26)
    site.send()
    assert [one["late_count"] for one in site.get("/periods")["periods"]] == [3, 2]
    listed = [
        [one["movement"]["seq"] for one in site.get(f"/periods/{code}/late")["facts"]]
        for code in ("2026-05a", "2026-05b")
    ]
    assert listed == [[2, 6, 7], [7, 8]]
    (total,) = site.get("/periods/2026-05b/late/totals")["totals"]
    assert (total["quantity"], total["facts_count"]) == ("3", 2)


def test_late_facts_are_listed_page_by_page(site):
    site.dock.move(event_time_ms=MAY_26)
    site.send()
    closed(site)
    for _ in range(3):
        site.dock.move(event_time_ms=MAY_26)
    site.send()
    first = site.get("/periods/2026-05a/late?limit=2")
    rest = site.get(f"/periods/2026-05a/late?limit=2&cursor={first['next_cursor']}")
    seqs = [one["movement"]["seq"] for one in (*first["facts"], *rest["facts"])]
    assert (seqs, rest["next_cursor"]) == ([2, 3, 4], None)
    first = site.get("/periods/2026-05a/balances?limit=1")
    rest = site.get(f"/periods/2026-05a/balances?cursor={first['next_cursor']}")
    assert [one["location"] for one in (*first["balances"], *rest["balances"])] == [
        "BIN-1",
        "supplier",
    ]


def test_what_is_open_is_listed_before_a_period_is_closed(site):
    site.dock.move("GHOST", event_time_ms=MAY_26)
    site.send()
    site.clock.time_ms += 4 * DAY_MS
    body = site.get("/periods/checklist?through=2026-05-30")
    checks = {(one["check"], one["warehouse"]) for one in body["open"]}
    assert checks == {("gateway", "SH1"), ("gateway", "BJ1"), ("discrepancy", "SH1")}
    answer = close(site, through="2026-05-30")
    assert answer.status_code == 409
    assert answer.json()["fields"]["open"] == body["open"]
    assert "gateway (2)" in answer.json()["detail"]
    assert close(site, through="2026-05-30", anyway=True).status_code == 409
    kept = closed(site, through="2026-05-30")
    assert (kept["open"], kept["reason"], kept["closed_by"]) == (body["open"], "known", "staff")


def test_the_checklist_names_what_is_open_of_the_period_although_it_came_after_its_end(site):
    out = {"quantity": "5", "source": "BIN-1", "target": "customer"}
    site.dock.move("NUT", **out, event_time_ms=MAY_26)
    site.dock.move("BOLT", **out, event_time_ms=END_OF_26)
    site.dock.move("RICE", unit="C62", event_time_ms=MAY_26, clock_synced=False)
    site.send()
    open_points = site.get("/periods/checklist?through=2026-05-26")["open"]
    details = [one["detail"] for one in open_points if one["check"] == "discrepancy"]
    assert details == ["negative_balance BIN-1/NUT////C62"]
    kept = closed(site)
    assert balances(site)["SH1", "BIN-1", "NUT"] == "-5"
    assert kept["open"] == open_points
    open_points = site.get("/periods/checklist?through=2026-05-28")["open"]
    assert len([one for one in open_points if one["check"] == "discrepancy"]) == 3


def test_the_checklist_names_what_is_below_zero_at_the_end_although_it_is_filled_since(site):
    out = {"quantity": "5", "source": "BIN-1", "target": "customer"}
    site.dock.move("NUT", quantity="5", event_time_ms=END_OF_26)
    site.dock.move("NUT", **out, event_time_ms=END_OF_26 - 1)
    site.dock.move("BOLT", quantity="5", event_time_ms=MAY_26)
    site.dock.move("BOLT", **out, event_time_ms=END_OF_26)
    site.send()
    assert site.get("/discrepancies")["discrepancies"] == [], "never below zero as it was posted"
    open_points = site.get("/periods/checklist?through=2026-05-26")["open"]
    below = {"check": "balance", "warehouse": "SH1", "subject": "BIN-1", "detail": "-5 C62 of NUT"}
    assert [one for one in open_points if one["check"] == "balance"] == [below]
    assert close(site).json()["fields"]["open"] == open_points
    assert closed(site)["open"] == open_points
    page = call(site.app, "GET", "/periods/2026-05a").text
    assert 'href="/warehouses/SH1/places/BIN-1"' in page
    later = site.get("/periods/checklist?through=2026-05-27")["open"]
    assert [one for one in later if one["check"] == "balance"] == []


REFUSED = [
    pytest.param({"code": "p-2", "through": "2026-05-26"}, 409, "ends later", id="same end"),
    pytest.param({"code": "p-2", "through": "2026-05-20"}, 409, "ends later", id="earlier end"),
    pytest.param({"through": "2026-05-27"}, 409, "closed already", id="same code"),
    pytest.param({"code": "p-2", "through": "2026-06-30"}, 422, "after its end", id="future"),
    pytest.param({"code": "p-2", "through": "soon"}, 422, "no time", id="no day"),
    pytest.param({"code": "p-2", "through": "2026-05-27T01:00:00"}, 422, "zone", id="no zone"),
    pytest.param({"code": "p 2", "through": "2026-05-27"}, 422, "document", id="no code"),
]


def test_a_period_is_closed_once_and_in_its_turn(site):
    closed(site)
    for case in REFUSED:
        fields, status, said = case.values
        answer = close(site, anyway=True, reason="known", **fields)
        assert (answer.status_code, said in answer.text) == (status, True), (case.id, answer.text)
    assert len(site.get("/periods")["periods"]) == 1


def backdate(site, event_time_ms):
    """Let the desk move something at a moment."""
    with site.desk.change(actor="x") as change:
        moved = change.movement(
            warehouse="SH1",
            business_step="storing",
            from_location="adjustment",
            to_location="BIN-1",
            item="BOLT",
            quantity_micro=1,
            unit="C62",
        )
        change.post([msgspec.structs.replace(moved, event_time_ms=event_time_ms)])


def test_nothing_is_decided_at_the_desk_in_a_closed_period(site):
    site.dock.move(quantity="4", source="BIN-1", target="customer")
    site.send()
    closed(site)
    body = {"action": "adjust", "counted": "0", "happened_time": "2026-05-20T10:00:00Z"}
    answer = site.settle("negative_balance", body)
    assert answer.status_code == 422
    assert "period 2026-05a is closed" in answer.json()["detail"]
    with pytest.raises(Unusable, match="2026-05a"):
        backdate(site, END_OF_26 - 1)
    body["happened_time"] = "2026-05-27T00:00:00Z"
    assert site.settle("negative_balance", body).status_code == 200
    (fact,) = site.found("negative_balance", "settled")["settlements"][0]["facts"]
    assert site.get(f"/movements/{fact}")["event_time"] == "2026-05-27T00:00:00.000Z"


DAMAGE = [
    pytest.param(
        "UPDATE period_balances SET on_hand_micro = 1 WHERE location = 'BIN-1'",
        {"period"},
        id="a figure changed",
    ),
    pytest.param("UPDATE period_balances SET weight_micro = 1", {"period"}, id="a weight changed"),
    pytest.param("DELETE FROM period_balances", {"period"}, id="figures lost"),
    pytest.param("DELETE FROM late_facts", {"late"}, id="a late fact not listed"),
    pytest.param("UPDATE late_facts SET record_no = 1", {"late"}, id="a fact listed wrongly"),
    pytest.param(
        "UPDATE periods SET closed_record_no = closed_record_no + 1", {"late", "period"}, id="moved"
    ),
    pytest.param(
        "DELETE FROM reversals", {"settlement"}, id="what a settlement took back is free again"
    ),
    pytest.param(
        "UPDATE settlement_facts SET seq = 99", {"settlement"}, id="a fact of a settlement lost"
    ),
    pytest.param(
        "UPDATE lines SET quantity_micro = 2 * quantity_micro WHERE record_no = 2",
        {"settlement"},
        id="more was moved back than was moved",
    ),
    pytest.param("UPDATE discrepancies SET settlement = ''", {"discrepancy"}, id="no reason"),
    pytest.param("UPDATE discrepancies SET kind = 'magic'", {"discrepancy"}, id="unknown kind"),
]


def test_every_damage_to_periods_and_settlements_is_found(database):
    site = Settling(database)
    site.dock.move("GHOST", event_time_ms=MAY_26)
    site.send()
    assert site.settle("unknown_item", {"action": "reverse"}).status_code == 200
    site.dock.move(event_time_ms=MAY_26)
    site.send()
    closed(site)
    site.dock.move(event_time_ms=MAY_26)
    site.send()
    site.proved()
    for case in DAMAGE:
        statement, checks = case.values
        assert faults_after(database, statement) == checks, case.id
    site.proved()


def faults_after(database, statement):
    """Which checks find something after a statement, which is then undone."""
    found = set()
    with suppress(UndoneError), database.write() as connection:
        connection.execute(text(statement))
        found = {fault.check for proof in PROOFS for fault in proof(connection)}
        raise UndoneError
    return found


class UndoneError(Exception):
    """Rolls a transaction back."""


def test_a_fact_is_dated_by_a_set_clock_and_never_after_its_record():
    assert dated_ms(event_time_ms=5, clock_synced=True, record_ms=9) == 5
    assert dated_ms(event_time_ms=12, clock_synced=True, record_ms=9) == 9
    assert dated_ms(event_time_ms=5, clock_synced=False, record_ms=9) == 9


@pytest.mark.parametrize(
    ("dated_at", "record_no", "counts_in", "late_for_code"),
    [
        pytest.param(50, 9, "one", None, id="in time"),
        pytest.param(50, 11, "two", "one", id="late, counts in the second"),
        pytest.param(150, 11, "two", None, id="in the second"),
        pytest.param(50, 21, None, "one", id="late for the first, after both"),
        pytest.param(150, 21, None, "two", id="late for the second"),
        pytest.param(200, 5, None, None, id="of the open period, known early"),
    ],
)
def test_each_fact_counts_in_one_period(dated_at, record_no, counts_in, late_for_code):
    periods = [
        Period(1, "one", 100, 0, 10, "x", ""),
        Period(2, "two", 200, 0, 20, "x", ""),
    ]
    found = counting_period(periods, dated_at_ms=dated_at, record_no=record_no)
    assert (found.code if found else None) == counts_in
    found = late_for(periods, dated_at_ms=dated_at, record_no=record_no)
    assert (found.code if found else None) == late_for_code
