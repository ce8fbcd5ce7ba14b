"""Two real journals of one warehouse report to the ledger what they show; on both databases."""

import sqlite3
from contextlib import ExitStack, closing

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from central.contract.envelope import encode_batch
from central.contract.notices import StockChanged
from central.contract.sealed import seal
from central.contract.snapshots import Snapshot
from central.inbox.gateways import enrol_gateway
from central.inbox.inbox import Inbox
from central.inbox.reconciliation import Reconciliation
from central.inbox.upkeep import Upkeep
from central.ledger.state import read_state
from central.outbox.changes import read_levels, read_positions
from gateway.journal.journal import Journal
from gateway.replication.stock_report import all_stock_digests
from tests.central.inbox.test_reconciliation import STREAM, begin_streams, found_bins
from tests.central.scenery import FixedClock, load
from tests.gateway.journal.samples import StillClock, movement
from tests.waiting import wait_for


class Station:
    """A gateway's journal, and the way from and to the ledger."""

    code: str
    warehouse = "SH1"

    def __init__(self, code, path, database):
        self.code, self.path, self.database = code, path, database
        self.key = Ed25519PrivateKey.from_private_bytes(code.ljust(32, "x").encode())
        self.number = 0
        self.journal = None

    def start(self, nonce):
        self.journal = Journal.open(
            self.path, gateway=self.code, warehouse="SH1", clock=StillClock(), nonce=nonce
        )

    def move(self, quantity, source, target):
        draft = movement(
            item="BOLT",
            unit="C62",
            quantity=quantity,
            from_location=source,
            to_location=target,
            document="",
            document_line=0,
        )
        self.journal.append([replace(draft, warehouse="SH1")])

    def send(self, inbox):
        for one in self.journal.epochs():
            if one.head_seq <= one.acked_seq:
                continue
            run = self.journal.read_run(
                one.epoch, first_seq=one.acked_seq + 1, facts_max=500, bytes_max=100_000
            )
            payload = encode_batch(
                gateway=self.code,
                epoch=one.epoch,
                first_seq=run.first_seq,
                previous_epoch_head=run.previous_epoch_head,
                previous_digest=run.previous_digest,
                facts=run.facts,
                sign=self.key.sign,
            )
            (outcome,) = inbox.accept([(self.code, payload)])
            assert outcome.kind == "accepted"
            self.journal.record_ack(one.epoch, acked=outcome.ack.acked)

    def load(self):
        """Take a snapshot, or hear what changed, as central would say it now."""
        with self.database.read() as connection:
            revision = read_state(connection).record_no
            levels = tuple(read_levels(connection, "SH1"))
            changed = tuple(read_levels(connection, "SH1", after_record_no=0))
            positions = read_positions(connection, self.code, count_max=100)
        self.number += 1
        if self.number == 1:
            self.journal.knowledge.apply_snapshot(
                Snapshot(
                    gateway=self.code,
                    warehouse="SH1",
                    stream=STREAM,
                    number=1,
                    generation="generation-1",
                    revision=revision,
                    positions=positions,
                    levels=levels,
                )
            )
        else:
            notice = StockChanged(revision=revision, levels=changed, positions=positions)
            self.journal.knowledge.apply_notices(STREAM, self.number, [notice])

    def digests(self, **options):
        knowledge = self.journal.knowledge
        payloads = all_stock_digests(
            lambda after, count: knowledge.stock_report(after=after, places_max=count),
            gateway=self.code,
            **options,
        )
        return [(self.code, seal("digests", payload, self.key.sign)) for payload in payloads]

    def shown(self):
        return [(row.location, str(row.on_hand)) for row in self.journal.stock()]


@pytest.fixture
def site(database, tmp_path):
    load(database)
    with ExitStack() as closed:
        stations = [
            Station(f"sh1-dock-{number}", tmp_path / f"journal-{number}.db", database)
            for number in (1, 2)
        ]
        for number, station in enumerate(stations):
            enrol_gateway(
                database,
                gateway=station.code,
                site="demo",
                warehouse="SH1",
                public_key=station.key.public_key().public_bytes_raw(),
                clock=FixedClock(),
            )
            station.start(number)
            closed.callback(lambda station=station: station.journal.close())
        begin_streams(database, *stations)
        yield stations


def compare(database, *stations, **options):
    comparing = Reconciliation(database, clock=FixedClock())
    for station in stations:
        comparing.take_digests(station.digests(**options))
    while comparing.waiting_count:
        before = comparing.waiting_count
        comparing.compare_waiting()
        assert comparing.waiting_count < before
    return found_bins(database)


def test_two_journals_on_the_same_bins_agree_with_the_ledger_at_every_step(database, site):
    inbox = Inbox(database, clock=FixedClock())
    first, second = site
    assert first.digests() == []  # Nothing is known of the ledger: nothing to compare.
    first.move("10", "supplier", "BIN-1")
    second.move("4", "supplier", "BIN-1")
    first.send(inbox)
    first.load()
    second.load()  # Has not sent its own facts yet, and still shows them.
    assert (first.shown(), second.shown()) == ([("BIN-1", "10")], [("BIN-1", "14")])
    first.move("3", "BIN-1", "BIN-2")
    second.move("2", "BIN-1", "BIN-3")
    second.send(inbox)
    first.send(inbox)
    assert compare(database, first, second) == []
    # A new start of the one, while the other learns what both did.
    first.journal.close()
    first.start(77)
    first.move("1", "BIN-2", "customer")
    second.load()
    second.move("5", "BIN-1", "BIN-2")
    first.send(inbox)
    second.send(inbox)
    assert compare(database, first, second, bins_max=1) == []
    first.load()
    second.load()
    assert first.shown() == second.shown() == [("BIN-1", "4"), ("BIN-2", "7"), ("BIN-3", "2")]
    assert compare(database, first, second) == []


def test_a_row_changed_in_the_file_is_named(database, site):
    first, _ = site
    inbox = Inbox(database, clock=FixedClock())
    first.move("10", "supplier", "BIN-1")
    first.move("6", "supplier", "BIN-2")
    first.send(inbox)
    first.load()
    first.journal.close()
    with closing(sqlite3.connect(first.path)) as file:
        file.execute("UPDATE stock SET on_hand_micro = 7000000 WHERE location = 'BIN-2'")
        file.commit()
    first.start(78)
    assert compare(database, first) == [("open", "sh1-dock-1/BIN-2")]


def test_the_upkeep_compares_a_report_as_soon_as_the_ledger_has_its_facts(database, site):
    first, _ = site
    inbox = Inbox(database, clock=FixedClock())
    first.load()
    first.move("10", "supplier", "BIN-1")
    comparing = Reconciliation(database, clock=FixedClock())
    upkeep = Upkeep(comparing, correction=None)
    upkeep.start()
    try:
        upkeep.take_digests(first.digests())
        wait_for(lambda: upkeep.counters().get("digests_taken_total") == 1, what="the report")
        first.send(inbox)
        upkeep.compare_waiting()
        wait_for(lambda: upkeep.counters().get("digests_compared_total") == 1, what="the result")
    finally:
        upkeep.stop()
    assert not upkeep.alive()
    assert found_bins(database) == []
