"""The gateways that notices go to, and how far each is. Edge of the database."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from central.contract.topics import shard_of
from central.outbox.notices import COLUMNS, StreamRow
from central.outbox.stream import Kept
from central.storage.tables import gateways, notice_streams, notices

OLDEST = (
    select(func.min(notices.c.number))
    .where(notices.c.gateway == gateways.c.gateway)
    .scalar_subquery()
)
READ_ENTRIES = (
    select(
        gateways.c.gateway,
        gateways.c.warehouse,
        gateways.c.public_key,
        gateways.c.online,
        OLDEST,
        *COLUMNS,
    )
    .outerjoin(notice_streams, notice_streams.c.gateway == gateways.c.gateway)
    .order_by(gateways.c.gateway)
)


@dataclass(frozen=True, slots=True)
class Entry:
    """An enrolled gateway. warehouse: for which it is enrolled now. oldest: see `kept`.

    row: its numbering, None while it has none.
    """

    gateway: str
    warehouse: str
    public_key: bytes
    online: bool
    oldest: int | None
    row: StreamRow | None

    @property
    def kept(self) -> Kept | None:
        """Return what the database has for it, None while it has no numbering."""
        row = self.row
        if row is None:
            return None
        oldest = row.next_number if self.oldest is None else self.oldest
        return Kept(stream=row.stream, oldest=oldest, acked=row.acked, head=row.head)


def read_entries(
    connection: Connection,
    *,
    shards: Collection[int] | None,
    names: Collection[str] | None = None,
) -> list[Entry]:
    """Return the enrolled gateways of these shards, None for all; only `names`, if given."""
    query = READ_ENTRIES
    if names is not None:
        query = query.where(gateways.c.gateway.in_(sorted(names)))
    return [
        Entry(
            gateway=found[0],
            warehouse=found[1],
            public_key=bytes(found[2]),
            online=found[3],
            oldest=found[4],
            row=None if found[5] is None else StreamRow(*found[5:]),
        )
        for found in connection.execute(query)
        if shards is None or shard_of(found[0]) in shards
    ]
