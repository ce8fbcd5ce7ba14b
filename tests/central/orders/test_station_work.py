"""Scan codes in at a station, postings out at central: the same bytes that a gateway sends.

A real journal and station loop, a real inbox with all followers; the broker between is left out.
"""

import queue
from contextlib import closing

import pytest

from central.contract.envelope import encode_batch
from central.contract.reference import parse_reference
from central.ledger.reference_book import load_reference
from drivers.readings import BarcodeScanned
from gateway.health import Health
from gateway.journal.journal import Journal
from gateway.station.catalogue import Catalogue
from gateway.station.observations import Observation
from gateway.station.session import StationSetup
from gateway.station_loop import StationLoop
from tests.central.orders.purchasing import Purchasing
from tests.central.scenery import REFERENCE
from tests.gateway.station.bench import BenchClock

SETUP = StationSetup(
    station="dock-1",
    warehouse="SH1",
    receive_location="DOCK-1",
    ship_location="STAGE-1",
    returns_location="BIN-3",
)
RICE, BOLT = "RICE", "BOLT"  # Items are scanned by their codes here.


class Dock:
    """One station whose facts central posts as soon as they are recorded."""

    def __init__(self, site, journal):
        self.site, self.journal, self.clock = site, journal, BenchClock()
        self.observations = queue.Queue()
        self.board = StationLoop.new_board()
        self.loop = StationLoop(
            journal=journal,
            catalogue=Catalogue(parse_reference(REFERENCE), warehouse="SH1"),
            observations=self.observations,
            board=self.board,
            health=Health(),
            setup=SETUP,
            clock=self.clock,
        )
        self._sent = 0

    def scan(self, *codes):
        """Scan, then let central post what was recorded."""
        for code in codes:
            reading = BarcodeScanned("", code, code.encode())
            now_ms, now_ns = self.clock.now_ms(), self.clock.monotonic_ns()
            self.observations.put(Observation("scanner", reading, now_ms, True, "b", now_ns))
            self.loop.step(0)
        run = self.journal.read_run(
            self.journal.epoch, first_seq=self._sent + 1, facts_max=1000, bytes_max=100_000
        )
        if run is None:
            return
        self._sent += len(run.facts)
        payload = encode_batch(
            gateway="sh1-dock-1",
            epoch=run.epoch,
            first_seq=run.first_seq,
            previous_epoch_head=run.previous_epoch_head,
            previous_digest=run.previous_digest,
            facts=run.facts,
            sign=self.site.gateway.key.sign,
        )
        self.site.inbox.accept([("sh1-dock-1", payload)])


@pytest.fixture
def dock(database, tmp_path):
    site = Purchasing(database)
    journal = Journal.open(
        tmp_path / "journal.db", gateway="sh1-dock-1", warehouse="SH1", clock=BenchClock(), nonce=7
    )
    with closing(journal):
        yield Dock(site, journal)


