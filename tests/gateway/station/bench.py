"""A whole station over a real journal, driven by scans and weights. Edge of a temporary folder."""

import queue
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import msgspec

from central.contract.facts import Fact
from central.contract.reference import DocumentLine, ExpectedDocument, UnitUnderWay, parse_reference
from drivers.readings import BarcodeScanned, DeviceFault, Reading, WeightMeasured
from gateway.health import Health
from gateway.journal.journal import Journal
from gateway.station.catalogue import Catalogue
from gateway.station.messages import render
from gateway.station.observations import Observation
from gateway.station.session import StationSetup
from gateway.station.templates.files import load_templates
from gateway.station_loop import StationLoop

REFERENCE = parse_reference(
    b"""
revision = 1

[[warehouses]]
code = "sh1"
name = "Shanghai 1"
name_zh = "Shanghai Yi"
locations = [
    { code = "DOCK-1", kind = "dock_door" }, { code = "STAGE-1", kind = "staging" },
    { code = "A-01-03", kind = "bin" }, { code = "A-01-04", kind = "bin" },
]

[[items]]
code = "TEA-250"
name = "Green tea 250 g"
name_zh = "Lv cha"
unit = "C62"
barcodes = [{ gtin = "6901234567892" }, { gtin = "16901234567899", quantity = "12" }]

[[items]]
code = "MILK-1"
name = "Milk"
name_zh = "Niu nai"
unit = "C62"
lot_tracked = true
barcodes = [{ gtin = "09501101530003" }]

[[items]]
code = "SALT"
name = "Salt, bulk"
name_zh = "Yan"
unit = "KGM"
kind = "bulk"
barcodes = [{ gtin = "96385074" }]

[[documents]]
code = "PO-7"
warehouse = "sh1"
partner = "Tea & Co"
lines = [
    { line = 1, item = "TEA-250", quantity = "24" },
    { line = 2, item = "SALT", quantity = "100", tolerance_percent = "2" },
]

[[documents]]
code = "SO-1"
warehouse = "sh1"
kind = "shipment"
partner = "Tea House"
lines = [
    { line = 1, item = "TEA-250", quantity = "24", location = "A-01-03" },
    { line = 2, item = "MILK-1", quantity = "2", lot = "L1", location = "A-01-04" },
    { line = 3, item = "TEA-250", quantity = "12", sscc = "006141411234567890" },
]

[[documents]]
code = "TO-1"
warehouse = "sh1"
kind = "transfer_out"
partner = ""
counterpart = "bj1"
lines = [{ line = 1, item = "TEA-250", quantity = "12" }]

[[documents]]
code = "RS-1"
warehouse = "sh1"
kind = "supplier_return"
partner = "Tea & Co"
lines = [{ line = 1, item = "TEA-250", quantity = "1" }]

[[documents]]
code = "TI-1"
warehouse = "sh1"
kind = "transfer_in"
partner = ""
counterpart = "bj1"
lines = [
    { line = 1, item = "TEA-250", quantity = "12", sscc = "006141411234567890" },
    { line = 2, item = "MILK-1", quantity = "3", lot = "L1", sscc = "006141411234567890" },
    { line = 3, item = "TEA-250", quantity = "1" },
]

[[documents]]
code = "RC-1"
warehouse = "sh1"
kind = "customer_return"
partner = "Tea House"
lines = [{ line = 1, item = "MILK-1", quantity = "1", lot = "L1" }]

[[documents]]
code = "CNT-1"
warehouse = "sh1"
kind = "count"
partner = ""
round = 2
lines = [
    { line = 1, item = "", quantity = "0", location = "A-01-03" },
    { line = 2, item = "TEA-250", quantity = "0", location = "A-01-04" },
    { line = 3, item = "MILK-1", quantity = "0", location = "A-01-04", lot = "L2" },
    { line = 4, item = "SALT", quantity = "0" },
]

[[operators]]
code = "ann"
name = "Ann Li"
"""
)
SETUP = StationSetup(
    station="dock-1",
    warehouse="sh1",
    receive_location="DOCK-1",
    scales=("dock-1-scale",),
    printers=("dock-1-printer",),
    sscc_company_prefix="6901234",
    templates=load_templates(None),
)
TIME_MS = 1_795_000_000_000  # 2026-11-18


class BenchClock:
    """A clock that moves only when told."""

    boot_id = "boot-1"

    def __init__(self) -> None:
        self.elapsed_ns = 10_000_000_000
        self.disciplined = True
        self.offset_ms = 0  # How wrong the wall clock is; the other clock is even.

    def now_ms(self) -> int:
        return TIME_MS + self.offset_ms + self.elapsed_ns // 1_000_000

    def monotonic_ns(self) -> int:
        return self.elapsed_ns

    def synced(self) -> bool:
        return self.disciplined


@dataclass(frozen=True)
class Seen:
    """What one step left behind: new facts, the signal's kind and text, the prompt."""

    facts: tuple[Fact, ...]
    kind: str
    text: str
    prompt: str


