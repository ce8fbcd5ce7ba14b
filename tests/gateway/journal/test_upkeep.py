"""Upkeep each second: a disk that fills up, hours that pass, facts that rot. Edge of SQLite."""

import sqlite3

import pytest

from gateway.errors import JournalFull
from gateway.health import Health
from gateway.journal.disk import RESERVE_SUFFIX, own_written_bytes
from gateway.journal.retention import Keeping
from gateway.journal.running_hours import HOUR_NS
from gateway.journal.storage_levels import disk_room
from gateway.journal.upkeep import DiskProbe, Upkeep
from tests.gateway.journal.samples import StillClock, movement, opened
from tests.gateway.journal.upkeep_samples import DAY, acknowledge_all, append_newest, run_days

GIB = 1024**3
MIB = 1024**2


class House:
    """A journal with its upkeep, a disk of 32 GiB and a clock, all told what to be."""

    def __init__(self, journal, path, clock, *, quota_bytes=0, keeping=DAY):
        self.free_bytes = 20 * GIB
        self.written_bytes = 0
        self.health = Health()
        self.clock = clock
        self.path = path
        self.upkeep = Upkeep(
            journal,
            path,
            keeping=keeping,
            quota_bytes=quota_bytes,
            clock=clock,
            health=self.health,
            probe=DiskProbe(
                room=lambda _: disk_room(total_bytes=32 * GIB, free_bytes=self.free_bytes),
                written_bytes=lambda: self.written_bytes,
            ),
        )

    def tick(self, *, free_bytes=None):
        self.free_bytes = self.free_bytes if free_bytes is None else free_bytes
        self.upkeep.tick()
        return self.health.storage()

    def troubles(self):
        return [trouble.problem for trouble in self.health.troubles()]


@pytest.fixture
def clock():
    return StillClock()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.db"


def test_a_disk_that_fills_up_warns_sheds_and_then_refuses_loudly(path, clock):
    with opened(path, clock=clock) as journal:
        house = House(journal, path, clock)
        assert house.tick().level == "ok"
        assert house.troubles() == []
        assert house.tick(free_bytes=4 * GIB).level == "low"
        assert house.troubles() == ["disk_low"]
        assert not house.health.storage().sheds_passages
        assert house.tick(free_bytes=60 * MIB).sheds_passages
        assert house.troubles() == ["disk_shedding"]
        journal.append([movement()])
        assert house.tick(free_bytes=9 * MIB).disk_used_percent == 99
        assert house.troubles() == ["disk_full"]
        with pytest.raises(JournalFull, match="disk of the journal is full") as raised:
            journal.append([movement()])
        assert house.health.journal_problem() == raised.value.hint
        assert journal.unsent_count() == 1


def test_a_full_journal_still_sends_and_notes_what_is_acknowledged(path, clock):
    with opened(path, clock=clock) as journal:
        house = House(journal, path, clock)
        ids = journal.append([movement() for _ in range(10)]).fact_ids
        house.tick(free_bytes=0)
        epoch = ids[0].epoch
        run = journal.read_run(epoch, first_seq=1, facts_max=10, bytes_max=99_999)
        assert len(run.facts) == 10
        journal.record_ack(epoch, acked=10, stable=10)
        house.tick()
        assert journal.unsent_count() == 0
    with opened(path, clock=clock, nonce=8) as journal:
        assert journal.unsent_count() == 0


def test_work_goes_on_by_itself_once_there_is_room(path, clock):
    with opened(path, clock=clock) as journal:
        house = House(journal, path, clock)
        house.tick(free_bytes=0)
        house.tick(free_bytes=20 * GIB)
        assert (house.troubles(), house.health.journal_problem()) == ([], "")
        assert journal.append([movement()]).fact_ids


def test_a_quota_counts_what_is_in_use_and_not_what_was_freed(path, clock):
    with opened(path, clock=clock) as journal:
        house = House(journal, path, clock, quota_bytes=6 * MIB)
        while house.tick().level != "full":
            journal.append([movement() for _ in range(250)])
        assert "quota_bytes" in house.health.journal_problem()
        recorded = journal.unsent_count()
        acknowledge_all(journal)
        while house.tick().level == "full":
            clock.elapsed_ns += HOUR_NS
        assert journal.pruned_number > 0
        assert journal.append([movement()]).fact_ids[0].seq == recorded + 1


