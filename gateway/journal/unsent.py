"""The oldest fact that the ledger has not acknowledged, for the page. Edge of SQLite."""

from central.contract.facts import Fact, decode_fact
from gateway.journal.journal import Journal


def oldest_unsent(journal: Journal) -> Fact | None:
    """Return it, None if the ledger has all. Any thread may call; it reads one row at most."""
    for progress in journal.epochs():
        if progress.head_seq > progress.acked_seq:
            run = journal.read_run(
                progress.epoch, first_seq=progress.acked_seq + 1, facts_max=1, bytes_max=0
            )
            return decode_fact(run.facts[0]) if run is not None else None
    return None
