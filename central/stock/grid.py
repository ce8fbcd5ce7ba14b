"""The stock table sorted by a column, in groups, or as of a moment. Edge of the database.

By code it is `views.matrix_page`, a few milliseconds, and as of a moment the lines of the items on
the page. Any other order sums up all balances first, 0.15 s for 240,000 of them; as of a moment
what `past_sums` says.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    Connection,
    FromClause,
    Row,
    Select,
    and_,
    bindparam,
    func,
    literal,
    select,
    union_all,
)

from central.contract.quantities import from_micro
from central.stock.moments import Moment
from central.stock.past_sums import order_sums, sums_of
from central.stock.rows import MatrixPage, MatrixQuery, MatrixRow
from central.stock.strays import StrayItems
from central.stock.views import (
    ROWS_PER_PAGE,
    books,
    item_codes,
    list_warehouses,
    matrix_page,
    matrix_rows,
    under_way,
)
from central.storage.catalogue_tables import item_policies
from central.storage.places import physical
from central.storage.tables import balances, items

GROUPS = ("category", "abc")
ITEMS_AT_ONCE_MAX = 1_000


def grid_page(connection: Connection, wanted: MatrixQuery, strays: StrayItems) -> MatrixPage:
    """Return one page of the table in the order and the groups that are wanted."""
    if not wanted.sort and not wanted.descending and wanted.group not in GROUPS:
        return matrix_page(connection, wanted, strays)
    sums = _sums(connection, wanted.sort) if wanted.sort else None
    codes = _codes(connection, wanted, strays)
    found, page_index = _found(connection, _ordered(codes, wanted, sums), wanted.page_index)
    return _page(found, page_index, wanted, matrix_rows(connection, [row.item for row in found]))


def grid_as_of(
    connection: Connection, wanted: MatrixQuery, strays: StrayItems, moment: Moment
) -> MatrixPage:
    """Return one page of the table as of a moment, in the order and the groups that are wanted.

    Names and groups are those of today. Of one warehouse, or stocked: what stood there then, and
    only that.
    """
    sums: FromClause | None = None
    bounds: dict[str, object] = {}
    only = wanted.stocked or bool(wanted.warehouse)
    if wanted.sort or only:
        sums, bounds = order_sums(connection, wanted, moment, only=only)
    everything = replace(wanted, stocked=False, warehouse="")
    codes = _codes(connection, everything, strays)
    query = _ordered(codes, wanted, sums, only_summed=only)
    found, page_index = _found(connection, query, wanted.page_index, bounds)
    rows = _rows_as_of(connection, moment, [row.item for row in found], wanted)
    return _page(found, page_index, wanted, rows)


def grid_rows(
    connection: Connection,
    wanted: MatrixQuery,
    strays: StrayItems,
    *,
    moment: Moment | None,
    limit: int,
) -> list[MatrixRow]:
    """Return all rows of the table for a file, of at most so many items, by code."""
    of = wanted if moment is None else replace(wanted, stocked=False, warehouse="")
    codes = _codes(connection, of, strays)
    query = select(codes.c.item).order_by(codes.c.item).limit(limit)
    found = list(connection.execute(query).scalars())
    if moment is not None:
        return _all_as_of(connection, moment, found, wanted)
    rows: list[MatrixRow] = []
    for begin in range(0, len(found), ITEMS_AT_ONCE_MAX):
        rows += matrix_rows(connection, found[begin : begin + ITEMS_AT_ONCE_MAX])
    return rows


def _codes(connection: Connection, wanted: MatrixQuery, strays: StrayItems) -> FromClause:
    known = strays.look_up(connection)
    return item_codes(wanted, strays=known, warehouse_codes=_warehouses(connection)).subquery()


def _ordered(
    codes: FromClause,
    wanted: MatrixQuery,
    sums: FromClause | None,
    *,
    only_summed: bool = False,
) -> Select[Any]:
    """Return the statement of one page of items. sums: an amount for each that has one, to sort by.

    only_summed: leaves out the items without.
    """
    if sums is not None:
        codes = _with_amounts(codes, sums, only_summed=only_summed)
    policies = item_policies.c
    heading = policies[wanted.group] if wanted.group in GROUPS else bindparam("none", "")
    columns = (codes.c.item, func.count().over().label("item_count"), heading.label("heading"))
    query = select(*columns).outerjoin_from(codes, item_policies, policies.item == codes.c.item)
    order: list[Any] = []
    if wanted.group in GROUPS:
        # What is in no group comes last.
        order = [func.coalesce(heading, "") == "", func.coalesce(heading, "")]
    if wanted.sort and sums is not None:
        order.append(codes.c.micro.desc() if wanted.descending else codes.c.micro)
        order.append(codes.c.item)
    else:
        order.append(codes.c.item.desc() if wanted.descending else codes.c.item)
    return query.order_by(*order).limit(ROWS_PER_PAGE)


def _with_amounts(codes: FromClause, sums: FromClause, *, only_summed: bool) -> FromClause:
    """Return items with their amounts, 0 where there is none. only_summed: leaves those out.

    Both are put on one heap and summed up: PostgreSQL cannot know how many items the sums have,
    takes 200 for it, and may look through all items for each of 40,000 instead of joining them.
    """
    listed = select(codes.c.item, literal(0).label("micro"), literal(1).label("listed"))
    summed = select(sums.c.item, sums.c.micro, literal(0).label("listed"))
    heap = union_all(listed, summed).subquery()
    query = select(heap.c.item, func.sum(heap.c.micro).label("micro")).group_by(heap.c.item)
    query = query.having(func.max(heap.c.listed) == 1)
    if only_summed:
        query = query.having(func.min(heap.c.listed) == 0)
    return query.subquery()


def _found(
    connection: Connection,
    query: Select[Any],
    page_index: int,
    bounds: dict[str, object] | None = None,
) -> tuple[Sequence[Row[Any]], int]:
    """Return the items of a page and its index, those of the first page for one past the end."""
    page_index = max(page_index, 0)
    found = connection.execute(query.offset(page_index * ROWS_PER_PAGE), bounds or {}).all()
    if not found and page_index:
        return connection.execute(query, bounds or {}).all(), 0
    return found, page_index


def _page(
    found: Sequence[Row[Any]], page_index: int, wanted: MatrixQuery, rows: Iterable[MatrixRow]
) -> MatrixPage:
    by_item: dict[str, list[MatrixRow]] = {}
    for row in rows:
        by_item.setdefault(row.item, []).append(row)
    item_count = found[0].item_count if found else 0
    shown = [(row, one.heading) for one in found for row in by_item.get(one.item, [])]
    return MatrixPage(
        rows=tuple(row for row, _ in shown),
        page_index=page_index,
        page_count=max(1, -(-item_count // ROWS_PER_PAGE)),
        item_count=item_count,
        groups=tuple(heading or "" for _, heading in shown) if wanted.group in GROUPS else (),
    )


def _sums(connection: Connection, sort: str) -> FromClause:
    table = balances.c
    if sort == "transit":
        counted = and_(books(connection), under_way(connection))
    else:
        column_of = sort.removeprefix("w:") if sort.startswith("w:") else ""
        of = [code for code in _warehouses(connection) if column_of in {"", code}]
        counted = and_(table.warehouse.in_(of), physical(table.location))
    return (
        select(table.item, func.sum(table.on_hand_micro).label("micro"))
        .where(counted)
        .group_by(table.item)
        .subquery()
    )


def _all_as_of(
    connection: Connection, moment: Moment, codes: Sequence[str], wanted: MatrixQuery
) -> list[MatrixRow]:
    """Return the rows of many items, all of the table read once."""
    wanted_codes = set(codes)
    rows = _rows_as_of(connection, moment, None, wanted)
    if wanted.stocked or wanted.warehouse:  # As on the page: not what was only under way.
        wanted_codes &= {row.item for row in rows if row.on_hand}
    return [row for row in rows if row.item in wanted_codes]


def _rows_as_of(
    connection: Connection, moment: Moment, codes: Sequence[str] | None, wanted: MatrixQuery
) -> list[MatrixRow]:
    """Return the rows of these items, of all that were anywhere for None, by item and unit."""
    found = sums_of(connection, wanted, moment, codes)
    query = select(items.c.item, items.c.unit, items.c.name, items.c.name_zh)
    if codes is not None:
        query = query.where(items.c.item.in_(codes))
    known = {row.item: row for row in connection.execute(query)}
    names = {item: (row.name, row.name_zh) for item, row in known.items()}
    rows: dict[tuple[str, str], tuple[dict[str, Decimal], Decimal]] = {}
    if not wanted.stocked and not wanted.warehouse:
        # As in the table of now: what the reference data has is there, whatever stood of it.
        rows = {(row.item, row.unit): ({}, Decimal(0)) for row in known.values()}
    for row in found:
        here, moving = rows.setdefault((row.item, row.unit), ({}, Decimal(0)))
        if row.transit:
            rows[row.item, row.unit] = (here, moving + from_micro(int(row.micro)))
        else:
            here[row.warehouse] = from_micro(int(row.micro))
    return [
        MatrixRow(*key, *names.get(key[0], ("", "")), here, moving)
        for key, (here, moving) in sorted(rows.items())
    ]


def _warehouses(connection: Connection) -> list[str]:
    return [one.code for one in list_warehouses(connection)]
