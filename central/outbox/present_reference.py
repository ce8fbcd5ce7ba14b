"""Reference data as it is now, all of it or the entries that were touched. Edge of the database."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, TypeVar, cast

from sqlalchemy import Connection, Row, Select, Table, select, tuple_

from central.contract.quantities import canonical_text, from_micro
from central.contract.reference import (
    CARRIERS_MAX,
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
from central.ledger.expected import ReferenceChange
from central.ledger.reference_book import FILE
from central.outbox.units_under_way import Incoming, read_units_under_way
from central.storage import bulk, tables
from central.storage.catalogue_tables import item_policies
from central.storage.purchasing_tables import notice_units

CODES_AT_ONCE_MAX = 200
# Of an item: serial_tracked, expiry_tracked, min_days_left_to_ship.
ASKS_NOTHING = (False, False, 0)

Entry = TypeVar("Entry")


def present_reference(connection: Connection, revision: int) -> Reference | None:
    """Return the loaded reference data, which has `revision`; None if none was ever loaded.

    Everything is in the order of its code, document lines by number.
    """
    if not revision:
        return None
    places = _grouped(
        (row.warehouse, _location(row)) for row in _rows(connection, tables.locations)
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
        items=_items(
            _rows(connection, tables.items),
            barcodes=_rows(connection, tables.item_barcodes),
            policies=_rows(connection, item_policies),
        ),
        documents=_documents(
            connection,
            _rows(connection, tables.documents),
            lines=_rows(connection, tables.document_lines),
        ),
        operators=_operators(_rows(connection, tables.operators)),
    )


def present_entries(
    connection: Connection, revision: int, warehouse: str, touched: Sequence[ReferenceChange]
) -> Reference:
    """Return of the touched entries those that are there, as they are now, for one warehouse.

    revision: of the reference data. Read by their codes, whatever else there is.
    """
    codes = _grouped((kind, code) for kind, _, code in touched)
    items, operators = codes.get("item", []), codes.get("operator", [])
    places = [(warehouse, code) for code in codes.get("location", [])]
    documents = [(warehouse, code) for code in codes.get("document", [])]
    locations = tuple(_location(row) for row in _by(connection, tables.locations, places))
    return Reference(
        revision=revision,
        warehouses=(Warehouse(code=warehouse, name="", name_zh="", locations=locations),),
        items=_items(
            _by(connection, tables.items, [(code,) for code in items]),
            barcodes=_barcodes_of(connection, items),
            policies=_by(connection, item_policies, [(code,) for code in items]),
        ),
        documents=_documents(
            connection,
            _by(connection, tables.documents, documents),
            lines=_by(connection, tables.document_lines, documents),
        ),
        operators=_operators(_by(connection, tables.operators, [(code,) for code in operators])),
    )


def _items(
    rows: Iterable[Row[Any]], *, barcodes: Iterable[Row[Any]], policies: Iterable[Row[Any]]
) -> tuple[Item, ...]:
    asking = {
        row.item: (row.serial_tracked, row.expiry_tracked, row.min_days_left_to_ship)
        for row in policies
        if row.serial_tracked or row.expiry_tracked or row.min_days_left_to_ship
    }
    of_item = _grouped(
        (row.item, Barcode(gtin=row.gtin, quantity=canonical_text(from_micro(row.quantity_micro))))
        for row in barcodes
    )
    return tuple(
        Item(
            code=row.item,
            name=row.name,
            name_zh=row.name_zh,
            unit=row.unit,
            kind=cast('Literal["piece", "bulk"]', row.kind),
            lot_tracked=row.lot_tracked,
            barcodes=tuple(of_item.get(row.item, ())),
            serial_tracked=serial_tracked,
            expiry_tracked=expiry_tracked,
            min_days_left_to_ship=min_days_left,
        )
        for row in rows
        for serial_tracked, expiry_tracked, min_days_left in [asking.get(row.item, ASKS_NOTHING)]
    )


def _documents(
    connection: Connection, rows: Iterable[Row[Any]], *, lines: Iterable[Row[Any]]
) -> tuple[ExpectedDocument, ...]:
    rows, lines = list(rows), list(lines)
    nested = {row.document for row in lines if row.sscc}
    nested &= {row.document for row in rows if row.kind == "receipt"}
    parents = _parents(connection, sorted(nested))
    of_document = _grouped(((row.warehouse, row.document), _line(row, parents)) for row in lines)
    # Who follows transfers tells these anew when something came; nobody tells those of a file.
    incoming = [
        Incoming(row.warehouse, row.document, row.counterpart)
        for row in rows
        if row.kind == "transfer_in" and row.source != FILE
    ]
    under_way = read_units_under_way(connection, incoming) if incoming else {}
    return tuple(
        ExpectedDocument(
            code=row.document,
            warehouse=row.warehouse,
            partner=row.partner,
            lines=tuple(of_document.get((row.warehouse, row.document), ())),
            kind=row.kind,
            counterpart=row.counterpart,
            round=row.round,
            units=under_way.get((row.warehouse, row.document), ()),
        )
        for row in rows
    )


def _parents(connection: Connection, notices: Sequence[str]) -> Mapping[tuple[str, str], str]:
    """Return on what each unit stands that these notices of shipment name, by notice and SSCC."""
    keys = [(code,) for code in notices]
    rows = bulk.select_by_key(connection, notice_units, keys, columns_count=1)
    return {(code, sscc): parent for code, sscc, parent in rows}


def _line(row: Row[Any], parents: Mapping[tuple[str, str], str]) -> DocumentLine:
    carriers: list[str] = []
    above = parents.get((row.document, row.sscc), "")
    while above and len(carriers) < CARRIERS_MAX:
        carriers.append(above)
        above = parents.get((row.document, above), "")
    return DocumentLine(
        line=row.line,
        item=row.item,
        quantity=canonical_text(from_micro(row.expected_micro)),
        tolerance_percent=canonical_text(from_micro(row.tolerance_percent_micro)),
        lot=row.lot,
        location=row.location,
        sscc=row.sscc,
        carried_by=tuple(carriers),
    )


def _location(row: Row[Any]) -> Location:
    return Location(code=row.location, kind=cast("LocationKind", row.kind))


def _operators(rows: Iterable[Row[Any]]) -> tuple[Operator, ...]:
    return tuple(Operator(code=row.operator, name=row.name, language=row.language) for row in rows)


def _rows(connection: Connection, table: Table) -> Iterable[Row[Any]]:
    return connection.execute(_ordered(table))


def _by(
    connection: Connection, table: Table, keys: Sequence[tuple[str, ...]]
) -> Iterable[Row[Any]]:
    """Yield the rows whose first key columns are one of `keys`, in the order of the whole key."""
    ordered = sorted(keys)
    for start in range(0, len(ordered), CODES_AT_ONCE_MAX):
        chunk = ordered[start : start + CODES_AT_ONCE_MAX]
        columns = list(table.primary_key.columns)[: len(chunk[0])]
        yield from connection.execute(_ordered(table).where(tuple_(*columns).in_(chunk)))


def _barcodes_of(connection: Connection, items: Sequence[str]) -> Iterable[Row[Any]]:
    table = tables.item_barcodes
    for start in range(0, len(items), CODES_AT_ONCE_MAX):
        chunk = items[start : start + CODES_AT_ONCE_MAX]
        yield from connection.execute(_ordered(table).where(table.c.item.in_(chunk)))


def _ordered(table: Table) -> Select[Any]:
    return select(table).order_by(*table.primary_key.columns)


def _grouped(pairs: Iterable[tuple[Any, Entry]]) -> Mapping[Any, list[Entry]]:
    groups: dict[Any, list[Entry]] = {}
    for key, entry in pairs:
        groups.setdefault(key, []).append(entry)
    return groups
