"""What others did of a document counts here too: absolute, in the commit of its notice."""

import pytest
from msgspec.structs import replace
from sqlite_utils import Database

from central.contract.notices import DocumentShare, StockChanged
from gateway.journal.migrations import MIGRATIONS, migrate
from gateway.journal.records import Standing
from gateway.station.book import picked_under
from tests.gateway.journal.samples import movement, opened
from tests.gateway.journal.test_settlements import snapshot

UNIT = 10**6


def told(*shares, final=True):
    return StockChanged(revision=2, levels=(), positions=(), final=final, shares=shares)


def received(journal, document="PO-7"):
    return {line: int(quantity) for line, quantity in journal.received(document).items()}


def test_own_work_and_that_of_others_are_one_sum_and_outlive_a_restart(tmp_path):
    path = tmp_path / "journal.db"
    with opened(path) as journal:
        journal.append([movement(document="PO-7", document_line=1, quantity="5")])
        own = received(journal)
        journal.knowledge.apply_snapshot(
            replace(snapshot(), shares=(DocumentShare("PO-7", 1, 0, 7 * UNIT),))
        )
        applied = journal.knowledge.apply_notices(
            "s1", 1, [told(DocumentShare("PO-7", 2, 3 * UNIT, UNIT))]
        )
        assert (applied.standing, applied.shares) == (Standing("s1", 1), True)
    with opened(path, nonce=8) as journal:
        assert own == {1: 5}
        assert received(journal) == {1: 12, 2: 1}
        assert received(journal, picked_under("PO-7")) == {1: 0, 2: 3}


@pytest.mark.parametrize("final", [True, False], ids=["final", "more follow"])
def test_a_share_replaces_what_was_known_of_its_line(tmp_path, final):
    with opened(tmp_path / "journal.db") as journal:
        journal.knowledge.apply_snapshot(snapshot())
        more, less = (DocumentShare("PO-7", 1, 0, count * UNIT) for count in (9, 4))
        journal.knowledge.apply_notices("s1", 1, [told(more), told(less, final=final)])
        assert received(journal) == {1: 4}
        journal.knowledge.apply_notices("s1", 3, [told(DocumentShare("PO-7", 1, 0, 0))])
        assert received(journal) == {1: 0}


def test_a_snapshot_replaces_all_of_them(tmp_path):
    with opened(tmp_path / "journal.db") as journal:
        journal.knowledge.apply_snapshot(
            replace(snapshot(), shares=(DocumentShare("PO-7", 1, 0, 7 * UNIT),))
        )
        journal.knowledge.apply_snapshot(snapshot("s2"))
        assert received(journal) == {}


def test_a_journal_of_before_asks_anew_for_what_was_told_to_it_in_vain():
    database = Database(memory=True)
    MIGRATIONS.apply(database, stop_before="0006_others_progress")
    known = {"stream": "s1", "number": 7, "generation": "g", "revision": 5}
    database["ledger_knowledge"].insert(known | {"reference_revision": 3, "known_ms": 1, "id": 1})
    migrate(database.conn)
    assert list(database["ledger_knowledge"].rows) == [
        known | {"stream": "", "number": 0, "reference_revision": 3, "known_ms": 1, "id": 1}
    ]
    database.close()
