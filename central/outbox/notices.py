"""Durable notices of each gateway, in one numbering that nobody can fork. Edge of the database.

Whoever adds a notice or begins another stream holds the lock of the gateway's row in
`notice_streams`, so that two workers make one numbering. All functions run inside the caller's
transaction.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from sqlalchemy import Connection, delete, func, select, update

from central.contract.notices import Notice, Setting, SettingsChanged, encode_notice
from central.ledger.state import read_state
from central.outbox.stream import RUN_BYTES_MAX
from central.storage import bulk
from central.storage.tables import gateway_settings, gateways, notice_streams, notices

# The newest acknowledged ones: for a late acknowledgement, a gateway that went back a little, and
# to ask with.
KEPT_ACKED_COUNT = 16
WAITING_COUNT_MAX = 256
WAITING_BYTES_MAX = 4 * 1024 * 1024

Kind = Literal["stock", "reference", "template", "settings", "print", "settled"]
# What no snapshot says: not acknowledged, it goes on in the next stream.
MOVED_ON: tuple[Kind, ...] = ("print", "settled")

COLUMNS = tuple(notice_streams.c)
LOCK_STREAM = select(*COLUMNS).with_for_update()


@dataclass(frozen=True, slots=True)
class StreamRow:
    """The numbering of one gateway; the table says what each field means."""

    gateway: str
    stream: str
    generation: str
    warehouse: str
    has_snapshot: bool
    next_number: int
    acked: int
    acked_ms: int
    changes_number: int
    stock_revision: int
    reference_revision: int

    @property
    def head(self) -> int:
        """Return the number of the last notice, 0 for none."""
        return self.next_number - 1


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a gateway is. waiting: kinds of notices that it has not acknowledged, with counts.

    reference_newest: revision of the reference data that there is to tell.
    """

    row: StreamRow
    waiting: tuple[tuple[str, int], ...]
    reference_newest: int


def lock_stream(
    connection: Connection, gateway: str, *, new_name: Callable[[], str]
) -> StreamRow | None:
    """Return the gateway's numbering, locked until the transaction ends; None if not enrolled.

    It is made where there is none.
    """
    statement = LOCK_STREAM.where(notice_streams.c.gateway == gateway)
    row = connection.execute(statement).first()
    if row is None:
        warehouse = connection.execute(
            select(gateways.c.warehouse).where(gateways.c.gateway == gateway)
        ).scalar_one_or_none()
        if warehouse is None:
            return None
        generation = read_state(connection).generation
        new = (gateway, new_name(), generation, warehouse, False, 1, 0, 0, 0, 0, 0)
        bulk.insert_missing_rows(connection, notice_streams, [new])
        row = connection.execute(statement).one()
    return StreamRow(*row)


def read_stream(connection: Connection, gateway: str) -> StreamRow | None:
    """Return the gateway's numbering as this transaction sees it, None if there is none."""
    row = connection.execute(select(*COLUMNS).where(notice_streams.c.gateway == gateway)).first()
    return None if row is None else StreamRow(*row)


def read_progress(connection: Connection, gateway: str) -> Progress | None:
    """Return how far a gateway is, None if it was never told anything."""
    row = read_stream(connection, gateway)
    if row is None:
        return None
    waiting = connection.execute(
        select(notices.c.kind, func.count())
        .where(notices.c.gateway == gateway, notices.c.number > row.acked)
        .group_by(notices.c.kind)
        .order_by(notices.c.kind)
    )
    newest = read_state(connection).reference_revision
    return Progress(row, tuple((kind, count) for kind, count in waiting), newest)


def add_notices(
    connection: Connection, row: StreamRow, kind: Kind, bodies: Sequence[bytes], *, now_ms: int
) -> StreamRow:
    """Number notices on from what is there; return the row after it. The caller holds its lock."""
    bulk.insert_rows(
        connection,
        notices,
        [
            (row.gateway, number, kind, body, now_ms)
            for number, body in enumerate(bodies, row.next_number)
        ],
    )
    return _changed(connection, row, next_number=row.next_number + len(bodies))


def note_changes(
    connection: Connection, row: StreamRow, *, stock_revision: int, reference_revision: int
) -> None:
    """Note up to where the notices just added tell of stock and reference data."""
    _changed(
        connection,
        row,
        changes_number=row.head,
        stock_revision=stock_revision,
        reference_revision=reference_revision,
    )


def has_room(connection: Connection, row: StreamRow, bytes_count: int) -> bool:
    """Return whether one more notice of this size may wait for the gateway."""
    if row.head - row.acked >= WAITING_COUNT_MAX:
        return False
    waiting_bytes = connection.execute(
        select(func.coalesce(func.sum(func.length(notices.c.body)), 0)).where(
            notices.c.gateway == row.gateway, notices.c.number > row.acked
        )
    ).scalar_one()
    return int(waiting_bytes) + bytes_count <= WAITING_BYTES_MAX


