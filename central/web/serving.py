"""How the web server serves pages: bounds, and TLS as strong as it can be. Edge of uvicorn."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from central.access.refusals import Refusals
from central.clock import SystemClock
from central.config import HttpSection
from central.service_notice import Pulse, notify_service
from central.web.connections import (
    CONNECTIONS_MAX,
    BoundedConfig,
    BoundedProtocol,
    Connections,
    Patience,
)

# Open pages hold their connection for ever; after this they are cut off.
PAGES_END_S = 2
TICKS_PER_LOOK = 10  # A second: so often is looked at who holds connections.
# Of TLS 1.2: forward secrecy, authenticated encryption (RFC 9325, section 4.2). 1.3 has no others,
# and nothing before 1.2 is spoken.
CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"


def web_config(
    app: ASGIApp, http: HttpSection, refusals: Refusals, *, patience: Patience | None = None
) -> BoundedConfig:
    """Return how an application is served, without its addresses in any log.

    refusals: where connections that are ended are counted. patience: None for the usual one.
    """
    config = BoundedConfig(
        app,
        http=BoundedProtocol,
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=CONNECTIONS_MAX,
        timeout_graceful_shutdown=PAGES_END_S,
        # Whom else a request is said to come from is believed of these alone.
        forwarded_allow_ips=list(http.trusted_proxies),
        ssl_certfile=http.tls_certificate_file or None,
        ssl_keyfile=http.tls_key_file or None,
        ssl_ciphers=CIPHERS,
    )
    config.connections = Connections(
        refusals=refusals,
        clock_s=SystemClock().monotonic_s,
        proxies=http.trusted_proxies,
        per_address_max=http.connections_per_address,
        patience=patience,
    )
    return config


class WebServer(uvicorn.Server):
    """uvicorn without its signals: we stop the intake as well, and exit with 0.

    intake_ended: the server has ended by itself, because `intake_alive` said so.
    """

    def __init__(
        self,
        config: BoundedConfig,
        ready: Callable[[], None],
        *,
        intake_alive: Callable[[], bool],
        pulse: Pulse,
    ) -> None:
        super().__init__(config)
        self._connections = config.connections
        self._ready = ready
        self._intake_alive = intake_alive
        self._pulse = pulse
        self.intake_ended = False

    def doorway(self, listening: socket.socket) -> socket.socket:
        """Return what to listen with instead of a socket, which is of no use any more."""
        return self._connections.doorway(listening)

    async def on_tick(self, counter: int) -> bool:
        """Return whether to end; asked ten times a second."""
        if not self.should_exit and not self._intake_alive():
            self.intake_ended = self.should_exit = True
        self._pulse.tick()
        if counter % TICKS_PER_LOOK == 0:
            self._connections.look()
        return await super().on_tick(counter)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve, then say so."""
        await super().startup(sockets)
        notify_service("READY=1")
        self._ready()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to `serve`."""
        yield
