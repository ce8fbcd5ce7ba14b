"""What the journal forgets, when, and what stays of it. Edge of SQLite."""

from contextlib import closing

import pytest

from central.contract.facts import chain_next
from gateway.errors import JournalFull
from gateway.journal.reading import open_reader
from gateway.journal.retention import Keeping
from gateway.journal.transactions import transaction
from gateway.journal.verify import verify_journal
from gateway.station.book import counted_under
from tests.gateway.journal.samples import (
    count,
    movement,
    opened,
    packing,
    reversal,
    signature,
    weighing,
)
from tests.gateway.journal.upkeep_samples import (
    DAY,
    acknowledge_all,
    append_newest,
    prune_all,
    run_days,
)


@pytest.fixture
def journal(tmp_path):
    with opened(tmp_path / "journal.db") as journal:
        yield journal


def rows(journal, statement):
    with journal.exclusive() as (connection, _):
        return connection.execute(statement).fetchall()


def have_base(journal, *, seq):
    """Let central's stock hold this epoch up to `seq`."""
    with journal.exclusive() as (connection, head), transaction(connection):
        connection.execute("INSERT INTO ledger_knowledge VALUES (1, 's', 1, 'g', 1, 0, 0)")
        epoch = head.epoch
        connection.execute(
            "INSERT INTO base_positions VALUES (?, ?, ?)",
            (epoch.start_count, f"{epoch.nonce:016x}", seq),
        )


def ready(journal, count=10):
    """Append facts of which `count` are old enough to go."""
    facts = journal.append([movement() for _ in range(count)]).fact_ids
    append_newest(journal)
    return facts


def test_old_facts_that_the_ledger_holds_safely_are_forgotten(journal):
    ready(journal)
    acknowledge_all(journal)
    run_days(journal, 2)
    assert prune_all(journal) == 10
    assert rows(journal, "SELECT min(number), count(*) FROM facts") == [(11, 1000)]


@pytest.mark.parametrize(
    ("prepare", "keeping", "gone"),
    [
        (lambda journal: run_days(journal, 2), DAY, 0),
        (lambda journal: (acknowledge_all(journal, stable=False), run_days(journal, 2)), DAY, 0),
        (acknowledge_all, DAY, 0),
        (lambda journal: (acknowledge_all(journal), run_days(journal, 2)), Keeping(), 0),
        (
            lambda journal: (
                acknowledge_all(journal),
                run_days(journal, 2),
                have_base(journal, seq=4),
            ),
            DAY,
            4,
        ),
    ],
    ids=["unacknowledged", "not stable", "young", "kept for fourteen days", "beyond the base"],
)
def test_a_fact_that_lacks_one_condition_stays(journal, prepare, keeping, gone):
    ready(journal)
    prepare(journal)
    assert prune_all(journal, keeping) == gone


def test_a_step_forgets_only_a_few(journal):
    ready(journal, 500)
    acknowledge_all(journal)
    run_days(journal, 2)
    assert [journal.prune(DAY) for _ in range(4)] == [200, 400, 500, 500]


def test_the_newest_facts_stay_however_old(journal):
    (newest,) = journal.append([movement()]).fact_ids
    acknowledge_all(journal)
    run_days(journal, 30)
    assert prune_all(journal) == 0
    assert journal.last_reversible()[0] == newest


def test_what_is_gone_is_answered_as_gone_and_the_rest_still_chains(tmp_path):
    path = tmp_path / "journal.db"
    with opened(path, nonce=1) as journal:
        first = journal.epoch
        ready(journal)
        digests = [journal.digest_at(first, seq) for seq in range(11)]
        acknowledge_all(journal)
        run_days(journal, 2)
        assert prune_all(journal) == 10
        for seq in (1, 2, 10):
            assert journal.read_run(first, first_seq=seq, facts_max=5, bytes_max=9999) is None
        assert journal.digest_at(first, 9) is None
        assert journal.digest_at(first, 10) == digests[10]
        assert journal.progress(first).head_seq == 1010
        run = journal.read_run(first, first_seq=11, facts_max=1, bytes_max=9999)
        assert run.previous_digest == digests[10]
        head = journal.digest_at(first, 11)
        assert chain_next(run.previous_digest, run.facts[0]) == head
        last = journal.digest_at(first, 1010)
    with opened(path, nonce=2) as journal:  # And the head of an epoch that is gone whole.
        append_newest(journal)
        acknowledge_all(journal)
        run_days(journal, 2)
        assert prune_all(journal) == 1010
        assert journal.digest_at(first, 1010) == last
        assert journal.digest_at(first, 1009) is None
        assert journal.digest_at(journal.epoch, 0) == bytes(32)
        run = journal.read_run(journal.epoch, first_seq=1, facts_max=1, bytes_max=9)
        assert run.previous_epoch_head == last


def test_numbers_go_on_after_a_restart_behind_what_is_gone(tmp_path):
    path = tmp_path / "journal.db"
    with opened(path, nonce=1) as journal:
        ready(journal)
        acknowledge_all(journal)
        run_days(journal, 2)
        prune_all(journal)
    with opened(path, nonce=2) as journal:
        journal.append([movement()])
        assert rows(journal, "SELECT max(number) FROM facts") == [(1011,)]
        assert journal.unsent_count() == 1


