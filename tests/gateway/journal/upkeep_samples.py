"""Journals of many facts that the ledger holds safely, for the tests of upkeep. Edge of SQLite."""

from gateway.journal.journal import Journal
from gateway.journal.retention import NEWEST_FACTS_KEPT, Keeping, forget_old
from gateway.journal.running_hours import note_hour
from gateway.journal.transactions import transaction
from tests.gateway.journal.samples import movement

DAY = Keeping(keep_days=1, alibi_keep_days=3)
HOURS_PER_DAY = 24


def run_days(journal: Journal, days: int) -> None:
    """Let the gateway have run for so many days."""
    with journal.exclusive() as (connection, head), transaction(connection):
        for _ in range(days * HOURS_PER_DAY):
            last = head.first_number + head.seq - 1
            note_hour(connection, last_number=last, written_bytes=1000)


def acknowledge_all(journal: Journal, *, stable: bool = True) -> None:
    """Let the ledger hold everything, safely if `stable`."""
    for one in journal.epochs():
        journal.record_ack(one.epoch, acked=one.head_seq, stable=one.head_seq if stable else 0)
    journal.checkpoint_if_due()


def append_newest(journal: Journal) -> None:
    """Append as many facts as always stay."""
    journal.append([movement(item="newest", document="")] * NEWEST_FACTS_KEPT)


def prune_all(journal: Journal, keeping: Keeping = DAY) -> int:
    """Forget all that may be; return how far the facts are gone."""
    before = -1
    while (gone := journal.prune(keeping)) != before:
        before = gone
    with journal.exclusive() as (connection, _):
        forget_old(connection, keeping)
    return gone
