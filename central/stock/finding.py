"""What a person may have scanned or typed, found in everything there is. Edge of the database.

    text -> what it may be (`scanned_text`) -> look-ups by key -> beginnings of codes -> names

Each look-up is bounded. Lots and serial numbers have no index of their own: their partial index is
read through, 15 ms for 170,000 movements of goods with a lot.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Select, Table, or_, select, text

from central.contract.errors import ContractError
from central.contract.identifiers import parse_fact_id
from central.stock.feed import find_fact
from central.stock.scanned_text import Meant, meant_by
from central.stock.views import list_warehouses
from central.storage import (
    catalogue_tables,
    count_tables,
    purchasing_tables,
    sales_tables,
    tables,
    transfer_tables,
)
from central.storage.within import within_of

HITS_MAX = 8  # Of one kind.
CHARACTERS_MAX = 128
_NAME_CHARACTERS_MIN = 2
_BEYOND = "\U0010ffff"
_PURCHASING, _SALES = purchasing_tables, sales_tables

_TRANSFERS = transfer_tables.transfers.c
# By what it is called; those that belong to one warehouse have a column of its name.
_DOCUMENTS: tuple[tuple[str, Column[str]], ...] = (
    ("transfer", _TRANSFERS.transfer),
    ("purchase_order", _PURCHASING.purchase_orders.c.code),
    ("shipping_notice", _PURCHASING.shipping_notices.c.code),
    ("inspection", _PURCHASING.inspections.c.code),
    ("supplier_return", _PURCHASING.supplier_returns.c.code),
    ("sales_order", _SALES.sales_orders.c.code),
    ("customer_return", _SALES.customer_returns.c.code),
    ("count", count_tables.counts.c.code),
)
_GOODS = """
SELECT DISTINCT item FROM lines {indexed}
WHERE {name} = :code AND {name} <> '' AND line_no = 1 {within} LIMIT :limit
"""


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing that may be meant. kind: "item", "lot", "serial", "sscc", "place", "partner",
    "warehouse", "gateway", "operator", "fact", or of a document ("transfer", "purchase_order",
    "shipping_notice", "inspection", "supplier_return", "sales_order", "customer_return", "count";
    "document" for one that only gateways know).

    exact: it is what was typed, not only like it. item: of a lot, a serial number, or of what is
    in a handling unit. names: "" where it has none.
    """

    kind: str
    code: str
    exact: bool
    name: str = ""
    name_zh: str = ""
    warehouse: str = ""
    item: str = ""


def find(connection: Connection, typed: str) -> list[Hit]:
    """Return what may be meant, at most HITS_MAX of a kind, the exact ones of a kind first.

    On a narrowed connection nothing that belongs to other warehouses alone.
    """
    meant = meant_by(typed[:CHARACTERS_MAX])
    if not meant.text:
        return []
    codes = [one.code for one in list_warehouses(connection)]
    found: dict[tuple[str, str, str, str], Hit] = {}
    for hit in _all(connection, meant, codes):
        key = (hit.kind, hit.code, hit.warehouse, hit.item)
        if key not in found or (hit.exact and not found[key].exact):
            found[key] = hit
    hits = sorted(found.values(), key=lambda hit: not hit.exact)
    counts: dict[str, int] = {}
    kept = []
    for hit in hits:
        counts[hit.kind] = counts.get(hit.kind, 0) + 1
        if counts[hit.kind] <= HITS_MAX:
            kept.append(hit)
    return kept


def _all(connection: Connection, meant: Meant, codes: list[str]) -> Iterator[Hit]:
    yield from _scanned(connection, meant, codes)
    if meant.certain:
        return
    yield from _items(connection, meant.text)
    for kind, column in _DOCUMENTS:
        yield from _beginning(connection, kind, column, meant.text)
    yield from _gateway_documents(connection, meant.text)
    yield from _places(connection, meant.text, codes)
    yield from _parties(connection, meant.text, codes)
    yield from _fact(connection, meant.text)


