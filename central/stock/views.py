"""What stands where: balances row by row, and items across warehouses. Edge of the database.

Every function reads on the connection of one `Database.read()`, so answers asked for together
belong together.
"""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    exists,
    func,
    or_,
    select,
    tuple_,
    union,
    union_all,
)

from central.contract.quantities import from_micro
from central.stock.place_trees import places_within
from central.stock.rows import (
    MatrixPage,
    MatrixQuery,
    MatrixRow,
    StockFilter,
    StockKey,
    StockRow,
    WarehouseRow,
)
from central.stock.strays import StrayItems
from central.storage.places import IN_TRANSIT, in_transit, physical, under_a_document
from central.storage.tables import (
    balances,
    discrepancies,
    gateways,
    items,
    positions,
    warehouses,
)
from central.storage.within import within_of

ROWS_PER_PAGE = 50
SEARCH_CHARACTERS_MAX = 64
WAREHOUSES_MAX = 200
DISCREPANCY_STATES = ("open", "settled")
ESCAPE = "\\"

_KEY = (
    balances.c.warehouse,
    balances.c.location,
    balances.c.item,
    balances.c.lot,
    balances.c.serial,
    balances.c.sscc,
    balances.c.unit,
    balances.c.status,
)


def list_stock(
    connection: Connection, wanted: StockFilter, *, after: StockKey | None, limit: int
) -> list[StockRow]:
    """Return balances that are not zero, in the order of their keys.

    after: the key of the last row of the page before, None for the first page. What is asked for
    within a place names its warehouse.
    """
    query = _stock_query(connection, wanted, after)
    if not wanted.within:
        return [_stock_row(row) for row in connection.execute(query.limit(limit))]
    assert wanted.warehouse
    found: list[StockRow] = []
    # To sort all that an area holds for each page would be no keyset: its order is by place.
    for places in places_within(
        connection,
        warehouse=wanted.warehouse,
        place=wanted.within,
        since=after.location if after is not None else "",
    ):
        some = query.where(balances.c.location.in_(places)).limit(limit - len(found))
        found += [_stock_row(row) for row in connection.execute(some)]
        if len(found) >= limit:
            break
    return found


def _stock_query(
    connection: Connection, wanted: StockFilter, after: StockKey | None
) -> Select[Any]:
    query = (
        select(
            *_KEY,
            balances.c.on_hand_micro,
            balances.c.weight_micro,
            items.c.name,
            items.c.name_zh,
        )
        .outerjoin_from(balances, items, items.c.item == balances.c.item)
        .where(balances.c.on_hand_micro != 0)
        .order_by(*_KEY)
    )
    for column, value in (
        (balances.c.warehouse, wanted.warehouse),
        (balances.c.location, wanted.location),
        (balances.c.item, wanted.item),
        (balances.c.lot, wanted.lot),
        (balances.c.status, wanted.status),
    ):
        if value:
            query = query.where(column == value)
    if wanted.item:
        codes = [wanted.warehouse] if wanted.warehouse else _codes(connection)
        query = query.where(balances.c.warehouse.in_(codes))
    if not wanted.include_virtual:
        shown = physical(balances.c.location)
        if wanted.include_in_transit:
            shown = or_(shown, in_transit(balances.c.location))
        query = query.where(shown)
    if after is not None:
        values = [getattr(after, column.name) for column in _KEY]
        query = query.where(tuple_(*_KEY) > tuple_(*values))
    return query


def _stock_row(row: Row[Any]) -> StockRow:
    return StockRow(
        key=StockKey(*row[: len(_KEY)]),
        on_hand=from_micro(row.on_hand_micro),
        weight=from_micro(row.weight_micro),
        item_name=row.name or "",
        item_name_zh=row.name_zh or "",
    )


def list_warehouses(connection: Connection) -> list[WarehouseRow]:
    """Return every warehouse that stock can stand in, by code, at most WAREHOUSES_MAX.

    On a narrowed connection (`central.storage.within`) it is that one. Also those that a gateway
    reports from and the reference data does not know; they have no name.
    """
    found = every_warehouse(connection)
    within = within_of(connection)
    return [one for one in found if one.code == within] if within else found


