"""The loop: green only after the commit, nothing half done, live weights, its thread."""

from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from threading import Event, Thread

import pytest

from drivers.readings import WeightMeasured
from gateway.health import Health
from gateway.station.catalogue import Catalogue
from gateway.station_loop import StationLoop
from tests.gateway.station.bench import SETUP, english
from tests.waiting import wait_for

TEA, CASE = "6901234567892", "16901234567899"


@contextmanager
def disk_failing(bench):
    """Let SQLite refuse every write, as it does on a file system gone read-only."""
    connection = bench.journal._connection
    connection.execute("PRAGMA query_only = ON")
    try:
        yield
    finally:
        connection.execute("PRAGMA query_only = OFF")


def test_a_scan_that_cannot_be_recorded_is_an_error_and_changes_nothing(bench):
    bench.scan("CMD-RECEIVE", "CMD-QTY-3")
    with disk_failing(bench):
        seen = bench.scan(TEA)
        assert (seen.kind, seen.facts) == ("error", ())
        assert "Not recorded" in seen.text
        assert "scan the last 1 codes again" in seen.text
        assert bench.health.journal_problem()
        assert "3 times" in seen.prompt
    seen = bench.scan(TEA)
    assert (seen.kind, seen.facts[0].quantity) == ("success", "3")
    assert bench.health.journal_problem() == ""
    assert bench.stock() == {("DOCK-1", "TEA-250"): "3"}


def test_goods_in_hand_stay_in_hand_when_the_bin_cannot_be_recorded(bench):
    bench.scan("CMD-RECEIVE", TEA, "CMD-PUTAWAY", TEA)
    with disk_failing(bench):
        assert bench.scan("LOC-A-01-03").kind == "error"
    assert bench.scan("LOC-A-01-03").kind == "success"
    assert bench.stock() == {("A-01-03", "TEA-250"): "1"}


def test_what_waits_together_fails_together_and_is_listed_red(bench):
    bench.scan("CMD-RECEIVE")
    for code in (TEA, CASE, TEA):
        bench.queue_scan(code)
    with disk_failing(bench):
        seen = bench.step()
    assert "last 3 codes" in seen.text
    kinds = [scan.outcome.signal.kind for scan in bench.board.state().scans[:4]]
    assert kinds == ["error", "error", "error", "success"]
    assert bench.stock() == {}


def test_an_undo_behind_a_scan_that_failed_does_not_reverse_the_one_before(bench):
    bench.scan("CMD-RECEIVE", TEA)
    for code in (CASE, "CMD-UNDO", "CMD-UNDO"):
        bench.queue_scan(code)
    with disk_failing(bench):
        bench.step()
    shown = [(scan.outcome.code, scan.outcome.signal.kind) for scan in bench.board.state().scans]
    assert shown[:4] == [
        ("CMD-UNDO", "error"),
        ("CMD-UNDO", "error"),
        (CASE, "error"),
        (TEA, "success"),
    ]
    assert bench.stock() == {("DOCK-1", "TEA-250"): "1"}
    assert bench.health.counters()["commits_failed_total"] == 1  # The UNDOs were not even tried.
    assert bench.scan(CASE).kind == "success"


def test_an_sscc_that_cannot_be_reserved_is_an_error_and_then_works(bench):
    bench.scan("CMD-PRINT-PALLET")
    with disk_failing(bench):
        assert bench.scan("CMD-CONFIRM").kind == "error"
    assert bench.scan("CMD-CONFIRM").kind == "success"
    assert len(bench.journal.print_jobs(9)) == 1


def test_all_that_waits_is_one_commit(bench):
    bench.scan("CMD-RECEIVE")
    before = bench.journal.wait_for_append(-1, 0)
    for _ in range(50):
        bench.queue_scan(TEA)
    seen = bench.step()
    assert len(seen.facts) == 50
    assert bench.journal.wait_for_append(-1, 0) == before + 1


def test_an_error_among_many_scans_is_what_the_screen_shows(bench):
    bench.scan("CMD-RECEIVE")
    for code in (TEA, "CMD-FLY", TEA):
        bench.queue_scan(code)
    seen = bench.step()
    assert (len(seen.facts), seen.kind) == (2, "error")
    assert bench.scan(TEA).kind == "success"


def test_the_screen_keeps_the_last_twenty_scans_newest_first(bench):
    bench.scan("CMD-RECEIVE", *[TEA] * 24, CASE)
    scans = bench.board.state().scans
    assert len(scans) == 20
    assert (scans[0].number, scans[0].outcome.code) == (26, CASE)


