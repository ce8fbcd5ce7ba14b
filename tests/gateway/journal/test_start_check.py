"""How thoroughly a journal is looked at before it is used, by how it was left. Edge of SQLite."""

import shutil

import pytest

from gateway.errors import JournalDamaged
from gateway.journal.chain_check import chain_before
from gateway.journal.start_check import CLEAN_FACTS_MAX, EarlierEnd, check_newest, file_findings
from tests.gateway.journal.samples import GATEWAY, movement, open_journal, opened

SMALL, LARGE = 1000, 2**40


@pytest.fixture
def journal(tmp_path):
    """Return a journal of which fact 100, not among the newest, was changed on the card."""
    with opened(tmp_path / "running.db") as journal:
        journal.append([movement() for _ in range(800)])
        journal.append([movement() for _ in range(CLEAN_FACTS_MAX - 600)])
        connection = journal._connection
        connection.execute("UPDATE facts SET data = x'00' WHERE number = 100")
        yield journal


def left(journal, tmp_path):
    """Copy the file with its log, as a power cut leaves them; return where."""
    for suffix in ("", "-wal"):
        shutil.copy(tmp_path / f"running.db{suffix}", tmp_path / f"journal.db{suffix}")
    return tmp_path / "journal.db"


def test_after_an_unclean_end_the_whole_unacknowledged_part_is_followed(journal, tmp_path):
    path = left(journal, tmp_path)
    with pytest.raises(JournalDamaged, match="broken at fact number 100"):
        open_journal(path)


def test_what_is_acknowledged_is_not_followed_at_the_start(journal, tmp_path):
    journal.record_ack(journal.epoch, acked=150)
    journal.checkpoint_if_due()
    open_journal(left(journal, tmp_path), nonce=8).close()


def test_after_a_clean_end_only_the_newest_facts_are_followed(journal):
    with journal.exclusive() as (connection, _):
        check_newest(connection, EarlierEnd(is_clean=True, file_bytes=SMALL), gateway=GATEWAY)
        with pytest.raises(JournalDamaged):
            check_newest(connection, EarlierEnd(is_clean=False, file_bytes=SMALL), gateway=GATEWAY)
        assert chain_before(connection, 1).number == 0


@pytest.mark.parametrize("file_bytes", [SMALL, LARGE])
@pytest.mark.parametrize("is_clean", [True, False])
def test_a_table_that_is_broken_is_found_however_large_the_file_is(tmp_path, file_bytes, is_clean):
    path = tmp_path / "journal.db"
    with opened(path) as journal:
        journal.append([movement()])
        connection = journal._connection
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        (root,) = connection.execute(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'document_progress'"
        ).fetchone()
        end = EarlierEnd(is_clean=is_clean, file_bytes=file_bytes)
        assert file_findings(connection, end) == []
        with path.open("r+b") as file:
            file.seek((root - 1) * 1024)
            file.write(b"\xa5" * 1024)
        connection.execute("PRAGMA shrink_memory")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        journal.append([movement(document="")])  # The cache sees that the file has changed.
        assert file_findings(connection, end) != []
