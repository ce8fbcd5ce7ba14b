"""Makes the snapshots that gateways begin with, and keeps them to be loaded. Edge of the database.

A gateway asks with a sealed request; whoever cannot sign for it learns nothing. The file is then
known by its SHA-256, which nobody can guess: it contains the random name of a stream.
"""

from collections.abc import Callable
from dataclasses import dataclass
from threading import BoundedSemaphore, Lock
from typing import Literal

from sqlalchemy import Connection, delete, func, select

from central.clock import Clock
from central.contract.identifiers import parse_code
from central.contract.sealed import open_sealed, seal
from central.contract.snapshots import (
    Snapshot,
    SnapshotManifest,
    decode_snapshot_request,
    encode_manifest,
    encode_snapshot,
    manifest_of,
)
from central.ledger.state import read_state
from central.outbox.changes import read_levels, read_positions
from central.outbox.difference import of_warehouse
from central.outbox.notices import StreamRow, begin_stream, lock_stream, read_stream
from central.outbox.orders import read_settings, read_templates
from central.outbox.packed_units import read_units_of
from central.outbox.present_reference import present_reference
from central.outbox.reference_copies import keep_copy
from central.outbox.seals import is_signed_by
from central.outbox.shares import read_expected_lines, shares_for
from central.storage import bulk
from central.storage.database import Database
from central.storage.tables import gateways, snapshot_requests, snapshots