def test_live_weights_reach_the_screen_five_times_a_second_and_never_the_journal(bench):
    shown = set()
    for tenth in range(20):
        bench.clock.elapsed_ns += 50_000_000
        bench.weigh(f"{tenth}.0")
        shown.add(bench.board.state().weight.value)
    assert len(shown) == 5
    assert bench.fact_count() == 0


def test_the_last_weight_is_shown_even_if_it_came_too_soon(bench):
    bench.weigh("1.0")
    bench.weigh("2.0")
    assert bench.board.state().weight.value == "1.0"
    bench.clock.elapsed_ns += 200_000_000
    bench.loop.step(0)
    assert bench.board.state().weight.value == "2.0"


def test_a_weight_that_is_not_live_leaves_the_screen(bench):
    bench.weigh("1.0")
    bench.clock.elapsed_ns += 3_000_000_001
    bench.loop.step(0)
    assert bench.board.state().weight is None


def test_a_scale_of_another_station_is_not_weighed_with(bench):
    reading = WeightMeasured(Decimal(5), "KGM", "gross", True, b"")
    bench.put(reading, device="dock-2-scale")
    bench.loop.step(0)
    assert bench.board.state().weight is None


def test_a_scale_that_is_claimed_is_weighed_with_from_then_on(bench):
    bench.loop.use_setup(replace(SETUP, scales=("dock-1-new-scale",)))
    reading = WeightMeasured(Decimal(5), "KGM", "gross", True, b"")
    bench.put(reading, device="dock-1-new-scale")
    bench.loop.step(0)
    assert bench.board.state().weight.device == "dock-1-new-scale"


def test_a_binding_code_is_no_item_and_is_refused_where_nothing_can_be_claimed(bench):
    bench.scan("CMD-RECEIVE")
    seen = bench.scan(" bnd-K7Q2")
    assert (seen.kind, seen.facts) == ("error", ())
    assert "claims no devices" in seen.text


@pytest.mark.parametrize("code", ["BND-12", "BND-123456", "BND-K7Q2-7", "BND-K7 2"])
def test_what_only_begins_like_a_binding_code_is_for_the_station(bench, code):
    bench.scan("CMD-RECEIVE")
    assert "claims no devices" not in bench.scan(code).text


def test_a_lost_part_of_a_scan_asks_for_the_scan_again(bench):
    bench.scan("CMD-RECEIVE")
    seen = bench.fault("scan_again", device="dock-1-scanner")
    assert (seen.kind, seen.facts) == ("error", ())
    assert "scan the code again" in seen.text
    assert bench.fault("scan_again", device="dock-1-scanner").kind == "error"


def test_new_reference_data_counts_from_the_next_scan(bench):
    bench.loop.use_catalogue(Catalogue(None, warehouse="sh1"))
    assert bench.scan("CMD-RECEIVE", TEA).facts[0].flags == ("unknown_item",)


def test_a_session_begins_with_a_prompt(bench):
    assert "Scan what to do" in english(bench.board.state().prompt)


def test_the_thread_takes_scans_and_stops(bench):
    bench.loop.start()
    try:
        for code in ("CMD-RECEIVE", TEA):
            bench.queue_scan(code)
        wait_for(lambda: bench.fact_count() == 1, what="the scan")
        assert bench.loop.turns is not None
    finally:
        bench.loop.stop()
    assert bench.loop.turns is None


def test_a_loop_that_never_started_can_be_stopped(bench):
    StationLoop(
        journal=bench.journal,
        catalogue=bench.catalogue,
        observations=bench.observations,
        board=bench.board,
        health=Health(),
        setup=bench.loop._setup,
        clock=bench.clock,
    ).stop()


def test_a_disk_that_takes_its_time_loses_and_reorders_nothing(bench):
    """A commit hangs until the queue is full and a reader waits for room; then it ends."""
    bench.scan("CMD-RECEIVE")
    connection = bench.journal._connection
    released, waiting = Event(), Event()

    def hang():
        if connection.in_transaction and not released.is_set():
            waiting.set()
            released.wait(60)
        return 0

    connection.set_progress_handler(hang, 1)
    quantities = [1 + number % 9 for number in range(700)]
    codes = [code for quantity in quantities for code in (f"CMD-QTY-{quantity}", TEA)]
    reader = Thread(target=lambda: [bench.queue_scan(code) for code in codes])
    station = Thread(target=lambda: [bench.loop.step(5) for _ in range(2)])
    reader.start()
    station.start()
    assert waiting.wait(60)
    wait_for(bench.loop._observations.full)
    released.set()
    station.join(60)
    connection.set_progress_handler(None, 1)
    while bench.loop.step(0.5):
        pass
    reader.join(60)
    facts = [fact for _, fact in reversed(bench.journal.recent(1000))]
    assert [int(fact.quantity) for fact in facts] == quantities
