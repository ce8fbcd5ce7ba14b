"""Counts are judged against the book at the scan's own moment, whatever moves and comes late."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from central.orders.counts.count_judging import (
    Counted,
    Moment,
    Moved,
    Observed,
    Thing,
    is_before,
    judge,
)
from central.orders.counts.count_standing import missing, standing

BOLTS = Thing("BIN-1", "BOLT", "", "", "", "C62")
MINUTE_MS = 60_000


def moment(record_no, minute, *, gateway="a", seq=None, timed=True, epoch="00000001-aa"):
    return Moment(record_no, minute * MINUTE_MS, timed, gateway, epoch, seq or record_no)


def counted(micro, book, at):
    return Counted(BOLTS, micro, book, at, 1, frozenset(), (at,))


def observed(micro, at, *, operator="an", round_no=1, part=0, thing=BOLTS):
    return Observed(thing, micro, 0, at, operator, round_no, part=part)


COUNT_AT = moment(10, 30, gateway="counter")


@pytest.mark.parametrize(
    ("moves", "book", "corrected", "explained"),
    [
        pytest.param([], 7, 7, (), id="nothing moved"),
        pytest.param([Moved(2, moment(11, 40))], 7, 7, (), id="later moves do not matter"),
        pytest.param(
            [Moved(2, moment(11, 20))],
            7,
            9,
            ("1 movement came late: before the count, posted after it",),
            id="it came late",
        ),
        pytest.param(
            [Moved(-2, moment(9, 40)), Moved(-1, moment(8, 41))],
            7,
            10,
            ("2 movements already posted, but after the count",),
            id="it was posted already but happened after",
        ),
        pytest.param(
            [Moved(4, moment(15, 50), correction=True)],
            7,
            11,
            ("1 movement corrected the book since",),
            id="a correction moves no goods, so its time does not matter",
        ),
        pytest.param(
            [Moved(4, moment(5, 50), correction=True)], 7, 7, (), id="a correction before it"
        ),
        pytest.param(
            [Moved(2, moment(11, 40, gateway="counter", seq=9))],
            7,
            9,
            ("1 movement came late: before the count, posted after it",),
            id="the counter's own gateway goes by its own order",
        ),
        pytest.param(
            [Moved(2, moment(11, 20, timed=False))], 7, 7, (), id="without a clock the ledger's"
        ),
        pytest.param(
            [Moved(3, moment(11, 30))],
            7,
            7,
            ("1 movement so close to the count that its clock does not tell the order",),
            id="too close to tell",
        ),
    ],
)
def test_the_book_is_corrected_by_what_happened_before_and_after(moves, book, corrected, explained):
    judged = judge(counted(20, book, COUNT_AT), moves)
    assert judged.corrected_micro == corrected
    assert judged.variance_micro == 20 - corrected
    assert judged.explanation == explained


@pytest.mark.parametrize(
    ("found", "variance", "taken_back"),
    [
        pytest.param(5, 0, 0, id="the goods were away, and went back afterwards"),
        pytest.param(10, 0, 1, id="the scan was wrong: the goods had never gone"),
        pytest.param(9, -1, 1, id="the scan was wrong, and one is missing"),
        pytest.param(4, -1, 0, id="the goods were away, and one more is missing"),
    ],
)
def test_a_count_tells_what_a_later_reversal_meant(found, variance, taken_back):
    gone = moment(3, 10)
    reversal = Moved(5, moment(11, 40), takes_back=gone)
    judged = judge(counted(found, 5, COUNT_AT), [Moved(-5, gone), reversal])
    assert (judged.variance_micro, judged.taken_back_count) == (variance, taken_back)
    assert judged.doubtful == bool(taken_back)


@pytest.mark.parametrize(
    ("put_right", "taken_back"),
    [
        pytest.param([Moved(5, moment(4, 20), correction=True)], 1, id="by a count before"),
        pytest.param([Moved(5, moment(4, 20), fills=True)], 1, id="by what filled the place"),
        pytest.param(
            [
                Moved(5, moment(4, 20), correction=True),
                Moved(-5, moment(5, 20), correction=True),
            ],
            1,
            id="and something else was put right after it",
        ),
        pytest.param([Moved(5, moment(2, 5), correction=True)], 0, id="before the scan: of others"),
    ],
)
def test_what_had_put_the_book_right_before_the_count_tells_so_too(put_right, taken_back):
    reversal = Moved(5, moment(11, 40), takes_back=moment(3, 10))
    judged = judge(counted(5, 5, COUNT_AT), [*put_right, reversal])
    assert (judged.variance_micro, judged.taken_back_count) == (-5 * taken_back, taken_back)


@pytest.mark.parametrize(("before_ms", "taken_back"), [(3 * MINUTE_MS, 1), (0, 0)])
def test_what_came_late_says_nothing_of_a_scan_if_it_had_been_counted_before(before_ms, taken_back):
    late = Moved(9, moment(12, 2, gateway="b"))
    reversal = Moved(4, moment(11, 40), takes_back=moment(3, 10))
    judged = judge(counted(9, 5, COUNT_AT), [reversal, late], counted_before_ms=before_ms)
    assert (judged.variance_micro, judged.taken_back_count) == (-5 - 4 * taken_back, taken_back)


def test_a_scan_that_came_late_and_was_undone_never_was_whatever_was_counted_before():
    late = Moved(-4, moment(12, 2, gateway="b"))
    reversal = Moved(4, moment(13, 40, gateway="b"), takes_back=late.moment)
    judged = judge(counted(0, 0, COUNT_AT), [late, reversal], counted_before_ms=3 * MINUTE_MS)
    assert (judged.variance_micro, judged.taken_back_count) == (0, 1)


def test_to_take_a_filling_from_before_the_count_back_moves_no_goods():
    back = Moved(-3, moment(13, 40), takes_back=moment(4, 12), fills=True)
    filled = Moved(3, moment(4, 12), fills=True)
    reversal = Moved(3, moment(12, 39), takes_back=moment(3, 10))
    judged = judge(counted(0, 0, COUNT_AT), [filled, reversal, back])
    assert (judged.variance_micro, judged.corrections_micro) == (0, -3)


def test_corrections_since_the_count_do_not_tell_what_a_reversal_meant():
    reversal = Moved(5, moment(11, 40), takes_back=moment(3, 10))
    corrected = Moved(5, moment(12, 50), correction=True)
    judged = judge(counted(10, 5, COUNT_AT), [reversal, corrected])
    assert (judged.variance_micro, judged.taken_back_count) == (-5, 1)


@pytest.mark.parametrize(
    ("first", "second", "before"),
    [
        pytest.param(
            moment(9, 1, gateway="x"), moment(2, 5), True, id="by time, whoever was recorded first"
        ),
        pytest.param(
            moment(1, 9, gateway="x", seq=2), moment(2, 1, gateway="x", seq=3), True, id="by seq"
        ),
        pytest.param(
            moment(9, 9, gateway="x", epoch="00000001-ff"),
            moment(2, 1, gateway="x", epoch="00000002-aa"),
            True,
            id="by the start counter",
        ),
        pytest.param(
            moment(9, 9, gateway="x", epoch="00000001-ff"),
            moment(2, 1, gateway="x", epoch="00000001-aa"),
            False,
            id="a restored card repeats its counter",
        ),
        pytest.param(
            moment(2, 1, gateway="central", seq=1),
            moment(3, 0, gateway="central", seq=2),
            False,
            id="what was typed in happened when it says",
        ),
    ],
)
def test_facts_are_put_in_the_order_in_which_they_happened(first, second, before):
    assert is_before(first, second) is before


def test_the_last_observation_of_a_round_stands_and_parts_add_up():
    again = standing([observed(5, moment(1, 1)), observed(6, moment(2, 2))])
    assert again[BOLTS].quantity_micro == 6
    late = standing([observed(6, moment(1, 2)), observed(5, moment(2, 1))])
    assert late[BOLTS].quantity_micro == 6, "the last by time, not by arrival"
    parts = standing(
        [
            observed(5, moment(1, 1), part=1),
            observed(4, moment(2, 2), part=2, operator="bo"),
            observed(7, moment(3, 3), part=1),
        ]
    )
    assert parts[BOLTS].quantity_micro == 11
    assert parts[BOLTS].counters == {"an", "bo"}
    moved_between = Moved(1, moment(20, 2, gateway="x"))
    assert judge(parts[BOLTS], [moved_between]).doubtful, "it moved while its parts were counted"


def test_a_recount_stands_only_if_another_person_made_it():
    first = observed(5, moment(1, 1), operator="an")
    own = observed(6, moment(2, 2), operator="an", round_no=2)
    other = observed(7, moment(3, 3), operator="bo", round_no=2)
    assert standing([first, own])[BOLTS].quantity_micro == 5
    assert standing([first, own, other])[BOLTS].quantity_micro == 7
    nobody = [replace(one, operator="") for one in (first, own)]
    assert standing(nobody)[BOLTS].quantity_micro == 6


def test_what_was_looked_for_and_not_seen_is_counted_as_nothing():
    nuts = BOLTS._replace(item="NUT")
    looked = [observed(5, moment(4, 1)), observed(6, moment(7, 3), operator="bo")]
    counted_things = standing(looked)
    absent = missing([BOLTS, nuts], counted=counted_things, looked_for={nuts: looked})
    assert set(absent) == {nuts}
    assert (absent[nuts].quantity_micro, absent[nuts].moment.record_no) == (0, 7)
    assert not absent[nuts].found


# Movements of three gateways in the minutes of a day, and where among them the count is made.
_acts = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(-5, 5).filter(bool), st.integers(0, 600)),
    max_size=12,
)


@settings(max_examples=400, deadline=None)
@given(
    acts=_acts,
    counter=st.sampled_from("abc"),
    count_minute=st.integers(1, 600),
    lost=st.integers(-9, 9),
    delivery=st.randoms(use_true_random=False),
)
def test_after_the_adjustment_the_book_is_the_physical_truth(
    acts, counter, count_minute, lost, delivery
):
    """Whatever is under way when, offline or not: the count's variance is what nobody scanned."""
    happened = sorted(
        [(minute * 2, gateway, micro) for gateway, micro, minute in acts]
        + [(count_minute * 2 + 1, counter, None)]  # Odd: no two gateways at one moment.
    )
    queues = {}
    physical = 50 + lost
    found = None
    for seq, (minute, gateway, micro) in enumerate(happened, 1):
        if micro is None:
            found = physical
        else:
            physical += micro
        queues.setdefault(gateway, []).append((minute, seq, micro))
    book, moves, count = 50, [], None
    record_no = 1
    while queues:
        gateway = delivery.choice(sorted(queues))
        minute, seq, micro = queues[gateway].pop(0)
        if not queues[gateway]:
            del queues[gateway]
        at = moment(record_no, minute, gateway=gateway, seq=seq)
        record_no += 1
        if micro is None:
            count = counted(found, book, at)
        else:
            book += micro
            moves.append(Moved(micro, at))
    judged = judge(count, moves)
    assert judged.variance_micro == lost
    assert book + judged.variance_micro == physical
