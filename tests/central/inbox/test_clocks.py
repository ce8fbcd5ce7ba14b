"""Facts of a clock that was not set get the time that it should have said; on both databases."""

import pytest

from central.contract.states import GatewayState, encode_state
from central.inbox.boots import BOOTS_PER_GATEWAY_MAX
from central.inbox.clocks import (
    ClockOffset,
    arrival_offset,
    better_offset,
    corrected_ms,
    stated_offset,
)
from central.inbox.gateways import record_states
from central.inbox.inbox import Inbox
from central.inbox.time_correction import FACTS_PER_TICK_MAX, TimeCorrection
from central.stock.feed import list_movements
from central.stock.rows import FeedFilter
from central.storage import tables
from tests.central.scenery import NOW_MS, FixedClock, Gateway, furnished, rows

BOOTED_MS = NOW_MS - 3_600_000  # The true time of the boot; its own clock began in 1970.
SYNCED = ClockOffset(100, 1, "synced_fact")
STATED = ClockOffset(200, 1, "synced_state")
EARLY, LATE = ClockOffset(300, None, "arrival"), ClockOffset(400, None, "arrival")


@pytest.mark.parametrize(
    ("known", "found", "best"),
    [
        pytest.param(None, LATE, LATE, id="anything is better than nothing"),
        pytest.param(LATE, EARLY, EARLY, id="the smaller of two arrivals"),
        pytest.param(EARLY, LATE, EARLY, id="a later arrival says nothing"),
        pytest.param(EARLY, STATED, STATED, id="a set clock before any arrival"),
        pytest.param(STATED, SYNCED, SYNCED, id="what is signed before what is not"),
        pytest.param(SYNCED, STATED, SYNCED, id="what is not signed changes nothing"),
        pytest.param(SYNCED, ClockOffset(99, 1, "synced_fact"), SYNCED, id="the first exact one"),
        pytest.param(STATED, EARLY, STATED, id="an arrival changes nothing"),
    ],
)
def test_the_better_of_two_offsets_is_kept(known, found, best):
    assert better_offset(known, found) == best


def test_an_offset_turns_time_since_boot_into_wall_time():
    offset = stated_offset(time_ms=NOW_MS, monotonic_ms=5_000, source="synced_fact")
    assert corrected_ms(monotonic_ms=4_000, offset_ms=offset.offset_ms) == NOW_MS - 1_000
    assert arrival_offset(received_ms=10, monotonic_ms=4) == ClockOffset(6, None, "arrival")
    assert corrected_ms(monotonic_ms=0, offset_ms=-5) == 0


class Dock:
    """A gateway without a time server, and the ledger's clock and correction."""

    def __init__(self, database):
        self.database = database
        self.gateway = Gateway()
        furnished(database, self.gateway)
        self.clock = FixedClock(NOW_MS)
        self.inbox = Inbox(database, clock=self.clock)
        self.correction = TimeCorrection(database, clock=self.clock)

    def scan(self, since_boot_s, *, boot="boot-1", synced=False, gateway=None):
        true_ms = BOOTED_MS + int(since_boot_s * 1000)
        return (gateway or self.gateway).move(
            clock_synced=synced,
            boot_id=boot,
            monotonic_ns=int(since_boot_s * 1_000_000_000),
            event_time_ms=true_ms if synced else int(since_boot_s * 1000),
        )

    def send(self, at_s, *seqs, gateway=None):
        """Facts first to last, or one, arrive `at_s` after the boot."""
        self.clock.time_ms = BOOTED_MS + int(at_s * 1000)
        gateway = gateway or self.gateway
        self.inbox.accept([gateway.offer(seqs[0], seqs[-1])])

    def tell(self, at_s, *, said_s, **changes):
        self.clock.time_ms = BOOTED_MS + int(at_s * 1000)
        values = {
            "gateway": self.gateway.code,
            "warehouse": "SH1",
            "epoch": str(self.gateway.epoch),
            "online": True,
            "boot_id": "boot-1",
            "monotonic_ms": int(said_s * 1000),
            "time_ms": int(said_s * 1000),
        }
        state = GatewayState(**(values | changes))
        record_states(self.database, [(state.gateway, encode_state(state))], clock=self.clock)

    def times(self):
        """(seconds since the boot, source) of each fact, in the ledger's order."""
        with self.database.read() as connection:
            found = list_movements(connection, FeedFilter(), before_record_no=None, limit=1000)
        return [
            ((row.event_time_ms - BOOTED_MS) / 1000, row.time_source) for row in reversed(found)
        ]

    def order(self):
        return rows(self.database, tables.facts, "record_no", "epoch", "seq", "body")


