"""A pallet whose receipt a station takes back is packed in the ledger no more."""

import pytest
from msgspec.structs import replace

from central.contract.facts import chain_start, encode_fact
from central.contract.reference import DocumentLine
from central.inbox.inbox import Inbox
from central.ledger.reference_book import load_reference
from central.ledger.verify import verify_ledger
from central.storage import tables
from tests.central.scenery import NO_HEAD, FixedClock, Gateway, enrol, rows
from tests.gateway.station.bench import REFERENCE, bench_at

PALLET, LAYER = "106141412345678908", "006141411234567913"
CARTONS = ("006141411234567890", "006141411234567906")
LINES = tuple(
    DocumentLine(line=number, item="TEA-250", quantity="12", sscc=sscc, carried_by=(LAYER, PALLET))
    for number, sscc in enumerate(CARTONS, 1)
)
PACKED = {LAYER: PALLET, CARTONS[0]: LAYER, CARTONS[1]: LAYER}


class Dock:
    """A station with its journal, and the ledger that gets each of its facts."""

    def __init__(self, database, bench):
        self.database, self.bench = database, bench
        with database.write() as connection:
            documents = [replace(one, lines=LINES) for one in REFERENCE.documents[:1]]
            load_reference(connection, replace(REFERENCE, documents=tuple(documents)))
        self.gateway = Gateway("sh1-dock-1", warehouse="sh1")
        (progress,) = bench.journal.epochs()
        self.gateway.epoch = progress.epoch
        of_gateway = {"gateway": "sh1-dock-1", "epoch": progress.epoch}
        self.gateway.digests = [chain_start(**of_gateway, previous_epoch_head=NO_HEAD)]
        enrol(database, self.gateway)
        self.inbox = Inbox(database, clock=FixedClock())

    def scan(self, *codes):
        """Scan, and post all that it recorded; return what is in what, and what is on hand."""
        before = len(self.gateway.bodies)
        self.bench.scan(*codes)
        facts = [fact for _, fact in reversed(self.bench.journal.recent(1000))]
        for fact in facts[before:]:
            self.gateway.say(encode_fact(fact))
        (outcome,) = self.inbox.accept([self.gateway.offer(before + 1)])
        assert outcome.kind == "accepted"
        assert verify_ledger(self.database).faults == ()
        units = rows(self.database, tables.handling_units, "sscc", "parent")
        return dict(units), self.goods()

    def goods(self):
        found = rows(self.database, tables.balances, "location", "sscc", "on_hand_micro")
        return {sscc: micro for place, sscc, micro in found if place == "DOCK-1" and micro}


@pytest.fixture
def dock(database, tmp_path):
    with bench_at(tmp_path) as bench:
        bench.tell_lines("PO-7", *LINES)
        yield Dock(database, bench)


def test_taking_back_a_receipt_takes_its_units_out_of_the_pallet(dock):
    received = dock.scan("DOC-PO-7", "00" + PALLET)
    assert received == (PACKED, dict.fromkeys(CARTONS, 12_000_000))
    units, goods = dock.scan("CMD-UNDO")
    assert (units, goods) == (PACKED | {CARTONS[1]: ""}, {CARTONS[0]: 12_000_000})
    assert dock.scan("CMD-UNDO") == (dict.fromkeys(PACKED, ""), {})
    assert rows(dock.database, tables.discrepancies, "kind") == []
    assert dock.scan("00" + PALLET) == received
