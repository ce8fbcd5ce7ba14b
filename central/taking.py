"""Takes facts and serves no pages, beside other processes that do: a worker of PostgreSQL. Root.

    broker -> CentralLink -> IntakeLoop -> Inbox -> database <- the pages of another process

It loads nothing of the web application: half of the time to start, two thirds of the memory.
"""

import signal
from collections.abc import Callable
from contextlib import suppress
from logging import getLogger
from queue import Empty, SimpleQueue

from central.config import Config
from central.downlink import build_downlink
from central.loops import Loops, intake_ended, pulse_of
from central.service_notice import Pulse, notify_service
from central.storage.database import open_database
from central.storage.schema import check_schema
from central.worker import build_worker, refuse_second_worker_of_sqlite

ALIVE_LOOK_S = 0.2  # So late a worker is ended whose thread has died.

logger = getLogger(__name__)


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
        asked = _wait_for_end(ended, loops, pulse_of(worker.intake.turns_count))
        notify_service("STOPPING=1")
        loops.stop()
        logger.info("stopped", extra={"worker": worker_name, **worker.intake.counters()})
        if not asked:
            raise intake_ended()
    finally:
        database.close()


def _wait_for_end(ended: SimpleQueue[int], loops: Loops, pulse: Pulse) -> bool:
    """Return True when a signal has come, False when the loops have ended by themselves."""
    while loops.alive():
        pulse.tick()
        with suppress(Empty):
            ended.get(timeout=ALIVE_LOOK_S)
            return True
    return False
