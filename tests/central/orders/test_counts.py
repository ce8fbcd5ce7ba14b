"""Counts while stock moves: on both databases, through gateways, desk and API."""

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.central.orders.counting import Counting, time_of

_items = itertools.count(1)


@pytest.fixture
def counting(database):
    return Counting(database)


def test_a_count_while_another_gateway_moves_the_same_bin_finds_only_what_is_missing(counting):
    counter, other = counting.counter, counting.other
    counting.put(counter, 100, at=1)
    counting.send()
    code = counting.planned()
    counting.take(other, 10, at=9)  # Before the count, but its gateway is offline until later.
    counting.put(other, 7, at=8)
    counting.count(counter, 95, at=10, document=code, document_line=1)  # 97 should be there.
    counting.take(counter, 20, at=11)
    counting.send(counter)
    counting.put(other, 3, at=12)
    before = counting.variance(code)
    assert (before["book"], before["variance"]) == ("100", "-5"), "as far as is known yet"
    counting.send(other)
    found = counting.variance(code)
    assert (found["corrected_book"], found["variance"]) == ("97", "-2")
    assert found["explanation"] == ["2 movements came late: before the count, posted after it"]
    assert counting.stock() == 80
    assert counting.settle(code)["state"] == "posted"
    assert counting.stock() == 95 - 20 + 3
    assert counting.discrepancies() == []
    assert counting.faults() == []


def test_a_count_that_comes_late_is_not_confused_by_what_was_posted_before_it(counting):
    counting.put(counting.other, 50, at=1)
    counting.send()
    code = counting.planned()
    counting.count(counting.counter, 48, at=10, document=code)  # Offline.
    counting.take(counting.other, 30, at=20)
    counting.put(counting.other, 5, at=21)
    counting.send(counting.other)
    counting.send(counting.counter)
    found = counting.variance(code)
    assert (found["book"], found["after"], found["variance"]) == ("25", "-25", "-2")
    counting.settle(code)
    assert counting.stock() == 23
    assert counting.faults() == []


def test_what_moved_in_the_same_batch_behind_the_count_is_not_in_its_book(counting):
    counting.put(counting.counter, 10, at=1)
    counting.count(counting.counter, 10, at=2)
    counting.take(counting.counter, 4, at=3)
    counting.count(counting.counter, 6, at=4, item="NUT")
    counting.put(counting.counter, 6, at=5, item="NUT")
    counting.send()
    (code,) = [one["code"] for one in counting.get("/counts")["counts"]]
    found = counting.variances(code)
    assert found["BIN-1", "BOLT", "", ""]["book"] == "10"
    assert found["BIN-1", "NUT", "", ""]["book"] == "0"
    assert counting.get(f"/counts/{code}")["kind"] == "ad_hoc"


def test_late_movements_after_posting_are_made_good_by_amending_once(counting):
    counting.put(counting.counter, 10, at=1)
    counting.send()
    code = counting.planned()
    counting.take(counting.other, 4, at=5)
    counting.count(counting.counter, 6, at=6, document=code)
    counting.send(counting.counter)
    assert counting.settle(code)["adjusted"][0]["variance"] == "-4"
    assert counting.stock() == 6
    counting.send(counting.other)
    assert counting.stock() == 2, "the four pieces are missing twice now"
    assert counting.variance(code)["variance"] == "-4", "as it was posted"
    now = counting.variance(code, judged="now")
    assert (now["variance"], now["adjusted"]) == ("0", "-4")
    amended = counting.act(code, "amend")
    assert [one["adjusted"] for one in amended["adjusted"]] == ["0"]
    assert counting.stock() == 6
    assert counting.act(code, "amend")["adjusted"] == []
    assert counting.stock() == 6
    assert counting.faults() == []


def test_posting_twice_adjusts_once(counting):
    counting.put(counting.counter, 10, at=1)
    counting.count(counting.counter, 9, at=2)
    counting.send()
    code = counting.get("/counts")["counts"][0]["code"]
    version = counting.act(code, "finish")["version"]
    assert counting.get(f"/counts/{code}")["state"] == "recount"
    version = counting.act(code, "refer", version=version)["version"]
    first = counting.post(f"/counts/{code}/accept", actor="chief", version=version, key="k-1")
    again = counting.post(f"/counts/{code}/accept", actor="chief", version=version, key="k-1")
    assert again == first
    counting.post(f"/counts/{code}/accept", actor="chief", version=version, status=412)
    refused = counting.post(f"/counts/{code}/accept", actor="chief", status=409)
    assert refused["fields"]["possible"] == ["amend"]
    assert counting.stock() == 9
    assert counting.faults() == []


