"""A station page over a bench, served on a free port. Edge of loopback HTTP."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.journal.unsent import oldest_unsent
from gateway.screen.device_routes import DeviceActions
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
            oldest_unsent=lambda: oldest_unsent(bench.journal),
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
