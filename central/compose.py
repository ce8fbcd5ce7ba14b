"""Builds the serving ledger from its parts and runs it until it is told to stop. Root.

    broker -> CentralLink -> IntakeLoop -> Inbox -> database -> web application -> browsers
                                             `--- notify ------------^

One process: the intake has a thread of its own, the web server the main thread. If that thread dies
the server ends as well: pages alone would hide that no facts come in. With PostgreSQL the intake
may run elsewhere, in any number of processes (`take`); pages then look for what these committed.
"""

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from logging import getLogger
from queue import Empty, SimpleQueue
from threading import Thread
from types import FrameType
from typing import Protocol

from central.access.building import build_access
from central.access.refusals import Refusals
from central.access.sealing import Sealing
from central.api.context import Entrance
from central.api.writing import WriteSide
from central.clock import SystemClock, random_64
from central.config import Config, HttpSection
from central.downlink import Downlink, build_downlink, build_outgoing
from central.errors import ConfigInvalid, IntakeEnded
from central.inbox.ledger_key import load_ledger_key
from central.inbox.receiver import CREDIT_COUNT
from central.ledger.collector import collect_rarely
from central.ledger.desk import Desk
from central.orders.following import FOLLOWERS
from central.service_notice import Pulse, notify_service
from central.storage.database import Database, open_database
from central.storage.schema import check_schema, migrate
from central.storage.sole_use import sole_use
from central.trust.broker_ear import broker_ears
from central.trust.building import build_trust
from central.trust.trust import Trust
from central.trust.upkeep import trust_loops
from central.web.app import Application, create_app, notify_of_app
from central.web.live import POLL_OF_MANY_S, POLL_S
from central.web.serving import WebServer, web_config
from central.worker import Worker, build_inbox, build_worker, refuse_second_worker_of_sqlite

WORKER_NAME = "main"
ALIVE_LOOK_S = 0.2  # So late a worker is ended whose thread has died.
BACKLOG_MAX = 128

logger = getLogger(__name__)


class Running(Protocol):
    """A loop with a thread of its own. `start` once, `stop` once."""

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def alive(self) -> bool: ...


class Loops:
    """Several loops that run and end together; if one dies, they are no longer alive."""

    def __init__(self, *loops: Running) -> None:
        self._loops = loops

    def start(self) -> None:
        """Start each."""
        collect_rarely()
        for loop in self._loops:
            loop.start()

    def stop(self) -> None:
        """Stop all at the same time: each takes seconds if the broker is silent."""
        threads = [Thread(target=loop.stop, name="stopping") for loop in self._loops]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def alive(self) -> bool:
        """Return whether every loop is."""
        return all(loop.alive() for loop in self._loops)


def serve(
    config: Config,
    *,
    ready: Callable[[str], None],
    worker_name: str = WORKER_NAME,
    takes_facts: bool = True,
) -> None:
    """Migrate, take facts and serve pages until SIGTERM or SIGINT. Only in the main thread.

    ready: called with the address of the pages once they are served. takes_facts: False leaves
    that to `take` in other processes. Raises DatabaseUnusable, LedgerUnavailable or ConfigInvalid
    before anything is served, and IntakeEnded if facts are no longer taken.
    """
    if not takes_facts:
        refuse_second_worker_of_sqlite(config)
    with _listen(config.http) as listening, _own_database(config) as database:
        revision = migrate(database, generation=f"{random_64():016x}")

        def told() -> None:
            notify_of_app(app)()  # Nothing is taken before it is made.
            if downlink is not None:
                downlink.loop.facts_posted()

        worker = downlink = None
        if takes_facts:
            worker = build_worker(config, database, name=worker_name, shards=None, told=told)
            downlink = build_downlink(config, database, name=worker_name, shards=None, told=told)
        trust = build_trust(config, database)
        refusals = Refusals()
        app = _application(
            config, database, worker, downlink, told=told, trust=trust, refusals=refusals
        )
        url = _url_of(config.http, listening)
        ears = broker_ears(config, refusals)
        loops = Loops(*ears) if ears else None
        if worker is not None and downlink is not None:
            sealing = Sealing(database, clock=SystemClock())
            loops = Loops(worker.intake, *downlink.loops, *trust_loops(trust), sealing, *ears)
        server = WebServer(
            web_config(app, config.http, refusals),
            lambda: ready(url),
            intake_alive=loops.alive if loops is not None else lambda: True,
            pulse=_pulse(worker),
        )
        logger.info("serving", extra={"url": url, "revision": revision})
        run_both(server, loops, listening)
        logger.info("stopped")


