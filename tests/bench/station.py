"""A station on a real journal, without devices, for the measurements. Root."""

import itertools
import queue
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from central.contract.facts import Fact
from central.contract.reference import parse_reference
from drivers.readings import BarcodeScanned
from gateway.clock import SystemClock, random_64
from gateway.health import Health
from gateway.journal.journal import Journal
from gateway.journal.records import Appended
from gateway.journal.station_memory import SavedSession
from gateway.station.catalogue import Catalogue
from gateway.station.effects import NewPrintJob
from gateway.station.observations import Observation
from gateway.station.session import StationSetup
from gateway.station_loop import StationLoop

GTIN = "09501101530003"
WAREHOUSE = "SH1"
REFERENCE = b"""
revision = 1
[[warehouses]]
code = "SH1"
name = "Shanghai 1"
name_zh = "SH1"
locations = [{ code = "DOCK-1", kind = "dock_door" }, { code = "BIN-1", kind = "bin" }]
[[items]]
code = "BOLT-M8"
name = "Bolt M8"
name_zh = "M8"
unit = "C62"
barcodes = [{ gtin = "09501101530003" }]
"""


class StampedJournal(Journal):
    """A journal that notes when its last append was durable, by `time.perf_counter`."""

    durable_at = 0.0

    def append(
        self,
        facts: Sequence[Fact],
        print_jobs: Sequence[NewPrintJob] = (),
        session: SavedSession | None = None,
    ) -> Appended:
        appended = super().append(facts, print_jobs, session)
        self.durable_at = time.perf_counter()
        return appended


class MeasuredStation:
    """A station loop in blind receipt: each scan is one movement, one commit for all that wait."""

    def __init__(self, directory: Path) -> None:
        clock = SystemClock()
        reference = parse_reference(REFERENCE)
        self.journal = StampedJournal.open(
            directory / "journal.db",
            gateway="bench-1",
            warehouse=WAREHOUSE,
            clock=clock,
            nonce=random_64(),
        )
        self.journal.store_reference(reference)
        self._observations: queue.Queue[Observation] = queue.Queue(maxsize=1000)
        self._loop = StationLoop(
            journal=self.journal,
            catalogue=Catalogue(reference, warehouse=WAREHOUSE),
            observations=self._observations,
            board=StationLoop.new_board(),
            health=Health(),
            setup=StationSetup(station="dock-1", warehouse=WAREHOUSE, receive_location="DOCK-1"),
            clock=clock,
        )
        self.take([_observation("CMD-RECEIVE", symbology="]C0", number=0)])

    def take(self, observations: list[Observation]) -> float:
        """Take observations as the loop does with all that waited; return the seconds to durable.

        What follows the commit (screen, sound) is done, but not in the figure.
        """
        begin = time.perf_counter()
        for observation in observations:
            self._observations.put_nowait(observation)
        assert self._loop.step(timeout_s=0) == len(observations)
        return self.journal.durable_at - begin

    def close(self) -> None:
        """Close the journal."""
        self.journal.close()


def scans() -> Iterator[Observation]:
    """Yield scans of one GTIN, each with a lot and a stamp of its own."""
    for number in itertools.count(1):
        data = f"01{GTIN}10LOT{number % 97}"
        yield _observation(data, symbology="]C1", number=number)


def _observation(data: str, *, symbology: str, number: int) -> Observation:
    return Observation(
        device="dock-1-scanner",
        reading=BarcodeScanned(
            symbology=symbology, data=data, raw=f"{symbology}{data}\r\n".encode()
        ),
        event_time_ms=1_790_000_000_000 + number,
        clock_synced=True,
        boot_id="6f1c7a52-0d4e-4b7c-9a39-1d2f3b4c5d6e",
        monotonic_ns=number * 1_000_000,
    )
