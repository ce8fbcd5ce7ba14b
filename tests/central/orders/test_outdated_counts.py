"""What comes late for a count that is posted is told, and one action puts it right."""

import pytest

from central.inbox.time_correction import TimeCorrection
from central.orders.counts import outdated_counts
from central.orders.counts.outdated_counts import OutdatedCounts
from central.orders.settling.settlement_book import settle
from central.orders.settling.settlements import Decision
from tests.central.orders.counting import Counting
from tests.central.scenery import NOW_MS

OUTDATED = "count_outdated"


@pytest.fixture
def scene(database):
    made = Counting(database)
    made.outdated = OutdatedCounts(database, clock=made.clock)
    yield made
    assert made.faults() == []


def told(scene, state="open"):
    while not scene.outdated.tick():
        pass
    found = scene.get(f"/discrepancies?kind={OUTDATED}&state={state}")["discrepancies"]
    return [scene.get(f"/discrepancies/{one['id']}") for one in found]


def counted(scene, quantity, *, at=10):
    code = scene.planned()
    scene.count(scene.counter, quantity, at=at, document=code, document_line=1)
    scene.send(scene.counter)
    scene.settle(code)
    return code


def settled(scene, row, proposal=0):
    body = {"reason": "looked", **row["proposals"][proposal]["body"]}
    return scene.post(f"/discrepancies/{row['id']}/settle", body, version="*")


def test_a_receipt_from_before_a_count_is_told_and_the_adjustment_amended(scene):
    scene.put(scene.other, 5, at=5)
    code = counted(scene, 5)
    assert told(scene) == []
    scene.send(scene.other)
    assert scene.stock() == 10
    (row,) = told(scene)
    assert row["subject"] == f"{code}/BIN-1/BOLT////C62"
    assert (row["expected"], row["actual"], row["document"]) == ("5", "10", code)
    assert row["detail"] == f"{code} counted 5 C62; with what came late the books had 10"
    assert [one["why"] for one in row["proposals"]] == [
        f"Amend {code}: what is at BIN-1 changes by -5 C62.",
        "Leave the stock as it is, and count the place again.",
    ]
    assert row["facts"][0]["from_location"] == "supplier"
    assert scene.get(f"/counts/{code}")["outdated_count"] == 1
    assert scene.variance(code)["outdated_by"] == "-5"
    answer = settled(scene, row)
    assert (answer["state"], scene.stock()) == ("settled", 5)
    line = scene.variance(code)
    assert (line["late"], line["variance"], line["outdated_by"]) == ("5", "0", "0")
    assert scene.get(f"/counts/{code}")["outdated_count"] == 0
    assert told(scene) == []


def test_a_movement_that_a_count_has_shown_never_to_have_been_is_told_when_it_is_undone(scene):
    scene.put(scene.counter, 10, at=1)
    sale = scene.take(scene.counter, 5, at=5)
    code = counted(scene, 10)
    scene.counter.reverse(sale, event_time_ms=NOW_MS - 1000)
    scene.send(scene.counter)
    assert scene.stock() == 15
    (row,) = told(scene)
    assert row["proposals"][0]["why"] == f"Amend {code}: what is at BIN-1 changes by -5 C62."
    scene.act(code, "amend", actor="chief")
    assert scene.stock() == 10
    assert told(scene) == []
    (row,) = told(scene, "settled")
    assert row["settlement"] == f"{code} was amended by chief"


@pytest.mark.parametrize(
    ("sold", "found"),
    [
        pytest.param(0, (10,), id="a loss is beside it"),
        pytest.param(0, (12, 12), id="a later count agrees"),
        pytest.param(1, (12, 11), id="goods moved between the counts"),
    ],
)
def test_what_counts_have_put_right_is_told_when_it_is_undone(scene, sold, found):
    scene.put(scene.counter, 12, at=1)
    sale = scene.take(scene.counter, 5, at=5)
    first, *rest = found
    code = counted(scene, first)
    if sold:
        scene.take(scene.counter, sold, at=15)
    for quantity in rest:
        code = counted(scene, quantity, at=20)
    scene.counter.reverse(sale, event_time_ms=NOW_MS - 1000)
    scene.send()
    assert scene.stock() == found[-1] + 5
    (row,) = told(scene)
    assert row["document"] == code
    settled(scene, row)
    assert scene.stock() == found[-1]
    assert told(scene) == []


