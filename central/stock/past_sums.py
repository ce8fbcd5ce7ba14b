"""Sums of items as of a moment, for their rows and for their order. Edge of the database.

what is asked for                       what is read
order by total or in transit            sums of all items, lines since or until
order by a warehouse, or within one     the nearest copy of its balances, its lines
only what stood anywhere                the nearest copy of all balances, all lines
rows of a page                          the lines of its items
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, FromClause, Text, bindparam, column, text

from central.stock.as_of import bounds_of, changes_of, parts_of
from central.stock.moments import Moment, anchor_of_items, nearest_anchor, nearest_sums
from central.stock.rows import MatrixQuery
from central.stock.views import every_warehouse, list_warehouses
from central.storage.places import IN_TRANSIT, PHYSICAL_LINE, TRANSIT_LINE

Bounds = dict[str, object]

DOCUMENTS_MAX = 1_000  # Named one by one in a statement.
_UNIT = 1_000_000
_OF_OWN_DOCUMENTS = (
    "FROM balances b WHERE b.warehouse IN :own"
    f" AND substr(b.location, 1, {len(IN_TRANSIT) + 1}) = '{IN_TRANSIT}/'"
)
_OWN_DOCUMENTS = f"SELECT b.location {_OF_OWN_DOCUMENTS}"


def order_sums(
    connection: Connection, wanted: MatrixQuery, moment: Moment, *, only: bool
) -> tuple[FromClause, Bounds]:
    """Return a statement of items and of what the sorted column says of each, and its values.

    only: just the items of which something stood in a warehouse that is asked for; else an item
    without a row has 0.
    """
    if wanted.sort == "transit" and (only or not _everything(connection, wanted)):
        query, bounds = _transit_sums(connection, wanted, moment, only=only)
    elif wanted.sort in {"total", "transit"} and not only and _everything(connection, wanted):
        query, bounds = _kept_sums(connection, wanted, moment)
    else:
        query, bounds = _place_sums(connection, wanted, moment, only=only)
    summed = _bound(query, bounds).columns(column("item", Text), column("micro")).subquery()
    return summed, bounds


def sums_of(
    connection: Connection, wanted: MatrixQuery, moment: Moment, codes: Sequence[str] | None
) -> Any:  # noqa: ANN401 - rows
    """Return what stood of these items, of all for None, without zeros.

    Rows of item, unit, warehouse, transit (whether it was under way) and micro.
    """
    query, bounds = _sums_by_warehouse(connection, wanted, moment, codes)
    return connection.execute(_bound(query, bounds), bounds).all()


def _kept_sums(connection: Connection, wanted: MatrixQuery, moment: Moment) -> tuple[str, Bounds]:
    anchor = nearest_sums(connection, moment.sure_no)
    name, place = "here", PHYSICAL_LINE
    if wanted.sort == "transit":
        name, place = "transit", TRANSIT_LINE
    changes = changes_of(connection.dialect.name, moment, anchor, items="")
    parts = " UNION ALL ".join(f"{part} AND {place}" for part in changes)
    kept = (
        f"SELECT item, {name}_units * {_UNIT} + {name}_micro AS micro"  # noqa: S608 - ours
        " FROM item_sums WHERE record_no = :anchor"
    )
    query = (
        "SELECT item, SUM(micro) AS micro"  # noqa: S608 - ours
        f" FROM ({kept} UNION ALL SELECT item, micro FROM ({parts}) AS changes) AS amounts"
        " GROUP BY item"
    )
    codes = [one.code for one in every_warehouse(connection)]
    return _everywhere(query), bounds_of(moment, anchor) | {"codes": codes}


def _place_sums(
    connection: Connection, wanted: MatrixQuery, moment: Moment, *, only: bool
) -> tuple[str, Bounds]:
    """Return what stood in places, of the warehouses asked for, or of the sorted one alone."""
    anchor = nearest_anchor(connection, moment.sure_no)
    codes = _own(connection, wanted)
    counts = "1 = 1"
    bounds = bounds_of(moment, anchor)
    if wanted.sort.startswith("w:"):
        code = wanted.sort.removeprefix("w:")
        if only:
            counts = "warehouse = :sorted"
            bounds["sorted"] = code
        else:
            codes = [own for own in codes if own == code]
    bounds["codes"] = codes
    parts = " UNION ALL ".join(
        f"{part} AND {PHYSICAL_LINE}"
        for part in parts_of(connection.dialect.name, moment, anchor, items="")
    )
    query = f"SELECT item, SUM(micro) AS micro FROM ({parts}) AS parts GROUP BY item"  # noqa: S608
    if only:
        query = (
            f"SELECT item, SUM(CASE WHEN {counts} THEN micro ELSE 0 END) AS micro"  # noqa: S608
            f" FROM (SELECT item, unit, warehouse, SUM(micro) AS micro FROM ({parts}) AS parts"
            " GROUP BY item, unit, warehouse HAVING SUM(micro) <> 0) AS stood GROUP BY item"
        )
    return _everywhere(query), bounds


def _transit_sums(
    connection: Connection, wanted: MatrixQuery, moment: Moment, *, only: bool
) -> tuple[str, Bounds]:
    kept, bounds = _sums_by_warehouse(connection, wanted, moment, None)
    query = (
        "SELECT item, SUM(CASE WHEN transit = 1 THEN micro ELSE 0 END) AS micro"  # noqa: S608
        f" FROM ({kept}) AS kept GROUP BY item"
    )
    if only:
        query += " HAVING MIN(transit) = 0"
    return query, bounds


def _sums_by_warehouse(
    connection: Connection, wanted: MatrixQuery, moment: Moment, codes: Sequence[str] | None
) -> tuple[str, Bounds]:
    near = nearest_anchor if codes is None else anchor_of_items
    anchor = near(connection, moment.sure_no)
    bounds = bounds_of(moment, anchor)
    everywhere = [one.code for one in every_warehouse(connection)]
    own = _own(connection, wanted)
    bounds["codes"] = own
    condition = f" AND ({PHYSICAL_LINE} OR {TRANSIT_LINE})"
    if own != everywhere:
        # As `views.under_way` has it: under a document it stands in the books of both ends.
        bounds["codes"], bounds["own"] = everywhere, own
        documents = f"({_OWN_DOCUMENTS})"
        found = None if codes is None else _documents_of(connection, own, codes)
        if found is not None:
            # PostgreSQL counts a statement within for every line, and reads all lines instead.
            documents, bounds["documents"] = ":documents", found
        condition = (
            f" AND (l.warehouse IN :own AND ({PHYSICAL_LINE} OR l.location = '{IN_TRANSIT}')"
            f" OR l.location IN {documents})"
        )
    if codes is not None:
        bounds["items"] = list(codes)
        condition += " AND l.item IN :items"
    parts = parts_of(
        connection.dialect.name, moment, anchor, items="" if codes is None else "IN :items"
    )
    joined = " UNION ALL ".join(f"{part}{condition}" for part in parts)
    query = (
        "SELECT item, unit, warehouse,"  # noqa: S608 - ours
        f" CASE WHEN {TRANSIT_LINE.replace('l.', '')} THEN 1 ELSE 0 END AS transit,"
        f" SUM(micro) AS micro FROM ({joined}) AS parts"
        " GROUP BY item, unit, warehouse, transit HAVING SUM(micro) <> 0"
    )
    return _everywhere(query), bounds


def _documents_of(
    connection: Connection, own: Sequence[str], codes: Sequence[str]
) -> list[str] | None:
    """Return the places of documents under which these items were, None for too many."""
    query = f"SELECT DISTINCT b.location {_OF_OWN_DOCUMENTS}"
    bounds: Bounds = {"own": own, "items": list(codes), "limit": DOCUMENTS_MAX + 1}
    statement = _bound(f"{query} AND b.item IN :items LIMIT :limit", bounds)
    found = list(connection.execute(statement, bounds).scalars())
    return found if len(found) <= DOCUMENTS_MAX else None


def _everywhere(query: str) -> str:
    """Return the statement for `codes` of one for `warehouse`."""
    return query.replace("= :warehouse", "IN :codes")


def _everything(connection: Connection, wanted: MatrixQuery) -> bool:
    return _own(connection, wanted) == [one.code for one in every_warehouse(connection)]


def _own(connection: Connection, wanted: MatrixQuery) -> list[str]:
    """Return the warehouses asked for, of those that the connection knows."""
    codes = [one.code for one in list_warehouses(connection)]
    return [code for code in codes if wanted.warehouse in {"", code}]


def _bound(query: str, bounds: Bounds) -> Any:  # noqa: ANN401 - a statement
    lists = [name for name in ("codes", "items", "own", "documents") if f":{name}" in query]
    assert all(name in bounds for name in lists)
    return text(query).bindparams(*(bindparam(name, expanding=True, type_=Text) for name in lists))