def test_stock_and_progress_are_untouched_and_their_sums_are_kept(journal):
    ready(journal, 4)
    acknowledge_all(journal)
    run_days(journal, 2)
    stock, received = journal.stock(), journal.received("PO-1")
    prune_all(journal)
    assert (journal.stock(), journal.received("PO-1")) == (stock, received)
    assert rows(journal, "SELECT location, item, on_hand_micro FROM pruned_stock") == [
        ("dock-1", "rice", 10_000_000)
    ]
    assert rows(journal, "SELECT * FROM pruned_progress") == [("PO-1", 1, 10_000_000)]


def test_how_often_lines_were_counted_is_kept_too(tmp_path):
    path = tmp_path / "journal.db"
    with opened(path) as journal:
        journal.append([count(), count(round=2), packing(), movement(), count()])
        append_newest(journal)
        acknowledge_all(journal)
        run_days(journal, 2)
        assert prune_all(journal) == 5
        journal.append([count()])
        assert journal.received(counted_under("CNT-1", 1)) == {2: 3}
        assert journal.received(counted_under("CNT-1", 2)) == {2: 1}
    with closing(open_reader(path)) as reader:
        assert verify_journal(reader).findings == ()


def test_with_a_base_stock_no_sum_is_kept_beside_it(journal):
    ready(journal, 300)
    acknowledge_all(journal)
    run_days(journal, 2)
    journal.prune(DAY)
    assert rows(journal, "SELECT count(*) FROM pruned_stock") == [(1,)]
    have_base(journal, seq=1300)
    assert prune_all(journal) == 300
    assert rows(journal, "SELECT count(*) FROM pruned_stock") == [(0,)]


def test_a_movement_stays_as_long_as_what_takes_it_back_may_not_go(journal):
    ids = ready(journal)
    journal.append([reversal(ids[3])])
    acknowledge_all(journal)
    run_days(journal, 2)
    assert prune_all(journal) == 3
    append_newest(journal)
    acknowledge_all(journal)
    run_days(journal, 2)
    assert prune_all(journal) == 1011
    sums = rows(journal, "SELECT item, on_hand_micro FROM pruned_stock ORDER BY item")
    assert sums == [("newest", 2_500_000_000), ("rice", 9 * 2_500_000)]
    assert rows(journal, "SELECT count(*) FROM reversed_facts") == [(0,)]


def test_a_movement_and_its_reversal_may_go_in_different_steps(journal, tmp_path):
    (first,) = journal.append([movement()]).fact_ids
    journal.append([movement(item="flour")] * 250)
    journal.append([reversal(first)])
    append_newest(journal)
    acknowledge_all(journal)
    run_days(journal, 2)
    assert journal.prune(DAY) == 200
    reader = open_reader(tmp_path / "journal.db")  # The reversal is here, what it undid is not.
    assert verify_journal(reader).findings == ()
    reader.close()
    assert prune_all(journal) == 252
    assert rows(journal, "SELECT item, on_hand_micro FROM pruned_stock") == [
        ("flour", 250 * 2_500_000)
    ]


def test_weighings_stay_as_records_until_the_alibi_memory_may_forget_them(journal):
    journal.append([weighing(), weighing(scale="scale-2"), weighing()])
    append_newest(journal)
    acknowledge_all(journal)
    run_days(journal, 2)
    assert prune_all(journal) == 3
    statement = "SELECT scale, alibi_number, seq FROM alibi_records ORDER BY number"
    assert rows(journal, statement) == [("scale-1", 1, 1), ("scale-2", 1, 2), ("scale-1", 2, 3)]
    for previous, digest, data in rows(
        journal, "SELECT previous_digest, digest, data FROM alibi_records"
    ):
        assert chain_next(previous, data) == digest
    run_days(journal, 3)
    prune_all(journal)
    assert rows(journal, statement) == []
    assert rows(journal, "SELECT * FROM alibi_forgotten") == [("scale-1", 2), ("scale-2", 1)]
    journal.append([weighing()])
    assert journal.recent(1)[0][1].alibi_number == 3


def test_a_step_that_fails_at_any_instruction_forgets_nothing(tmp_path):
    path = tmp_path / "journal.db"
    with opened(path) as journal:
        journal.append([movement(), weighing()])
        append_newest(journal)
        acknowledge_all(journal)
        run_days(journal, 2)
        before = signature(path)
        stops = 0
        while not _pruned_before_stop(journal, stops):
            stops += 1
            if stops % 16 == 1:
                assert signature(path) == before
        assert stops > 50
        assert rows(journal, "SELECT min(number) FROM facts") == [(3,)]


def _pruned_before_stop(journal, after):
    """Return True if the step was done before SQLite was stopped in its transaction."""
    connection = journal._connection
    left = iter(range(after))
    stopped = []

    def stop():
        if not connection.in_transaction or stopped or next(left, None) is not None:
            return 0
        stopped.append(True)
        return 1

    connection.set_progress_handler(stop, 1)
    try:
        return journal.prune(DAY) == 2
    except JournalFull:
        return False
    finally:
        connection.set_progress_handler(None, 1)


def test_the_file_stops_growing_once_facts_are_forgotten_as_fast_as_they_come(tmp_path):
    path = tmp_path / "journal.db"
    sizes = []
    with opened(path) as journal:
        for _ in range(30):
            journal.append([movement() for _ in range(1000)])
            acknowledge_all(journal)
            run_days(journal, 1)
            prune_all(journal, Keeping(keep_days=2, alibi_keep_days=3))
            sizes.append(rows(journal, "PRAGMA page_count")[0][0])
    # Three days' facts; one more page where their numbers take a byte more.
    assert sizes[-1] == sizes[20] <= sizes[3] + 1
