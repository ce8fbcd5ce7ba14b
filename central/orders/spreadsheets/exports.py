"""Import tables written out, so that importing them again changes nothing. Edge of the database."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import Column, Connection, Table, select

from central.contract.quantities import canonical_text, from_micro
from central.errors import Unusable
from central.orders.catalogue.catalogue_lists import PlaceFilter, list_places
from central.orders.catalogue.items import StoredItem, read_items
from central.orders.catalogue.partners import StoredPartner, read_partners
from central.orders.spreadsheets.csv_sheets import write_csv
from central.orders.spreadsheets.import_columns import Column as FileColumn
from central.orders.spreadsheets.import_columns import ImportTable
from central.orders.spreadsheets.imports import book_named
from central.orders.spreadsheets.opening_balances import OpeningKey, read_openings
from central.orders.spreadsheets.sheets import ROWS_MAX
from central.orders.spreadsheets.workbook_writing import write_workbook
from central.storage import tables
from central.storage.catalogue_tables import partners
from central.storage.places import physical

AT_ONCE_MAX = 1000
Fields = Mapping[str, Any]
Writer = Callable[[Connection, str], Iterator[Fields]]


def export_rows(
    connection: Connection, name: str, *, warehouse: str, chinese: bool
) -> list[tuple[str, ...]]:
    """Return a table with its heading. warehouse: of places, homes and stock, "" for all.

    Raises NotThere for an unknown table, Unusable for one that is larger than a file may be.
    """
    table = book_named(name).table
    rows = [tuple(column.name_zh if chinese else column.name for column in table.columns)]
    for fields in WRITERS[name](connection, warehouse):
        if len(rows) > ROWS_MAX:
            raise Unusable(
                f"{name} has more than {ROWS_MAX} rows, which is what a file may have",
                hint="Narrow it to one warehouse, or page through the interface.",
            )
        rows.append(tuple(_cell(column, fields) for column in table.columns))
    return rows


def to_csv(rows: Iterable[tuple[str, ...]]) -> bytes:
    """Return exported rows as a CSV file."""
    return write_csv(rows)


def to_workbook(rows: Iterable[tuple[str, ...]], name: str) -> bytes:
    """Return exported rows of a table as an .xlsx workbook."""
    table: ImportTable = book_named(name).table
    numbers = frozenset(
        index for index, column in enumerate(table.columns) if column.kind in {"number", "integer"}
    )
    return write_workbook(rows, name=name, number_columns=numbers)


def _cell(column: FileColumn, fields: Fields) -> str:
    if column.kind == "number":
        return canonical_text(from_micro(fields[f"{column.name}_micro"]))
    value = fields[column.name]
    return ("yes" if value else "no") if column.kind == "yes_no" else str(value)


def _stored_items(connection: Connection) -> Iterator[StoredItem]:
    for codes in _codes(connection, tables.items, tables.items.c.item):
        found = read_items(connection, codes)
        yield from (found[code] for code in codes)


def _codes(connection: Connection, table: Table, column: Column[str]) -> Iterator[list[str]]:
    """Yield the codes of a table in order, some at a time; a little more than a file may have."""
    last = ""
    for _ in range(ROWS_MAX // AT_ONCE_MAX + 1):
        query = select(column).select_from(table).where(column > last).order_by(column)
        codes = list(connection.execute(query.limit(AT_ONCE_MAX)).scalars())
        if not codes:
            return
        yield codes
        last = codes[-1]


def _items(connection: Connection, _warehouse: str) -> Iterator[Fields]:
    for one in _stored_items(connection):
        card = one.card
        yield asdict(card.policy) | {
            "item": card.code,
            "name": card.name,
            "name_zh": card.name_zh,
            "unit": card.unit,
            "kind": card.kind,
            "lot_tracked": card.lot_tracked,
        }


def _packs(connection: Connection, _warehouse: str) -> Iterator[Fields]:
    for one in _stored_items(connection):
        yield from ({"item": one.card.code} | asdict(pack) for pack in one.card.packs)


def _barcodes(connection: Connection, _warehouse: str) -> Iterator[Fields]:
    for one in _stored_items(connection):
        yield from ({"item": one.card.code} | asdict(code) for code in one.card.barcodes)


def _homes(connection: Connection, warehouse: str) -> Iterator[Fields]:
    for one in _stored_items(connection):
        for home in one.card.places:
            if home.warehouse == warehouse or not warehouse:
                yield {"item": one.card.code} | asdict(home)


def _locations(connection: Connection, warehouse: str) -> Iterator[Fields]:
    after = ("", "")
    wanted = PlaceFilter(warehouse=warehouse)
    for _ in range(ROWS_MAX // AT_ONCE_MAX + 1):
        found = list_places(connection, wanted, after=after, limit=AT_ONCE_MAX)
        if not found:
            return
        yield from (asdict(one.card) | {"location": one.card.code} for one in found)
        after = (found[-1].card.warehouse, found[-1].card.code)


def _stored_partners(connection: Connection) -> Iterator[StoredPartner]:
    for codes in _codes(connection, partners, partners.c.partner):
        found = read_partners(connection, codes)
        yield from (found[code] for code in codes)


def _partners(connection: Connection, _warehouse: str) -> Iterator[Fields]:
    for one in _stored_partners(connection):
        yield asdict(one.card) | {"partner": one.card.code}


def _certificates(connection: Connection, _warehouse: str) -> Iterator[Fields]:
    for one in _stored_partners(connection):
        yield from ({"partner": one.card.code} | asdict(held) for held in one.card.certificates)


def _balances(connection: Connection, warehouse: str) -> Iterator[Fields]:
    """Yield what is at places of warehouses, in the order of the key."""
    balances = tables.balances.c
    query = (
        select(
            balances.warehouse,
            balances.location,
            balances.item,
            balances.lot,
            balances.serial,
            balances.sscc,
            balances.status,
        )
        .where(balances.on_hand_micro != 0, physical(balances.location))
        .order_by(*(balances[name] for name in OpeningKey._fields))
    )
    if warehouse:
        query = query.where(balances.warehouse == warehouse)
    limited = query.limit(ROWS_MAX + 1)
    keys = [OpeningKey._make(row) for row in connection.execute(limited)]
    for start in range(0, len(keys), AT_ONCE_MAX):
        some = keys[start : start + AT_ONCE_MAX]
        found = read_openings(connection, set(some))
        for key in some:
            if key in found:  # An unknown item, or one in another unit, is no opening balance.
                yield asdict(found[key].card) | key._asdict()


WRITERS: Mapping[str, Writer] = {
    "items": _items,
    "packs": _packs,
    "barcodes": _barcodes,
    "homes": _homes,
    "locations": _locations,
    "partners": _partners,
    "certificates": _certificates,
    "balances": _balances,
}
