"""A session survives a restart at the step where it was; a bad or old one is dropped and told."""

from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.station.catalogue import Catalogue
from gateway.station.messages import render
from gateway.station.saved_session import (
    AGE_MS_MAX,
    STATE_TYPES,
    Whose,
    encode_session,
    restore_session,
)
from gateway.station.session import Putaway, Session, State
from tests.gateway.station.bench import REFERENCE, SETUP, Bench, bench_at
from tests.gateway.station.test_station_loop import disk_failing

TEA, CASE, MILK_L1 = "6901234567892", "16901234567899", "010950110153000310L1"
SALT, PALLET, OTHER = "96385074", "00006141411234567890", "00106141412345678908"
CATALOGUE = Catalogue(REFERENCE, warehouse="sh1")
WHOSE = Whose("dock-1", "sh1", now_ms=1_795_000_000_000, clock_synced=True)


def restarted(bench, **changes):
    """A new process over the same journal, as after a power cut."""
    fresh = Bench(bench.journal, replace(SETUP, **changes))
    fresh.clock.elapsed_ns = bench.clock.elapsed_ns
    return fresh


def shown(bench):
    state = bench.board.state()
    return english_of(state.prompt), state.operator


def english_of(message):
    return render(message, language="en", translate=str)


# Where somebody is when the power goes.
WORK = [
    pytest.param(["OPR-ann", "DOC-PO-7", TEA], id="receiving"),
    pytest.param(["CMD-RECEIVE", PALLET, "CMD-QTY-3"], id="receiving, a quantity said"),
    pytest.param(["CMD-RECEIVE", TEA, "CMD-PUTAWAY", TEA, MILK_L1], id="goods in hand"),
    pytest.param(["CMD-MOVE", "LOC-A-01-03", CASE], id="moving"),
    pytest.param(["DOC-SO-1", "LOC-A-01-03", TEA], id="shipping"),
    pytest.param(["CMD-PICK", "DOC-SO-1", "LOC-A-01-03", CASE, "CMD-SHORT"], id="short pick"),
    pytest.param(["DOC-CNT-1", "LOC-A-01-04", TEA, TEA, MILK_L1], id="a count's tally"),
    pytest.param(["CMD-COUNT", "LOC-A-01-04", PALLET], id="a pallet to be counted"),
    pytest.param(["CMD-PACK", OTHER, PALLET], id="packing"),
    pytest.param(["CMD-INSPECT", "LOC-DOCK-1", MILK_L1, "CMD-REJECT"], id="a verdict"),
    pytest.param(["CMD-RETURN", "CMD-REASON-WRONG"], id="a reason"),
    pytest.param(["CMD-WEIGH", SALT], id="weighing"),
    pytest.param(["CMD-PRINT-PALLET"], id="printing"),
    pytest.param(["CMD-RELABEL", "CMD-QTY-2"], id="relabelling"),
    pytest.param(["CMD-LOOKUP", TEA], id="looking up"),
]


@pytest.mark.parametrize("codes", WORK)
def test_a_restart_goes_on_where_it_was(bench, codes):
    bench.scan(*codes)
    again = restarted(bench)
    if "CMD-LOOKUP" not in codes:  # What was found is not kept; the next code is looked up.
        assert shown(again) == shown(bench)
    assert english_of(again.board.state().done) == "Started again: you are where you were, go on."
    if "CMD-LOOKUP" not in codes:
        drawn, before = again.board.state().step, bench.board.state().step
        assert drawn == before


def test_a_count_in_progress_is_confirmed_after_the_restart(bench):
    bench.scan("CMD-COUNT", "LOC-A-01-03", TEA, CASE)
    seen = restarted(bench).scan(TEA, "CMD-CONFIRM")
    assert [(one.item, one.quantity) for one in seen.facts] == [("TEA-250", "14")]
    assert "unknown_item" not in seen.facts[0].flags


def test_a_weighing_keeps_its_tare_and_a_load_is_recorded_once(bench):
    bench.scan("CMD-WEIGH", SALT)
    bench.weigh("2.5")
    bench.scan("CMD-TARE")
    again = restarted(bench)
    again.weigh("12.5")
    seen = again.scan("CMD-CONFIRM")
    assert (seen.facts[0].tare, seen.facts[0].net) == ("2.5", "10.0")
    third = restarted(again)
    third.weigh("12.5")
    assert third.scan("CMD-CONFIRM").facts == ()  # The load still stands there.


def test_nothing_is_said_where_nothing_was_under_way(bench):
    bench.scan("OPR-ann", "CMD-RECEIVE", "CMD-DONE")
    again = restarted(bench)
    assert again.board.state().done is None
    assert again.board.state().operator == "ann"


def test_each_station_has_a_session_of_its_own(bench):
    bench.scan("CMD-RECEIVE", PALLET)
    other = restarted(bench, station="dock-2")
    assert other.board.state().step.workflow is None
    other.scan("CMD-COUNT")
    assert shown(restarted(bench)) == shown(bench)


def test_goods_are_looked_up_again_by_what_is_known_after_the_restart(bench):
    bench.scan("CMD-PUTAWAY", TEA)
    again = restarted(bench)
    assert again.loop._session.state.loads[0].scanned.item == CATALOGUE.item("TEA-250")


def test_a_session_comes_with_the_facts_of_its_step_in_one_commit(bench):
    bench.scan("CMD-RECEIVE")
    with counting_commits(bench) as commits:
        bench.scan("CMD-QTY-3", TEA)
    assert "times" not in shown(restarted(bench))[0]
    assert len(commits) == 2  # The quantity by itself; then fact and session together.
    with counting_commits(bench) as commits:
        bench.scan(TEA, TEA, "CMD-FLY")
    assert len(commits) == 2  # A session that did not change is not written.


