"""A station page over a bench, served on a free port. Edge of loopback HTTP."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from central.contract.notices import Settled
from central.contract.snapshots import Snapshot
from gateway.journal.unsent import oldest_unsent
from gateway.screen.device_routes import DeviceActions
from gateway.screen.page_settled import SHOWN_FOR_MS
from gateway.screen.server import ScreenServer
from gateway.screen.stations import ScreenStation
from tests.gateway.station.bench import Bench, bench_at


@contextmanager
def served(
    path: Path,
    *,
    language: str = "en",
    port: int = 0,
    devices: DeviceActions | None = None,
    running: bool = False,
) -> Iterator[tuple[Bench, ScreenServer]]:
    """Serve the page of a bench's station. running: its own thread works, not `bench.step`."""
    with bench_at(path) as bench:
        server = ScreenServer(
            host="127.0.0.1",
            port=port,
            stations=[ScreenStation("dock-1", bench.board, bench.observations)],
            language=language,
            health=bench.health,
            clock=bench.clock,
            catalogue=lambda: bench.catalogue,
            unsent_count=bench.journal.unsent_count,
            received=bench.journal.received,
            oldest_unsent=lambda: oldest_unsent(bench.journal),
            settlements=bench.journal.knowledge.settlements,
            languages_folder=path,
            labels_folder=path / "labels",
            devices=devices,
        )
        server.start()
        if running:
            bench.loop.start()
        try:
            yield bench, server
        finally:
            server.stop()
            bench.loop.stop()


def settle_for(bench: Bench) -> tuple[int, int]:
    """Let central say that two discrepancies were settled; return when, the newer one first: the
    other is too old to be shown."""
    journal, now_ms = bench.journal, bench.clock.now_ms()
    times = (now_ms - 1000, now_ms - SHOWN_FOR_MS)
    journal.knowledge.apply_snapshot(
        Snapshot(
            gateway=journal.gateway,
            warehouse=journal.warehouse,
            stream="s1",
            number=0,
            generation="g-1",
            revision=1,
            positions=(),
            levels=(),
        )
    )
    settled = [
        Settled(
            discrepancy=f"d-{at_ms}",
            kind="negative_balance",
            subject="sh1/BIN-1/BOLT",
            item="BOLT",
            location="BIN-1",
            document="",
            decided="accept",
            at_ms=at_ms,
            epoch="00000001-0000000000000001",
            seq=1,
        )
        for at_ms in sorted(times)
    ]
    journal.knowledge.apply_notices("s1", 1, settled)
    return times