def test_over_tolerance_is_counted_again_by_another_person_and_accepted_by_a_third(counting):
    counting.put(counting.counter, 100, at=1)
    counting.put(counting.counter, 100, at=1, item="NUT", location="BIN-2")
    counting.send()
    code = counting.planned({"location": "BIN-1"}, {"location": "BIN-2"})
    counting.count(counting.counter, 90, at=10, document=code, document_line=1)
    counting.count(
        counting.counter, 99, at=10, item="NUT", location="BIN-2", document=code, document_line=2
    )
    counting.send()
    done = counting.act(code, "finish")
    assert (done["state"], done["round"], done["variances_count"]) == ("recount", 2, 2)
    assert counting.documents() == [(code, 2, 1, "BOLT", 0, "BIN-1")], "the nuts are within"
    again = {"document": code, "document_line": 1, "round": 2}
    counting.count(counting.counter, 91, at=20, by="an", **again)
    counting.send()
    assert counting.variances(code)["BIN-1", "BOLT", "", ""]["counted"] == "90", "the same person"
    counting.count(counting.other, 92, at=21, by="bo", **again)
    counting.send()
    done = counting.act(code, "finish")
    assert (done["state"], done["uncounted"]) == ("review", [])
    assert counting.documents() == []
    for counter in ("an", "bo"):
        refused = counting.act(code, "accept", actor=counter, status=409)
        assert refused["fields"] == {"counters": ["an", "bo"]}
    accepted = counting.act(code, "accept", actor="chief")
    assert [one["variance"] for one in accepted["adjusted"]] == ["-8", "-1"]
    assert (counting.stock(), counting.stock("NUT", "BIN-2")) == (92, 99)
    history = counting.get(f"/history/count/{code}")["events"]
    assert [one["action"] for one in reversed(history)] == [
        "planned",
        "released",
        "finished",
        "recount_asked",
        "finished",
        "referred",
        "accepted",
    ]
    assert counting.faults() == []


def test_stations_are_told_no_quantity_for_a_blind_count(counting):
    counting.put(counting.counter, 12, at=1)
    counting.put(counting.counter, 3, at=1, lot="L1")
    counting.send()
    lines = ({"location": "BIN-1", "item": "BOLT"}, {"location": "BIN-2"})
    blind = counting.planned(*lines)
    told = [one[4] for one in counting.documents()]
    assert told == [0, 0]
    assert [one["expected"] for one in counting.get(f"/counts/{blind}/sheet")["lines"]] == [
        None,
        None,
    ]
    counting.act(blind, "cancel", {"reason": "not blind after all"})
    assert counting.documents() == []
    shown = counting.planned(*lines, blind=False)
    assert counting.documents() == [
        (shown, 1, 1, "BOLT", 15_000_000, "BIN-1"),
        (shown, 1, 2, "", 0, "BIN-2"),
    ]
    assert counting.get(f"/counts/{shown}/sheet")["lines"][0]["expected"] == "15"


def test_a_sheet_lists_what_the_book_has_at_a_whole_place_unless_it_is_blind(counting):
    counting.put(counting.counter, 12, at=1)
    counting.put(counting.counter, 3, at=1, lot="L1")
    counting.put(counting.counter, "2.5", at=1, item="RICE", net_weight="", weight_unit="")
    counting.put(counting.counter, 1, at=1, item="WHAT?", unit="XCT", flags=("unknown_item",))
    counting.put(counting.counter, 4, at=1, item="NUT", location="BIN-2")
    counting.send()
    lines = ({"location": "BIN-1"}, {"location": "BIN-2", "item": "NUT"}, {"location": "BIN-3"})
    code = counting.planned(*lines, blind=False)
    shown = ("line", "location", "item", "lot", "unit", "expected")

    def rows(count):
        sheet = counting.get(f"/counts/{count}/sheet")["lines"]
        return [tuple(one[name] for name in shown) for one in sheet]

    assert rows(code) == [
        (1, "BIN-1", "BOLT", "", "C62", "12"),
        (1, "BIN-1", "BOLT", "L1", "C62", "3"),
        (1, "BIN-1", "RICE", "", "KGM", "2.5"),
        (1, "BIN-1", "WHAT?", "", "XCT", "1"),
        (2, "BIN-2", "NUT", "", "C62", "4"),
        (3, "BIN-3", "", "", "", None),
    ]
    counting.act(code, "cancel", {"reason": "blind after all"})
    blind = counting.planned(*lines)
    assert [(one[1], one[2], one[5]) for one in rows(blind)] == [
        ("BIN-1", "", None),
        ("BIN-2", "NUT", None),
        ("BIN-3", "", None),
    ]


