"""Writes what a round of the downlink leads to, in one transaction. Edge of the database."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from central.ledger.state import read_state
from central.outbox.changes import Change
from central.outbox.notices import (
    StreamRow,
    add_notices,
    announce,
    begin_stream,
    lock_stream,
    note_changes,
    oldest_kept,
    record_ack,
)
from central.outbox.reference_copies import keep_copy
from central.outbox.stream import Renew
from central.storage.tables import gateways


@dataclass(frozen=True, slots=True)
class Work:
    """What a round leads to; each is looked at again under the lock of the gateway's row.

    acks: the highest number by gateway and stream. renewals: of the stream that is named.
    announcements: gateways that have to be asked where they are, and those without a numbering.
    """

    acks: dict[tuple[str, str], int] = field(default_factory=dict)
    renewals: dict[str, tuple[str, Renew]] = field(default_factory=dict)
    announcements: set[str] = field(default_factory=set)
    changes: list[Change] = field(default_factory=list)

    @property
    def names(self) -> set[str]:
        """Return the gateways concerned."""
        return (
            {gateway for gateway, _ in self.acks}
            | self.renewals.keys()
            | self.announcements
            | {change.row.gateway for change in self.changes}
        )


def write_work(
    connection: Connection, work: Work, *, now_ms: int, new_name: Callable[[], str]
) -> None:
    """Write it. Rows are locked in the order of their gateways, as everywhere."""
    changes = {change.row.gateway: change for change in work.changes}
    for gateway in sorted(work.names):
        row = lock_stream(connection, gateway, new_name=new_name)
        if row is None:
            continue
        number = work.acks.get((gateway, row.stream))
        if number is not None:
            row = record_ack(connection, row, number, now_ms=now_ms)
        stream, renewal = work.renewals.get(gateway, ("", None))
        if renewal is not None and stream == row.stream and _must_renew(connection, row, renewal):
            begin_stream(connection, row, new_name=new_name, now_ms=now_ms)
        elif gateway in work.announcements:
            if oldest_kept(connection, row) > row.head:
                announce(connection, row, now_ms=now_ms)
        elif gateway in changes:
            _write_change(connection, row, changes[gateway], now_ms=now_ms, new_name=new_name)


def is_outdated(row: StreamRow, *, generation: str, warehouse: str) -> bool:
    """Return whether the numbering belongs to another life of the ledger, or another warehouse."""
    return row.generation != generation or row.warehouse != warehouse


def _must_renew(connection: Connection, row: StreamRow, renewal: Renew) -> bool:
    if renewal.reason == "ahead":
        return renewal.number > row.head
    if renewal.reason == "gone":
        return renewal.number < oldest_kept(connection, row) - 1
    warehouse = connection.execute(
        select(gateways.c.warehouse).where(gateways.c.gateway == row.gateway)
    ).scalar_one()
    return is_outdated(row, generation=read_state(connection).generation, warehouse=warehouse)


def _write_change(
    connection: Connection,
    row: StreamRow,
    change: Change,
    *,
    now_ms: int,
    new_name: Callable[[], str],
) -> None:
    seen = change.row
    if (row.stream, row.next_number) != (seen.stream, seen.next_number):
        return  # Another worker, or an order, was faster: looked at again in the next round.
    if change.too_large:
        begin_stream(connection, row, new_name=new_name, now_ms=now_ms)
        return
    if change.copy is not None:
        keep_copy(connection, change.copy)
    bodies: Sequence[tuple[bytes, ...]] = (change.reference, change.stock)
    row = add_notices(connection, row, "reference", bodies[0], now_ms=now_ms)
    row = add_notices(connection, row, "stock", bodies[1], now_ms=now_ms)
    note_changes(
        connection,
        row,
        stock_revision=change.stock_revision,
        reference_revision=change.reference_revision,
    )
