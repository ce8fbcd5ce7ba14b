"""The stock table sorted by a column, in groups, or as of a moment. Edge of the database.

By code it is `views.matrix_page`, a few milliseconds. Any other order sums up all balances first,
0.15 s for 240,000 of them, and an earlier moment reads them and what changed since twice.
"""

from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Select, Text, and_, bindparam, func, or_, select, text

from central.contract.quantities import from_micro
from central.stock.as_of import parts_of
from central.stock.moments import Moment, nearest_anchor
from central.stock.rows import MatrixPage, MatrixQuery, MatrixRow, StockFilter
from central.stock.strays import StrayItems
from central.stock.views import (
    ESCAPE,
    ROWS_PER_PAGE,
    item_codes,
    list_warehouses,
    literal,
    matrix_page,
    matrix_rows,
)
from central.storage.catalogue_tables import item_policies
from central.storage.places import IN_TRANSIT, PHYSICAL_LINE, in_transit, physical
from central.storage.tables import balances, items

GROUPS = ("category", "abc")
ITEMS_AT_ONCE_MAX = 1_000
_UNDER_WAY = IN_TRANSIT + "/"
_TRANSIT_LINE = f"(l.location = '{IN_TRANSIT}' OR substr(l.location, 1, 11) = '{_UNDER_WAY}')"


