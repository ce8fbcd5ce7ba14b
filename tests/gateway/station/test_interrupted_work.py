"""Work that is cut off at any step: what was green is recorded, nothing else; work goes on."""

import msgspec
import pytest

from gateway.journal.reading import open_reader
from gateway.journal.verify import verify_journal
from tests.gateway.station.bench import Bench, bench_at
from tests.gateway.station.test_station_loop import disk_failing

TEA, CASE, MILK_L1 = "6901234567892", "16901234567899", "010950110153000310L1"
PALLET, OTHER, OUTER = "00006141411234567890", "00106141412345678908", "00306141411234567891"
WORK = [
    pytest.param(["DOC-TI-1", PALLET, TEA, "CMD-DONE"], 3, id="receive"),
    pytest.param(["DOC-SO-1", PALLET, "LOC-STAGE-1", TEA, "CMD-UNDO", "CMD-DONE"], 3, id="ship"),
    pytest.param(
        ["DOC-CNT-1", "LOC-A-01-03", TEA, CASE, "CMD-CONFIRM", PALLET, TEA, "CMD-EMPTY"],
        2,
        id="count",
    ),
    pytest.param(["CMD-COUNT", "LOC-A-01-04", "CMD-EMPTY", "OPR-ann", "CMD-DONE"], 1, id="empty"),
    pytest.param(["CMD-PACK", OUTER, PALLET, OTHER, "CMD-DONE", "CMD-CANCEL"], 1, id="pack"),
]


def as_worked(facts):
    """Facts without what numbers and times them."""
    fresh = {"seq": 1, "event_time_ms": 0, "monotonic_ns": 0}
    return [msgspec.structs.replace(fact, **fresh) for fact in facts]


@pytest.mark.parametrize(("codes", "facts_count"), WORK)
def test_each_scan_may_fail_once_at_the_disk_and_is_scanned_again(bench, codes, facts_count):
    recorded = []
    for code in codes:
        prompt = bench.scan("OPR-ann").prompt
        with disk_failing(bench):
            failed = bench.scan(code)
        assert failed.facts == ()
        if failed.kind == "error":
            assert failed.prompt == prompt
            again = bench.scan(code)
            assert again.facts
            assert again.kind != "error"
            recorded.extend(again.facts)
    assert len(recorded) == facts_count


@pytest.mark.parametrize(("codes", "facts_count"), WORK)
def test_power_may_be_cut_after_each_scan(tmp_path, codes, facts_count):
    recorded = []
    with bench_at(tmp_path) as bench:
        for end in range(1, len(codes) + 1):
            restarted = Bench(bench.journal)
            for code in codes[:end]:
                recorded.extend(restarted.scan(code).facts)
        assert [fact for _, fact in reversed(bench.journal.recent(1000))] == recorded
        assert len(recorded) >= facts_count
        reader = open_reader(tmp_path / "journal.db")
        try:
            assert verify_journal(reader).findings == ()
        finally:
            reader.close()


@pytest.mark.parametrize(("codes", "facts_count"), WORK)
def test_scans_that_wait_together_are_recorded_as_one_by_one(bench, tmp_path, codes, facts_count):
    for code in codes:
        bench.queue_scan(code)
    together = bench.step().facts
    with bench_at(tmp_path) as other:
        one_by_one = [fact for code in codes for fact in other.scan(code).facts]
    assert as_worked(together) == as_worked(one_by_one)
    assert len(together) == facts_count