# What is scanned, and whether it is synced to the disk by itself.
SYNCED = [
    pytest.param(["CMD-COUNT", "LOC-A-01-03"], TEA, True, id="a tally"),
    pytest.param(["CMD-COUNT"], "LOC-A-01-03", False, id="a place"),
    pytest.param(["CMD-PUTAWAY"], TEA, True, id="goods in hand"),
    pytest.param(["CMD-PUTAWAY", TEA], "CMD-CANCEL", True, id="goods out of the hand"),
    pytest.param([], "CMD-RECEIVE", False, id="a mode"),
    pytest.param([], "OPR-ann", False, id="a person"),
]


@pytest.mark.parametrize(("before", "code", "synced"), SYNCED)
def test_only_work_in_hand_waits_for_the_disk(bench, before, code, synced):
    if before:
        bench.scan(*before)
    levels = []
    connection = bench.journal._connection
    connection.set_trace_callback(
        lambda statement: levels.append(statement) if "synchronous" in statement else None
    )
    bench.scan(code)
    connection.set_trace_callback(None)
    assert levels == (
        [] if synced else ["PRAGMA synchronous = NORMAL", "PRAGMA synchronous = FULL"]
    )
    (level,) = connection.execute("PRAGMA synchronous").fetchone()
    assert level == 2


def test_a_session_that_cannot_be_saved_costs_no_scan(bench):
    with disk_failing(bench):
        seen = bench.scan("CMD-COUNT", "LOC-A-01-03", TEA)
        assert (seen.kind, seen.text) == ("success", "Counted: 1 pcs Green tea 250 g (TEA-250)")
        assert bench.health.journal_problem()
    assert bench.health.counters()["sessions_unsaved_total"] == 3
    bench.scan(TEA)
    assert bench.health.journal_problem() == ""
    assert restarted(bench).scan("CMD-CONFIRM").facts[0].quantity == "2"


def encoded(work, **changes):
    data = encode_session(Session(work), WHOSE)
    fields = msgspec.msgpack.decode(data)
    return msgspec.msgpack.encode(fields | changes)


# Bytes of which nothing can be taken up, and what is told.
BAD = [
    pytest.param(b"", "cannot be taken up", id="nothing"),
    pytest.param(b"\xff\x00nonsense", "cannot be taken up", id="damaged"),
    pytest.param(b"\x81" * 2_000_000, "cannot be taken up", id="endless"),
    pytest.param(encoded(Putaway("A"), version=99), "cannot be taken up", id="a newer version"),
    pytest.param(encoded(Putaway("A"), state_name="fly"), "cannot be taken up", id="no such state"),
    pytest.param(encoded(Putaway("A"), state=[1, 2]), "cannot be taken up", id="another shape"),
    pytest.param(encoded(Putaway("A"), multiplier="0"), "cannot be taken up", id="no times"),
    pytest.param(encoded(Putaway("A"), multiplier="NaN"), "cannot be taken up", id="not a number"),
    pytest.param(encoded(Putaway("A"), station="dock-9"), "dock-9", id="another station"),
    pytest.param(encoded(Putaway("A"), warehouse="bj1"), "belongs to", id="another warehouse"),
    pytest.param(
        encoded(Putaway("A"), saved_ms=WHOSE.now_ms - AGE_MS_MAX - 1), "a day old", id="old"
    ),
]


@pytest.mark.parametrize(("data", "why"), BAD)
def test_what_cannot_be_taken_up_is_dropped_and_told(data, why):
    restored = restore_session(data, WHOSE, CATALOGUE)
    assert (restored.session, restored.dropped) == (Session(), True)
    assert why in english_of(restored.told)


def test_a_dropped_session_is_shown_as_a_warning(tmp_path):
    with bench_at(tmp_path) as bench:
        bench.scan("CMD-RECEIVE")
        bench.journal._connection.execute("UPDATE station_sessions SET data = x'00'")
        state = restarted(bench).board.state()
    assert (state.signal.kind, state.step.workflow) == ("warning", None)
    assert "begin the step again" in english_of(state.signal.message)


def test_an_unset_clock_makes_no_session_old():
    data = encoded(Putaway("A"), saved_ms=WHOSE.now_ms - AGE_MS_MAX - 1)
    unset = replace(WHOSE, clock_synced=False)
    assert restore_session(data, unset, CATALOGUE).session == Session(Putaway("A"))


def test_who_worked_here_a_day_ago_is_signed_in_no_more():
    session = replace(Session(), operator="ann", multiplier=Decimal(5))
    data = encode_session(session, WHOSE)
    assert restore_session(data, WHOSE, CATALOGUE).session == session
    later = replace(WHOSE, now_ms=WHOSE.now_ms + AGE_MS_MAX + 1)
    restored = restore_session(data, later, CATALOGUE)
    assert (restored.session, restored.told, restored.dropped) == (Session(), None, False)


def test_every_state_has_a_name_of_its_own():
    assert set(STATE_TYPES.values()) == set(State.__args__)


@given(st.binary(max_size=200))
def test_any_bytes_give_a_session(data):
    restored = restore_session(data, WHOSE, CATALOGUE)
    assert restored.session.multiplier == Decimal(1) or not restored.dropped


@contextmanager
def counting_commits(bench):
    commits = []
    bench.journal._connection.set_trace_callback(
        lambda statement: commits.append(statement) if statement == "COMMIT" else None
    )
    yield commits
    bench.journal._connection.set_trace_callback(None)