def stock(dock, item):
    return {key: micro // 10**6 for key, micro in dock.site.stock(item).items()}


def test_goods_are_received_inspected_and_only_then_available(dock):
    dock.scan("CMD-RECEIVE", "CMD-QTY-100", RICE)
    assert stock(dock, RICE) == {("DOCK-1", "inspection"): 100}
    dock.scan("CMD-INSPECT", "LOC-DOCK-1", "CMD-QTY-60", RICE, "CMD-ACCEPT")
    dock.scan("CMD-QTY-30", RICE, "CMD-REJECT", "LOC-BIN-2", "CMD-REASON-QUALITY")
    dock.scan("CMD-QTY-9", RICE, "CMD-HOLD", "CMD-REASON-PAPERS", RICE, "CMD-SAMPLE")
    assert stock(dock, RICE) == {
        ("DOCK-1", "available"): 60,
        ("BIN-2", "rejected"): 30,
        ("DOCK-1", "held"): 9,
    }
    (found,) = dock.site.get("/inspections")["inspections"]
    assert [(one["decision"], one["reason"]) for one in found["decisions"]] == [
        ("accept", ""),
        ("reject", "quality"),
        ("hold", "papers"),
        ("sample_used", ""),
    ]
    assert found["open"] is True
    dock.scan("CMD-HOLD", "CMD-QTY-9", RICE, "CMD-ACCEPT")
    (found,) = dock.site.get("/inspections")["inspections"]
    assert (found["open"], found["accepted"]) == (False, "69")
    dock.scan("CMD-UNDO")
    (found,) = dock.site.get("/inspections")["inspections"]
    assert (found["open"], found["accepted"], found["held"]) == (True, "60", "9")
    assert dock.site.faults() == []


# What is done with 10 available bolts, of which 4 are scanned, and what is left of them.
DECIDED = [
    pytest.param(["CMD-HOLD", "CMD-REASON-QUALITY"], {"available": 6, "held": 4}, id="hold"),
    pytest.param(
        ["CMD-REJECT", "CMD-REASON-DAMAGED"], {"available": 6, "rejected": 4}, id="reject"
    ),
    pytest.param(["CMD-ACCEPT"], {"available": 10}, id="accept"),
    pytest.param(["CMD-SAMPLE"], {"available": 6}, id="sample"),
]


@pytest.mark.parametrize(("codes", "left"), DECIDED)
def test_goods_that_wait_for_no_inspection_can_be_decided_on(dock, codes, left):
    dock.scan("CMD-RECEIVE", "CMD-QTY-10", BOLT)
    dock.scan("CMD-INSPECT", "LOC-DOCK-1", "CMD-QTY-4", BOLT, *codes)
    there = {("DOCK-1", status): quantity for status, quantity in left.items()}
    assert stock(dock, BOLT) == there
    assert dock.site.discrepancies() == []
    dock.scan("CMD-UNDO")
    assert stock(dock, BOLT) == {("DOCK-1", "available"): 10}
    assert dock.site.faults() == []


def test_goods_are_moved_picked_to_staging_and_shipped(dock):
    dock.scan("CMD-RECEIVE", "CMD-QTY-50", BOLT)
    dock.scan("CMD-MOVE", "LOC-DOCK-1", "CMD-QTY-50", BOLT, "LOC-BIN-1")
    assert stock(dock, BOLT) == {("BIN-1", "available"): 50}
    order = shipment(dock)
    dock.scan("CMD-PICK", f"DOC-{order}", "LOC-BIN-1", "CMD-QTY-20", BOLT)
    assert stock(dock, BOLT) == {("BIN-1", "available"): 30, ("STAGE-1", "available"): 20}
    dock.scan("CMD-SHORT", "CMD-REASON-DAMAGED", "CMD-DONE")
    assert stock(dock, BOLT) == {
        ("BIN-1", "available"): 20,
        ("BIN-1", "held"): 10,
        ("STAGE-1", "available"): 20,
    }
    dock.scan("CMD-SHIP", f"DOC-{order}", "LOC-STAGE-1", "CMD-QTY-20", BOLT, "CMD-DONE")
    assert stock(dock, BOLT) == {("BIN-1", "available"): 20, ("BIN-1", "held"): 10}
    assert dock.site.faults() == []


def test_what_is_not_there_is_counted_as_none_and_people_hear_of_it(dock):
    dock.scan("CMD-RECEIVE", "CMD-QTY-5", BOLT, "CMD-PUTAWAY", "CMD-QTY-5", BOLT, "LOC-BIN-1")
    order = shipment(dock)
    dock.scan("CMD-PICK", f"DOC-{order}", "CMD-SHORT", "CMD-REASON-MISSING")
    (count,) = dock.site.get("/counts")["counts"]
    assert count["kind"] == "ad_hoc"
    assert dock.site.faults() == []


def test_what_customers_bring_back_stands_at_its_place_to_be_inspected(dock):
    dock.scan("CMD-RETURN", "CMD-REASON-DAMAGED", "CMD-QTY-3", BOLT, "CMD-QTY-2", RICE)
    assert stock(dock, BOLT) == {("BIN-3", "available"): 3}
    assert stock(dock, RICE) == {("BIN-3", "inspection"): 2}
    assert dock.site.faults() == []


def shipment(dock):
    """A shipment of 30 bolts from BIN-1, known to central and to the station."""
    text = (
        REFERENCE.replace(b"revision = 1", b"revision = 99")
        + b"""
[[documents]]
code = "SO-9"
warehouse = "SH1"
kind = "shipment"
partner = "Shop"
lines = [{ line = 1, item = "BOLT", quantity = "30", location = "BIN-1" }]
"""
    )
    reference = parse_reference(text)
    with dock.site.database.write() as connection:
        load_reference(connection, reference)
    dock.loop.use_catalogue(Catalogue(reference, warehouse="SH1"))
    return "SO-9"