def test_what_is_undone_is_told_beside_what_came_late_for_an_earlier_count(scene):
    scene.put(scene.other, 9, at=1)
    counted(scene, 9, at=5)
    sale = scene.take(scene.counter, 4, at=10)
    code = counted(scene, 9, at=20)
    scene.counter.reverse(sale, event_time_ms=NOW_MS - 1000)
    scene.send()
    assert scene.stock() == 22
    (row,) = told(scene)
    assert (row["document"], row["expected"], row["actual"]) == (code, "9", "22")
    settled(scene, row)
    assert (scene.stock(), told(scene)) == (9, [])


def test_what_is_undone_of_which_a_count_saw_nothing_went_back(scene):
    scene.put(scene.counter, 12, at=1)
    sale = scene.take(scene.counter, 5, at=5)
    counted(scene, 7)
    scene.counter.reverse(sale, event_time_ms=NOW_MS - 1000)
    scene.send()
    assert (told(scene), scene.stock()) == ([], 12)


def test_what_a_count_adjusted_and_somebody_adjusted_before_is_told_once_undone(scene):
    scene.put(scene.counter, 12, at=1)
    sale = scene.take(scene.counter, 5, at=5)
    code = scene.planned()
    scene.count(scene.counter, 12, at=10, document=code, document_line=1)
    scene.send(scene.counter)
    other = counted(scene, 12, at=11)
    scene.settle(code)
    assert scene.stock() == 12
    scene.counter.reverse(sale, event_time_ms=NOW_MS - 1000)
    scene.send(scene.counter)
    assert scene.stock() == 17
    (row,) = told(scene)
    assert row["document"] == other
    settled(scene, row)
    assert (scene.stock(), told(scene)) == (12, [])


def test_what_happened_after_a_count_is_not_told(scene):
    scene.put(scene.other, 5, at=20)
    counted(scene, 5)
    sale = scene.take(scene.counter, 1, at=21)
    scene.send()
    scene.counter.reverse(sale, event_time_ms=NOW_MS - 1000)
    scene.put(scene.other, 7, at=5, location="BIN-2")
    scene.send()
    assert told(scene) == []


def test_nothing_is_told_of_what_a_later_count_has_set_right(scene):
    scene.put(scene.other, 5, at=5)
    code = counted(scene, 5)
    scene.send(scene.other)
    (row,) = told(scene)
    later = counted(scene, 5, at=30)
    (row,) = told(scene, "settled")
    assert row["settlement"] == f"{later} was accepted by chief"
    assert scene.stock() == 5
    scene.put(scene.other, 2, at=6)
    scene.send(scene.other)
    (row,) = told(scene)
    assert row["document"] == later
    assert scene.get(f"/counts/{code}")["outdated_count"] == 0


def test_goods_that_a_count_of_a_place_did_not_find_are_told_when_they_come_late(scene):
    scene.put(scene.counter, 3, at=1)
    code = scene.planned({"location": "BIN-1"})
    scene.count(scene.counter, 3, at=10, document=code, document_line=1)
    scene.send(scene.counter)
    scene.settle(code)
    scene.put(scene.other, 4, at=5, item="RICE")
    scene.send(scene.other)
    (row,) = told(scene)
    assert (row["item"], row["expected"], row["actual"]) == ("RICE", "0", "4")
    settled(scene, row)
    assert (scene.stock(), scene.stock("RICE")) == (3, 0)