def take(
    config: Config, *, worker_name: str, shards: tuple[int, ...] | None, ready: Callable[[], None]
) -> None:
    """Take facts of some shards' gateways until SIGTERM or SIGINT. Only in the main thread.

    ready: called once the worker runs, whether or not it has a broker. Raises ConfigInvalid for
    SQLite, DatabaseUnusable or LedgerUnavailable before anything is taken, and IntakeEnded.
    """
    refuse_second_worker_of_sqlite(config)
    database = open_database(config.database.url)
    try:
        check_schema(database)
        # No Event: its lock is not reentrant, and the handler runs in the thread that waits for it.
        ended: SimpleQueue[int] = SimpleQueue()
        downlink = build_downlink(config, database, name=worker_name, shards=shards)
        told = downlink.loop.facts_posted
        worker = build_worker(config, database, name=worker_name, shards=shards, told=told)
        loops = Loops(worker.intake, *downlink.loops)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda received, _frame: ended.put(received))
        loops.start()
        logger.info("taking facts", extra={"worker": worker_name})
        notify_service("READY=1")
        ready()
        asked = _wait_for_end(ended, loops, _pulse(worker))
        notify_service("STOPPING=1")
        loops.stop()
        logger.info("stopped", extra={"worker": worker_name, **worker.intake.counters()})
        if not asked:
            raise _intake_ended()
    finally:
        database.close()


def _pulse(worker: Worker | None) -> Pulse:
    """Return what feeds the watchdog while facts are taken; without a worker, while pages are."""
    turns = worker.intake.turns_count if worker is not None else count().__next__
    return Pulse(turns, clock_s=SystemClock().monotonic_s)


def _wait_for_end(ended: SimpleQueue[int], loops: Loops, pulse: Pulse) -> bool:
    """Return True when a signal has come, False when the loops have ended by themselves."""
    while loops.alive():
        pulse.tick()
        with suppress(Empty):
            ended.get(timeout=ALIVE_LOOK_S)
            return True
    return False


@contextmanager
def _own_database(config: Config) -> Iterator[Database]:
    database = open_database(config.database.url, checkpoints=True)
    try:
        with sole_use(database):
            yield database
    finally:
        database.close()


def _application(
    config: Config,
    database: Database,
    worker: Worker | None,
    downlink: Downlink | None,
    *,
    told: Callable[[], None],
    trust: Trust | None,
    refusals: Refusals,
) -> Application:
    key = load_ledger_key(database)
    credit = worker.credit if worker is not None else lambda: CREDIT_COUNT
    webhooks = downlink.webhooks if downlink is not None else None

    def desk_told() -> None:
        told()
        if webhooks is not None:
            webhooks.wake()

    desk = Desk(database, clock=SystemClock(), followers=FOLLOWERS, told=desk_told)
    return create_app(
        database=database,
        clock=SystemClock(),
        site=config.ledger.site,
        intake_connected=(lambda: worker.link.connected) if worker is not None else None,
        intake_alive=worker.intake.alive if worker is not None else None,
        poll_s=POLL_S if database.dialect == "sqlite" else POLL_OF_MANY_S,
        entrance=Entrance(
            inbox=build_inbox(config, database, told=told, credit=credit),
            sign=key.sign,
            counters=lambda: _counters(worker, downlink),
            credit=credit,
        ),
        telling=build_outgoing(
            database, told=downlink.loop.notices_written if downlink is not None else lambda: None
        ),
        writing=WriteSide(desk),
        access=build_access(config.access, database, desk, refusals),
        refusals=refusals,
        loopback_only=config.access.mode == "open",
        epcis_base_uri=config.epcis.base_uri,
        trust=trust,
    )


def _counters(worker: Worker | None, downlink: Downlink | None) -> dict[str, int]:
    counted = worker.intake.counters() if worker is not None else {}
    if downlink is not None:
        names = ("down", "upkeep", "webhooks", "watching")
        for prefix, loop in zip(names, downlink.loops, strict=False):
            counted |= {f"{prefix}_{name}": count for name, count in loop.counters().items()}
    return counted


def run_both(server: WebServer, intake: Running | None, listening: socket.socket) -> None:
    """Serve and take facts until SIGTERM or SIGINT. Raises IntakeEnded, with both ended.

    intake: None if facts are taken elsewhere.
    """
    # Intake and pages end at the same time: each takes seconds if broker or browser is silent.
    stopping = Thread(target=intake.stop if intake is not None else None, name="stopping")

    def stop(_number: int, _frame: FrameType | None) -> None:
        notify_service("STOPPING=1")
        server.should_exit = True
        if not stopping.ident:
            stopping.start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    if intake is not None:
        intake.start()
    try:
        server.run(sockets=[server.doorway(listening)])
    finally:
        stop(0, None)
        stopping.join()
    if server.intake_ended:
        raise _intake_ended()


def _intake_ended() -> IntakeEnded:
    error = IntakeEnded(
        "the intake has ended: no more facts would be taken",
        hint="Start the ledger again and report the fault that the log names before this.",
    )
    logger.critical("ending", extra={"detail": str(error), "hint": error.hint})
    return error


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
    scheme = "https" if http.tls_certificate_file else "http"
    return f"{scheme}://{host}:{listening.getsockname()[1]}"