def test_what_is_not_found_at_a_place_is_missing_and_what_nobody_expected_is_there(counting):
    counting.put(counting.counter, 5, at=1)
    counting.put(counting.counter, 4, at=1, item="NUT")
    counting.send()
    code = counting.planned({"location": "BIN-1"}, {"location": "BIN-2"}, {"location": "BIN-3"})
    counting.count(counting.counter, 5, at=10, document=code, document_line=1)
    counting.count(counting.counter, 2, at=11, item="WHAT?", document=code, flags=("unknown_item",))
    counting.count(counting.counter, 3, at=12, location="BIN-2", document=code)
    counting.send()
    done = counting.act(code, "finish")
    assert [line["location"] for line in done["uncounted"]] == ["BIN-3"]
    found = counting.variances(code)
    assert {key[:2]: (one["found"], one["variance"]) for key, one in found.items()} == {
        ("BIN-1", "BOLT"): (True, "0"),
        ("BIN-1", "NUT"): (False, "-4"),
        ("BIN-1", "WHAT?"): (True, "2"),
        ("BIN-2", "BOLT"): (True, "3"),
    }
    counting.act(code, "refer")
    counting.act(code, "accept", actor="chief")
    assert (counting.stock("NUT"), counting.stock("WHAT?"), counting.stock("BOLT", "BIN-2")) == (
        0,
        2,
        3,
    )
    assert counting.faults() == []


def test_what_was_not_found_is_compared_with_the_book_of_that_moment(counting):
    counting.put(counting.counter, 4, at=1)
    counting.put(counting.counter, 2, at=1, item="NUT")
    counting.take(counting.counter, 2, at=2, item="NUT")
    counting.send()
    code = counting.planned({"location": "BIN-1"})
    counting.count(counting.counter, 1, at=5, item="RICE", document=code)
    counting.put(counting.other, 6, at=8)
    counting.send()
    found = counting.variances(code)
    assert {key[1]: one["variance"] for key, one in found.items()} == {"BOLT": "-4", "RICE": "1"}
    counting.settle(code)
    assert counting.stock() == 6
    assert counting.faults() == []


def test_places_without_anything_are_stated_to_be_empty(counting):
    counting.put(counting.counter, 5, at=1, lot="L1")
    counting.send()
    code = counting.planned({"location": "BIN-1"}, {"location": "BIN-2"})
    refused = counting.act(code, "entries", {"counted_by": "an", "empty": ["BIN-9"]}, status=422)
    assert refused["fields"] == {"locations": ["BIN-9"]}
    stated = counting.act(code, "entries", {"counted_by": "an", "empty": ["BIN-1", "BIN-2"]})
    assert (stated["state"], stated["uncounted_count"]) == ("counting", 0)
    lines = counting.get(f"/counts/{code}/lines")["lines"]
    assert [one["state"] for one in lines] == ["empty", "empty"]
    counting.settle(code)
    assert counting.stock() == 0
    assert counting.faults() == []


def test_a_station_says_that_nothing_at_all_is_at_a_place(counting):
    counting.put(counting.counter, 5, at=1, lot="L1")
    counting.send()
    code = counting.planned({"location": "BIN-1", "item": "BOLT"}, {"location": "BIN-2"})
    counting.count(counting.counter, 7, at=4, item="NUT", document=code)  # The wrong bin.
    counting.count(counting.counter, 0, at=5, item="", document=code)
    counting.count(counting.counter, 0, at=6, item="", location="BIN-2", document=code)
    counting.count(counting.counter, 1, at=7, item="RICE", document=code)
    counting.send()
    assert counting.get(f"/counts/{code}")["uncounted_count"] == 0
    found = counting.variances(code)
    assert {key[:3]: one["variance"] for key, one in found.items()} == {
        ("BIN-1", "BOLT", "L1"): "-5",
        ("BIN-1", "RICE", ""): "1",
    }
    counting.settle(code)
    assert counting.stock() == 0
    assert counting.faults() == []


