"""What central settled is in the journal with the notice's number, bounded, and outlives all."""

import sqlite3

from central.contract.notices import Settled
from central.contract.snapshots import Snapshot
from gateway.journal.central_news import SETTLEMENTS_KEPT_MAX
from gateway.journal.records import Standing
from tests.gateway.journal.samples import GATEWAY, WAREHOUSE, opened


def snapshot(stream="s1", number=0) -> Snapshot:
    return Snapshot(
        gateway=GATEWAY,
        warehouse=WAREHOUSE,
        stream=stream,
        number=number,
        generation="g-1",
        revision=1,
        positions=(),
        levels=(),
    )


def settled(number: int, *, decided="accept") -> Settled:
    return Settled(
        discrepancy=f"d-{number}",
        kind="unknown_item",
        subject=f"GEAR-{number}",
        item=f"GEAR-{number}",
        location="",
        document="",
        decided=decided,
        at_ms=number,
        epoch="00000001-0000000000000001",
        seq=number,
    )


def test_settlements_outlive_a_restart_and_a_snapshot(tmp_path):
    path = tmp_path / "journal.db"
    with opened(path) as journal:
        journal.knowledge.apply_snapshot(snapshot())
        journal.knowledge.apply_notices("s1", 1, [settled(1), settled(2)])
    with opened(path, nonce=8) as journal:
        assert journal.knowledge.settlements() == (settled(2), settled(1))
        assert journal.knowledge.settlements(1) == (settled(2),)
        journal.knowledge.apply_snapshot(snapshot("s2"))
        assert journal.knowledge.settlements() == (settled(2), settled(1))
        assert journal.knowledge.standing() == Standing("s2", 0)


def test_of_one_discrepancy_the_last_settlement_counts_and_stands_first(tmp_path):
    with opened(tmp_path / "journal.db") as journal:
        journal.knowledge.apply_snapshot(snapshot())
        journal.knowledge.apply_notices("s1", 1, [settled(1), settled(2)])
        again = settled(1, decided="reverse")
        journal.knowledge.apply_notices("s1", 3, [again])
        assert journal.knowledge.settlements() == (again, settled(2))


def test_the_newest_fifty_are_kept(tmp_path):
    with opened(tmp_path / "journal.db") as journal:
        journal.knowledge.apply_snapshot(snapshot())
        news = [settled(number) for number in range(1, SETTLEMENTS_KEPT_MAX + 11)]
        journal.knowledge.apply_notices("s1", 1, news[:30])
        journal.knowledge.apply_notices("s1", 31, news[30:])
        kept = [one.seq for one in journal.knowledge.settlements(1000)]
        assert kept == list(range(SETTLEMENTS_KEPT_MAX + 10, 10, -1))


def test_a_journal_of_the_version_before_has_none_and_takes_them(tmp_path):
    path = tmp_path / "journal.db"
    with opened(path):
        pass
    connection = sqlite3.connect(path)
    connection.execute("DROP TABLE settlements")
    connection.execute("DELETE FROM _sqlite_migrations WHERE name = '0005_settlements'")
    connection.commit()
    connection.close()
    with opened(path, nonce=8) as journal:
        assert journal.knowledge.settlements() == ()
        journal.knowledge.apply_snapshot(snapshot())
        journal.knowledge.apply_notices("s1", 1, [settled(1)])
        assert journal.knowledge.settlements() == (settled(1),)