class Bench:
    """One station. Every scan is one step of the loop."""

    def __init__(self, journal: Journal, setup: StationSetup = SETUP) -> None:
        self.journal = journal
        self.clock = BenchClock()
        self.health = Health()
        self.catalogue = Catalogue(REFERENCE, warehouse="sh1")
        self.observations: queue.Queue[Observation] = queue.Queue(maxsize=1000)
        self.board = StationLoop.new_board()
        self.loop = StationLoop(
            journal=journal,
            catalogue=self.catalogue,
            observations=self.observations,
            board=self.board,
            health=self.health,
            setup=setup,
            clock=self.clock,
        )

    def know_document(self, code: str, *, kind: str) -> None:
        """Let the reference data hold one more document, as central's notices may."""
        line = DocumentLine(line=1, item="TEA-250", quantity="1")
        one = ExpectedDocument(code=code, warehouse="sh1", partner="", lines=(line,), kind=kind)
        documents = (*REFERENCE.documents, one)
        reference = msgspec.structs.replace(REFERENCE, documents=documents)
        self.loop.use_catalogue(Catalogue(reference, warehouse="sh1"))

    def tell_lines(self, code: str, *lines: DocumentLine) -> None:
        """Let a document have other lines, as when central tells it anew."""
        self._tell(code, lines=lines)

    def tell_units(self, code: str, *units: UnitUnderWay) -> None:
        """Let these units be under way under a document."""
        self._tell(code, units=units)

    def _tell(self, code: str, **fields: object) -> None:
        changed = msgspec.structs.replace
        documents = tuple(
            changed(one, **fields) if one.code == code else one for one in REFERENCE.documents
        )
        self.loop.use_catalogue(Catalogue(changed(REFERENCE, documents=documents), warehouse="sh1"))

    def tell_item(self, code: str, **fields: object) -> None:
        """Let an item ask for more, as when its card was changed."""
        changed = msgspec.structs.replace
        items = tuple(
            changed(one, **fields) if one.code == code else one for one in REFERENCE.items
        )
        self.loop.use_catalogue(Catalogue(changed(REFERENCE, items=items), warehouse="sh1"))

    def forget_documents(self) -> None:
        """Let the reference data hold no document any more, as after central withdrew them."""
        reference = msgspec.structs.replace(REFERENCE, documents=())
        self.loop.use_catalogue(Catalogue(reference, warehouse="sh1"))

    def scan(self, *codes: str, symbology: str = "") -> Seen:
        """Scan codes one after the other; return what the last one left behind."""
        seen = None
        for code in codes:
            self.queue_scan(code, symbology=symbology)
            seen = self.step()
        assert seen is not None
        return seen

    def weigh(
        self, value: str, *, unit: str = "KGM", stable: bool = True, kind: str = "gross"
    ) -> Seen:
        """Let the scale say a weight."""
        raw = f"{value} {unit}".encode()
        self.put(WeightMeasured(Decimal(value), unit, kind, stable, raw), device="dock-1-scale")
        return self.step()

    def fault(self, code: str, device: str = "dock-1-scale") -> Seen:
        """Let a device say that something is wrong."""
        self.put(DeviceFault(code, "as told by the test"), device=device)
        return self.step()

    def queue_scan(self, code: str, *, symbology: str = "") -> None:
        """Queue a scan without a step."""
        self.put(BarcodeScanned(symbology, code, code.encode()), device="dock-1-scanner")

    def put(self, reading: Reading, *, device: str) -> None:
        """Queue an observation without a step."""
        self.observations.put(
            Observation(
                device=device,
                reading=reading,
                event_time_ms=self.clock.now_ms(),
                clock_synced=self.clock.synced(),
                boot_id=self.clock.boot_id,
                monotonic_ns=self.clock.monotonic_ns(),
            ),
            timeout=60,
        )

    def step(self) -> Seen:
        """Let the loop take all that waits."""
        before = self.fact_count()
        signals = self.board.state().scans[:1]
        self.loop.step(0)
        state = self.board.state()
        signal = state.signal if state.scans[:1] != signals else None
        new = self.journal.recent(self.fact_count() - before or 1)
        return Seen(
            facts=tuple(fact for _, fact in reversed(new)) if self.fact_count() > before else (),
            kind=signal.kind if signal else "",
            text=english(signal.message) if signal else "",
            prompt=english(state.prompt),
        )

    def fact_count(self) -> int:
        """Return how many facts the journal holds."""
        return sum(progress.head_seq for progress in self.journal.epochs())

    def stock(self) -> dict[tuple[str, str], str]:
        """Return stock by place and item, summed, as text."""
        totals: dict[tuple[str, str], Decimal] = {}
        for row in self.journal.stock():
            key = (row.location, row.item)
            totals[key] = totals.get(key, Decimal(0)) + row.on_hand
        return {key: f"{value:f}" for key, value in totals.items() if value}


def english(message) -> str:
    """Return a message as people read it in English."""
    return render(message, language="en", translate=str)


@contextmanager
def bench_at(path: Path, setup: StationSetup = SETUP) -> Iterator[Bench]:
    """Open a journal, put a station on it, close it at the end."""
    bench_clock = BenchClock()
    journal = Journal.open(
        path / "journal.db", gateway="sh1-dock-1", warehouse="sh1", clock=bench_clock, nonce=7
    )
    try:
        yield Bench(journal, setup)
    finally:
        journal.close()
