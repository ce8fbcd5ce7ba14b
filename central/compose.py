"""Builds the serving ledger from its parts and runs it until it is told to stop. Root.

    broker -> CentralLink -> IntakeLoop -> Inbox -> database -> web application -> browsers
                                             `--- notify ------------^

One process: the intake has a thread of its own, the web server the main thread. If that thread dies
the server ends as well: pages alone would hide that no facts come in. With PostgreSQL the intake
may run elsewhere, in any number of processes (`taking`); pages then look for what these committed.
"""

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from logging import getLogger
from threading import Thread
from types import FrameType

from central.access.building import build_access
from central.access.refusals import Refusals
from central.access.sealing import Sealing
from central.api.context import Entrance, Outgoing
from central.api.writing import WriteSide
from central.clock import SystemClock, random_64
from central.config import Config, HttpSection
from central.downlink import Downlink, build_downlink, new_name
from central.errors import ConfigInvalid
from central.inbox.ledger_key import load_ledger_key
from central.inbox.receiver import CREDIT_COUNT
from central.ledger.desk import Desk
from central.loops import Loops, Running, intake_ended, pulse_of
from central.orders.following import FOLLOWERS
from central.outbox.snapshot import Snapshots
from central.service_notice import notify_service
from central.storage.database import Database, open_database
from central.storage.schema import migrate
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
BACKLOG_MAX = 128

logger = getLogger(__name__)


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
            pulse=pulse_of(worker.intake.turns_count if worker is not None else None),
        )
        logger.info("serving", extra={"url": url, "revision": revision})
        run_both(server, loops, listening)
        logger.info("stopped")


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
        telling=_outgoing(
            database, told=downlink.loop.notices_written if downlink is not None else lambda: None
        ),
        writing=WriteSide(desk),
        access=build_access(config.access, database, desk, refusals),
        refusals=refusals,
        loopback_only=config.access.mode == "open",
        epcis_base_uri=config.epcis.base_uri,
        trust=trust,
    )


def _outgoing(database: Database, *, told: Callable[[], None]) -> Outgoing:
    """Return what orders and snapshots are made with. told: called after each was written."""
    snapshots = Snapshots(
        database,
        clock=SystemClock(),
        sign=load_ledger_key(database).sign,
        new_name=new_name,
        told=told,
    )
    return Outgoing(snapshots=snapshots, told=told, new_name=new_name)


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
        raise intake_ended()


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
