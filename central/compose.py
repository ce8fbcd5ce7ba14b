"""Builds the serving ledger from its parts and runs it until it is told to stop. Root.

    broker -> CentralLink -> IntakeLoop -> Inbox -> database -> web application -> browsers
                                             `--- notify ------------^

One process: the intake has a thread of its own, the web server the main thread. If that thread dies
the server ends as well: pages alone would hide that no facts come in.
"""

import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from logging import getLogger
from threading import Thread
from types import FrameType

import uvicorn

from central.clock import SystemClock, random_64, random_fraction
from central.config import Config, HttpSection
from central.errors import ConfigInvalid, IntakeEnded
from central.inbox.gateways import record_states
from central.inbox.inbox import Inbox, Outcome
from central.inbox.intake_loop import IntakeLoop
from central.mqtt_link import CentralLink
from central.storage.database import open_database
from central.storage.schema import migrate
from central.web.app import create_app, live_of_app

# Open pages hold their connection for ever; after this they are cut off.
PAGES_END_S = 2
CONNECTIONS_MAX = 512
BACKLOG_MAX = 128

logger = getLogger(__name__)


class ToldInbox:
    """An inbox that tells somebody after each commit."""

    def __init__(self, inbox: Inbox, told: Callable[[], None]) -> None:
        self._inbox = inbox
        self._told = told

    def accept(self, payloads: Sequence[tuple[str, bytes]]) -> list[Outcome]:
        """Return the outcomes, all durable. Raises LedgerUnavailable."""
        outcomes = self._inbox.accept(payloads)
        self._told()
        return outcomes


class WebServer(uvicorn.Server):
    """uvicorn without its signals: we stop the intake as well, and exit with 0.

    intake_ended: the server has ended by itself, because `intake_alive` said so.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        ready: Callable[[], None],
        *,
        intake_alive: Callable[[], bool],
    ) -> None:
        super().__init__(config)
        self._ready = ready
        self._intake_alive = intake_alive
        self.intake_ended = False

    async def on_tick(self, counter: int) -> bool:
        """Return whether to end; asked ten times a second."""
        if not self.should_exit and not self._intake_alive():
            self.intake_ended = self.should_exit = True
        return await super().on_tick(counter)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve, then say so."""
        await super().startup(sockets)
        self._ready()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to `serve`."""
        yield


def serve(config: Config, *, ready: Callable[[str], None]) -> None:
    """Migrate, take facts and serve pages until SIGTERM or SIGINT. Only in the main thread.

    ready: called with the address of the pages once they are served.
    Raises DatabaseUnusable, LedgerUnavailable or ConfigInvalid before anything is served, and
    IntakeEnded if facts are no longer taken.
    """
    clock = SystemClock()
    listening = _listen(config.http)
    with listening:
        database = open_database(config.database.url, checkpoints=True)
        try:
            revision = migrate(database, generation=f"{random_64():016x}")
            link = CentralLink(config.mqtt, site=config.ledger.site)
            app = create_app(
                database=database,
                clock=clock,
                site=config.ledger.site,
                intake_connected=lambda: link.connected,
                intake_alive=lambda: intake.alive(),  # noqa: PLW0108 - it is made below
            )
            notify = live_of_app(app).notify

            def note_states(payloads: Sequence[tuple[str, bytes]]) -> None:
                record_states(database, payloads, clock=clock)
                notify()

            intake = IntakeLoop(
                link=link,
                inbox=ToldInbox(Inbox(database, clock=clock), notify),
                note_states=note_states,
                jitter=random_fraction,
            )
            url = _url_of(config.http, listening)
            web_config = uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                server_header=False,
                limit_concurrency=CONNECTIONS_MAX,
                timeout_graceful_shutdown=PAGES_END_S,
            )
            server = WebServer(web_config, lambda: ready(url), intake_alive=intake.alive)
            logger.info("serving", extra={"url": url, "revision": revision})
            run_both(server, intake, listening)
            logger.info("stopped")
        finally:
            database.close()


def run_both(server: WebServer, intake: IntakeLoop, listening: socket.socket) -> None:
    """Serve and take facts until SIGTERM or SIGINT. Raises IntakeEnded, with both ended."""
    # Intake and pages end at the same time: each takes seconds if broker or browser is silent.
    stopping = Thread(target=intake.stop, name="stopping")

    def stop(_number: int, _frame: FrameType | None) -> None:
        server.should_exit = True
        if not stopping.ident:
            stopping.start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    intake.start()
    try:
        server.run(sockets=[listening])
    finally:
        stop(0, None)
        stopping.join()
    if server.intake_ended:
        error = IntakeEnded(
            "the intake has ended: no more facts would be taken",
            hint="Start the ledger again and report the fault that the log names before this.",
        )
        logger.critical("ending", extra={"detail": str(error), "hint": error.hint})
        raise error


def _listen(http: HttpSection) -> socket.socket:
    family = socket.AF_INET6 if ":" in http.host else socket.AF_INET
    try:
        listening = socket.create_server((http.host, http.port), family=family, backlog=BACKLOG_MAX)
    except OSError as error:
        raise ConfigInvalid(
            f"cannot listen on {http.host} port {http.port}: {error.strerror or error}",
            hint="Stop what listens there, or change host or port under [http].",
        ) from error
    # Inherited by each connection; asyncio sets it only on sockets that it made itself. Without it,
    # head and body of an answer are 40 ms apart (Nagle against delayed acknowledgement).
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def _url_of(http: HttpSection, listening: socket.socket) -> str:
    host = f"[{http.host}]" if ":" in http.host else http.host
    return f"http://{host}:{listening.getsockname()[1]}"
