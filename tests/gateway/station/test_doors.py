"""Doors: times of passages, reads that a reader held, several readers. Pure."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.readings import TagRead
from gateway.station.doors import AntennaRef, DoorSetup, DoorWatch, Moment
from gateway.station.tag_smoothing import SmoothingLimits
from tests.gateway.station.walks import EPC, SECOND_NS, inwards, outwards, standing, walk

READER_US = 1_700_000_000_000_000
NOW_MS = 1_790_000_000_000
DOOR = DoorSetup(
    read_point="DOCK-1",
    inside=(AntennaRef("reader", 1),),
    outside=(AntennaRef("reader", 2),),
)


def moment(at_ns):
    return Moment(now_ms=NOW_MS + at_ns // 1_000_000, monotonic_ns=at_ns)


def passages_of(reads, *, door=DOOR, ends_ns=10**15, device="reader"):
    watch = DoorWatch(door)
    found = []
    for timed in reads:
        found += watch.observe(device, timed.read, moment(timed.at_ns))
    return found + watch.advance(moment(ends_ns))


def held(reads, *, arrive_ns):
    """Return reads as a reader gives them that had kept them: all at once, with its own times."""

    class Timed:
        def __init__(self, read):
            self.read, self.at_ns = read, arrive_ns

    return [
        Timed(
            TagRead(
                epc=timed.read.epc,
                antenna=timed.read.antenna,
                rssi_cdbm=timed.read.rssi_cdbm,
                last_seen_us=timed.read.last_seen_us,
                held=True,
            )
        )
        for timed in reads
    ]


def test_a_passage_carries_the_wall_times_of_its_first_and_last_read():
    reads = walk(inwards, random.Random(1), seconds=10, reader_time=READER_US)
    [passage] = passages_of(reads)
    assert (passage.direction, passage.read_point, passage.device) == ("in", "DOCK-1", "reader")
    assert passage.first_seen_ms == NOW_MS + reads[0].at_ns // 1_000_000
    assert abs(passage.last_seen_ms - NOW_MS - reads[-1].at_ns // 1_000_000) <= 1
    assert passage.monotonic_ns == reads[-1].at_ns
    assert passage.track.reader_first_us == reads[0].read.last_seen_us
    assert passage.track.reader_last_us == reads[-1].read.last_seen_us


def test_held_reads_are_placed_by_the_readers_times_and_keep_their_direction():
    reads = walk(outwards, random.Random(2), seconds=10, reader_time=READER_US)
    [passage] = passages_of(held(reads, arrive_ns=50 * SECOND_NS))
    assert (passage.direction, passage.held, passage.is_corrected) == ("out", True, False)
    # Nothing is known of the reader's clock yet: its times are told as they are.
    assert passage.last_seen_ms == reads[-1].read.last_seen_us // 1000


def test_held_reads_are_corrected_once_the_reader_has_told_how_its_clock_goes():
    live = walk(standing(0.5), random.Random(3), seconds=1, epc="AA", reader_time=READER_US)
    kept = walk(inwards, random.Random(4), seconds=10, reader_time=READER_US + 60 * 1_000_000)
    [passage] = [
        passage
        for passage in passages_of(live + held(kept, arrive_ns=100 * SECOND_NS))
        if passage.held
    ]
    assert (passage.direction, passage.is_corrected) == ("in", True)
    expected_ms = NOW_MS + 60_000 + kept[0].at_ns // 1_000_000
    assert abs(passage.first_seen_ms - expected_ms) <= 1


def test_held_reads_are_told_when_no_more_of_them_come():
    watch = DoorWatch(DOOR)
    for timed in held(
        walk(inwards, random.Random(5), seconds=10, reader_time=READER_US), arrive_ns=SECOND_NS
    ):
        assert watch.observe("reader", timed.read, moment(timed.at_ns)) == []
    assert watch.advance(moment(2 * SECOND_NS)) == []
    assert len(watch.advance(moment(3 * SECOND_NS))) == 1
    assert watch.passages_count == 1


def test_held_reads_without_times_tell_that_a_tag_was_there_but_never_when_or_which_way():
    watch = DoorWatch(DOOR)
    for number in range(40):
        # How they come says in which order and how fast the reader sent them, nothing else.
        read = TagRead(epc=EPC, antenna=2 - number // 20, held=True, rssi_cdbm=-5_000)
        assert watch.observe("reader", read, moment(SECOND_NS + number * SECOND_NS // 25)) == []
    [passage] = watch.advance(moment(10 * SECOND_NS))
    assert (passage.held, passage.is_corrected, passage.direction) == (True, False, "unknown")
    assert passage.first_seen_ms == NOW_MS + 1_000


def test_all_held_passages_are_corrected_by_the_first_live_read_that_follows():
    kept = [TagRead(epc="AA", last_seen_us=us, held=True) for us in (0, 1_000)]
    kept += [TagRead(epc="BB", last_seen_us=us, held=True) for us in (60_000_000, 60_001_000)]
    watch = DoorWatch(DOOR)
    assert [watch.observe("reader", read, moment(SECOND_NS)) for read in kept] == [[]] * 4
    watch.observe("reader", TagRead(epc="CC", last_seen_us=61_000_000), moment(2 * SECOND_NS))
    found = watch.advance(moment(10 * SECOND_NS))
    assert [(passage.track.epc, passage.is_corrected) for passage in found] == [
        ("AA", True),
        ("BB", True),
    ]
    assert found[0].first_seen_ms == NOW_MS + 2_000 - 61_000


def test_no_more_held_passages_wait_for_the_readers_clock_than_tags_are_followed():
    limits = SmoothingLimits(tags_max=3)
    watch = DoorWatch(DoorSetup("DOCK-1", inside=DOOR.inside, limits=limits))
    found = []
    for number in range(10):
        for us in (0, 1_000):
            read = TagRead(epc=f"0{number}", last_seen_us=number * 60_000_000 + us, held=True)
            found += watch.observe("reader", read, moment(SECOND_NS))
    assert len(found) == 6
    found += watch.advance(moment(10 * SECOND_NS))
    assert [passage.track.epc for passage in found] == [f"0{number}" for number in range(10)]


@pytest.mark.parametrize("year_us", [2**52, 2**63, 2**64 - 2_000], ids=["2112", "wide", "widest"])
def test_held_reads_of_a_reader_whose_clock_is_centuries_ahead_are_still_told(year_us):
    watch = DoorWatch(DOOR)
    for us in (0, 1_000):
        read = TagRead(epc="AA", last_seen_us=year_us + us, held=True)
        watch.observe("reader", read, moment(SECOND_NS))
    [passage] = watch.advance(moment(10 * SECOND_NS))
    assert (passage.held, passage.is_corrected) == (True, False)
    assert passage.last_seen_ms == min((year_us + 1_000) // 1_000, 253_402_300_799_000)


def test_two_readers_with_one_antenna_each_make_a_door():
    door = DoorSetup(
        "DOCK-2", inside=(AntennaRef("in-reader"),), outside=(AntennaRef("out-reader"),)
    )
    watch = DoorWatch(door)
    names = {1: "in-reader", 2: "out-reader"}
    for timed in walk(inwards, random.Random(6), seconds=10):
        read = TagRead(epc=EPC, rssi_cdbm=timed.read.rssi_cdbm)
        watch.observe(names[timed.read.antenna], read, moment(timed.at_ns))
    [passage] = watch.advance(moment(10**15))
    assert passage.direction == "in"
    assert {group.source for group in passage.track.groups} == {"in-reader", "out-reader"}


def test_a_reader_without_a_door_knows_no_direction():
    [passage] = passages_of(walk(inwards, random.Random(7), seconds=10), door=DoorSetup("reader"))
    assert (passage.direction, passage.read_point) == ("unknown", "reader")
    assert [group.group for group in passage.track.groups] == [""]


def test_a_tag_that_stays_at_the_door_is_told_of_once():
    reads = walk(standing(0.0), random.Random(8), seconds=200)
    told = passages_of(reads)
    assert [passage.direction for passage in told] == ["unknown"]
    assert told[0].track.cause == "resting"


@pytest.mark.parametrize("clock_jump_ms", [-3_600_000, 3_600_000], ids=["back", "forth"])
def test_a_jump_of_the_wall_clock_moves_no_read_within_a_passage(clock_jump_ms):
    watch = DoorWatch(DOOR)
    reads = walk(inwards, random.Random(9), seconds=10)
    for number, timed in enumerate(reads):
        now = moment(timed.at_ns)
        jumped = clock_jump_ms if number > len(reads) // 2 else 0
        watch.observe("reader", timed.read, Moment(now.now_ms + jumped, now.monotonic_ns))
    end = moment(60 * SECOND_NS)
    [passage] = watch.advance(Moment(end.now_ms + clock_jump_ms, end.monotonic_ns))
    assert passage.direction == "in"
    took_ms = (reads[-1].at_ns - reads[0].at_ns) // 1_000_000
    assert abs(passage.last_seen_ms - passage.first_seen_ms - took_ms) <= 1


@given(
    st.lists(
        st.tuples(
            st.integers(-SECOND_NS, 3 * SECOND_NS),
            st.sampled_from(["AA", "BB"]),
            st.integers(0, 3),
            st.booleans(),
            st.none() | st.integers(-(2**70), 2**70),
        ),
        max_size=40,
    )
)
def test_any_reads_at_any_times_give_passages_and_raise_nothing(steps):
    watch = DoorWatch(DOOR)
    at_ns = 10 * SECOND_NS
    for step_ns, epc, antenna, is_held, seen_us in steps:
        at_ns = max(at_ns + step_ns, 0)
        read = TagRead(epc=epc, antenna=antenna, held=is_held, last_seen_us=seen_us)
        watch.observe("reader", read, moment(at_ns))
    watch.advance(moment(10**15))
    watch.advance(moment(2 * 10**15))
    assert watch.advance(moment(3 * 10**15)) == []