REQUEST_BYTES_MAX = 1024
POSITIONS_COUNT_MAX = 10_000
# The same file again while its gateway may still be loading it, so that it can resume.
REUSE_S = 600
PAUSE_S = 10  # Between two files made for one gateway.
KEPT_S = 24 * 3600
NONCES_PER_GATEWAY_MAX = 1000
TRIES_MAX = 3
TURN_S_MAX = 5.0  # How long a request waits for others; one file is made at a time.
# More of them are told to come later at once: those who wait hold threads that serve pages, too.
WAITING_COUNT_MAX = 8


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why there is no snapshot. "denied": for this asker never; "later": ask again."""

    kind: Literal["denied", "later"]
    detail: str
    hint: str


DENIED_HINT = "Enrol the gateway with the public key that it shows, then let it ask again."
LATER_HINT = "Ask again after the time in Retry-After."


class Snapshots:
    """Answers requests for snapshots. Any thread may.

    sign: with the ledger's key. new_name: makes random names of streams. told: called after a
    snapshot was made.
    """

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        sign: Callable[[bytes], bytes],
        new_name: Callable[[], str],
        told: Callable[[], None],
    ) -> None:
        self._database = database
        self._clock = clock
        self._sign = sign
        self._new_name = new_name
        self._told = told
        self._turn = Lock()
        self._queue = BoundedSemaphore(WAITING_COUNT_MAX)

    def answer(self, message: bytes) -> bytes | Refusal:
        """Return the sealed manifest of the file to load.

        Raises ContractError for what is no request, LedgerUnavailable.
        """
        sealed = open_sealed(message, bytes_max=REQUEST_BYTES_MAX)
        request = decode_snapshot_request(sealed.payload)
        parse_code(request.nonce, what="nonce")
        gateway = request.gateway
        with self._database.read() as connection:
            key = connection.execute(
                select(gateways.c.public_key).where(gateways.c.gateway == gateway)
            ).scalar_one_or_none()
        if key is None:
            return Refusal("denied", f"Gateway {gateway} is not enrolled.", DENIED_HINT)
        if not is_signed_by(bytes(key), sealed, "snapshot-request"):
            return Refusal("denied", f"The signature is not that of {gateway}.", DENIED_HINT)
        if not self._queue.acquire(blocking=False):
            return Refusal("later", "Many gateways wait already.", LATER_HINT)
        try:
            found = self._in_turn(gateway, request.nonce)
        finally:
            self._queue.release()
        if isinstance(found, Refusal):
            return found
        return seal("snapshot", encode_manifest(found), self._sign)

    def _in_turn(self, gateway: str, nonce: str) -> SnapshotManifest | Refusal:
        if not self._turn.acquire(timeout=TURN_S_MAX):
            return Refusal("later", "Other gateways are being served.", LATER_HINT)
        try:
            return self._manifest(gateway, nonce)
        finally:
            self._turn.release()

    def _manifest(self, gateway: str, nonce: str) -> SnapshotManifest | Refusal:
        now_ms = self._clock.now_ms()
        with self._database.write() as connection:
            row = lock_stream(connection, gateway, new_name=self._new_name)
            if row is None or not _is_new_nonce(connection, gateway, nonce, now_ms=now_ms):
                detail = f"This request of {gateway} was answered before."
                return Refusal("denied", detail, "Make a new request, with another nonce.")
            last = _last_made(connection, row)
        if last is not None:
            # Also where the clock was set back or far ahead meanwhile.
            age_s = abs(now_ms - last.made_ms) / 1000
            if last.manifest is not None and age_s < REUSE_S:
                return last.manifest
            if age_s < PAUSE_S:
                return Refusal("later", f"{gateway} was given one a moment ago.", LATER_HINT)
        for _ in range(TRIES_MAX):
            made = self._make(gateway, now_ms=now_ms)
            if made is not None:
                self._told()
                return made
        return Refusal("later", f"What {gateway} is told changes too fast.", LATER_HINT)

    def _make(self, gateway: str, *, now_ms: int) -> SnapshotManifest | None:
        """Return the manifest of a new file; None if the numbering moved on meanwhile."""
        name = self._new_name()
        with self._database.read() as connection:
            row = read_stream(connection, gateway)
            warehouse = _warehouse_of(connection, gateway)
            state = read_state(connection)
            reference = present_reference(connection, state.reference_revision)
            levels = read_levels(connection, warehouse)
            here = {level.sscc for level in levels if level.sscc}
            snapshot = Snapshot(
                gateway=gateway,
                warehouse=warehouse,
                stream=name,
                number=0,
                generation=state.generation,
                revision=state.record_no,
                positions=read_positions(connection, gateway, count_max=POSITIONS_COUNT_MAX),
                levels=tuple(levels),
                reference=None if reference is None else of_warehouse(reference, warehouse),
                templates=read_templates(connection, gateway),
                settings=read_settings(connection, gateway),
                shares=shares_for(gateway, read_expected_lines(connection, warehouse)),
                packing=read_units_of(connection, warehouse, here),
            )
        data = encode_snapshot(snapshot)
        manifest = manifest_of(snapshot, data)
        with self._database.write() as connection:
            locked = lock_stream(connection, gateway, new_name=self._new_name)
            if locked is None or row is None:
                return None
            if (locked.stream, locked.next_number) != (row.stream, row.next_number):
                return None
            stands = (read_state(connection).generation, _warehouse_of(connection, gateway))
            if stands != (state.generation, warehouse):
                return None
            begin_stream(
                connection,
                locked,
                new_name=lambda: name,
                now_ms=now_ms,
                snapshot_of=(state.record_no, state.reference_revision),
            )
            if reference is not None:
                keep_copy(connection, reference)
            _keep_file(connection, manifest, data, now_ms=now_ms)
        return manifest


def find_file(connection: Connection, sha256: str) -> int | None:
    """Return how many bytes the file has, None if there is none of this digest."""
    table = snapshots.c
    found = connection.execute(select(table.bytes_count).where(table.sha256 == sha256))
    return found.scalar_one_or_none()


def read_piece(connection: Connection, sha256: str, *, start: int, bytes_count: int) -> bytes:
    """Return a piece of a file; empty if it is gone."""
    table = snapshots.c
    piece = connection.execute(
        select(func.substr(table.data, start + 1, bytes_count)).where(table.sha256 == sha256)
    ).scalar_one_or_none()
    return b"" if piece is None else bytes(piece)


@dataclass(frozen=True, slots=True)
class _Made:
    """The last file of a gateway. manifest: None if it cannot begin with that any more."""

    made_ms: int
    manifest: SnapshotManifest | None


def _warehouse_of(connection: Connection, gateway: str) -> str:
    query = select(gateways.c.warehouse).where(gateways.c.gateway == gateway)
    warehouse: str = connection.execute(query).scalar_one()
    return warehouse


def _last_made(connection: Connection, row: StreamRow) -> _Made | None:
    table = snapshots.c
    found = connection.execute(
        select(table.sha256, table.stream, table.bytes_count, table.made_ms)
        .where(table.gateway == row.gateway)
        .order_by(table.made_ms.desc())
    ).first()
    if found is None:
        return None
    # Only while none of its stream's notices is acknowledged are all of them kept.
    usable = found.stream == row.stream and row.acked == 0
    manifest = SnapshotManifest(
        gateway=row.gateway,
        stream=row.stream,
        number=0,
        bytes_count=found.bytes_count,
        sha256=found.sha256,
    )
    return _Made(found.made_ms, manifest if usable else None)


def _is_new_nonce(connection: Connection, gateway: str, nonce: str, *, now_ms: int) -> bool:
    """Note a request; the caller holds the lock of the gateway's row."""
    table = snapshot_requests
    seen = connection.execute(
        select(table.c.nonce).where(table.c.gateway == gateway, table.c.nonce == nonce)
    ).first()
    if seen is not None:
        return False
    bulk.insert_rows(connection, table, [(gateway, nonce, now_ms)])
    newest = (
        select(table.c.nonce)
        .where(table.c.gateway == gateway)
        .order_by(table.c.asked_ms.desc(), table.c.nonce)
        .limit(NONCES_PER_GATEWAY_MAX)
    )
    connection.execute(
        delete(table).where(table.c.gateway == gateway, table.c.nonce.not_in(newest))
    )
    return True


def _keep_file(
    connection: Connection, manifest: SnapshotManifest, data: bytes, *, now_ms: int
) -> None:
    table = snapshots.c
    connection.execute(
        delete(snapshots).where(
            (table.gateway == manifest.gateway) | (table.made_ms < now_ms - KEPT_S * 1000)
        )
    )
    bulk.insert_rows(
        connection,
        snapshots,
        [
            (
                manifest.sha256,
                manifest.gateway,
                manifest.stream,
                manifest.bytes_count,
                data,
                now_ms,
            )
        ],
    )
