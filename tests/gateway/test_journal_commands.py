"""The commands that prove, mend and bring back the journal. Edge of processes and files."""

import hashlib
import json
import sqlite3

import pytest

from gateway.health import Health
from gateway.journal.copier import JournalCopier
from gateway.journal.journal import Journal
from gateway.journal.retention import NEWEST_FACTS_KEPT, Keeping
from tests.gateway.journal.samples import StillClock, movement, weighing
from tests.gateway.journal.upkeep_samples import acknowledge_all, prune_all, run_days
from tests.gateway.test_command_line import command, write_config

__all__ = ["command"]  # A fixture of that module, used here too.


@pytest.fixture
def config(tmp_path):
    return write_config(tmp_path)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "journal.db"


def write_journal(path, *drafts, copy_folder=None, nonce=7):
    clock = StillClock()
    journal = Journal.open(path, gateway="g1", warehouse="sh1", clock=clock, nonce=nonce)
    journal.append(drafts)
    if copy_folder is not None:
        copy_folder.mkdir()
        copier = JournalCopier(
            journal,
            path,
            copy_folder,
            clock=clock,
            health=Health(),
            medium=lambda one: len(str(one)),
        )
        copier.step()
        copier._close()
    return journal


def change(path, statement):
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()


def test_weighings_are_found_by_scale_and_number_and_proven(path, config, command):
    journal = write_journal(
        path, weighing(), weighing(scale="scale-2"), weighing(gross="9.50", net="9.00")
    )
    journal.append([movement(item="newest")] * NEWEST_FACTS_KEPT)
    acknowledge_all(journal)
    run_days(journal, 15)
    assert prune_all(journal, Keeping()) == 3
    journal.append([weighing()])
    journal.close()
    shown = command(config, "journal", "alibi", "--scale", "scale-1", "--json")
    assert shown.returncode == 0
    records = [json.loads(line) for line in shown.stdout.splitlines()]
    assert [record["alibi_number"] for record in records] == [1, 2, 3]
    for record in records:
        link = bytes.fromhex(record["previous_digest"]) + bytes.fromhex(record["data"])
        assert hashlib.sha256(link).hexdigest() == record["digest"]
    one = command(config, "journal", "alibi", "--scale", "scale-1", "--number", "2")
    assert one.returncode == 0
    assert "scale-1 #2: net 9.00 KGM rice proven" in one.stderr
    assert command(config, "journal", "alibi", "--scale", "scale-9").returncode == 1
    verified = json.loads(command(config, "journal", "verify", "--json").stdout)
    assert (verified["weighings_count"], verified["pruned_count"]) == (4, 3)
    assert verified["findings"] == []


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (
            "UPDATE alibi_records SET data = CAST(replace(data, '9.00', '8.00') AS BLOB)"
            " WHERE alibi_number = 2",
            "weighing scale-1 2: the record is not what was chained",
        ),
        ("DELETE FROM alibi_records WHERE alibi_number = 1", "alibi number 2 instead of 1"),
        ("UPDATE alibi_records SET scale = 'scale-2' WHERE alibi_number = 2", "says otherwise"),
        ("UPDATE scales SET alibi_number = 9", "alibi number scale-1: 9 in the table, 2"),
        ("UPDATE pruned SET digest = zeroblob(32)", "the chain of digests is broken here"),
        ("UPDATE pruned_progress SET received_micro = 1", "document progress PO-1/1"),
        (
            "UPDATE pruned_stock SET on_hand_micro = 1 WHERE item = 'rice'",
            "local stock dock-1/rice",
        ),
    ],
)
def test_a_changed_alibi_memory_is_found(path, config, command, statement, words):
    journal = write_journal(path, weighing(), weighing(gross="9.50", net="9.00"), movement())
    journal.append([movement(item="newest", document="")] * NEWEST_FACTS_KEPT)
    acknowledge_all(journal)
    run_days(journal, 15)
    prune_all(journal, Keeping())
    journal.close()
    assert command(config, "journal", "verify").returncode == 0
    change(path, statement)
    shown = command(config, "journal", "verify")
    assert shown.returncode == 1
    assert words in shown.stderr


def test_a_weighing_that_was_changed_is_shown_as_not_proven(path, config, command):
    write_journal(path, weighing(gross="9.50", net="9.00")).close()
    change(
        path,
        "UPDATE facts SET data = CAST(replace(replace(data, '9.50', '8.50'), '9.00', '8.00')"
        " AS BLOB)",
    )
    shown = command(config, "journal", "alibi", "--scale", "scale-1")
    assert shown.returncode == 1
    assert "net 8.00 KGM rice NOT PROVEN" in shown.stderr
    change(path, "UPDATE facts SET data = x'00'")
    assert command(config, "journal", "alibi", "--scale", "scale-1").returncode == 3


def test_repair_mends_what_follows_from_facts_and_says_where_the_old_file_is(path, config, command):
    write_journal(path, movement(), weighing()).close()
    assert "is whole, nothing was changed" in command(config, "journal", "repair").stderr
    change(path, "DELETE FROM stock")
    assert command(config, "journal", "verify").returncode == 1
    shown = command(config, "journal", "repair")
    assert shown.returncode == 0
    assert f"kept as {path}.damaged-1" in shown.stderr
    assert command(config, "journal", "verify").returncode == 0


def test_repair_does_not_touch_damaged_facts(path, config, command):
    write_journal(path, movement(), weighing()).close()
    change(path, "UPDATE facts SET data = x'00' WHERE number = 1")
    before = path.read_bytes()
    shown = command(config, "journal", "repair")
    assert shown.returncode == 3
    assert "broken at fact number 1" in shown.stderr
    assert path.read_bytes() == before


def test_restore_brings_the_journal_back_and_says_what_it_lacks(tmp_path, path, config, command):
    stick = tmp_path / "stick"
    journal = write_journal(path, movement(), weighing(), copy_folder=stick)
    journal.append([movement()])
    journal.close()
    whole = command(config, "journal", "restore", "--from", str(stick))
    assert (whole.returncode, "is whole" in whole.stderr) == (3, True)
    change(path, "UPDATE facts SET data = x'00' WHERE number = 1")
    shown = command(config, "journal", "restore", "--from", str(stick), "--sscc-gap", "50")
    assert shown.returncode == 0
    assert shown.stderr.splitlines() == [
        "restored 2 facts, up to number 2",
        "NOT RESTORED: 1 facts after it are not in the copy",
        f"the journal before is kept as {path}.damaged-1",
        "pallets go on after serial reference 50",
        "each scale skips 1000 alibi numbers",
    ]
    assert command(config, "journal", "verify").returncode == 0


@pytest.mark.parametrize("words", [("repair",), ("restore", "--from", "nowhere")])
def test_a_running_gateway_is_not_disturbed(path, config, command, words):
    journal = write_journal(path, movement())
    shown = command(config, "journal", *words)
    journal.close()
    assert shown.returncode == 3
    assert "is open in another process" in shown.stderr
