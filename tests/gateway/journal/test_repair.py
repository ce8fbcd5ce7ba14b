"""A damaged journal is mended from its facts, or stops the start and says what to do. Edge."""

import shutil
import sqlite3
import subprocess
import sys

import pytest

from gateway.errors import JournalDamaged
from gateway.journal import opening
from gateway.journal.reading import open_reader
from gateway.journal.swap import declare_ready, finish_swap
from gateway.journal.verify import verify_journal
from tests.gateway.journal.samples import (
    GATEWAY,
    WAREHOUSE,
    movement,
    open_journal,
    opened,
    reversal,
    signature,
    weighing,
)
from tests.gateway.journal.upkeep_samples import (
    acknowledge_all,
    append_newest,
    prune_all,
    run_days,
)

DERIVED = ("stock", "document_progress", "scales", "reversed_facts")


@pytest.fixture
def path(tmp_path):
    """Return a journal of two starts with every kind of fact; a part of them is forgotten."""
    path = tmp_path / "journal.db"
    with opened(path, nonce=1) as journal:
        journal.append([movement(), weighing(), movement(item="flour", document="PO-2")])
        append_newest(journal)
        acknowledge_all(journal)
        run_days(journal, 2)
        assert prune_all(journal) == 3
    with opened(path, nonce=2) as journal:
        (target,) = journal.append([movement(lot="L1")]).fact_ids
        journal.append([reversal(target), weighing(), weighing(scale="scale-2")])
    return path


def change(path, statement):
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()


def break_pages(path, table):
    """Overwrite the root page of a table, as a dying card does."""
    connection = sqlite3.connect(path)
    (root,) = connection.execute(
        "SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)
    ).fetchone()
    connection.close()
    data = bytearray(path.read_bytes())
    data[(root - 1) * 1024 : root * 1024] = b"\xa5" * 1024
    path.write_bytes(data)


def rows_of(path, *, without=()):
    return [row for row in signature(path) if row[0] not in without]


def findings(path):
    reader = open_reader(path)
    try:
        return verify_journal(reader).findings
    finally:
        reader.close()


def repair(path):
    return opening.repair(path, gateway=GATEWAY, warehouse=WAREHOUSE)


@pytest.mark.parametrize("table", DERIVED)
def test_a_start_mends_a_derived_table_and_keeps_the_damaged_file(path, table):
    before = rows_of(path, without=("epochs", "_sqlite_migrations"))
    break_pages(path, table)
    damaged = path.read_bytes()
    with opened(path, nonce=3) as journal:
        journal.append([movement(item="after", document="")])
    assert path.with_name("journal.db.damaged-1").read_bytes() == damaged
    assert findings(path) == ()
    after = rows_of(path, without=("epochs", "_sqlite_migrations"))
    assert set(before) - set(after) == set()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE stock SET on_hand_micro = 1",
        "DELETE FROM stock",
        "UPDATE document_progress SET received_micro = 7",
        "UPDATE scales SET alibi_number = 9",
        "DELETE FROM reversed_facts",
    ],
)
def test_repair_makes_derived_tables_agree_with_the_facts(path, statement):
    before = rows_of(path, without=("_sqlite_migrations",))
    change(path, statement)
    assert findings(path) != ()
    kept = repair(path)
    assert findings(path) == ()
    assert rows_of(path, without=("_sqlite_migrations",)) == before
    assert kept.name == "journal.db.damaged-1"


def test_repair_reads_what_only_the_log_of_a_power_cut_holds(tmp_path):
    path = tmp_path / "journal.db"
    with opened(tmp_path / "running.db") as journal:
        journal.append([movement(item="only in the log")])
        for suffix in ("", "-wal"):
            shutil.copy(tmp_path / f"running.db{suffix}", f"{path}{suffix}")
    log = (tmp_path / "journal.db-wal").read_bytes()
    kept = repair(path)
    assert kept.with_name(kept.name + "-wal").read_bytes() == log
    assert not (tmp_path / "journal.db-wal").exists()
    with opened(path, nonce=9) as journal:
        assert [fact.item for _, fact in journal.recent(5)] == ["only in the log"]


