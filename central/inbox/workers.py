"""Which processes take facts, as they say themselves. Edge of the database."""

from msgspec import json
from sqlalchemy import delete

from central.clock import Clock
from central.contract.states import CentralState
from central.storage import bulk
from central.storage.database import Database
from central.storage.tables import workers

# A worker that was not heard of for so long is another's affair: renamed, or taken down.
FORGOTTEN_MS = 7 * 24 * 3600 * 1000


def record_worker(database: Database, state: CentralState, *, clock: Clock) -> None:
    """Store what a worker says of itself; it calls this every few seconds.

    Raises LedgerUnavailable, and then nothing is stored: the next time comes soon.
    """
    now_ms = clock.now_ms()
    shards_json = json.encode(sorted(state.shards)).decode()
    with database.write() as connection:
        bulk.upsert_rows(
            connection,
            workers,
            [(state.worker, state.online, shards_json, state.software, now_ms)],
        )
        connection.execute(delete(workers).where(workers.c.seen_ms < now_ms - FORGOTTEN_MS))
