"""A snapshot: all that a gateway must know to begin, as one file. Pure.

    file      zstd(MessagePack Snapshot), named by its SHA-256
    manifest  sealed ["snapshot"] JSON SnapshotManifest: what the file must be

A gateway asks for the manifest (a sealed "snapshot-request", so that nobody else learns the stock),
loads the file in as many pieces as it takes, checks its digest, and takes all of it in one
transaction. It goes on with notice `number + 1` of `stream`.
"""

import hashlib
from typing import Annotated

import msgspec
import zstandard

from central.contract.errors import ContractError
from central.contract.identifiers import parse_code
from central.contract.notices import (
    DocumentShare,
    EpochPositions,
    PackedUnit,
    Setting,
    StockLevel,
    TemplateChanged,
    without_empty,
)
from central.contract.reference import Reference
from central.contract.wire_types import CodeText, Number

SNAPSHOT_VERSION = 1
SNAPSHOT_BYTES_MAX = 64 * 1024 * 1024
SNAPSHOT_UNPACKED_BYTES_MAX = 256 * 1024 * 1024
MANIFEST_BYTES_MAX = 4 * 1024


class Snapshot(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """What central knows for one gateway after notice `number` of `stream`.

    generation: of the ledger. revision, positions, levels: as in StockChanged, every level that is
    not zero. reference: of the gateway's warehouse, None if none was ever loaded. shares: of every
    document line of the reference that others began; added later, as in StockChanged. packing: of
    every unit with goods there, or with one inside that has some; added later still.
    """

    version: Number = SNAPSHOT_VERSION
    gateway: CodeText
    warehouse: CodeText
    stream: CodeText
    number: Number
    generation: CodeText
    revision: Number
    positions: EpochPositions
    levels: tuple[StockLevel, ...]
    reference: Reference | None = None
    templates: tuple[TemplateChanged, ...] = ()
    settings: tuple[Setting, ...] = ()
    shares: tuple[DocumentShare, ...] = ()
    packing: tuple[PackedUnit, ...] = ()


class SnapshotManifest(msgspec.Struct, frozen=True, kw_only=True):
    """Which file to load: its size, and its SHA-256 as 64 hexadecimal digits."""

    gateway: CodeText
    stream: CodeText
    number: Number
    bytes_count: Annotated[int, msgspec.Meta(ge=1, le=SNAPSHOT_BYTES_MAX)]
    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class SnapshotRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A gateway asks for its snapshot. nonce: random, so that no two requests are alike."""

    gateway: CodeText
    nonce: CodeText


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Snapshot)
_manifest_decoder = msgspec.json.Decoder(SnapshotManifest)
_request_decoder = msgspec.json.Decoder(SnapshotRequest)


def encode_snapshot(snapshot: Snapshot) -> bytes:
    """Return the file. Raises ContractError if it exceeds SNAPSHOT_BYTES_MAX."""
    unpacked = _encoder.encode(snapshot)
    unpacked = without_empty(unpacked, snapshot.shares, snapshot.packing)
    data = zstandard.ZstdCompressor(level=3).compress(unpacked)
    if len(data) > SNAPSHOT_BYTES_MAX:
        raise ContractError(f"snapshot of {len(data)} bytes exceeds {SNAPSHOT_BYTES_MAX}")
    return data


def decode_snapshot(data: bytes) -> Snapshot:
    """Return the snapshot in a file. Raises ContractError, whatever the bytes are."""
    try:
        if len(data) > SNAPSHOT_BYTES_MAX:
            raise ContractError(f"snapshot of {len(data)} bytes")
        size = zstandard.get_frame_parameters(data).content_size
        if size > SNAPSHOT_UNPACKED_BYTES_MAX:  # Also where the size is not stated, which ours is.
            raise ContractError(f"snapshot unpacks to more than {SNAPSHOT_UNPACKED_BYTES_MAX}")
        unpacked = zstandard.ZstdDecompressor(max_window_size=2**23).decompress(
            data, max_output_size=SNAPSHOT_UNPACKED_BYTES_MAX, allow_extra_data=False
        )
        snapshot = _decoder.decode(unpacked)
    except (msgspec.DecodeError, zstandard.ZstdError, UnicodeDecodeError, RecursionError) as error:
        raise ContractError(f"not a readable snapshot: {error}") from error
    if snapshot.version > SNAPSHOT_VERSION:
        raise ContractError(
            f"snapshot version {snapshot.version} is newer than {SNAPSHOT_VERSION}",
            hint="Upgrade this gateway.",
        )
    parse_code(snapshot.gateway, what="gateway")
    parse_code(snapshot.warehouse, what="warehouse")
    parse_code(snapshot.stream, what="stream")
    return snapshot


def manifest_of(snapshot: Snapshot, data: bytes) -> SnapshotManifest:
    """Return the manifest of a snapshot's file."""
    return SnapshotManifest(
        gateway=snapshot.gateway,
        stream=snapshot.stream,
        number=snapshot.number,
        bytes_count=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
    )


def encode_manifest(manifest: SnapshotManifest) -> bytes:
    """Return the payload to seal for "snapshot"."""
    return msgspec.json.encode(manifest)


def decode_manifest(payload: bytes) -> SnapshotManifest:
    """Return the manifest in an opened "snapshot" payload. Raises ContractError."""
    try:
        return _manifest_decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ContractError(f"not a readable snapshot manifest: {error}") from error


def encode_snapshot_request(request: SnapshotRequest) -> bytes:
    """Return the payload to seal for "snapshot-request"."""
    return msgspec.json.encode(request)


def decode_snapshot_request(payload: bytes) -> SnapshotRequest:
    """Return the request in an opened "snapshot-request" payload. Raises ContractError."""
    try:
        request = _request_decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ContractError(f"not a readable snapshot request: {error}") from error
    parse_code(request.gateway, what="gateway")
    return request