def _scanned(connection: Connection, meant: Meant, codes: list[str]) -> Iterator[Hit]:
    owners = _owners(connection, meant.gtins)
    if meant.certain and (meant.lot or meant.serial):
        for item in owners:
            if meant.serial:
                yield Hit("serial", meant.serial, exact=True, item=item)
            if meant.lot:
                yield Hit("lot", meant.lot, exact=not meant.serial, item=item)
    names = _names(connection, owners)
    for item in owners:
        exact = not (meant.certain and (meant.lot or meant.serial))
        yield Hit("item", item, exact, *names.get(item, ("", "")))
    if not owners:
        for name, code in (("lot", meant.lot), ("serial", meant.serial)):
            if code:
                yield from _goods(connection, name, code)
    if meant.sscc:
        yield from _handling_unit(connection, meant.sscc, codes)
    if meant.gln:
        yield from _by_gln(connection, meant.gln)


def _owners(connection: Connection, gtins: tuple[str, ...]) -> list[str]:
    if not gtins:
        return []
    table = tables.item_barcodes.c
    query = select(table.item).where(table.gtin.in_(gtins)).distinct().limit(HITS_MAX)
    return list(connection.execute(query).scalars())


def _names(connection: Connection, codes: list[str]) -> dict[str, tuple[str, str]]:
    table = tables.items.c
    query = select(table.item, table.name, table.name_zh).where(table.item.in_(codes))
    return {row.item: (row.name, row.name_zh) for row in connection.execute(query)}


def _goods(connection: Connection, name: str, code: str) -> Iterator[Hit]:
    # SQLite without statistics would read the lines themselves.
    sqlite = connection.dialect.name == "sqlite"
    indexed = f"INDEXED BY lines_{name}" if sqlite else ""
    bounds: dict[str, object] = {"code": code, "limit": HITS_MAX}
    condition = ""
    if within := within_of(connection):
        condition = "AND warehouse = :within"
        bounds["within"] = within
    query = text(_GOODS.format(name=name, indexed=indexed, within=condition))
    for item in connection.execute(query, bounds).scalars():
        yield Hit(name, code, exact=True, item=item)


def _handling_unit(connection: Connection, sscc: str, codes: list[str]) -> Iterator[Hit]:
    stock, packed = tables.balances.c, tables.handling_units.c
    query = select(stock.warehouse, stock.item).where(
        stock.warehouse.in_(codes),
        stock.sscc == sscc,
        stock.sscc != "",  # As its index says.
        stock.on_hand_micro > 0,
    )
    found = connection.execute(query.distinct().limit(HITS_MAX)).all()
    for row in found:
        yield Hit("sscc", sscc, exact=True, warehouse=row.warehouse, item=row.item)
    if found:
        return
    known = select(packed.warehouse).where(
        packed.warehouse.in_(codes), or_(packed.sscc == sscc, packed.parent == sscc)
    )
    for row in connection.execute(known.distinct().limit(HITS_MAX)):
        yield Hit("sscc", sscc, exact=True, warehouse=row.warehouse)


def _by_gln(connection: Connection, gln: str) -> Iterator[Hit]:
    details, partners = catalogue_tables.warehouse_details.c, catalogue_tables.partners.c
    known = _in_reach(
        connection, select(details.warehouse).where(details.gln == gln), details.warehouse
    )
    for code in connection.execute(known).scalars():
        yield Hit("warehouse", code, exact=True)
    query = select(partners.partner, partners.name, partners.name_zh).where(partners.gln == gln)
    for row in connection.execute(query.limit(HITS_MAX)):
        yield Hit("partner", row.partner, True, row.name, row.name_zh)


def _items(connection: Connection, typed: str) -> Iterator[Hit]:
    table = tables.items
    yield from _named(connection, "item", table, table.c.item, typed)
    stock = tables.discrepancies.c
    unknown = select(stock.item).where(stock.kind == "unknown_item", stock.item == typed)
    unknown = _in_reach(connection, unknown, stock.warehouse)
    for item in connection.execute(unknown.distinct().limit(1)).scalars():
        yield Hit("item", item, exact=True)