def test_a_sheet_that_is_typed_in_later_counts_for_when_it_was_counted(counting):
    counting.put(counting.counter, 10, at=1)
    counting.send()
    code = counting.planned(released=False)
    counting.take(counting.counter, 3, at=30)
    counting.send()
    entry = {"location": "BIN-1", "item": "BOLT", "quantity": "9"}
    body = {"counted_by": "an", "entries": [entry], "counted_time": "2026-05-28T10:50:00Z"}
    counting.act(code, "entries", body)
    (fact,) = counting.get(f"/counts/{code}/observations")["observations"]
    assert (fact["operator"], fact["book"], fact["line"]) == ("an", "7", 1)
    assert counting.get(f"/movements/{fact['fact']}")["kind"] == "count"
    assert counting.variance(code)["variance"] == "-1"
    later = body | {"counted_time": "2027-01-01T00:00:00Z"}
    assert "later than now" in counting.act(code, "entries", later, status=422)["detail"]
    counting.settle(code)
    assert counting.stock() == 6
    assert counting.faults() == []


def test_serials_and_lots_are_counted_each_by_itself(counting):
    for serial in ("S1", "S2"):
        counting.put(counting.counter, 1, at=1, serial=serial)
    counting.put(counting.counter, 8, at=1, lot="L1", item="NUT")
    counting.send()
    code = counting.planned({"location": "BIN-1"})
    for serial in ("S1", "S3"):
        counting.count(counting.counter, 1, at=5, serial=serial, document=code)
    counting.count(counting.counter, 5, at=5, item="NUT", lot="L1", document=code)
    counting.count(
        counting.counter, 3, at=5, item="NUT", lot="L2", document=code, expiry_date="2027-01-31"
    )
    counting.send()
    assert {key[1:]: one["variance"] for key, one in counting.variances(code).items()} == {
        ("BOLT", "", "S1"): "0",
        ("BOLT", "", "S2"): "-1",
        ("BOLT", "", "S3"): "1",
        ("NUT", "L1", ""): "-3",
        ("NUT", "L2", ""): "3",
    }
    counting.settle(code)
    assert (counting.stock(), counting.stock("NUT")) == (2, 8)
    assert counting.faults() == []


def test_weights_are_counted_in_the_unit_of_the_item(counting):
    counting.put(counting.counter, "12.5", at=1, item="RICE", net_weight="", weight_unit="")
    counting.send()
    code = counting.planned({"location": "BIN-1", "item": "RICE"})
    counting.count(counting.counter, "12250", at=5, item="RICE", unit="GRM", document=code)
    counting.send()
    found = counting.variance(code)
    assert (found["unit"], found["counted"], found["variance"]) == ("KGM", "12.25", "-0.25")


def test_two_people_count_parts_of_a_place_and_their_counts_add_up(counting):
    counting.put(counting.counter, 10, at=1)
    counting.send()
    half = {"location": "BIN-1", "item": "BOLT"}
    refused = counting.post("/counts", {"warehouse": "SH1", "lines": [half, half]}, status=422)
    assert refused["fields"] == {"lines": [1, 2]}
    code = counting.planned(half | {"part": 1}, half | {"part": 2})
    counting.count(counting.counter, 4, at=5, document=code, document_line=1)
    counting.send()
    assert counting.get(f"/counts/{code}")["uncounted_count"] == 1
    counting.count(counting.other, 5, at=6, by="bo", document=code, document_line=2)
    counting.count(counting.counter, 5, at=7, document=code, document_line=1)
    counting.send()
    found = counting.variance(code)
    assert (found["counted"], found["variance"], found["counters"]) == ("10", "0", ["an", "bo"])
    assert counting.settle(code)["adjusted"] == []


@pytest.mark.parametrize(
    ("found", "taken_back"),
    [
        pytest.param(6, "0", id="the goods were away and went back"),
        pytest.param(10, "4", id="the scan was wrong and nothing had gone"),
    ],
)
def test_a_reversal_after_the_count_is_read_as_the_count_shows(counting, found, taken_back):
    counting.put(counting.counter, 10, at=1)
    taken = counting.take(counting.other, 4, at=2)
    counting.send()
    code = counting.planned()
    counting.count(counting.counter, found, at=5, document=code)
    counting.other.reverse(taken, event_time_ms=time_of(8), reason="wrong bin")
    counting.send()
    line = counting.variance(code)
    assert (line["variance"], line["taken_back"]) == ("0", taken_back)
    assert line["verdict"] == ("review" if taken_back == "4" else "matches")
    counting.settle(code)
    assert counting.stock() == 10
    assert counting.faults() == []


