"""Progress is shared out over lines, and nothing of it is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.orders.document_progress import (
    CountedKey,
    ExpectedQuantity,
    progress_of,
    share_out,
)

FIRST = ExpectedQuantity(1, "BOLT", "C62", 100)
SECOND = ExpectedQuantity(2, "BOLT", "C62", 50, over_percent_micro=10_000_000)
THIRD = ExpectedQuantity(3, "NUT", "C62", 10, under_percent_micro=20_000_000)


def counted(*rows):
    return {CountedKey(line, item, unit): micro for line, item, unit, micro in rows}


@pytest.mark.parametrize(
    ("rows", "done", "unexpected"),
    [
        pytest.param([], {1: 0, 2: 0, 3: 0}, 0, id="nothing"),
        pytest.param([(2, "BOLT", "C62", 7)], {1: 0, 2: 7, 3: 0}, 0, id="its own line"),
        pytest.param([(0, "BOLT", "C62", 120)], {1: 100, 2: 20, 3: 0}, 0, id="no line: in order"),
        pytest.param(
            [(1, "BOLT", "C62", 90), (0, "BOLT", "C62", 500)],
            {1: 100, 2: 490, 3: 0},
            0,
            id="the last line takes what is too much",
        ),
        pytest.param([(3, "BOLT", "C62", 5)], {1: 0, 2: 0, 3: 0}, 1, id="another item's line"),
        pytest.param([(9, "NUT", "C62", 5)], {1: 0, 2: 0, 3: 0}, 1, id="no such line"),
        pytest.param([(0, "NUT", "KGM", 5)], {1: 0, 2: 0, 3: 0}, 1, id="another unit"),
    ],
)
def test_what_was_counted_belongs_to_a_line_or_is_shown_as_unexpected(rows, done, unexpected):
    shared, rest = share_out([FIRST, SECOND, THIRD], counted(*rows))
    assert (shared, len(rest)) == (done, unexpected)


@pytest.mark.parametrize(
    ("done", "fulfilment", "remaining"),
    [
        (0, "none", 10),
        (7, "partial", 3),
        (8, "complete", 0),
        (10, "complete", 0),
        (11, "over", 0),
    ],
)
def test_a_line_is_complete_between_its_tolerances(done, fulfilment, remaining):
    found = progress_of([THIRD], counted((3, "NUT", "C62", done))).lines[0]
    assert (found.fulfilment, found.remaining_micro) == (fulfilment, remaining)


def test_a_closed_line_expects_nothing_and_says_what_it_lacks():
    closed = ExpectedQuantity(1, "BOLT", "C62", 100, closed=True)
    progress = progress_of([closed, THIRD], counted((1, "BOLT", "C62", 60), (3, "NUT", "C62", 10)))
    line = progress.lines[0]
    assert (line.remaining_micro, line.short_micro, line.fulfilment) == (0, 40, "complete")
    assert progress.fulfilment == "complete"
    assert progress_of([closed], {}).fulfilment == "none"


def test_what_came_under_another_code_counts_once_for_its_line():
    progress = progress_of([FIRST], counted((1, "BOLT", "C62", 40)), elsewhere={1: 60, 7: 5})
    assert [line.done_micro for line in progress.lines] == [100]


@given(
    st.dictionaries(
        st.builds(
            CountedKey,
            st.integers(0, 4),
            st.sampled_from(["BOLT", "NUT", "CAP"]),
            st.sampled_from(["C62", "KGM"]),
        ),
        st.integers(-200, 400),
    )
)
def test_nothing_that_was_counted_is_lost_or_made(rows):
    shared, rest = share_out([FIRST, SECOND, THIRD], rows)
    assert sum(shared.values()) + sum(micro for _, micro in rest) == sum(rows.values())
