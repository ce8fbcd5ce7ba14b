"""Which processes take facts, and what nobody takes. Edge of the database."""

import msgspec
from sqlalchemy import Connection, select

from central.contract.topics import SHARD_COUNT
from central.stock.rows import WorkerRow, Workers
from central.storage.tables import workers

# A worker says every 2 s that it lives; several times that is not a slow moment.
SILENT_MS = 15_000
WORKERS_MAX = 256

_shards_decoder = msgspec.json.Decoder(tuple[int, ...])


def list_workers(connection: Connection, *, now_ms: int) -> Workers:
    """Return the workers by name, and the shards that none of them takes now."""
    query = select(workers).order_by(workers.c.worker).limit(WORKERS_MAX)
    rows = tuple(
        WorkerRow(
            name=row.worker,
            alive=row.online and now_ms - row.seen_ms < SILENT_MS,
            shards=_shards_decoder.decode(row.shards_json),
            software=row.software,
            seen_time_ms=row.seen_ms,
        )
        for row in connection.execute(query)
    )
    if not rows:
        return Workers((), ())
    served = {shard for row in rows if row.alive for shard in row.shards}
    return Workers(rows, tuple(sorted(set(range(SHARD_COUNT)) - served)))