def test_a_later_count_of_the_same_goods_is_not_undone_by_an_earlier_one(counting):
    counting.put(counting.counter, 10, at=1)
    counting.send()
    first, second = counting.planned(), counting.planned()
    counting.count(counting.counter, 8, at=5, document=first)
    counting.count(counting.counter, 8, at=9, document=second)
    counting.send()
    counting.settle(second)
    assert counting.stock() == 8
    posted = counting.settle(first)
    assert posted["adjusted"] == []
    assert counting.variance(first)["outcome"] == "superseded"
    assert counting.stock() == 8
    third = counting.planned()
    counting.count(counting.counter, 8, at=11, document=third)
    counting.send()
    assert counting.variance(third)["variance"] == "0"
    assert counting.faults() == []


def test_two_counts_that_wait_adjust_the_same_loss_once(counting):
    counting.put(counting.counter, 10, at=1)
    counting.send()
    first, second = counting.planned(), counting.planned()
    counting.count(counting.counter, 8, at=5, document=first)
    counting.count(counting.counter, 8, at=9, document=second)
    counting.send()
    counting.settle(first)
    found = counting.variance(second)
    assert (found["corrections"], found["variance"]) == ("-2", "0")
    counting.settle(second)
    assert counting.stock() == 8
    counting.take(counting.other, 1, at=4)
    counting.send()
    assert counting.act(first, "amend")["adjusted"] == []
    told = counting.variance(first)
    assert (told["outcome"], told["variance"], told["late"]) == ("adjusted", "-2", "0")
    assert [one["adjusted"] for one in counting.act(second, "amend")["adjusted"]] == ["1"]
    assert counting.stock() == 8
    assert counting.faults() == []


def test_rejected_lines_leave_the_book_as_it_is(counting):
    counting.put(counting.counter, 10, at=1)
    counting.count(counting.counter, 1, at=2)
    counting.count(counting.counter, 3, at=2, item="NUT")
    counting.send()
    code = counting.get("/counts")["counts"][0]["code"]
    counting.act(code, "finish")
    counting.act(code, "refer")
    thing = {"location": "BIN-1", "item": "BOLT", "unit": "C62"}
    other = thing | {"item": "RICE"}
    counting.act(code, "reject", {"lines": [other], "reason": "no"}, status=422)
    counting.act(code, "reject", {"lines": [thing], "reason": "counted the wrong bin"})
    counting.act(code, "accept", actor="chief")
    assert (counting.stock(), counting.stock("NUT")) == (10, 3)
    found = counting.variances(code)["BIN-1", "BOLT", "", ""]
    assert (found["outcome"], found["reject_reason"]) == ("rejected", "counted the wrong bin")
    assert counting.faults() == []


def test_facts_for_a_count_that_has_ended_open_another_one(counting):
    code = counting.planned()
    counting.act(code, "cancel", {"reason": "rain"})
    counting.count(counting.counter, 3, at=5, document=code)
    counting.count(counting.counter, 4, at=6, document="NOBODY")
    counting.count(counting.other, 4, at=6, location="BIN-2")
    counting.send()
    listed = counting.get("/counts?kind=ad_hoc")["counts"]
    assert {one["gateway"]: one["state"] for one in listed} == {
        "sh1-dock-1": "counting",
        "sh1-dock-2": "counting",
    }
    of_counter = next(one for one in listed if one["gateway"] == "sh1-dock-1")
    facts = counting.get(f"/counts/{of_counter['code']}/observations")["observations"]
    assert [one["quantity"] for one in facts] == ["3", "4"]


def test_small_variances_are_posted_without_a_review_if_the_limits_say_so(counting):
    counting.policies({"item": "BOLT", "cost_micro": 2_000_000, "abc": "A"})
    counting.put(counting.counter, 100, at=1)
    counting.send()
    code = counting.planned(recount={"percent": "5"}, review={"quantity": "2", "value": "3.5"})
    counting.count(counting.counter, 98, at=5, document=code)
    counting.send()
    assert counting.act(code, "finish")["state"] == "review", "worth 4"
    assert counting.variance(code)["value"] == "-4"
    one_off = counting.planned(recount={"percent": "5"}, review={"quantity": "2", "value": "3.5"})
    counting.count(counting.counter, 99, at=6, document=one_off)
    counting.send()
    assert counting.act(one_off, "finish")["state"] == "counted"
    assert counting.act(one_off, "post", actor="an")["state"] == "posted"
    assert counting.stock() == 99