def test_facts_of_a_clock_that_was_not_set_are_told_once_their_times_are_known(scene):
    scene.put(
        scene.other, 5, at=0, event_time_ms=5, clock_synced=False, boot_id="b", monotonic_ns=10**9
    )
    counted(scene, 5)
    scene.send(scene.other)
    assert told(scene) == []
    # The gateway's clock is set in the same boot: an hour after the first scan.
    scene.move(scene.other, 1, at=62, target="BIN-3", boot_id="b", monotonic_ns=3601 * 10**9)
    scene.send(scene.other)
    correction = TimeCorrection(scene.database, clock=scene.clock)
    while correction.tick():
        pass
    corrected = correction.take_corrected()
    assert corrected
    scene.outdated.note_corrected(corrected)
    (row,) = told(scene)
    assert (row["expected"], row["actual"]) == ("5", "10")


def test_a_scan_from_before_a_count_that_the_desk_takes_back_after_it_is_told(scene):
    scene.put(scene.counter, 10, at=1)
    scene.take(scene.counter, 5, at=5, document="NO-1", document_line=1)
    code = counted(scene, 10)
    (other,) = scene.get("/discrepancies?kind=unknown_document&state=open")["discrepancies"]
    with scene.desk.change(actor="li.na") as change:
        settle(change, other["id"], Decision(action="reverse", reason="scanned by mistake"))
    assert scene.stock() == 15
    (row,) = told(scene)
    assert row["document"] == code
    settled(scene, row)
    assert scene.stock() == 10


def test_goods_under_an_unknown_code_that_a_count_found_are_told_once_they_get_their_own(scene):
    scene.put(scene.counter, 5, at=1, item="QQ")
    code = counted(scene, 5)
    (other,) = scene.get("/discrepancies?kind=unknown_item&state=open")["discrepancies"]
    with scene.desk.change(actor="li.na") as change:
        settle(change, other["id"], Decision(action="reassign", item="BOLT", reason="its code"))
    assert scene.stock() == 10
    (row,) = told(scene)
    assert (row["document"], row["expected"], row["actual"]) == (code, "5", "10")
    settled(scene, row)
    assert (scene.stock(), scene.stock("QQ")) == (5, 0)


def test_of_a_ledger_that_is_older_what_came_late_before_is_told_at_once(scene, monkeypatch):
    scene.put(scene.counter, 1, at=1)
    scene.put(scene.other, 5, at=5)
    counted(scene, 6)
    scene.put(scene.counter, 1, at=11)
    scene.send()
    monkeypatch.setattr(outdated_counts, "FACTS_AT_ONCE_MAX", 2)
    assert scene.outdated.tick()
    (row,) = told(scene)
    assert (row["expected"], row["actual"]) == ("6", "11")


def test_what_is_told_may_be_left_and_is_not_told_again_by_the_same(scene):
    scene.put(scene.other, 5, at=5)
    counted(scene, 5)
    scene.send(scene.other)
    (row,) = told(scene)
    assert settled(scene, row, 1)["state"] == "settled"
    assert told(scene) == []
    assert scene.stock() == 10
    scene.post(f"/discrepancies/{row['id']}/reopen", {"reason": "no"}, version="*")
    settled(scene, told(scene)[0])
    scene.post(f"/discrepancies/{row['id']}/reopen", {"reason": "no"}, version="*")
    (row,) = told(scene)
    assert [one["body"]["action"] for one in row["proposals"]] == ["accept"]
    body = {"action": "adjust", "reason": "x"}
    answer = scene.ask("POST", f"/discrepancies/{row['id']}/settle", body, version="*")
    assert answer.status_code == 409


def test_a_count_is_judged_again_by_the_class_and_the_cost_of_its_time(scene):
    scene.policies({"item": "BOLT", "abc": "A", "cost_micro": 2_000_000})
    scene.put(scene.other, 5, at=5)
    code = counted(scene, 5)
    with scene.desk.change(actor="test") as change:
        change.connection.exec_driver_sql("UPDATE item_policies SET abc = 'C', cost_micro = 3")
        change.touch(("all", "", ""))
    scene.send(scene.other)
    settled(scene, told(scene)[0])
    line = scene.variance(code)
    assert (line["abc"], line["late"]) == ("A", "5")
    assert scene.variance(code, judged="now")["abc"] == "A"