def test_what_was_forgotten_is_room_again_also_on_a_full_disk(path, clock):
    with opened(path, clock=clock) as journal:
        house = House(journal, path, clock)
        for _ in range(40):
            journal.append([movement() for _ in range(1000)])
        assert house.tick(free_bytes=14 * MIB).level == "full"
        acknowledge_all(journal)
        run_days(journal, 2)
        clock.elapsed_ns += HOUR_NS
        while journal.pruned_number < 39_000:
            house.tick()
        assert house.tick().level == "shedding"
        assert journal.append([movement()]).fact_ids


def test_a_disk_that_others_fill_gets_the_reserve_so_that_positions_are_noted(path, clock):
    with opened(path, clock=clock) as journal:
        house = House(journal, path, clock)
        house.tick()
        reserve = path.with_name(path.name + RESERVE_SUFFIX)
        assert reserve.stat().st_blocks * 512 >= 8 * MIB
        (fact_id,) = journal.append([movement()]).fact_ids
        connection = journal._connection
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        house.free_bytes = 0
        journal.record_ack(fact_id.epoch, acked=1)
        left = iter([1])  # SQLite is stopped in its transaction, once, as a full disk stops it.
        connection.set_progress_handler(
            lambda: next(left, 0) if connection.in_transaction else 0, 1
        )
        house.tick()
        connection.set_progress_handler(None, 1)
        assert not reserve.exists()
        house.tick()
        assert not reserve.exists()
        house.tick(free_bytes=20 * GIB)
        assert reserve.exists()
    with opened(path, clock=clock, nonce=8) as journal:
        assert journal.unsent_count() == 0


def test_old_facts_are_forgotten_after_so_many_hours_of_running(path, clock):
    with opened(path, clock=clock) as journal:
        journal.append([movement() for _ in range(300)])
        append_newest(journal)
        acknowledge_all(journal)
        house = House(journal, path, clock, keeping=Keeping(keep_days=1, alibi_keep_days=3))
        for _ in range(24):
            clock.elapsed_ns += HOUR_NS
            house.tick()
        assert journal.pruned_number == 0  # The first hour was noted when it ended.
        clock.elapsed_ns += HOUR_NS
        house.tick()
        assert journal.pruned_number == 200
        house.tick()
        assert journal.pruned_number == 300


def test_a_wall_clock_that_jumps_makes_no_fact_old(path):
    class JumpingClock(StillClock):
        jump_ms = 0

        def now_ms(self):
            return super().now_ms() + self.jump_ms

    clock = JumpingClock()
    with opened(path, clock=clock) as journal:
        journal.append([movement()])
        append_newest(journal)
        acknowledge_all(journal)
        house = House(journal, path, clock)
        clock.jump_ms = 50 * 365 * 86_400_000
        for _ in range(3):
            clock.elapsed_ns += HOUR_NS
            house.tick()
        assert journal.pruned_number == 0


def test_what_was_written_in_a_day_is_known_also_after_a_restart(path, clock):
    with opened(path, clock=clock) as journal:
        house = House(journal, path, clock)
        for _ in range(30):
            house.written_bytes += 1000
            clock.elapsed_ns += HOUR_NS
            house.tick()
        house.written_bytes += 500
        assert house.tick().written_bytes_day == 23_500
    with opened(path, clock=clock, nonce=8) as journal:
        house = House(journal, path, clock)
        house.written_bytes += 70
        assert house.tick().written_bytes_day == 23_070


def test_the_system_says_what_this_program_wrote(tmp_path):
    before = own_written_bytes()
    (tmp_path / "file").write_bytes(bytes(100_000))
    assert own_written_bytes() >= before >= 0


def test_a_fact_that_rots_on_the_card_is_found_after_the_start(path, clock):
    with opened(path, clock=clock, nonce=1) as journal:
        for _ in range(3):
            journal.append([movement() for _ in range(1000)])
    connection = sqlite3.connect(path)
    connection.execute("UPDATE facts SET data = x'00' WHERE number = 1500")
    connection.commit()
    connection.close()
    with opened(path, clock=clock, nonce=2) as journal:
        house = House(journal, path, clock)
        house.tick()
        assert house.troubles() == []
        house.tick()
        assert house.troubles() == ["journal_damaged"]
        house.tick()


def test_a_mended_journal_is_told_as_long_as_the_damaged_file_lies_there(path, clock):
    with opened(path, clock=clock) as journal:
        path.with_name("journal.db.damaged-1").touch()
        assert House(journal, path, clock).troubles() == ["journal_repaired"]
        path.with_name("journal.db.damaged-1").unlink()
        assert House(journal, path, clock).troubles() == []