def test_what_comes_after_the_round_was_finished_is_seen_by_its_version(counting):
    counting.put(counting.counter, 10, at=1)
    counting.send()
    code = counting.planned(recount={"percent": "50"}, review={"percent": "50"})
    counting.count(counting.counter, 10, at=5, document=code)
    counting.send()
    seen = counting.act(code, "finish")
    assert seen["state"] == "counted"
    counting.count(counting.other, 2, at=6, by="bo", document=code)
    counting.send()
    counting.act(code, "post", version=seen["version"], status=412)
    refused = counting.act(code, "post", status=409)
    assert refused["fields"]["lines"] == [["BIN-1", "BOLT", "", "", "", "C62"]]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        pytest.param({"warehouse": "XX1"}, {"warehouse": "XX1"}, id="warehouse"),
        pytest.param(
            {"lines": [{"location": "BIN-9"}]}, {"locations": ["BIN-9"], "items": []}, id="place"
        ),
        pytest.param(
            {"lines": [{"location": "BIN-1", "item": "X"}]},
            {"locations": [], "items": ["X"]},
            id="item",
        ),
        pytest.param(
            {"lines": [{"location": "BIN-1", "lot": "L"}]}, {"line": 1}, id="a lot of nothing"
        ),
        pytest.param(
            {"lines": [{"location": "BIN-1"}, {"location": "BIN-1", "item": "NUT"}]},
            {"lines": [1, 2]},
            id="goods asked for twice",
        ),
    ],
)
def test_a_count_of_what_nobody_knows_is_refused(counting, body, named):
    asked = {"warehouse": "SH1", "lines": [{"location": "BIN-1"}]} | body
    assert counting.post("/counts", asked, status=422)["fields"] == named
    assert counting.get("/counts")["counts"] == []


def test_pages_of_counts_and_lines_go_on_where_the_last_one_ended(counting):
    codes = [counting.planned({"location": "BIN-1"}, {"location": "BIN-2"}) for _ in range(3)]
    first = counting.get("/counts?limit=2")
    assert [one["code"] for one in first["counts"]] == codes[:0:-1]
    rest = counting.get(f"/counts?limit=2&cursor={first['next_cursor']}")
    assert ([one["code"] for one in rest["counts"]], rest["next_cursor"]) == (codes[:1], None)
    lines = counting.get(f"/counts/{codes[0]}/lines?limit=1")
    cursor = lines["next_cursor"]
    (last,) = counting.get(f"/counts/{codes[0]}/lines?cursor={cursor}")["lines"]
    assert (last["line"], last["state"]) == (2, "uncounted")
    assert counting.ask("GET", "/counts?what=1").status_code == 422


_acts = st.lists(
    st.tuples(st.booleans(), st.integers(-5, 5).filter(bool), st.integers(2, 500)), max_size=8
)


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    acts=_acts,
    count_at=st.integers(2, 500),
    lost=st.integers(-6, 6),
    sendings=st.lists(st.tuples(st.booleans(), st.integers(1, 4)), max_size=8),
    posted_after=st.integers(0, 8),
)
def test_after_any_interleaving_the_ledger_is_what_is_in_the_bin(
    counting, acts, count_at, lost, sendings, posted_after
):
    """Movements of two gateways, sent whenever; a loss that nobody scanned; a count; a posting."""
    item = f"ITEM-{next(_items)}"
    happened = sorted(
        [(at, other, micro) for other, micro, at in acts] + [(count_at + 0.5, False, None)]
    )
    counting.put(counting.counter, 50, at=1, item=item)
    counting.send()
    physical, code = 50, ""
    for at, other, pieces in happened:
        gateway = counting.other if other else counting.counter
        if pieces is None:
            physical -= lost
            counting.count(gateway, physical, at=at, item=item)
        elif pieces > 0:
            counting.put(gateway, pieces, at=at, item=item)
            physical += pieces
        else:
            counting.take(gateway, -pieces, at=at, item=item)
            physical += pieces
    for number, (other, some) in enumerate(sendings):
        counting.send_some(counting.other if other else counting.counter, some)
        if number == posted_after:
            code = counting.settle_ad_hoc()
    counting.send()
    code = counting.settle_ad_hoc() or code
    code = code or counting.get("/counts?state=posted&limit=1")["counts"][0]["code"]
    counting.act(code, "amend")
    assert counting.stock(item) == physical
    assert counting.count_faults() == []
