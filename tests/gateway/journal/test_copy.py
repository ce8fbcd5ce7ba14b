"""The copy on a second medium, pulled at any time, and journals restored from it. Edge."""

import sqlite3
import subprocess
import sys
from contextlib import contextmanager
from decimal import Decimal

import pytest

from drivers.labels import Label
from gateway.errors import JournalDamaged, JournalNotOurs, RestoreRefused
from gateway.health import Health
from gateway.journal.copier import JournalCopier
from gateway.journal.copy_file import COPY_FILE
from gateway.journal.reading import open_reader
from gateway.journal.restore import ALIBI_GAP_COUNT, SSCC_GAP_COUNT, restore
from gateway.journal.verify import verify_journal
from gateway.station.effects import NewPrintJob
from tests.gateway.journal.samples import (
    GATEWAY,
    WAREHOUSE,
    StillClock,
    movement,
    open_journal,
    opened,
    reversal,
    weighing,
)
from tests.gateway.journal.upkeep_samples import (
    acknowledge_all,
    append_newest,
    prune_all,
    run_days,
)
from tests.waiting import until

BLANK = Label(width_mm=Decimal(100), height_mm=Decimal(50), elements=())


class Media:
    """Two media: the card with the journal, and a stick that can be pulled and plugged in."""

    def __init__(self, tmp_path):
        self.path = tmp_path / "card" / "journal.db"
        self.folder = tmp_path / "stick"
        self.drawer = tmp_path / "drawer"
        self.path.parent.mkdir()
        self.folder.mkdir()
        self.devices = {self.path.parent: 1, self.folder: 2}
        self.health = Health()
        self.clock = StillClock()

    def medium_of(self, folder):
        folder.stat()
        return self.devices[folder]

    def copier(self, journal):
        return JournalCopier(
            journal,
            self.path,
            self.folder,
            clock=self.clock,
            health=self.health,
            medium=self.medium_of,
        )

    def pull(self):
        self.folder.rename(self.drawer)

    def plug_in(self):
        self.drawer.rename(self.folder)

    def troubles(self):
        return [trouble.problem for trouble in self.health.troubles()]

    def restore(self):
        return restore(self.path, self.folder, gateway=GATEWAY, warehouse=WAREHOUSE)


@pytest.fixture
def media(tmp_path):
    return Media(tmp_path)


def step_all(media, copier):
    media.clock.elapsed_ns += 60_000_000_000
    while copier.step():
        pass


@contextmanager
def copied(media, **settings):
    """Open the journal and a copier; copy what is new and close both at the end."""
    with opened(media.path, **settings) as journal:
        copier = media.copier(journal)
        yield journal, copier
        step_all(media, copier)
        copier._close()


def all_rows(path, table):
    connection = sqlite3.connect(path)
    try:
        return connection.execute(f"SELECT * FROM {table}").fetchall()
    finally:
        connection.close()


def lose_card(media):
    for file in media.path.parent.glob("journal.db*"):
        file.unlink()


def test_the_copy_has_every_fact_and_what_does_not_follow_from_facts(media):
    with copied(media) as (journal, copier):
        journal.append([movement(), weighing()], [NewPrintJob("printer-1", "bin", "A-01", BLANK)])
        step_all(media, copier)
        journal.append([movement() for _ in range(700)])
        journal.next_sscc_reference()
    copy = media.folder / COPY_FILE
    for table in ("facts", "epochs", "identity", "print_jobs", "pruned"):
        assert all_rows(copy, table) == all_rows(media.path, table), table
    assert media.health.storage().copy_lag_count == 0
    assert media.troubles() == []


def test_a_pulled_medium_is_told_and_caught_up_with_later(media):
    with copied(media) as (journal, copier):
        journal.append([movement()])
        step_all(media, copier)
        media.pull()
        journal.append([movement() for _ in range(50)])
        step_all(media, copier)
        assert media.troubles() == ["copy_missing"]
        media.plug_in()
        step_all(media, copier)
        assert media.troubles() == []
        assert media.health.storage().copy_lag_count == 0
    assert len(all_rows(media.folder / COPY_FILE, "facts")) == 51


def test_an_empty_mount_point_on_the_card_is_no_second_medium(media):
    with copied(media) as (journal, copier):
        journal.append([movement()])
        media.devices[media.folder] = media.devices[media.path.parent]
        step_all(media, copier)
        assert media.troubles() == ["copy_same_medium"]
        assert list(media.folder.iterdir()) == []