@pytest.fixture
def dock(database):
    return Dock(database)


def unsynced_s(since_boot_s):
    return (since_boot_s * 1000 - BOOTED_MS) / 1000, "unsynced"


def test_a_fact_without_a_set_clock_gets_the_time_of_its_way_at_most(dock):
    dock.scan(10)
    dock.scan(20)
    dock.send(25, 1, 2)
    assert dock.times() == [unsynced_s(10), unsynced_s(20)]
    before = dock.order()
    assert dock.correction.tick() == 2
    assert dock.times() == [(15.0, "corrected"), (25.0, "corrected")]
    assert dock.order() == before
    assert rows(dock.database, tables.boots, "error_ms", "source") == [(None, "arrival")]
    assert dock.correction.tick() == 0


def test_later_facts_of_a_boot_are_corrected_by_the_offset_that_is_known(dock):
    dock.scan(10)
    dock.send(12, 1)
    assert dock.correction.tick() == 1
    dock.scan(20)
    dock.send(90, 2)
    assert dock.correction.tick() == 1
    assert dock.times() == [(12.0, "corrected"), (22.0, "corrected")]


def test_a_state_that_came_faster_makes_earlier_facts_more_exact(dock):
    dock.scan(10)
    dock.send(70, 1)
    assert dock.correction.tick() == 1
    assert dock.times() == [(70.0, "corrected")]
    dock.tell(80.25, said_s=80)
    assert dock.correction.tick() == 1
    assert dock.times() == [(10.25, "corrected")]
    dock.tell(90.2, said_s=90)  # By less than what is worth writing again.
    dock.tell(99, said_s=90)
    assert dock.correction.tick() == 0
    assert dock.times() == [(10.25, "corrected")]


@pytest.mark.parametrize("restarted", [False, True], ids=["one start", "after a new start"])
def test_the_first_fact_of_a_set_clock_makes_the_whole_boot_exact(dock, restarted):
    dock.scan(10)
    dock.scan(20)
    dock.send(900, 1, 2)
    dock.correction.tick()
    later = dock.gateway.next_epoch() if restarted else dock.gateway
    seq = dock.scan(1000, synced=True, gateway=later)
    dock.send(1001, seq, gateway=later)
    assert dock.correction.tick() == 2
    assert dock.times() == [(10.0, "corrected"), (20.0, "corrected"), (1000.0, "gateway")]
    assert rows(dock.database, tables.boots, "offset_ms", "error_ms", "source") == [
        (BOOTED_MS, 1, "synced_fact")
    ]
    # A clock that is lost again in the same boot: known already.
    seq = dock.scan(1010, gateway=later)
    dock.send(2000, seq, gateway=later)
    assert dock.correction.tick() == 1
    assert dock.times()[-1] == (1010.0, "corrected")


def test_a_clock_that_was_set_before_makes_facts_after_it_exact(dock):
    dock.scan(5, synced=True)
    dock.scan(10)
    dock.send(900, 1, 2)
    assert dock.correction.tick() == 1
    assert dock.times() == [(5.0, "gateway"), (10.0, "corrected")]


def test_a_state_of_a_set_clock_is_exact_however_late_it_came(dock):
    dock.scan(10)
    dock.send(900, 1)
    dock.tell(5000, said_s=20, clock_synced=True, time_ms=BOOTED_MS + 20_000)
    dock.correction.tick()
    assert dock.times() == [(10.0, "corrected")]