def test_a_damaged_journal_of_an_older_version_is_mended_into_the_newest_schema(path, tmp_path):
    whole = tmp_path / "older" / "journal.db"
    whole.parent.mkdir()
    with opened(whole) as journal:
        journal.append([movement(), weighing()])
    for table in ("pruned", "pruned_stock", "pruned_progress", "alibi_records", "alibi_gaps"):
        change(whole, f"DROP TABLE {table}")
    for table in ("alibi_forgotten", "running_hours"):
        change(whole, f"DROP TABLE {table}")
    change(whole, "ALTER TABLE epochs DROP COLUMN stable_seq")
    change(whole, "DELETE FROM _sqlite_migrations WHERE name = '0003_upkeep'")
    break_pages(whole, "stock")
    with opened(whole, nonce=8) as journal:
        assert len(journal.stock()) == 1
    assert findings(whole) == ()


def damage_facts(path):
    break_pages(path, "facts")


def change_a_fact(path):
    change(path, "UPDATE facts SET data = CAST(replace(data, 'L1', 'L2') AS BLOB)")
    break_pages(path, "stock")


def lose_a_fact(path):
    change(path, "DELETE FROM facts WHERE number = 500")
    break_pages(path, "stock")


@pytest.mark.parametrize("damage", [damage_facts, change_a_fact, lose_a_fact])
def test_damaged_facts_stop_the_start_name_the_command_and_change_nothing(path, damage):
    damage(path)
    before = path.read_bytes()
    with pytest.raises(JournalDamaged) as raised:
        open_journal(path)
    assert "journal restore --from FOLDER" in raised.value.hint
    assert path.read_bytes() == before
    assert {one.name for one in path.parent.iterdir()} <= {
        "journal.db",
        "journal.db-shm",
        "journal.db-wal",
        "journal.db.lock",
    }


def test_a_swap_that_is_cut_off_anywhere_is_finished_at_the_next_start(path, tmp_path):
    """Every state between two of its steps, made by hand."""
    log, ready = tmp_path / "journal.db-wal", tmp_path / "journal.db.ready"
    whole, old_log = path.read_bytes(), b"the log of the damaged one"
    for done_count in range(4):
        for leftover in tmp_path.glob("journal.db*"):
            leftover.unlink()
        path.write_bytes(b"damaged")
        log.write_bytes(old_log)
        path.with_name("journal.db.new").write_bytes(whole)
        declare_ready(path)
        aside = tmp_path / "journal.db.damaged-1"
        steps = (
            lambda aside=aside: log.rename(f"{aside}-wal"),
            lambda aside=aside: path.rename(aside),
            lambda: ready.rename(path),
        )
        for step in steps[:done_count]:
            step()
        with opened(path, nonce=done_count + 5) as journal:
            assert journal.recent(1)
        assert aside.read_bytes() == b"damaged"
        assert aside.with_name(f"{aside.name}-wal").read_bytes() == old_log
        assert finish_swap(path) is None


@pytest.mark.chaos
def test_a_repair_that_is_killed_at_any_moment_leaves_a_usable_journal(path):
    expected = rows_of(path, without=("epochs", "_sqlite_migrations"))
    program = (
        "import sys; from pathlib import Path; from gateway.journal.opening import repair;"
        f"path = Path({str(path)!r});\n"
        "print('go', flush=True)\n"
        f"while True: repair(path, gateway={GATEWAY!r}, warehouse={WAREHOUSE!r}).unlink()\n"
    )
    for round_count in range(6):
        with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as child:
            assert child.stdout.readline() == b"go\n"
            try:
                child.wait(0.02 * (round_count + 1))
            except subprocess.TimeoutExpired:
                child.kill()
        with opened(path, nonce=100 + round_count):
            pass
        assert rows_of(path, without=("epochs", "_sqlite_migrations")) == expected
    assert findings(path) == ()