def test_the_copy_of_another_gateway_is_left_alone(media):
    with copied(media) as (journal, _):
        journal.append([movement()])
    connection = sqlite3.connect(media.folder / COPY_FILE)
    connection.execute("UPDATE identity SET gateway = 'sh1-dock-9'")
    connection.commit()
    connection.close()
    before = (media.folder / COPY_FILE).read_bytes()
    with copied(media, nonce=8) as (_, copier):
        step_all(media, copier)
        assert media.troubles() == ["copy_foreign"]
    assert (media.folder / COPY_FILE).read_bytes() == before
    with pytest.raises(JournalNotOurs):
        media.restore()


def test_a_copy_with_another_history_is_kept_aside_and_a_new_one_begins(media):
    with copied(media) as (journal, _):
        journal.append([movement(), movement(item="only in the copy")])
    lose_card(media)
    with copied(media, nonce=8) as (journal, copier):
        journal.append([movement()])
        step_all(media, copier)
    assert len(all_rows(media.folder / COPY_FILE, "facts")) == 1
    assert len(all_rows(media.folder / f"{COPY_FILE}.other-1", "facts")) == 2


@pytest.mark.parametrize("begin", [b"", b"SQLite format 3\0"], ids=["zeros", "a torn file"])
def test_a_damaged_copy_is_kept_aside_and_a_new_one_begins(media, begin):
    damaged = begin.ljust(68, b"\0") + b"DLJ1" * bool(begin) + bytes(4096)
    (media.folder / COPY_FILE).write_bytes(damaged)
    with copied(media) as (journal, copier):
        journal.append([movement()])
        step_all(media, copier)
        step_all(media, copier)
        assert media.troubles() == []
    assert (media.folder / f"{COPY_FILE}.other-1").read_bytes() == damaged
    assert len(all_rows(media.folder / COPY_FILE, "facts")) == 1


def test_the_copy_forgets_with_the_journal_and_keeps_the_alibi_memory(media):
    with copied(media) as (journal, copier):
        journal.append([weighing(), movement(), weighing()])
        append_newest(journal)
        step_all(media, copier)
        media.pull()
        acknowledge_all(journal)
        run_days(journal, 2)
        assert prune_all(journal) == 3
        journal.append([movement()])
        media.plug_in()
    copy = media.folder / COPY_FILE
    for table in ("facts", "alibi_records", "pruned", "pruned_stock", "pruned_progress"):
        assert all_rows(copy, table) == all_rows(media.path, table), table


def test_a_copy_that_lags_behind_what_is_forgotten_goes_on_behind_it(media):
    with copied(media) as (journal, copier):
        journal.append([movement(), weighing()])
        step_all(media, copier)
        journal.append([movement() for _ in range(50)])
        append_newest(journal)
        acknowledge_all(journal)
        run_days(journal, 2)
        assert prune_all(journal) == 52
        copier.step()  # Before it is time to look for what is forgotten.
        copy = media.folder / COPY_FILE
        copier._close()
        assert all_rows(copy, "facts") == all_rows(media.path, "facts")
        assert all_rows(copy, "pruned") == all_rows(media.path, "pruned")


def test_a_damaged_journal_leaves_its_copy_untouched(media):
    with opened(media.path) as journal:
        copier = media.copier(journal)
        journal.append([movement() for _ in range(9)])
        step_all(media, copier)
        journal.append([movement()])
        connection = journal._connection
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        (root,) = connection.execute(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'facts'"
        ).fetchone()
        with media.path.open("r+b") as file:
            file.seek((root - 1) * 1024)
            file.write(b"\xa5" * 1024)
        connection.execute("PRAGMA shrink_memory")
        step_all(media, copier)
        copier._close()
    assert len(all_rows(media.folder / COPY_FILE, "facts")) >= 9
    assert not (media.folder / f"{COPY_FILE}.other-1").exists()


def test_a_thread_copies_within_a_second_or_so(media):
    with opened(media.path) as journal:
        copier = media.copier(journal)
        copier.start()
        try:
            journal.append([movement()])
            until(lambda: media.health.storage().copy_lag_count == 0)
        finally:
            copier.stop()
    assert len(all_rows(media.folder / COPY_FILE, "facts")) == 1


def test_a_restored_journal_goes_on_where_the_copy_ends(media):
    with copied(media, nonce=1) as (journal, _):
        (first, *_) = journal.append([movement(), weighing(), weighing()]).fact_ids
        journal.append([reversal(first)], [NewPrintJob("printer-1", "bin", "A-01", BLANK)])
        journal.next_sscc_reference()
        stock, received = journal.stock(), journal.received("PO-1")
        head = journal.digest_at(journal.epoch, 4)
    lose_card(media)
    restored = media.restore()
    assert (restored.facts_count, restored.last_number) == (4, 4)
    assert (restored.missing_count, restored.kept) == (None, "")
    with opened(media.path, nonce=2) as journal:
        assert journal.epoch.start_count == 2
        assert (journal.stock(), journal.received("PO-1")) == (stock, received)
        assert journal.digest_at(first.epoch, 4) == head
        assert journal.next_sscc_reference() == 2 + SSCC_GAP_COUNT
        journal.append([weighing()])
        assert journal.recent(1)[0][1].alibi_number == 3 + ALIBI_GAP_COUNT
        assert [job.content for job in journal.abandoned_print_jobs()] == ["A-01"]
    reader = open_reader(media.path)
    assert verify_journal(reader).findings == ()
    reader.close()