def begin_stream(
    connection: Connection,
    row: StreamRow,
    *,
    new_name: Callable[[], str],
    now_ms: int,
    snapshot_of: tuple[int, int] | None = None,
) -> StreamRow:
    """Begin another numbering in place of `row`, whose lock the caller holds; return it.

    Print requests and settlements that the gateway has not acknowledged go on in the new one;
    everything else is in the snapshot that the gateway has to load. snapshot_of: revisions of
    stock and reference data of the snapshot that was made with it. Without one a first notice is
    written: hearing it, the gateway asks for a snapshot.
    """
    moved_on = {kind: _waiting_bodies(connection, row, kind) for kind in MOVED_ON}
    connection.execute(delete(notices).where(notices.c.gateway == row.gateway))
    stock_revision, reference_revision = snapshot_of or (0, 0)
    begun = _changed(
        connection,
        row,
        stream=new_name(),
        generation=read_state(connection).generation,
        warehouse=connection.execute(
            select(gateways.c.warehouse).where(gateways.c.gateway == row.gateway)
        ).scalar_one(),
        has_snapshot=snapshot_of is not None,
        next_number=1,
        acked=0,
        changes_number=0,
        stock_revision=stock_revision,
        reference_revision=reference_revision,
    )
    if snapshot_of is None:
        begun = announce(connection, begun, now_ms=now_ms)
    for kind, bodies in moved_on.items():
        begun = add_notices(connection, begun, kind, bodies, now_ms=now_ms)
    return begun


def renew_all(connection: Connection, *, new_name: Callable[[], str], now_ms: int) -> int:
    """Let every gateway load a snapshot, because balances were changed without a fact; return how
    many gateways have to."""
    query = select(notice_streams.c.gateway).order_by(notice_streams.c.gateway)
    told = connection.execute(query).scalars().all()
    for gateway in told:
        row = lock_stream(connection, gateway, new_name=new_name)
        assert row is not None
        begin_stream(connection, row, new_name=new_name, now_ms=now_ms)
    return len(told)


def announce(connection: Connection, row: StreamRow, *, now_ms: int) -> StreamRow:
    """Write a notice that may be said at any time: hearing it, a gateway says where it is."""
    body = encode_notice(settings_notice(connection, row.gateway))
    return add_notices(connection, row, "settings", [body], now_ms=now_ms)


def settings_notice(connection: Connection, gateway: str) -> Notice:
    """Return all remote settings of a gateway."""
    rows = connection.execute(
        select(gateway_settings.c.name, gateway_settings.c.value)
        .where(gateway_settings.c.gateway == gateway)
        .order_by(gateway_settings.c.name)
    )
    return SettingsChanged(settings=tuple(Setting(name, value) for name, value in rows))


def record_ack(connection: Connection, row: StreamRow, number: int, *, now_ms: int) -> StreamRow:
    """Note that the gateway has applied notices of `row`, whose lock the caller holds."""
    if not row.acked < number <= row.head:
        return row
    connection.execute(
        delete(notices).where(
            notices.c.gateway == row.gateway, notices.c.number <= number - KEPT_ACKED_COUNT
        )
    )
    return _changed(connection, row, acked=number, acked_ms=now_ms)


def oldest_kept(connection: Connection, row: StreamRow) -> int:
    """Return the number of the oldest notice that is kept, head + 1 if none is."""
    oldest = connection.execute(
        select(func.min(notices.c.number)).where(notices.c.gateway == row.gateway)
    ).scalar_one()
    return row.next_number if oldest is None else int(oldest)


def read_run(
    connection: Connection, gateway: str, stream: str, *, first_number: int, count_max: int
) -> list[bytes]:
    """Return notices from `first_number` on, at most RUN_BYTES_MAX but always one that is there.

    Empty if the gateway has another stream by now.
    """
    rows = connection.execute(
        select(notices.c.number, notices.c.body)
        .join(notice_streams, notice_streams.c.gateway == notices.c.gateway)
        .where(
            notices.c.gateway == gateway,
            notice_streams.c.stream == stream,
            notices.c.number >= first_number,
            notices.c.number < first_number + count_max,
        )
        .order_by(notices.c.number)
    )
    bodies: list[bytes] = []
    bytes_count = 0
    for number, body in rows:
        bytes_count += len(body)
        if number != first_number + len(bodies) or (bodies and bytes_count > RUN_BYTES_MAX):
            break
        bodies.append(bytes(body))
    return bodies


def _waiting_bodies(connection: Connection, row: StreamRow, kind: Kind) -> list[bytes]:
    """Return the notices of a kind that the gateway has not acknowledged, oldest first."""
    found = connection.execute(
        select(notices.c.body)
        .where(
            notices.c.gateway == row.gateway,
            notices.c.kind == kind,
            notices.c.number > row.acked,
        )
        .order_by(notices.c.number)
    )
    return [bytes(body) for body in found.scalars()]


def _changed(connection: Connection, row: StreamRow, **values: Any) -> StreamRow:  # noqa: ANN401
    if values:
        connection.execute(
            update(notice_streams).where(notice_streams.c.gateway == row.gateway).values(**values)
        )
    return replace(row, **values)
