"""Tag smoothing: arrived, moved, departed; the same however the stream is cut. Pure."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.readings import TagRead
from gateway.station.passages import decide_direction
from gateway.station.tag_smoothing import (
    SECOND_NS,
    SmoothingLimits,
    TagArrived,
    TagDeparted,
    TagMoved,
    TagSmoother,
)
from tests.gateway.station.walks import EPC, inwards, outwards, standing, turning, walk

LIMITS = SmoothingLimits()
GROUPS = {1: "inside", 2: "outside"}
END_NS = 2**60


def events_of(reads, *, limits=LIMITS, ticks=()):
    """Return all events of a stream, also those of `advance` at some moments between."""
    smoother = TagSmoother(limits)
    ticks = sorted(ticks, reverse=True)
    events = []
    for timed in reads:
        while ticks and ticks[-1] <= timed.at_ns:
            events += smoother.advance(ticks.pop())
        group = GROUPS.get(timed.read.antenna, "")
        events += smoother.observe(timed.read, timed.at_ns, group=group, source="reader")
    return events + smoother.advance(END_NS)


def tracks_of(reads, **options):
    return [event.track for event in events_of(reads, **options) if isinstance(event, TagDeparted)]


def read_at(at_s, *, epc=EPC, antenna=1, rssi_cdbm=-5_000, count=1):
    class Timed:
        read = TagRead(epc=epc, antenna=antenna, rssi_cdbm=rssi_cdbm, reads_count=count)
        at_ns = round(at_s * SECOND_NS)

    return Timed


def test_a_tag_arrives_with_its_second_read_within_the_window_and_departs_when_unseen():
    events = events_of([read_at(1), read_at(3), read_at(3.5), read_at(4)])
    assert [type(event) for event in events] == [TagArrived, TagDeparted]
    assert events[0].at_ns == round(3.5 * SECOND_NS)
    track = events[1].track
    # All reads since it was first seen belong to it, also the one before it was believed.
    assert (track.reads_count, track.first_ns, track.last_ns) == (4, SECOND_NS, 4 * SECOND_NS)
    assert track.cause == "unseen"


def test_a_reflection_that_is_read_once_is_no_tag():
    assert events_of([read_at(1), read_at(9)]) == []


def test_a_report_of_several_reads_counts_as_so_many():
    assert [type(event) for event in events_of([read_at(1, count=2)])] == [TagArrived, TagDeparted]


def test_a_tag_that_comes_back_later_has_a_track_of_its_own():
    reads = [read_at(at_s) for at_s in (1, 1.5, 4.5, 4.6)]
    assert [track.reads_count for track in tracks_of(reads)] == [2, 2]


def test_a_tag_departs_on_time_though_an_older_one_stays():
    smoother = TagSmoother(LIMITS)
    for number in range(9):
        for epc in ("AA", "BB") if number < 4 else ("AA",):
            timed = read_at(1 + number / 2, epc=epc)
            smoother.observe(timed.read, timed.at_ns, group="inside", source="reader")
    [departed] = smoother.advance(6 * SECOND_NS)
    assert departed.track.epc == "BB"


def test_a_tag_moves_when_another_group_is_stronger_by_three_decibels():
    inside = [read_at(n / 10, antenna=1) for n in range(10)]
    little = [
        read_at(1 + n / 10, antenna=2 - n % 2, rssi_cdbm=-5_000 + 100 * (n % 2 == 0))
        for n in range(10)
    ]
    much = [read_at(2 + n / 10, antenna=2, rssi_cdbm=-4_000) for n in range(3)]
    assert not [event for event in events_of(inside + little) if isinstance(event, TagMoved)]
    [moved] = [event for event in events_of(inside + much) if isinstance(event, TagMoved)]
    assert (moved.from_group, moved.to_group) == ("inside", "outside")


def test_a_tag_that_rests_ends_its_track_again_and_again_and_says_that_it_was_there():
    reads = [read_at(n / 10) for n in range(1000)]
    tracks = tracks_of(reads)
    assert [track.cause for track in tracks] == ["resting", "resting", "resting", "unseen"]
    assert [track.resumed for track in tracks] == [False, True, True, True]
    assert sum(track.reads_count for track in tracks) == 1000


def test_a_rest_is_not_cut_while_the_tag_moves_to_the_other_side():
    limits = SmoothingLimits(rest_ns=10 * SECOND_NS)
    inside = [read_at(n / 10, antenna=1) for n in range(90)]
    outside = [read_at(9 + n / 10, antenna=2) for n in range(20)]
    [track] = tracks_of(inside + outside, limits=limits)
    assert (track.cause, decide_direction(track)) == ("unseen", "out")


def test_a_tag_that_never_stops_moving_is_cut_all_the_same():
    limits = SmoothingLimits(rest_ns=10 * SECOND_NS)
    reads = [read_at(n / 10, antenna=1 + n // 10 % 2) for n in range(300)]
    assert [track.cause for track in tracks_of(reads, limits=limits)] == ["resting", "unseen"]


def test_what_turned_round_at_the_door_has_no_direction_though_the_mean_times_say_in():
    reads = [read_at(n / 10, antenna=2) for n in range(50)]
    reads += [read_at(5 + n / 10, antenna=1) for n in range(30)]
    reads += [read_at(8 + n / 10, antenna=2) for n in range(5)]
    [track] = tracks_of(reads)
    inside, outside = track.groups
    assert inside.mean_ns - outside.mean_ns > 2 * SECOND_NS
    assert (track.head_group, track.tail_group) == ("outside", "outside")
    assert decide_direction(track) == "unknown"


def test_too_many_tags_end_the_track_of_the_one_unseen_longest():
    limits = SmoothingLimits(tags_max=2)
    smoother = TagSmoother(limits)
    events = []
    for at_s, name in [(1, "AA"), (1.1, "AA"), (1.2, "BB"), (1.3, "AA"), (2.3, "CC"), (2.4, "DD")]:
        timed = read_at(at_s, epc=name)
        events += smoother.observe(timed.read, timed.at_ns, group="inside", source="reader")
    assert (smoother.tags_count, smoother.shed_count) == (2, 2)
    # BB was never certain and is forgotten; AA was, and what is known of it is told.
    departed = [event.track for event in events if isinstance(event, TagDeparted)]
    assert [(track.epc, track.cause) for track in departed] == [("AA", "shed")]


def test_more_tags_than_can_be_followed_hide_only_the_rest_of_them():
    smoother = TagSmoother(SmoothingLimits(tags_max=20))
    events = []
    for number in range(25 * 40):
        timed = read_at(number / 100, epc=f"{number % 25:02X}")
        events += smoother.observe(timed.read, timed.at_ns, group="inside", source="reader")
        assert smoother.tags_count <= 20
    events += smoother.advance(END_NS)
    departed = [event.track for event in events if isinstance(event, TagDeparted)]
    assert [(track.epc, track.reads_count) for track in departed] == [
        (f"{number:02X}", 40) for number in range(20)
    ]
    assert smoother.shed_count == 5 * 40


def test_a_long_report_is_kept_as_evidence_only_by_its_begin():
    read = TagRead(epc=EPC, antenna=1, raw=b"x" * 20_000)
    smoother = TagSmoother(LIMITS)
    for number in range(3):
        smoother.observe(read, number, group="inside", source="reader")
    [departed] = smoother.advance(END_NS)
    assert len(departed.track.groups[0].strongest.raw) == 512


def directions(position_m, *, walks_count=60, **options):
    found = []
    for seed in range(walks_count):
        tracks = tracks_of(walk(position_m, random.Random(seed), **options))
        found += [decide_direction(track) for track in tracks if not track.resumed]
    return {name: found.count(name) for name in ("in", "out", "unknown")}


@pytest.mark.parametrize(
    ("position_m", "right", "wrong"),
    [(inwards, "in", "out"), (outwards, "out", "in")],
    ids=["in", "out"],
)
@pytest.mark.parametrize(
    ("reads_per_s", "right_min"),
    [(4, 45), (8, 51), (20, 54)],  # Of 60; the others are unknown.
    ids=["4 reads a second", "8 reads a second", "20 reads a second"],
)
def test_noisy_walks_get_their_direction_and_never_the_other_one(
    position_m, right, wrong, reads_per_s, right_min
):
    counts = directions(position_m, seconds=10, reads_per_s=reads_per_s)
    assert counts[wrong] == 0
    assert counts[right] >= right_min, counts


@pytest.mark.parametrize(
    "position_m",
    [standing(0.0), standing(0.8), standing(-0.8), standing(2.5), turning],
    ids=["in the door", "just inside", "just outside", "inside", "turns round"],
)
def test_what_does_not_pass_has_no_direction(position_m):
    counts = directions(position_m, seconds=11)
    assert counts["unknown"] == 60, counts


@pytest.mark.parametrize("alive", [{1: 1.0}, {2: -1.0}], ids=["inside alone", "outside alone"])
def test_with_one_dead_antenna_nothing_is_guessed(alive):
    counts = directions(inwards, seconds=10, antennas=alive)
    assert counts == {"in": 0, "out": 0, "unknown": 60}


def test_a_tag_that_rested_inside_for_minutes_and_leaves_goes_out():
    right = 0
    for seed in range(20):
        chance = random.Random(seed)
        reads = walk(standing(3.0), chance, seconds=100)
        reads += walk(lambda at_s: 3.0 - at_s, chance, seconds=9, start_ns=100 * SECOND_NS)
        decided = [decide_direction(track) for track in tracks_of(reads)]
        assert "in" not in decided
        right += decided.count("out") == 1
    assert right >= 17  # A cut in the middle of the door can lose one.


timed_reads = st.lists(
    st.tuples(
        st.integers(0, 2 * SECOND_NS),
        st.sampled_from(["AA", "BB", "CC", "DD"]),
        st.sampled_from([0, 1, 2]),
        st.none() | st.integers(-9_000, -2_000),
        st.integers(0, 3),
    ),
    max_size=60,
)


def laid_out(steps):
    at_ns, reads = 0, []
    for pause_ns, epc, antenna, rssi_cdbm, count in steps:
        at_ns += pause_ns
        timed = read_at(0, epc=epc, antenna=antenna, rssi_cdbm=rssi_cdbm, count=count)
        timed.at_ns = at_ns
        reads.append(timed)
    return reads


SMALL = SmoothingLimits(tags_max=3, rest_ns=4 * SECOND_NS)


@given(timed_reads, st.lists(st.integers(0, 120 * SECOND_NS), max_size=20))
def test_looking_at_the_clock_between_reads_never_changes_what_is_seen(steps, ticks):
    reads = laid_out(steps)
    assert events_of(reads, limits=SMALL, ticks=ticks) == events_of(reads, limits=SMALL)


@given(timed_reads)
def test_every_read_of_a_tag_that_was_there_is_in_one_track_and_memory_is_bounded(steps):
    smoother = TagSmoother(SMALL)
    total = 0
    for timed in laid_out(steps):
        for event in smoother.observe(timed.read, timed.at_ns, group="x", source="reader"):
            total += event.track.reads_count if isinstance(event, TagDeparted) else 0
        assert smoother.tags_count <= SMALL.tags_max
    for event in smoother.advance(END_NS):
        total += event.track.reads_count
    assert total <= sum(max(count, 1) for *_, count in steps)
    assert smoother.tags_count == 0
    for event in smoother.advance(END_NS):
        raise AssertionError(event)


@given(st.lists(st.none() | st.integers(-(2**31), 2**31), min_size=2, max_size=20))
def test_any_strength_gives_a_track_with_its_mean_time_within_it(strengths):
    reads = [read_at(n / 10, rssi_cdbm=rssi) for n, rssi in enumerate(strengths)]
    [track] = tracks_of(reads)
    [group] = track.groups
    assert track.first_ns <= group.mean_ns <= track.last_ns
