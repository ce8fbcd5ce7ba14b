"""Reference data as it is and as gateways were last told of it. Edge of the database."""

from collections.abc import Iterable
from typing import Any, Literal, TypeVar, cast

import msgspec
import zstandard
from sqlalchemy import Connection, Table, delete, select

from central.contract.quantities import canonical_text, from_micro
from central.contract.reference import (
    Barcode,
    DocumentLine,
    ExpectedDocument,
    Item,
    Location,
    LocationKind,
    Operator,
    Reference,
    Warehouse,
)
from central.storage import bulk, tables

# Revisions that gateways may still have; one that has an older one loads a snapshot.
COPIES_MAX = 16
COPY_BYTES_MAX = 256 * 1024 * 1024  # Unpacked; our own data, bounded by what can be loaded.

Entry = TypeVar("Entry")

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Reference)


def present_reference(connection: Connection, revision: int) -> Reference | None:
    """Return the loaded reference data, which has `revision`; None if none was ever loaded.

    Everything is in the order of its code, document lines by number.
    """
    if not revision:
        return None
    barcodes = _grouped(
        (row.item, Barcode(gtin=row.gtin, quantity=canonical_text(from_micro(row.quantity_micro))))
        for row in _rows(connection, tables.item_barcodes)
    )
    places = _grouped(
        (row.warehouse, Location(code=row.location, kind=cast("LocationKind", row.kind)))
        for row in _rows(connection, tables.locations)
    )
    return Reference(
        revision=revision,
        warehouses=tuple(
            Warehouse(
                code=row.warehouse,
                name=row.name,
                name_zh=row.name_zh,
                locations=tuple(places.get(row.warehouse, ())),
            )
            for row in _rows(connection, tables.warehouses)
        ),
        items=tuple(
            Item(
                code=row.item,
                name=row.name,
                name_zh=row.name_zh,
                unit=row.unit,
                kind=cast('Literal["piece", "bulk"]', row.kind),
                lot_tracked=row.lot_tracked,
                barcodes=tuple(barcodes.get(row.item, ())),
            )
            for row in _rows(connection, tables.items)
        ),
        documents=_documents(connection),
        operators=tuple(
            Operator(code=row.operator, name=row.name)
            for row in _rows(connection, tables.operators)
        ),
    )


def keep_copy(connection: Connection, reference: Reference) -> None:
    """Keep reference data that gateways are told of now; forget the oldest beyond COPIES_MAX."""
    data = zstandard.ZstdCompressor(level=3).compress(_encoder.encode(reference))
    bulk.insert_missing_rows(connection, tables.reference_copies, [(reference.revision, data)])
    revisions = tables.reference_copies.c.revision
    kept = connection.execute(select(revisions).order_by(revisions.desc()).limit(COPIES_MAX))
    oldest = min(kept.scalars())
    connection.execute(delete(tables.reference_copies).where(revisions < oldest))


def has_copy(connection: Connection, revision: int) -> bool:
    """Return whether reference data of a revision is kept."""
    copies = tables.reference_copies.c
    found = connection.execute(select(copies.revision).where(copies.revision == revision))
    return found.first() is not None


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


def _documents(connection: Connection) -> tuple[ExpectedDocument, ...]:
    lines = _grouped(
        (
            (row.warehouse, row.document),
            DocumentLine(
                line=row.line,
                item=row.item,
                quantity=canonical_text(from_micro(row.expected_micro)),
                tolerance_percent=canonical_text(from_micro(row.tolerance_percent_micro)),
            ),
        )
        for row in _rows(connection, tables.document_lines)
    )
    return tuple(
        ExpectedDocument(
            code=row.document,
            warehouse=row.warehouse,
            partner=row.partner,
            lines=tuple(lines.get((row.warehouse, row.document), ())),
            kind=cast('Literal["receipt"]', row.kind),
        )
        for row in _rows(connection, tables.documents)
    )


def _rows(connection: Connection, table: Table) -> Iterable[Any]:
    return connection.execute(select(table).order_by(*table.primary_key.columns))


def _grouped(pairs: Iterable[tuple[Any, Entry]]) -> dict[Any, list[Entry]]:
    groups: dict[Any, list[Entry]] = {}
    for key, entry in pairs:
        groups.setdefault(key, []).append(entry)
    return groups
