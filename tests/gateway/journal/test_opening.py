"""Which files the journal opens, and that it harms none that it refuses. Edge of SQLite."""

import hashlib
import json
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from sqlite_utils import Database

from gateway.errors import JournalDamaged, JournalFull, JournalLocked, JournalNotOurs
from gateway.journal import files, opening
from gateway.journal.journal import Journal
from gateway.journal.migrations import MIGRATIONS, migrate
from gateway.journal.reading import open_reader
from gateway.journal.records import Standing
from gateway.journal.schema import MIGRATION_NAMES
from gateway.journal.verify import verify_journal
from tests.gateway.journal.samples import (
    StillClock,
    movement,
    open_journal,
    opened,
)
from tests.gateway.journal.test_settlements import snapshot

# The schema as each released migration left it. Append; never edit.
LOG_FILES = "journal.db-wal and journal.db-shm"
FROZEN_SCHEMAS = Path(__file__).with_name("schemas")


def write_text_file(path):
    path.write_bytes(b"shopping list: rice, flour\n" * 20)


def write_other_database(path):
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE notes (text TEXT)")
    connection.execute("INSERT INTO notes VALUES ('mine')")
    connection.commit()
    connection.close()


def write_other_gateways_journal(path):
    journal = Journal.open(path, gateway="sh1-dock-9", warehouse="sh1", clock=StillClock(), nonce=1)
    journal.append([movement()])
    journal.close()


def write_newer_journal(path):
    with opened(path):
        pass
    database = Database(path)
    database["_sqlite_migrations"].insert(
        {"migration_set": MIGRATIONS.name, "name": "9999_future", "applied_at": "2030-01-01"}
    )
    database.execute("PRAGMA user_version = 9999")
    database.close()


def write_zeros(path):
    path.write_bytes(bytes(8192))


def write_torn_journal(path):
    with opened(path) as journal:
        journal.append([movement() for _ in range(500)])
    data = bytearray(path.read_bytes())
    data[2048:] = b"\xa5" * (len(data) - 2048)
    path.write_bytes(data)