def grid_page(connection: Connection, wanted: MatrixQuery, strays: StrayItems) -> MatrixPage:
    """Return one page of the table in the order and the groups that are wanted."""
    if not wanted.sort and not wanted.descending and wanted.group not in GROUPS:
        return matrix_page(connection, wanted, strays)
    query = _ordered(connection, wanted, strays)
    page_index = max(wanted.page_index, 0)
    found = connection.execute(query.offset(page_index * ROWS_PER_PAGE)).all()
    if not found and page_index:
        page_index = 0
        found = connection.execute(query).all()
    by_item: dict[str, list[MatrixRow]] = {}
    for row in matrix_rows(connection, [row.item for row in found]):
        by_item.setdefault(row.item, []).append(row)
    item_count = found[0].item_count if found else 0
    rows = [(row, one.heading) for one in found for row in by_item.get(one.item, [])]
    return MatrixPage(
        rows=tuple(row for row, _ in rows),
        page_index=page_index,
        page_count=max(1, -(-item_count // ROWS_PER_PAGE)),
        item_count=item_count,
        groups=tuple(heading or "" for _, heading in rows) if wanted.group in GROUPS else (),
    )


def grid_as_of(connection: Connection, wanted: MatrixQuery, moment: Moment) -> MatrixPage:
    """Return one page of what stood anywhere as of a moment, by code; names are those of today."""
    summed, bounds = _parts(connection, moment, wanted)
    query = (
        "SELECT item, COUNT(*) OVER () AS item_count FROM"  # noqa: S608 - ours
        f" (SELECT item FROM (SELECT item, warehouse, unit, SUM(micro) AS micro FROM ({summed})"
        " AS parts GROUP BY item, warehouse, unit HAVING SUM(micro) <> 0) AS kept"
        " GROUP BY item) AS items ORDER BY item LIMIT :limit OFFSET :offset"
    )
    page_index = max(wanted.page_index, 0)
    bounds |= {"limit": ROWS_PER_PAGE, "offset": page_index * ROWS_PER_PAGE}
    found = connection.execute(_bound(query, bounds), bounds).all()
    item_count = found[0].item_count if found else 0
    codes = [row.item for row in found]
    everywhere = MatrixQuery()
    return MatrixPage(
        rows=tuple(_rows_as_of(connection, moment, codes, everywhere) if codes else ()),
        page_index=page_index,
        page_count=max(1, -(-item_count // ROWS_PER_PAGE)),
        item_count=item_count,
    )


def grid_rows(
    connection: Connection,
    wanted: MatrixQuery,
    strays: StrayItems,
    *,
    moment: Moment | None,
    limit: int,
) -> list[MatrixRow]:
    """Return all rows of the table for a file, of at most so many items, by code."""
    if moment is not None:
        return _rows_as_of(connection, moment, None, wanted)[:limit]
    codes = item_codes(
        wanted, strays=strays.look_up(connection), warehouse_codes=_warehouses(connection)
    ).subquery()
    query = select(codes.c.item).order_by(codes.c.item).limit(limit)
    found = list(connection.execute(query).scalars())
    rows: list[MatrixRow] = []
    for begin in range(0, len(found), ITEMS_AT_ONCE_MAX):
        rows += matrix_rows(connection, found[begin : begin + ITEMS_AT_ONCE_MAX])
    return rows


def _ordered(connection: Connection, wanted: MatrixQuery, strays: StrayItems) -> Select[Any]:
    warehouse_codes = [one.code for one in list_warehouses(connection)]
    codes = item_codes(
        wanted, strays=strays.look_up(connection), warehouse_codes=warehouse_codes
    ).subquery()
    policies = item_policies.c
    heading = policies[wanted.group] if wanted.group in GROUPS else bindparam("none", "")
    columns = (codes.c.item, func.count().over().label("item_count"), heading.label("heading"))
    query = select(*columns).outerjoin_from(codes, item_policies, policies.item == codes.c.item)
    order: list[Any] = []
    if wanted.group in GROUPS:
        # What is in no group comes last.
        order = [func.coalesce(heading, "") == "", func.coalesce(heading, "")]
    if wanted.sort:
        sums = _sums(wanted.sort, warehouse_codes).subquery()
        query = query.outerjoin(sums, sums.c.item == codes.c.item)
        amount = func.coalesce(sums.c.micro, 0)
        order.append(amount.desc() if wanted.descending else amount)
        order.append(codes.c.item)
    else:
        order.append(codes.c.item.desc() if wanted.descending else codes.c.item)
    return query.order_by(*order).limit(ROWS_PER_PAGE)


def _sums(sort: str, warehouse_codes: list[str]) -> Select[Any]:
    table = balances.c
    of = [sort.removeprefix("w:")] if sort.startswith("w:") else warehouse_codes
    place = in_transit(table.location) if sort == "transit" else physical(table.location)
    return (
        select(table.item, func.sum(table.on_hand_micro).label("micro"))
        .where(and_(table.warehouse.in_(of), place))
        .group_by(table.item)
    )


def _rows_as_of(
    connection: Connection, moment: Moment, codes: list[str] | None, wanted: MatrixQuery
) -> list[MatrixRow]:
    """Return the rows of these items, of all that the search finds for None."""
    summed, bounds = _parts(connection, moment, wanted, codes)
    way = f"CASE WHEN location = '{IN_TRANSIT}' OR substr(location, 1, 11) = '{_UNDER_WAY}'"
    query = (
        f"SELECT item, unit, warehouse, {way} THEN 1 ELSE 0 END AS transit,"  # noqa: S608 - ours
        f" SUM(micro) AS micro FROM ({summed}) AS parts"
        " GROUP BY item, unit, warehouse, transit HAVING SUM(micro) <> 0"
    )
    on_hand: dict[tuple[str, str], dict[str, Decimal]] = {}
    moving: dict[tuple[str, str], Decimal] = {}
    for row in connection.execute(_bound(query, bounds), bounds):
        key = (row.item, row.unit)
        here = on_hand.setdefault(key, {})
        if row.transit:
            moving[key] = moving.get(key, Decimal(0)) + from_micro(int(row.micro))
        else:
            here[row.warehouse] = from_micro(int(row.micro))
    table = items.c
    query_names = select(table.item, table.name, table.name_zh)
    if codes is not None:
        query_names = query_names.where(table.item.in_(codes))
    names = {row.item: (row.name, row.name_zh) for row in connection.execute(query_names)}
    return [
        MatrixRow(key[0], key[1], *names.get(key[0], ("", "")), here, moving.get(key, Decimal(0)))
        for key, here in sorted(on_hand.items())
    ]


def _parts(
    connection: Connection, moment: Moment, wanted: MatrixQuery, codes: list[str] | None = None
) -> tuple[str, dict[str, object]]:
    """Return the statement of everything that counts, and its values."""
    anchor = nearest_anchor(connection, moment.sure_no)
    bounds: dict[str, object] = {"anchor": anchor.record_no, "sure": moment.sure_no}
    bounds |= {"near": moment.near_no, "event": moment.event_ms}
    bounds |= {"late_from": moment.late_from_ms, "followed": moment.followed_no}
    bounds["codes"] = [wanted.warehouse] if wanted.warehouse else _warehouses(connection)
    if codes is None and wanted.search:
        pattern = f"%{literal(wanted.search)}%"
        columns = (items.c.item, items.c.name, items.c.name_zh)
        named = or_(*(one.ilike(pattern, escape=ESCAPE) for one in columns))
        codes = list(connection.execute(select(items.c.item).where(named)).scalars())
    condition = f" AND ({PHYSICAL_LINE} OR {_TRANSIT_LINE})"
    if codes is not None:
        bounds["items"] = codes
        condition += " AND l.item IN :items"
    parts = parts_of(connection.dialect.name, moment, anchor, StockFilter())
    joined = " UNION ALL ".join(f"{part}{condition}" for part in parts)
    return joined.replace("= :warehouse", "IN :codes"), bounds


def _warehouses(connection: Connection) -> list[str]:
    return [one.code for one in list_warehouses(connection)]


def _bound(query: str, bounds: dict[str, object]) -> Any:  # noqa: ANN401 - a statement
    lists = [name for name in ("codes", "items") if f":{name}" in query]
    assert all(name in bounds for name in lists)
    return text(query).bindparams(*(bindparam(name, expanding=True, type_=Text) for name in lists))
