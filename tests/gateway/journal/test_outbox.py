"""What is still to be sent, and what the ledger's acknowledgements change. Edge of SQLite."""

import pytest

from central.contract.envelope import decode_batch, encode_batch
from central.contract.facts import NO_HEAD
from central.contract.identifiers import Epoch
from gateway.journal.records import EpochProgress
from tests.gateway.journal.samples import GATEWAY, StillClock, movement, open_journal, opened


@pytest.fixture
def journal(tmp_path):
    journal = open_journal(tmp_path / "journal.db")
    yield journal
    journal.close()


def test_a_new_journal_has_nothing_to_send(journal):
    assert journal.epochs() == [EpochProgress(journal.epoch, head_seq=0, acked_seq=0)]
    assert journal.read_run(journal.epoch, first_seq=1, facts_max=9, bytes_max=9999) is None
    assert journal.digest_at(journal.epoch, 0) == NO_HEAD
    assert journal.digest_at(journal.epoch, 1) is None


@pytest.mark.parametrize(
    ("facts_max", "bytes_max", "count"),
    [(3, 10_000, 3), (9, 1, 1), (9, 400, 2), (99, 100_000, 5)],
    ids=["by count", "at least one", "by bytes", "all"],
)
def test_a_run_is_bounded_by_count_and_bytes(journal, facts_max, bytes_max, count):
    journal.append([movement() for _ in range(6)])
    run = journal.read_run(journal.epoch, first_seq=2, facts_max=facts_max, bytes_max=bytes_max)
    assert (run.first_seq, len(run.facts)) == (2, count)


def test_runs_of_two_starts_are_batches_whose_chains_follow_each_other(tmp_path):
    path = tmp_path / "journal.db"
    with opened(path, nonce=1) as journal:
        journal.append([movement() for _ in range(3)])
        first = journal.epoch
        head = journal.digest_at(first, 3)
    with opened(path, nonce=2):
        pass  # A start that records nothing does not come between.
    with opened(path, nonce=3) as journal:
        journal.append([movement()])
        assert [progress.epoch for progress in journal.epochs()] == [first, journal.epoch]
        assert journal.epoch == Epoch(start_count=3, nonce=3)
        runs = [
            journal.read_run(epoch, first_seq=seq, facts_max=2, bytes_max=9999)
            for epoch, seq in [(first, 1), (first, 3), (journal.epoch, 1)]
        ]
    batches = [
        decode_batch(
            encode_batch(
                gateway=GATEWAY,
                epoch=run.epoch,
                first_seq=run.first_seq,
                previous_epoch_head=run.previous_epoch_head,
                previous_digest=run.previous_digest,
                facts=run.facts,
                sign=lambda _data: b"",
            )
        )
        for run in runs
    ]
    assert batches[1].previous_digest == batches[0].digests[-1]
    assert batches[1].digests[-1] == head
    assert batches[2].previous_epoch_head == head


def test_an_acknowledgement_raises_the_position_and_never_lowers_it(journal):
    journal.append([movement() for _ in range(5)])
    for acked, unsent in [(3, 2), (2, 2), (3, 2), (99, 0)]:
        journal.record_ack(journal.epoch, acked=acked)
        assert journal.unsent_count() == unsent
    assert journal.epochs() == [EpochProgress(journal.epoch, head_seq=5, acked_seq=5)]


def test_an_acknowledgement_of_another_gateways_epoch_changes_nothing(journal):
    journal.append([movement()])
    journal.record_ack(Epoch(start_count=1, nonce=99), acked=1)
    assert journal.unsent_count() == 1


def test_an_older_epoch_leaves_the_list_when_it_is_acknowledged_whole(tmp_path):
    path = tmp_path / "journal.db"
    with opened(path, nonce=1) as journal:
        journal.append([movement(), movement()])
        journal.record_ack(journal.epoch, acked=1)
    with opened(path, nonce=2) as journal:
        older = Epoch(start_count=1, nonce=1)
        assert journal.epochs()[0] == EpochProgress(older, head_seq=2, acked_seq=1)
        journal.record_ack(older, acked=2)
        assert [progress.epoch for progress in journal.epochs()] == [journal.epoch]
        assert journal.read_run(older, first_seq=1, facts_max=9, bytes_max=9999) is not None
        assert journal.digest_at(older, 2) is not None
        assert journal.progress(older).head_seq == 2
        assert journal.progress(Epoch(start_count=1, nonce=99)) is None
    with opened(path, nonce=3) as journal:
        assert journal.unsent_count() == 0


def test_housekeeping_writes_positions_and_the_log_back_only_when_nobody_scans(tmp_path):
    clock = StillClock()
    with opened(tmp_path / "journal.db", clock=clock) as journal:
        for _ in range(256):
            journal.append([movement()])
        assert not journal.checkpoint_if_due()
        clock.elapsed_ns += 1_000_000_000
        assert journal.checkpoint_if_due()
        assert not journal.checkpoint_if_due()


def test_the_log_does_not_outgrow_its_reserve_even_if_nobody_pauses(tmp_path):
    path = tmp_path / "journal.db"
    with opened(path) as journal:
        for _ in range(30):
            journal.append([movement() for _ in range(1000)])
        log_bytes = path.with_name("journal.db-wal").stat().st_size
    assert log_bytes < 8 * 1024 * 1024


def test_the_log_has_its_length_before_the_first_fact_and_the_file_holds_nothing_for_it(tmp_path):
    path = tmp_path / "journal.db"
    log = path.with_name("journal.db-wal")
    with opened(path) as journal:
        reserved_bytes = log.stat().st_size
        assert reserved_bytes >= 4 * 1024 * 1024
        for _ in range(100):
            journal.append([movement()])
        assert log.stat().st_size == reserved_bytes
        assert path.stat().st_size < 256 * 1024
