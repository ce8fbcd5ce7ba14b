"""Reference data as it was when gateways were told all of it. Edge of the database."""

import msgspec
import zstandard
from sqlalchemy import Connection, delete, func, select

from central.contract.reference import Reference
from central.storage import bulk, tables

# Of revisions that were told as a whole; a gateway that stands before the oldest loads a snapshot.
COPIES_MAX = 16
COPY_BYTES_MAX = 256 * 1024 * 1024  # Unpacked; our own data, bounded by what can be loaded.

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Reference)


def keep_copy(connection: Connection, reference: Reference) -> None:
    """Keep reference data that gateways are told of now; forget the oldest beyond COPIES_MAX."""
    data = zstandard.ZstdCompressor(level=3).compress(_encoder.encode(reference))
    bulk.insert_missing_rows(connection, tables.reference_copies, [(reference.revision, data)])
    revisions = tables.reference_copies.c.revision
    kept = connection.execute(select(revisions).order_by(revisions.desc()).limit(COPIES_MAX))
    oldest = min(kept.scalars())
    connection.execute(delete(tables.reference_copies).where(revisions < oldest))


def copy_before(connection: Connection, revision: int) -> int | None:
    """Return the newest kept revision that is not newer than `revision`, None if there is none."""
    kept = tables.reference_copies.c.revision
    newest: int | None = connection.execute(
        select(func.max(kept)).where(kept <= revision)
    ).scalar_one()
    return newest


def read_copy(connection: Connection, revision: int) -> Reference | None:
    """Return the reference data of a revision, None if it is not kept; nothing for revision 0."""
    if not revision:
        return Reference(revision=1, warehouses=(), items=())
    copies = tables.reference_copies.c
    data = connection.execute(
        select(copies.data).where(copies.revision == revision)
    ).scalar_one_or_none()
    if data is None:
        return None
    unpacked = zstandard.ZstdDecompressor().decompress(data, max_output_size=COPY_BYTES_MAX)
    return _decoder.decode(unpacked)