def write_journal_with_a_changed_fact(path):
    with opened(path) as journal:
        journal.append([movement()])
    connection = sqlite3.connect(path)
    connection.execute("UPDATE facts SET data = CAST(replace(data, 'rice', 'gold') AS BLOB)")
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    ("write", "error", "words", "hint"),
    [
        (write_text_file, JournalNotOurs, "not a journal", f"Move .* away .*{LOG_FILES}"),
        (write_other_database, JournalNotOurs, "another program", f"Move .* away .*{LOG_FILES}"),
        (
            write_other_gateways_journal,
            JournalNotOurs,
            "of gateway sh1-dock-9",
            f"gateway.code .*{LOG_FILES}",
        ),
        (write_newer_journal, JournalNotOurs, "newer version", "Install that version"),
        (write_zeros, JournalDamaged, "zeros", "keep .* journal restore .* call support"),
        (write_torn_journal, JournalDamaged, "broken", "call support"),
        (write_journal_with_a_changed_fact, JournalDamaged, "chain", "journal restore --from"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_journal_file_that_is_not_ours_is_refused_and_keeps_every_byte(
    tmp_path, write, error, words, hint
):
    path = tmp_path / "journal.db"
    write(path)
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(error, match=words) as raised:
        open_journal(path)
    assert re.search(hint, raised.value.hint)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == before
    left = {file.name for file in tmp_path.iterdir()}
    assert left - {"journal.db-wal", "journal.db-shm"} == {"journal.db", "journal.db.lock"}
    with pytest.raises(error):  # The lock was given back: the same answer, not JournalLocked.
        open_journal(path)


def test_a_second_process_is_told_which_one_holds_the_journal(tmp_path):
    path = tmp_path / "journal.db"
    program = (
        "import sys; from pathlib import Path;"
        "from tests.gateway.journal.samples import open_journal;"
        f"journal = open_journal(Path({str(path)!r}));"
        "print('open', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout.readline() == b"open\n"
        with pytest.raises(JournalLocked, match=f"pid {child.pid}") as raised:
            open_journal(path)
        assert str(child.pid) in raised.value.hint
        child.stdin.close()
        assert child.wait(60) == 0
    open_journal(path).close()


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalFull, match="not usable") as raised:
        open_journal(tmp_path / "file" / "journal.db")
    assert "writable" in raised.value.hint


def test_a_creation_that_was_cut_off_is_started_again(tmp_path):
    path = tmp_path / "journal.db"
    path.with_name("journal.db.new").write_bytes(b"half a database")
    with opened(path) as journal:
        assert journal.append([movement()]).fact_ids[0].seq == 1
    assert not path.with_name("journal.db.new").exists()


def test_no_journal_is_created_beside_the_log_of_a_missing_one(tmp_path):
    with opened(tmp_path / "running.db") as journal:
        journal.append([movement(item="only in the log")])
        for suffix in ("", "-wal"):  # As a power cut leaves them.
            shutil.copy(tmp_path / f"running.db{suffix}", tmp_path / f"journal.db{suffix}")
    path, log = tmp_path / "journal.db", tmp_path / "journal.db-wal"
    path.rename(tmp_path / "kept.db")
    before = log.read_bytes()
    with pytest.raises(JournalDamaged, match="is the log of a journal that is missing") as raised:
        open_journal(path)
    assert LOG_FILES in raised.value.hint
    assert not path.exists()
    assert log.read_bytes() == before
    (tmp_path / "kept.db").rename(path)
    with opened(path, nonce=8) as journal:
        assert [fact.item for _, fact in journal.recent(9)] == ["only in the log"]


def test_an_empty_log_does_not_stop_a_new_journal(tmp_path):
    (tmp_path / "journal.db-wal").touch()
    with opened(tmp_path / "journal.db") as journal:
        assert journal.append([movement()]).fact_ids[0].seq == 1


def test_every_start_has_an_epoch_of_its_own(tmp_path):
    path = tmp_path / "journal.db"
    epochs = []
    for nonce in (5, 5, 2**64 - 1):
        with opened(path, nonce=nonce) as journal:
            epochs.append(journal.epoch)
    assert [epoch.start_count for epoch in epochs] == [1, 2, 3]
    assert len(set(epochs)) == 3


def test_commits_are_synced_and_nothing_is_mapped(tmp_path):
    with opened(tmp_path / "journal.db") as journal:
        pragmas = {
            name: journal._connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "mmap_size")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "mmap_size": 0}


def test_a_reader_works_beside_the_running_gateway_and_cannot_write(tmp_path):
    path = tmp_path / "journal.db"
    with opened(path) as journal:
        journal.append([movement()])
        reader = open_reader(path)
        assert reader["facts"].count == 1
        journal.append([movement()])
        assert reader["facts"].count == 2
        with pytest.raises(sqlite3.OperationalError):
            reader.execute("DELETE FROM facts")
        reader.close()


@pytest.mark.parametrize("name", MIGRATION_NAMES)
def test_a_migrated_schema_is_the_frozen_one(name):
    database = Database(memory=True)
    MIGRATIONS.apply(database, stop_before=MIGRATION_NAMES[MIGRATION_NAMES.index(name) + 1 :])
    frozen = json.loads((FROZEN_SCHEMAS / f"{name}.json").read_text("utf-8"))
    assert schema_of(database) == frozen
    database.close()


def test_a_new_journal_has_the_schema_that_all_migrations_lead_to(tmp_path):
    with opened(tmp_path / "journal.db"):
        pass
    fresh = Database(tmp_path / "journal.db")
    migrated = Database(memory=True)
    migrate(migrated.conn)
    assert schema_of(fresh) == schema_of(migrated)
    for database in (fresh, migrated):
        assert [one.name for one in MIGRATIONS.applied(database)] == list(MIGRATION_NAMES)
        assert MIGRATIONS.pending(database) == []
        database.close()


def test_migrations_are_numbered_in_order_without_gaps():
    assert [int(name[:4]) for name in MIGRATION_NAMES] == [
        number + 1 for number in range(len(MIGRATION_NAMES))
    ]


def test_an_update_that_goes_back_leaves_a_journal_to_go_on_with(tmp_path, monkeypatch):
    path = tmp_path / "journal.db"
    with opened(path) as journal:
        journal.append([movement()])
        journal.knowledge.apply_snapshot(snapshot())
    for known in (-1, -2):
        with monkeypatch.context() as older:
            for module in (files, opening):
                older.setattr(module, "MIGRATION_NAMES", MIGRATION_NAMES[:known])
            for number in (1, 2):  # The second start finds the note of the first.
                with opened(path) as journal:
                    journal.append([movement()])
                    journal.knowledge.apply_snapshot(snapshot(f"older{known}-{number}"))
    with opened(path) as journal:
        assert journal.knowledge.standing() == Standing("", 0)  # What they skipped is told anew.
        journal.knowledge.apply_snapshot(snapshot())
    with opened(path) as journal:
        assert journal.knowledge.standing() == Standing("s1", 0)
    reader = open_reader(path)
    assert (reader["facts"].count, verify_journal(reader).findings) == (5, ())
    reader.close()


@pytest.mark.parametrize("number", range(1, len(MIGRATION_NAMES)))
def test_migrations_only_add_so_that_the_program_before_can_write(number):
    before, after = Database(memory=True), Database(memory=True)
    MIGRATIONS.apply(before, stop_before=MIGRATION_NAMES[number:])
    MIGRATIONS.apply(after, stop_before=MIGRATION_NAMES[number + 1 :])
    for table in before.tables:
        columns = {one.name: one for one in after[table.name].columns}
        assert set(table.columns_dict) <= set(columns), table.name
        for name in set(columns) - set(table.columns_dict):
            assert not columns[name].notnull or columns[name].default_value is not None, name
    for database in (before, after):
        database.close()


def test_a_running_gateway_loads_nothing_heavy():
    heavy = {"sqlite_utils", "pydantic", "fastapi", "httpx", "typer", "rich"}
    program = f"import sys, gateway.service; assert not {heavy} & set(sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def schema_of(database):
    """Return the statements that make the schema, white space evened out."""
    rows = database.query("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")
    return [" ".join(row["sql"].replace("(", " ( ").replace(")", " ) ").split()) for row in rows]