def every_warehouse(connection: Connection) -> list[WarehouseRow]:
    """Return what `list_warehouses` does, also on a narrowed connection.

    For what stands in the books of two: what is under way.
    """
    codes = union(
        select(warehouses.c.warehouse),
        select(gateways.c.warehouse),
        select(positions.c.warehouse),
    ).subquery()
    query = (
        select(codes.c.warehouse, warehouses.c.name, warehouses.c.name_zh)
        .outerjoin_from(codes, warehouses, warehouses.c.warehouse == codes.c.warehouse)
        .order_by(codes.c.warehouse)
        .limit(WAREHOUSES_MAX)
    )
    return [
        WarehouseRow(code=row.warehouse, name=row.name or "", name_zh=row.name_zh or "")
        for row in connection.execute(query)
    ]


def matrix_page(connection: Connection, wanted: MatrixQuery, strays: StrayItems) -> MatrixPage:
    """Return one page of items across all warehouses, by item code.

    Items of the reference data, whether there is stock or not, and items with stock that are not
    in it. An index past the end gives the last page.
    """
    codes = item_codes(
        wanted, strays=strays.look_up(connection), warehouse_codes=_codes(connection)
    ).subquery()
    page_index = max(wanted.page_index, 0)
    # Counting apart: with a window function the whole list is sorted for one page.
    item_count = connection.execute(select(func.count()).select_from(codes)).scalar_one()
    page_index = min(page_index, max(0, item_count - 1) // ROWS_PER_PAGE)
    page = select(codes.c.item).order_by(codes.c.item).limit(ROWS_PER_PAGE)
    found = connection.execute(page.offset(page_index * ROWS_PER_PAGE)).scalars()
    return MatrixPage(
        rows=tuple(matrix_rows(connection, list(found))),
        page_index=page_index,
        page_count=max(1, -(-item_count // ROWS_PER_PAGE)),
        item_count=item_count,
    )


def matrix_rows(connection: Connection, codes: Sequence[str]) -> list[MatrixRow]:
    """Return the rows of the named items, by item and unit; an item of two units has two rows."""
    known = {
        row.item: row for row in connection.execute(select(items).where(items.c.item.in_(codes)))
    }
    rows: dict[tuple[str, str], MatrixRow] = {
        (code, row.unit): _empty_row(code, row.unit, row.name, row.name_zh)
        for code, row in known.items()
    }
    for sums in connection.execute(_sums(connection, codes)):
        key = (sums.item, sums.unit)
        if key not in rows:
            named = known.get(sums.item)
            names = (named.name, named.name_zh) if named else ("", "")
            rows[key] = _empty_row(sums.item, sums.unit, *names)
        rows[key] = _with_sum(
            rows[key],
            warehouse=sums.warehouse,
            in_transit=sums.in_transit,
            value=from_micro(int(sums.micro)),
        )
    return [rows[key] for key in sorted(rows)]


def item_codes(
    wanted: MatrixQuery, *, strays: Sequence[str], warehouse_codes: list[str]
) -> Select[tuple[str]]:
    """Return the statement of the items of a table, in no order."""
    known = select(items.c.item)
    # Whatever is posted without being known raises a discrepancy that names it. Looking there,
    # not through all balances, keeps the page at a few milliseconds for 20,000 items.
    unknown = select(discrepancies.c.item).where(
        discrepancies.c.warehouse.in_(warehouse_codes),
        discrepancies.c.state.in_(DISCREPANCY_STATES),
        discrepancies.c.kind == "unknown_item",
        ~exists().where(items.c.item == discrepancies.c.item),
    )
    left_over = select(balances.c.item).where(
        balances.c.warehouse.in_(warehouse_codes), balances.c.item.in_(strays)
    )
    if search := wanted.search.strip()[:SEARCH_CHARACTERS_MAX]:
        pattern = f"%{literal(search)}%"
        names = (items.c.item, items.c.name, items.c.name_zh)
        known = known.where(or_(*(column.ilike(pattern, escape=ESCAPE) for column in names)))
        unknown = unknown.where(discrepancies.c.item.ilike(pattern, escape=ESCAPE))
        left_over = left_over.where(balances.c.item.ilike(pattern, escape=ESCAPE))
    if wanted.warehouse or wanted.stocked:
        held_in = [wanted.warehouse] if wanted.warehouse else warehouse_codes
        known = known.where(_held(items.c.item, warehouse_codes=held_in))
        unknown = unknown.where(_held(discrepancies.c.item, warehouse_codes=held_in))
        left_over = left_over.where(_held(balances.c.item, warehouse_codes=held_in))
    # Nobody is in both parts. A union of all lets the first come in the order of its index.
    extra = select(union(unknown, left_over).subquery().c.item)
    return select(union_all(known, extra).subquery().c.item)


def literal(search: str) -> str:
    """Return a search in which no sign stands for others, for LIKE with ESCAPE."""
    return "".join(ESCAPE + sign if sign in f"%_{ESCAPE}" else sign for sign in search)


def _held(item: ColumnElement[str], *, warehouse_codes: list[str]) -> ColumnElement[bool]:
    # A list, not EXISTS: for that SQLite reads all places of a warehouse once per item, which took
    # 39 s for 20,000 items in 8 warehouses; this takes 0.1 s.
    held = balances.alias("held")
    return item.in_(
        select(held.c.item).where(
            held.c.warehouse.in_(warehouse_codes),
            held.c.on_hand_micro != 0,
            physical(held.c.location),
        )
    )


def under_way(connection: Connection, codes: Sequence[str] | None = None) -> ColumnElement[bool]:
    """Return the condition that a balance is of what is in transit from or to here.

    codes: the only items that the caller asks for, None for all.

    Under a document it stands in the books of both ends, +3 at one and -3 at the other once it has
    arrived: who knows one warehouse only needs both of its transfers' books to see what is left.
    The caller names the warehouses: all of `books`.
    """
    if not within_of(connection):
        return in_transit(balances.c.location)
    own = balances.alias("own")
    here = _codes(connection)
    documents = select(own.c.location).where(
        own.c.warehouse.in_(here), under_a_document(own.c.location)
    )
    if codes is not None:
        documents = documents.where(own.c.item.in_(codes))
    return or_(
        and_(balances.c.warehouse.in_(here), balances.c.location == IN_TRANSIT),
        balances.c.location.in_(documents),
    )


def books(connection: Connection) -> ColumnElement[bool]:
    """Return the condition that names each warehouse in whose balances `under_way` may look.

    Naming every warehouse lets the database use the indexes that start with the warehouse.
    """
    return balances.c.warehouse.in_([one.code for one in every_warehouse(connection)])


def _sums(connection: Connection, codes: Sequence[str]) -> Select[tuple[str, str, str, bool, int]]:
    virtual = in_transit(balances.c.location)
    here = physical(balances.c.location)
    if within_of(connection):
        here = and_(balances.c.warehouse.in_(_codes(connection)), here)
    return (
        select(
            balances.c.item,
            balances.c.unit,
            balances.c.warehouse,
            virtual.label("in_transit"),
            func.sum(balances.c.on_hand_micro).label("micro"),
        )
        .where(
            books(connection),
            balances.c.item.in_(codes),
            or_(here, under_way(connection, codes)),
        )
        .group_by(balances.c.item, balances.c.unit, balances.c.warehouse, virtual)
    )


def _codes(connection: Connection) -> list[str]:
    # Naming every warehouse lets the database use the index that starts with the warehouse.
    return [warehouse.code for warehouse in list_warehouses(connection)]


def _empty_row(item: str, unit: str, name: str, name_zh: str) -> MatrixRow:
    return MatrixRow(
        item=item, unit=unit, name=name, name_zh=name_zh, on_hand={}, in_transit=Decimal(0)
    )


def _with_sum(row: MatrixRow, *, warehouse: str, in_transit: bool, value: Decimal) -> MatrixRow:
    if in_transit:
        return replace(row, in_transit=row.in_transit + value)
    return replace(row, on_hand={**row.on_hand, warehouse: value})
