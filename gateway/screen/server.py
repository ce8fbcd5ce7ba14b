"""Serves the pages of all stations from a thread of its own. Edge of HTTP (uvicorn)."""

import asyncio
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Thread

import uvicorn
from starlette.applications import Starlette

from central.contract.facts import Fact
from central.contract.notices import Settled
from gateway.clock import Clock
from gateway.errors import ConfigInvalid
from gateway.health import Health
from gateway.screen.app import ScreenParts, create_app, create_waiting_app
from gateway.screen.device_routes import DeviceActions
from gateway.screen.documents import Received
from gateway.screen.feed import Feed, Feeds
from gateway.screen.languages import PageLanguages
from gateway.screen.stations import ScreenStation
from gateway.screen.translation import Language
from gateway.station.catalogue import Catalogue
from gateway.station.claiming import Claims
from gateway.station.enrolment import Enrolment

SHUTDOWN_S = 2
CONNECTIONS_MAX = 64


class ScreenServer:
    """The pages of a gateway. Start and stop it once each, from one thread."""

    def __init__(
        self,
        *,
        host: str,
        port: int,
        stations: Sequence[ScreenStation],
        language: Language,
        health: Health,
        clock: Clock,
        catalogue: Callable[[], Catalogue],
        unsent_count: Callable[[], int],
        oldest_unsent: Callable[[], Fact | None] = lambda: None,
        settlements: Callable[[], Sequence[Settled]] = tuple,
        received: Received = lambda _: {},
        devices: DeviceActions | None = None,
        claims: Claims | None = None,
        enrolment: Enrolment | None = None,
        labels_folder: Path | None = None,
        languages_folder: Path | None = None,
    ) -> None:
        """port: 0 takes any free one. catalogue: called from the server's thread.

        unsent_count, oldest_unsent, settlements, received: called from threads of it.
        languages_folder: where the language that each person reads is kept, None for in memory
        alone.
        """
        self._host = host
        self._port = port
        languages = PageLanguages(languages_folder, default=language)
        feeds = [
            Feed(
                station,
                health=health,
                languages=languages,
                catalogue=catalogue,
                unsent_count=unsent_count,
                oldest_unsent=oldest_unsent,
                settlements=settlements,
                clock=clock,
            )
            for station in stations
        ]
        self._parts = ScreenParts(
            feeds=Feeds(feeds),
            health=health,
            catalogue=catalogue,
            clock=clock,
            language=language,
            received=received,
            devices=devices,
            claims=claims,
            enrolment=enrolment,
            labels_folder=labels_folder,
        )
        self._server = uvicorn.Server(_uvicorn_config(create_app(self._parts)))
        self._loop: asyncio.AbstractEventLoop | None = None
        self._socket: socket.socket | None = None
        self._thread = Thread(target=self._run, name="screen")

    @property
    def url(self) -> str:
        """Return where the page is, e.g. "http://127.0.0.1:8081/"; known once started."""
        assert self._socket is not None, "start the server first"
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._socket.getsockname()[1]}/"

    def start(self) -> None:
        """Open the port; requests are answered from now on. Raises ConfigInvalid if it is taken."""
        self._socket = _open_port(self._host, self._port)
        self._thread.start()

    def stop(self) -> None:
        """Close the port and every open page's stream."""
        if self._socket is None:
            return
        self._server.should_exit = True
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._parts.stopping.set)
        self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        assert self._socket is not None
        self._loop = asyncio.get_running_loop()
        end = self._parts.feeds.listen(self._loop)
        try:
            await self._server.serve(sockets=[self._socket])
        finally:
            end()


class WaitingServer:
    """The page of a machine that is no gateway yet. Start and stop it once each."""

    def __init__(self, enrolment: Enrolment, *, host: str, port: int, language: Language) -> None:
        self._host, self._port = host, port
        app = create_waiting_app(enrolment, default=language)
        self._server = uvicorn.Server(_uvicorn_config(app))
        self._socket: socket.socket | None = None
        self._thread = Thread(target=self._run, name="screen")

    @property
    def port(self) -> int:
        """Return where it listens; known once started."""
        assert self._socket is not None, "start the server first"
        return int(self._socket.getsockname()[1])

    def start(self) -> None:
        """Open the port. Raises ConfigInvalid if it is taken."""
        self._socket = _open_port(self._host, self._port)
        self._thread.start()

    def stop(self) -> None:
        """Close the port: whoever serves the station's page takes it."""
        if self._socket is None:
            return
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        assert self._socket is not None
        asyncio.run(self._server.serve(sockets=[self._socket]))


def _open_port(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        opened = socket.create_server((host, port), family=family)
    except OSError as error:
        raise ConfigInvalid(
            f"the station page cannot listen on {host}:{port}: {error}",
            hint="Write a free port and an address of this machine under [screen].",
        ) from error
    # Inherited by each connection; asyncio sets it only on sockets that it made itself. Without
    # it, head and body of an answer are 40 ms apart (Nagle against delayed acknowledgement).
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return opened


def _uvicorn_config(app: Starlette) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=CONNECTIONS_MAX,
        timeout_graceful_shutdown=SHUTDOWN_S,
    )
