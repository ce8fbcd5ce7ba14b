"""Looking up: what a code is, where it stands, who expects it, how old that is; nothing moves."""

import pytest

from central.contract.snapshots import Snapshot
from tests.gateway.station.bench import TIME_MS, english

TEA, MILK_L1, PALLET = "6901234567892", "010950110153000310L1", "00006141411234567890"
ALONE = "Central has said nothing yet: this is only what was scanned here."


@pytest.fixture
def stocked(bench):
    bench.scan("DOC-TI-1", PALLET, "CMD-RECEIVE", MILK_L1, "CMD-LOOKUP")
    return bench


def notes(bench):
    return [english(note) for note in bench.board.state().step.notes]


LOOKED_UP = [
    pytest.param(
        TEA,
        [
            "Green tea 250 g (TEA-250): 12 pcs at 1 places.",
            "12 pcs at DOCK-1 006141411234567890",
            "Named by PO-7, Tea & Co",
            "Named by RS-1, Tea & Co",
            "Named by SO-1, Tea House",
            "Named by TI-1, bj1",
            "... and by 1 more documents.",
        ],
        id="item",
    ),
    pytest.param(
        "LOC-DOCK-1",
        [
            "DOCK-1 is a place of this warehouse: 3 goods.",
            "1 pcs Milk (MILK-1) L1",
            "3 pcs Milk (MILK-1) L1 006141411234567890",
            "12 pcs Green tea 250 g (TEA-250) 006141411234567890",
        ],
        id="place",
    ),
    pytest.param(
        PALLET,
        [
            "Pallet 006141411234567890: 2 goods.",
            "3 pcs Milk (MILK-1) L1 006141411234567890 at DOCK-1",
            "12 pcs Green tea 250 g (TEA-250) 006141411234567890 at DOCK-1",
            "Named by SO-1, Tea House",
            "Named by TI-1, bj1",
        ],
        id="pallet",
    ),
    pytest.param(
        "DOC-TI-1",
        [
            "TI-1 of bj1, lines: 3, not done: 1.",
            "Left: 1 pcs of 1 pcs Green tea 250 g (TEA-250) ",
        ],
        id="document",
    ),
    pytest.param("DOC-CNT-1", ["CNT-1, lines: 4."], id="a count tells no quantity"),
    pytest.param("DOC-NONE", ["NONE is unknown here."], id="unknown document"),
    pytest.param("HELLO", ["HELLO is no item that is known here."], id="unknown item"),
    pytest.param("LOC-X", ["X is no place that is known here: 0 goods."], id="unknown place"),
    pytest.param(
        "00106141412345678908",
        ["Pallet 106141412345678908: nothing is known."],
        id="unknown pallet",
    ),
]


@pytest.mark.parametrize(("code", "expected"), LOOKED_UP)
def test_a_code_is_told_and_nothing_moves(stocked, code, expected):
    before = stocked.fact_count()
    seen = stocked.scan(code)
    assert (seen.kind, seen.text, seen.facts) == ("success", expected[0], ())
    assert notes(stocked) == [*expected, ALONE]
    assert stocked.fact_count() == before
    assert seen.prompt == "Look up: scan the next code; when finished, DONE"


def test_undo_while_looking_up_takes_no_movement_back(stocked):
    seen = stocked.scan("CMD-UNDO")
    assert (seen.kind, seen.facts) == ("error", ())
    assert stocked.scan("CMD-DONE").text == "Back to the start."


# How long ago central spoke, in seconds, and what is said of it.
AGES = [
    pytest.param(5, "Central last told of changes just now.", id="now"),
    pytest.param(600, "Central last told of changes 10 minutes ago.", id="minutes"),
    pytest.param(3 * 3600, "Central last told of changes 3 hours ago.", id="hours"),
    pytest.param(5 * 86400, "Central last told of changes 5 days ago.", id="days"),
]


@pytest.mark.parametrize(("seconds", "expected"), AGES)
def test_the_age_of_what_central_said_comes_with_the_answer(bench, seconds, expected):
    knows(bench)
    bench.clock.elapsed_ns += seconds * 10**9
    bench.scan("CMD-LOOKUP", TEA)
    assert notes(bench)[-1] == expected


def test_without_a_set_clock_no_age_is_made_up(bench):
    knows(bench)
    bench.clock.disciplined = False
    bench.scan("CMD-LOOKUP", TEA)
    assert "cannot be told" in notes(bench)[-1]


def test_more_than_fits_is_said_to_be_more(bench):
    for number in range(20):
        bench.scan("CMD-RECEIVE", f"010950110153000310L{number:02d}")
    bench.scan("CMD-LOOKUP", "LOC-DOCK-1")
    assert (len(notes(bench)), notes(bench)[-2]) == (12, "... and more.")


def knows(bench):
    bench.journal.knowledge.apply_snapshot(
        Snapshot(
            gateway="sh1-dock-1",
            warehouse="sh1",
            stream="s1",
            number=1,
            generation="g1",
            revision=1,
            positions=(),
            levels=(),
        )
    )
    assert bench.journal.knowledge.known().known_ms == TIME_MS + 10_000
