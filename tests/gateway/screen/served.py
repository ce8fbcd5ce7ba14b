"""A station page over a bench, served on a free port. Edge of loopback HTTP."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.screen.device_routes import DeviceActions
from gateway.screen.server import ScreenServer
from tests.gateway.station.bench import Bench, bench_at


@contextmanager
def served(
    path: Path, *, language: str = "en", port: int = 0, devices: DeviceActions | None = None
) -> Iterator[tuple[Bench, ScreenServer]]:
    """Serve the page of a bench's station; the bench's loop is not started."""
    with bench_at(path) as bench:
        server = ScreenServer(
            host="127.0.0.1",
            port=port,
            station="dock-1",
            language=language,
            board=bench.board,
            health=bench.health,
            observations=bench.observations,
            clock=bench.clock,
            catalogue=lambda: bench.catalogue,
            unsent_count=bench.journal.unsent_count,
            labels_folder=path / "labels",
            devices=devices,
        )
        server.start()
        try:
            yield bench, server
        finally:
            server.stop()
