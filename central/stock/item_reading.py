"""What an item's page shows beside its card: balances, documents, discrepancies. Edge of the DB."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Select, and_, or_, select, tuple_

from central.contract.quantities import from_micro
from central.stock.place_trees import keys_within
from central.stock.rows import DiscrepancyRow, StockKey
from central.stock.states import discrepancy_row
from central.stock.views import ESCAPE, list_warehouses, literal
from central.storage import bulk, tables
from central.storage.places import in_transit, physical
from central.storage.within import within_of

_balances, _lots = tables.balances, tables.lots
_ORDER = tuple(_balances.primary_key.columns)


@dataclass(frozen=True, slots=True)
class BalanceQuery:
    """Which balances are asked for; "" for any.

    search: part of an item's code or name. within: a place with everything below it.
    """

    search: str = ""
    item: str = ""
    warehouse: str = ""
    location: str = ""
    within: str = ""
    lot: str = ""
    serial: str = ""
    sscc: str = ""
    status: str = ""


@dataclass(frozen=True, slots=True)
class BalanceRow:
    """One balance. expiry_date: of its lot, "" for none that is known. weight: catch weight."""

    key: StockKey
    name: str
    name_zh: str
    expiry_date: str
    on_hand: Decimal
    weight: Decimal
    record_no: int


@dataclass(frozen=True, slots=True)
class OpenLine:
    """A line of a document that gateways work by. done: received or shipped until now."""

    warehouse: str
    document: str
    kind: str
    partner: str
    line: int
    lot: str
    expected: Decimal
    done: Decimal


def list_balances(
    connection: Connection, wanted: BalanceQuery, *, offset: int, limit: int
) -> list[BalanceRow]:
    """Return balances of places and of what is in transit that are not zero, in order of keys.

    On a narrowed connection those of places: of what is in transit it knows half of the books.
    Cost: those before the page are read; with an item, only its own.
    """
    items = tables.items
    columns = _balances.c
    query = balances_wanted(
        connection,
        wanted,
        select(_balances, items.c.name, items.c.name_zh, _lots.c.expiry_date)
        .outerjoin_from(_balances, items, items.c.item == columns.item)
        .outerjoin(
            _lots,
            and_(
                _lots.c.warehouse == columns.warehouse,
                _lots.c.item == columns.item,
                _lots.c.lot == columns.lot,
            ),
        ),
    ).where(
        physical(columns.location)
        if within_of(connection)
        else or_(physical(columns.location), in_transit(columns.location))
    )
    found = connection.execute(query.order_by(*_ORDER).offset(offset).limit(limit))
    return [
        BalanceRow(
            key=StockKey(*row[: len(_ORDER)]),
            name=row.name or "",
            name_zh=row.name_zh or "",
            expiry_date=row.expiry_date or "",
            on_hand=from_micro(row.on_hand_micro),
            weight=from_micro(row.weight_micro),
            record_no=row.record_no,
        )
        for row in found
    ]


def expiry_dates(
    connection: Connection, keys: Sequence[StockKey]
) -> dict[tuple[str, str, str], str]:
    """Return the dates that are known of their lots, by warehouse, item and lot."""
    wanted = sorted({(key.warehouse, key.item, key.lot) for key in keys if key.lot})
    found = bulk.select_by_key(connection, _lots, wanted, columns_count=3)
    return {(row[0], row[1], row[2]): row[3] for row in found}


def balances_wanted(
    connection: Connection, wanted: BalanceQuery, query: Select[Any]
) -> Select[Any]:
    """Return a query of balances and their items, narrowed to those asked for that are not zero."""
    items, columns = tables.items, _balances.c
    codes = [one.code for one in list_warehouses(connection)]
    codes = [wanted.warehouse] if wanted.warehouse else codes
    query = query.where(columns.warehouse.in_(codes), columns.on_hand_micro != 0)
    for name in ("item", "location", "lot", "serial", "sscc", "status"):
        if value := getattr(wanted, name):
            query = query.where(columns[name] == value)
    if wanted.within:
        below = tuple_(columns.warehouse, columns.location).in_(keys_within(wanted.within, codes))
        query = query.where(or_(columns.location == wanted.within, below))
    if wanted.search:
        pattern = f"%{literal(wanted.search)}%"
        like = (one.ilike(pattern, escape=ESCAPE) for one in (items.c.name, items.c.name_zh))
        query = query.where(or_(columns.item.ilike(pattern, escape=ESCAPE), *like))
    return query


def list_open_lines(
    connection: Connection, item: str, *, offset: int, limit: int
) -> list[OpenLine]:
    """Return lines for an item of documents that gateways know, by document and line.

    On a narrowed connection those of its warehouse.
    """
    lines, documents = tables.document_lines.c, tables.documents
    progress = tables.document_progress.c
    own = and_(
        progress.warehouse == lines.warehouse,
        progress.document == lines.document,
        progress.line == lines.line,
        progress.item == lines.item,
    )
    query = (
        select(
            tables.document_lines, documents.c.kind, documents.c.partner, progress.received_micro
        )
        .join_from(
            tables.document_lines,
            documents,
            and_(documents.c.warehouse == lines.warehouse, documents.c.document == lines.document),
        )
        .outerjoin(tables.document_progress, own)
        .where(lines.item == item)
        .order_by(lines.document, lines.warehouse, lines.line)
    )
    if within := within_of(connection):
        query = query.where(lines.warehouse == within)
    return [
        OpenLine(
            row.warehouse,
            row.document,
            row.kind,
            row.partner,
            row.line,
            row.lot,
            from_micro(row.expected_micro),
            from_micro(row.received_micro or 0),
        )
        for row in connection.execute(query.offset(offset).limit(limit))
    ]


def list_item_discrepancies(
    connection: Connection, item: str, *, offset: int, limit: int
) -> list[DiscrepancyRow]:
    """Return open discrepancies about an item, newest first; of a narrowed connection's own."""
    table = tables.discrepancies
    query = select(table).where(table.c.state == "open", table.c.item == item)
    if within := within_of(connection):
        query = query.where(table.c.warehouse == within)
    ordered = query.order_by(table.c.record_no.desc(), table.c.id.desc())
    return [discrepancy_row(row) for row in connection.execute(ordered.offset(offset).limit(limit))]