def test_what_the_copy_lacks_is_said(media):
    with copied(media, nonce=1) as (journal, copier):
        journal.append([movement() for _ in range(5)])
        step_all(media, copier)
        copier._close()
        media.pull()
        journal.append([movement() for _ in range(3)])
        journal.record_ack(journal.epoch, acked=7)
        journal.checkpoint_if_due()
    media.plug_in()
    connection = sqlite3.connect(media.path)
    connection.execute("UPDATE facts SET data = x'00' WHERE number = 2")
    connection.commit()
    connection.close()
    with pytest.raises(JournalDamaged):
        open_journal(media.path)
    restored = media.restore()
    assert (restored.last_number, restored.missing_count, restored.missing_acked_count) == (5, 3, 2)
    assert restored.kept.endswith("journal.db.damaged-1")
    with opened(media.path, nonce=2) as journal:
        assert journal.unsent_count() == 0 or journal.epochs()[0].head_seq == 5


def test_starts_that_the_copy_only_heard_of_do_not_come_again(media):
    """The list of starts is copied at once; their facts may come later, or never."""
    with copied(media, nonce=1) as (journal, copier):
        journal.append([movement() for _ in range(5)])
        step_all(media, copier)
    for nonce in (2, 3):
        with opened(media.path, nonce=nonce) as journal:
            journal.append([movement()])
            if nonce == 3:
                rows = all_rows(media.path, "epochs")
    connection = sqlite3.connect(media.folder / COPY_FILE)
    connection.execute("DELETE FROM epochs")
    connection.executemany("INSERT INTO epochs VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    connection.commit()
    connection.close()
    lose_card(media)
    assert media.restore().last_number == 5
    with opened(media.path, nonce=4) as journal:
        assert journal.epoch.start_count == 4
        journal.append([movement()])
    reader = open_reader(media.path)
    assert verify_journal(reader).findings == ()
    reader.close()


def test_a_whole_journal_is_not_replaced_by_its_copy(media):
    with copied(media) as (journal, _):
        journal.append([movement()])
    before = media.path.read_bytes()
    with pytest.raises(RestoreRefused, match="is whole"):
        media.restore()
    assert media.path.read_bytes() == before
    media.pull()
    with pytest.raises(RestoreRefused, match="no copy"):
        media.restore()


def test_a_restored_journal_is_copied_on_to_the_same_copy(media):
    with copied(media, nonce=1) as (journal, _):
        journal.append([movement()])
    lose_card(media)
    media.restore()
    with copied(media, nonce=2) as (journal, _):
        journal.append([movement(item="after")])
    copy = media.folder / COPY_FILE
    assert all_rows(copy, "facts") == all_rows(media.path, "facts")
    assert not (media.folder / f"{COPY_FILE}.other-1").exists()


@pytest.mark.chaos
def test_a_copy_whose_writer_is_killed_at_any_moment_can_be_restored_from(media):
    program = (
        "from pathlib import Path; from gateway.health import Health;"
        "from gateway.journal.copier import JournalCopier;"
        "from tests.gateway.journal.samples import StillClock, movement, open_journal;\n"
        f"path, folder = Path({str(media.path)!r}), Path({str(media.folder)!r})\n"
        "journal = open_journal(path, nonce=%d)\n"
        "copier = JournalCopier(journal, path, folder, clock=StillClock(), health=Health(),"
        " medium=lambda one: len(str(one)))\n"
        "while True:\n"
        "    journal.append([movement() for _ in range(20)])\n"
        "    copier.step()\n"
        "    print('copied', flush=True)\n"
    )
    for round_count in range(1, 4):
        child = subprocess.Popen(
            [sys.executable, "-c", program % round_count], stdout=subprocess.PIPE
        )
        with child:
            for _ in range(5 * round_count):
                assert child.stdout.readline()
            child.kill()
            copied_count = 5 * round_count + len(child.stdout.readlines())
        assert copied_count
        kept = len(all_rows(media.path, "facts"))
        lose_card(media)
        restored = media.restore()
        assert kept - 20 <= restored.last_number <= kept
        reader = open_reader(media.path)
        assert verify_journal(reader).findings == ()
        reader.close()