def _named(
    connection: Connection, kind: str, table: Table, code: Column[str], typed: str
) -> Iterator[Hit]:
    columns = (code.label("code"), table.c.name, table.c.name_zh)
    upper = typed.upper()
    by_code = select(*columns).where(
        or_(*(_begins(connection, code, one) for one in sorted({typed, upper})))
    )
    rows = list(connection.execute(by_code.order_by(code).limit(HITS_MAX)))
    if len(rows) < HITS_MAX and len(typed) >= _name_minimum(typed):
        pattern = "%" + "".join(f"\\{sign}" if sign in "%_\\" else sign for sign in typed) + "%"
        like = (one.ilike(pattern, escape="\\") for one in (code, table.c.name, table.c.name_zh))
        by_name = select(*columns).where(or_(*like))
        rows += connection.execute(by_name.order_by(code).limit(HITS_MAX))
    for row in rows:
        yield Hit(kind, row.code, row.code in {typed, upper}, row.name, row.name_zh)


def _name_minimum(typed: str) -> int:
    return _NAME_CHARACTERS_MIN if typed.isascii() else 1


def _beginning(connection: Connection, kind: str, column: Column[str], typed: str) -> Iterator[Hit]:
    upper = typed.upper()
    query = select(column).where(_begins(connection, column, upper))
    if kind == "transfer":  # Both ends see it.
        ends = (_TRANSFERS.source_warehouse, _TRANSFERS.destination_warehouse)
        query = _in_reach(connection, query, *ends)
    else:
        query = _in_reach(connection, query, column.table.c.warehouse)
    for code in connection.execute(query.order_by(column).limit(HITS_MAX)).scalars():
        yield Hit(kind, code, exact=code == upper)


def _begins(connection: Connection, column: Column[str], typed: str) -> ColumnElement[bool]:
    if connection.dialect.name == "sqlite":  # Its LIKE does not know of capital letters.
        return column.between(typed, typed + _BEYOND)
    return column.startswith(typed, autoescape=True)


def _in_reach(
    connection: Connection, query: Select[Any], *warehouses: ColumnElement[str]
) -> Select[Any]:
    """Return a query of what belongs to the warehouse that a connection is narrowed to."""
    within = within_of(connection)
    return query.where(or_(*(one == within for one in warehouses))) if within else query


def _gateway_documents(connection: Connection, typed: str) -> Iterator[Hit]:
    table = tables.documents.c
    query = select(table.warehouse, table.document).where(
        table.document.in_([typed, typed.upper()]), table.source == "file"
    )
    query = _in_reach(connection, query, table.warehouse)
    for row in connection.execute(query.limit(HITS_MAX)):
        yield Hit("document", row.document, exact=True, warehouse=row.warehouse)


def _places(connection: Connection, typed: str, codes: list[str]) -> Iterator[Hit]:
    table, upper = tables.locations.c, typed.upper()
    warehouse, _, place = upper.partition("/")
    for wanted, within in ((upper, codes), (place, [one for one in codes if one == warehouse])):
        if not wanted:
            continue
        query = select(table.warehouse, table.location).where(
            table.warehouse.in_(within), _begins(connection, table.location, wanted)
        )
        for row in connection.execute(
            query.order_by(table.location, table.warehouse).limit(HITS_MAX)
        ):
            yield Hit("place", row.location, row.location == wanted, warehouse=row.warehouse)


def _parties(connection: Connection, typed: str, codes: list[str]) -> Iterator[Hit]:
    partners = catalogue_tables.partners
    yield from _named(connection, "partner", partners, partners.c.partner, typed)
    folded = typed.casefold()
    for code in [code for code in codes if code.casefold() == folded]:
        yield Hit("warehouse", code, exact=True)
    gateways, operators = tables.gateways.c.gateway, tables.operators.c
    query = select(gateways).where(_begins(connection, gateways, folded)).order_by(gateways)
    query = _in_reach(connection, query, tables.gateways.c.warehouse)
    for code in connection.execute(query.limit(HITS_MAX)).scalars():
        yield Hit("gateway", code, exact=code == folded)
    badge = select(operators.operator, operators.name).where(operators.operator == typed)
    for row in connection.execute(badge):
        yield Hit("operator", row.operator, True, row.name, row.name)


def _fact(connection: Connection, typed: str) -> Iterator[Hit]:
    if typed.count("/") != 2:
        return
    try:
        fact_id = parse_fact_id(typed)
    except ContractError:
        return
    found: Any = find_fact(connection, fact_id)
    if found is not None:
        yield Hit("fact", str(fact_id), exact=True)
