"""Yesterday's backup, a ledger that is gone, gateways that still hold the day: nothing is lost."""

import pytest

from central.contract.identifiers import Epoch
from central.inbox.inbox import Inbox
from central.storage import tables
from central.storage.database import open_database
from tests.central.backup.stand import Stand
from tests.central.scenery import NOW_MS, FixedClock, Gateway, enrol, load, on_hand, rows

DAY_MS = 86_400_000


class KeepingGateway:
    """A gateway that keeps its facts until the ledger says that they are stable, as real ones."""

    def __init__(self, code, **options):
        self.journals = {}
        self.forgotten = {}  # epoch -> up to which number
        self.now = Gateway(code, **options)
        self.journals[self.now.epoch] = self.now

    def work(self, count, **fields):
        for number in range(count):
            self.now.move(quantity=str(1 + number % 3), **fields)

    def restart(self):
        self.now = self.now.next_epoch()
        self.journals[self.now.epoch] = self.now

    def offer_all(self, inbox, clock):
        """Offer every epoch, the oldest first, from where the ledger wants it, twice over."""
        for epoch in sorted(self.journals, key=lambda one: one.start_count):
            journal = self.journals[epoch]
            if not journal.bodies:
                continue
            first = self.forgotten.get(epoch, 0) + 1
            if first > len(journal.bodies):
                continue
            ack = self._told(inbox, journal, first, len(journal.bodies))
            if ack.want < first:
                raise AssertionError(f"{epoch} is wanted from {ack.want}, kept from {first}")
            if ack.want <= len(journal.bodies):
                ack = self._told(inbox, journal, ack.want, len(journal.bodies))
            assert ack.acked == len(journal.bodies)
            self._told(inbox, journal, first, len(journal.bodies))  # Duplicates are free.
            assert isinstance(ack.epoch, Epoch)
            self.forgotten[epoch] = max(self.forgotten.get(epoch, 0), ack.stable)

    def _told(self, inbox, journal, first, last):
        (outcome,) = inbox.accept([journal.offer(first, last)])
        assert outcome.kind in {"accepted", "duplicate", "gap"}, outcome
        return outcome.ack


@pytest.fixture
def gateways():
    return [KeepingGateway("sh1-dock-1"), KeepingGateway("sh1-dock-2"),
            KeepingGateway("bj1-dock-1", warehouse="BJ1")]  # fmt: skip


def identities(database):
    return rows(database, tables.facts, "gateway", "epoch", "seq", "digest")


def test_a_backup_of_yesterday_and_the_gateways_make_the_ledger_whole(
    database, empty_url, gateways, tmp_path
):
    load(database)
    enrol(database, *(one.now for one in gateways))
    stand = Stand(tmp_path, database.place)
    clock = FixedClock(NOW_MS - 200 * DAY_MS)
    inbox = Inbox(database, clock=clock)

    def work(count):
        for one in gateways:
            one.work(count)
            one.offer_all(inbox, clock)

    work(20)
    assert stand.backup()["stable"] == 60
    gateways[1].restart()
    work(10)  # Hears that the first day is stable, and forgets it.
    assert [sum(one.forgotten.values()) for one in gateways] == [20, 20, 20]
    yesterday = stand.files()[-1]
    gateways[0].restart()
    work(15)
    gateways[0].now.reverse(3)
    gateways[2].now.count("5")
    work(2)
    whole, books = identities(database), (on_hand(database), on_hand(database, "RICE"))
    generation = dict(rows(database, tables.ledger_state))["generation"]

    result = stand.restored(yesterday, empty_url)  # The machine and its disk are gone.
    assert result.exit_code == 0, result.output
    restored = open_database(empty_url)
    try:
        assert len(identities(restored)) == 60
        assert dict(rows(restored, tables.ledger_state))["generation"] != generation
        inbox = Inbox(restored, clock=clock)
        for one in gateways:
            one.offer_all(inbox, clock)
        assert identities(restored) == whole
        assert (on_hand(restored), on_hand(restored, "RICE")) == books
    finally:
        restored.close()
    config = stand.folder / "restored.toml"
    report = stand.json("verify-ledger", config=config)
    assert (report["facts_count"], report["faults_count"]) == (len(whole), 0)
    # And the restored ledger is backed up in its turn, beside the other's backups.
    assert stand.json("backup", config=config)["record_no"] == len(whole)
    drilled = stand.json("restore-drill", "--identity", stand.identity, config=config)
    assert drilled["record_no"] == len(whole)