def test_another_boot_says_nothing_about_this_one(dock):
    dock.scan(10)
    dock.send(900, 1)
    later = dock.gateway.next_epoch()
    dock.scan(3, boot="boot-2", synced=True, gateway=later)
    dock.send(901, 1, gateway=later)
    dock.correction.tick()
    assert dock.times()[0] == (900.0, "corrected")
    assert rows(dock.database, tables.boots, "boot_id") == [("boot-1",)]


def test_a_tick_with_nothing_to_do_waits_for_no_writer(dock):
    dock.scan(10)
    dock.send(12, 1)
    assert dock.correction.tick() == 1
    with dock.database.write():
        assert dock.correction.tick() == 0


def test_synced_facts_leave_no_trace(dock):
    dock.scan(10, synced=True)
    dock.send(11, 1)
    assert dock.correction.tick() == 0
    assert rows(dock.database, tables.unsynced_facts) == []
    assert rows(dock.database, tables.boots) == []


def test_a_long_backlog_is_corrected_a_bounded_piece_at_a_time_also_after_a_restart(dock):
    count = FACTS_PER_TICK_MAX + 50
    for number in range(count):
        dock.scan(10 + number / 100)
    dock.send(100, 1, count // 2)
    dock.send(101, count // 2 + 1, count)
    assert dock.correction.tick() == FACTS_PER_TICK_MAX
    dock.correction = TimeCorrection(dock.database, clock=dock.clock)
    assert dock.correction.tick() == 50
    dock.scan(200, synced=True)
    dock.send(201, count + 1)
    dock.correction = TimeCorrection(dock.database, clock=dock.clock)
    assert dock.correction.tick() == FACTS_PER_TICK_MAX
    dock.correction = TimeCorrection(dock.database, clock=dock.clock)
    assert dock.correction.tick() == 50
    assert dock.times()[:3] == [(10.0, "corrected"), (10.01, "corrected"), (10.02, "corrected")]


def test_an_earlier_boot_is_corrected_to_its_end_also_after_a_restart(dock):
    count = FACTS_PER_TICK_MAX - 1
    for number in range(count):
        dock.scan(10 + number / 100)
    dock.send(100, 1, count)
    dock.correction.tick()
    dock.scan(200, synced=True)
    dock.send(300, count + 1)
    later = dock.gateway.next_epoch()
    dock.scan(5, boot="boot-2", gateway=later)
    dock.scan(6, boot="boot-2", gateway=later)
    dock.send(400, 1, 2, gateway=later)
    assert dock.correction.tick() == FACTS_PER_TICK_MAX
    dock.correction = TimeCorrection(dock.database, clock=dock.clock)
    assert dock.correction.tick() == 1
    times = dock.times()
    assert times[0] == (10.0, "corrected")
    assert times[-2:] == [(399.0, "corrected"), (400.0, "corrected")]


def test_what_cannot_be_corrected_is_shown_as_not_set_and_holds_nothing_up(dock):
    dock.gateway.move(clock_synced=False, boot_id="", monotonic_ns=5, event_time_ms=7)
    dock.gateway.say(b"no fact")
    dock.scan(10)
    dock.gateway.move(clock_synced=False, boot_id="a\0b", monotonic_ns=10**9, event_time_ms=7)
    dock.send(30, 1, 4)
    assert dock.correction.tick() == 2
    assert [source for _, source in dock.times()] == ["unsynced", "corrected", "corrected"]


def test_boots_that_anyone_could_make_up_are_bounded(dock):
    for number in range(BOOTS_PER_GATEWAY_MAX + 5):
        dock.tell(100 + number, said_s=50, boot_id=f"boot-{number}")
    dock.tell(500, said_s=50, boot_id="a\0b")
    dock.tell(500, said_s=0, boot_id="no time")
    dock.tell(500, said_s=50, boot_id="a will", time_ms=0, online=False)
    found = {row[0] for row in rows(dock.database, tables.boots, "boot_id")}
    assert found == {f"boot-{number}" for number in range(5, BOOTS_PER_GATEWAY_MAX + 5)}
