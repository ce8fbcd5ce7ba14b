"""What `journal verify` finds in a journal that somebody changed. Edge of SQLite."""

import sqlite3

import pytest

from gateway.journal.reading import open_reader
from gateway.journal.verify import tail_facts, verify_journal
from tests.gateway.journal.samples import movement, opened, reversal, weighing


@pytest.fixture
def path(tmp_path):
    """Return a journal of two starts with every kind of fact that changes a table."""
    path = tmp_path / "journal.db"
    with opened(path, nonce=1) as journal:
        first, *_ = journal.append([movement(), movement(item="flour"), weighing()]).fact_ids
    with opened(path, nonce=2) as journal:
        journal.append([reversal(first), weighing(), movement(lot="L1")])
    return path


def findings(path):
    reader = open_reader(path)
    try:
        return verify_journal(reader).findings
    finally:
        reader.close()


def test_an_untouched_journal_has_no_findings(path):
    reader = open_reader(path)
    verified = verify_journal(reader)
    reader.close()
    assert verified.findings == ()
    assert (verified.facts_count, verified.epochs_count) == (6, 2)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (
            "UPDATE facts SET data = CAST(replace(data, 'flour', 'sugar') AS BLOB) WHERE number=2",
            "00000001-0000000000000001/2: the chain of digests is broken",
        ),
        ("DELETE FROM facts WHERE number = 2", "facts 2 to 2 are missing"),
        ("DELETE FROM facts WHERE number = 3", "facts 3 to 3 are missing"),
        ("UPDATE facts SET kind = 3 WHERE number = 2", "number or kind differ"),
        ("UPDATE facts SET data = x'c1' WHERE number = 2", "not a readable fact"),
        ("UPDATE stock SET on_hand_micro = 1 WHERE item = 'flour'", "local stock dock-1/flour"),
        ("DELETE FROM stock WHERE item = 'flour'", "local stock dock-1/flour"),
        ("UPDATE document_progress SET received_micro = 1", "document progress PO-1/1"),
        ("UPDATE scales SET alibi_number = 9", "alibi number scale-1: 9 in the table, 2"),
        ("DELETE FROM reversed_facts", "reversal of fact 1"),
        ("UPDATE epochs SET head_seq = 2 WHERE start_count = 1", "ends at 2"),
        ("UPDATE epochs SET acked_seq = 9 WHERE start_count = 1", "acknowledged beyond its end"),
        (
            "UPDATE epochs SET previous_epoch_head = zeroblob(32) WHERE start_count = 2",
            "does not continue the epoch before",
        ),
        ("DELETE FROM epochs WHERE start_count = 2", "is the last one and yet closed"),
    ],
    ids=lambda value: str(value)[:45],
)
def test_a_changed_row_is_found_and_named(path, statement, words):
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()
    assert any(words in finding for finding in findings(path)), findings(path)


def test_a_journal_in_use_is_verified_as_it_was_at_one_moment(tmp_path):
    path = tmp_path / "journal.db"
    with opened(path) as journal:
        journal.append([movement()])
        assert findings(path) == ()


def test_the_tail_gives_the_newest_facts_oldest_first_with_their_identities(path):
    reader = open_reader(path)
    tail = tail_facts(reader, 4)
    reader.close()
    assert [(fact_id.epoch.start_count, fact_id.seq) for fact_id, _ in tail] == [
        (1, 3),
        (2, 1),
        (2, 2),
        (2, 3),
    ]
    assert tail[-1][1].lot == "L1"


def test_a_gap_in_the_alibi_numbers_is_found(path):
    connection = sqlite3.connect(path)
    connection.execute("UPDATE scales SET alibi_number = 5")
    connection.commit()
    connection.close()
    with opened(path, nonce=3) as journal:
        journal.append([weighing()])
    assert findings(path) == ("fact 00000003-0000000000000003/1: alibi number 6 instead of 3",)


def test_a_start_that_recorded_nothing_leaves_no_row(path):
    for nonce in (3, 4, 5):
        with opened(path, nonce=nonce):
            pass
    reader = open_reader(path)
    assert verify_journal(reader).epochs_count == 3
    reader.close()
