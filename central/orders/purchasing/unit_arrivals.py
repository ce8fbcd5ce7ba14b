"""What came under the SSCCs of notices of shipment, as far as it came for them. Edge of SQL.

    2025  ASN-1 names pallet 7, which comes under ASN-1       it came for ASN-1
    2026  ASN-2 names pallet 7 again: nothing came for it yet

A supplier may use an SSCC again, after a year, and some do sooner. What came under a notice's own
code came for it. Under the code of its order: for one for information what those that ended before
have not had; for others if none that was noted before names the unit. Under any other code: since
the notice was noted, if nobody else announced the unit under that.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, select

from central.orders.purchasing.asn import Contents, ShippingNotice
from central.storage import purchasing_tables

SSCCS_AT_ONCE_MAX = 500
LIVE: frozenset[str] = frozenset({"announced", "expected"})
Goods = tuple[str, str]  # Item and lot.


class Named(NamedTuple):
    """A notice that names a unit. changed_ms: of one that has ended, when it did."""

    code: str
    order_code: str
    own_document: bool
    state: str
    created_ms: int
    changed_ms: int


class _Books(NamedTuple):
    """arrivals, naming: by warehouse and SSCC. ended: what notices had when they were closed."""

    arrivals: Mapping[tuple[str, str], Sequence[Row[Any]]]
    naming: Mapping[tuple[str, str], Sequence[Named]]
    ended: Mapping[tuple[str, str], Mapping[Goods, int]]


def arrived_for(
    connection: Connection, notices: Sequence[ShippingNotice]
) -> dict[str, dict[str, Contents]]:
    """Return what came for notices in their units, in millionths: by code, by SSCC."""
    books = _read(connection, notices)
    return {
        notice.code: {unit.sscc: _contents(notice, unit.sscc, books) for unit in notice.units}
        for notice in notices
    }


def _contents(notice: ShippingNotice, sscc: str, books: _Books) -> Contents:
    others = [
        one
        for one in books.naming.get((notice.warehouse, sscc), ())
        if one.code != notice.code and one.state != "cancelled"
    ]
    contents: dict[Goods, int] = {}
    of_order: dict[Goods, int] = {}
    for row in books.arrivals.get((notice.warehouse, sscc), ()):
        goods, document = (row.item, row.lot), row.document
        if document == notice.code:
            came = contents
        elif notice.state == "cancelled":
            continue
        elif document == notice.order_code:
            if notice.own_document and _noted_before(notice, others):
                continue
            came = contents if notice.own_document else of_order
        elif _is_of_another(notice, row, others):
            continue
        else:
            came = contents
        came[goods] = came.get(goods, 0) + row.quantity_micro
    for goods, micro in of_order.items():
        own = _share(notice, sscc, others, books, goods=goods, micro=micro)
        contents[goods] = contents.get(goods, 0) + own
    return contents


def _noted_before(notice: ShippingNotice, others: Sequence[Named]) -> bool:
    """Return whether another notice of the order named the unit before this one did."""
    own = (notice.created_ms, notice.code)
    return any(
        (one.created_ms, one.code) < own for one in others if one.order_code == notice.order_code
    )


def _is_of_another(notice: ShippingNotice, row: Row[Any], others: Sequence[Named]) -> bool:
    """Return whether what came under a code that is not the notice's is not for it."""
    if row.last_ms < notice.created_ms:
        return True
    if notice.state not in LIVE and row.first_ms > notice.changed_ms:
        return True
    return any(row.document in {one.code, one.order_code} for one in others)


def _share(
    notice: ShippingNotice,
    sscc: str,
    others: Sequence[Named],
    books: _Books,
    *,
    goods: Goods,
    micro: int,
) -> int:
    """Return what of goods under the code of an order came for a notice for information.

    Each that has ended had what it ended with; who is expected, or ended last, has the rest.
    """
    rivals = [
        one
        for one in others
        if one.order_code == notice.order_code and not one.own_document and one.state != "announced"
    ]
    end = (notice.state in LIVE, notice.changed_ms, notice.code)
    before = [one for one in rivals if (one.state in LIVE, one.changed_ms, one.code) < end]
    rest = micro
    for code in [one.code for one in before if one.state not in LIVE]:
        rest -= min(rest, books.ended.get((code, sscc), {}).get(goods, 0))
    if notice.state in LIVE or len(before) == len(rivals):
        return rest
    return min(rest, books.ended.get((notice.code, sscc), {}).get(goods, 0))


def _read(connection: Connection, notices: Sequence[ShippingNotice]) -> _Books:
    """Read what came in these units, and which notices name those that came."""
    wanted = sorted({unit.sscc for notice in notices for unit in notice.units})
    arrivals: dict[tuple[str, str], list[Row[Any]]] = {}
    table = purchasing_tables.document_arrivals
    for start in range(0, len(wanted), SSCCS_AT_ONCE_MAX):
        some = wanted[start : start + SSCCS_AT_ONCE_MAX]
        for row in connection.execute(select(table).where(table.c.sscc.in_(some))):
            arrivals.setdefault((row.warehouse, row.sscc), []).append(row)
    came = sorted({sscc for _, sscc in arrivals})
    naming: dict[tuple[str, str], list[Named]] = {}
    ended: dict[tuple[str, str], dict[Goods, int]] = {}
    for start in range(0, len(came), SSCCS_AT_ONCE_MAX):
        some = came[start : start + SSCCS_AT_ONCE_MAX]
        _read_naming(connection, some, naming)
        _read_ended(connection, some, ended)
    return _Books(arrivals, naming, ended)


def _read_naming(
    connection: Connection, ssccs: Sequence[str], naming: dict[tuple[str, str], list[Named]]
) -> None:
    units, heads = purchasing_tables.notice_units.c, purchasing_tables.shipping_notices.c
    query = (
        select(heads.warehouse, units.sscc, *(heads[name] for name in Named._fields))
        .join(purchasing_tables.shipping_notices, heads.code == units.code)
        .where(units.sscc.in_(ssccs))
    )
    for row in connection.execute(query):
        naming.setdefault((row.warehouse, row.sscc), []).append(Named(*row[2:]))


def _read_ended(
    connection: Connection, ssccs: Sequence[str], ended: dict[tuple[str, str], dict[Goods, int]]
) -> None:
    units, lines = purchasing_tables.notice_units.c, purchasing_tables.notice_lines.c
    query = (
        select(lines.code, lines.sscc, lines.item, lines.lot, lines.ended_micro)
        .join(
            purchasing_tables.notice_units, (units.code == lines.code) & (units.sscc == lines.sscc)
        )
        .where(units.sscc.in_(ssccs), lines.ended_micro.is_not(None))
    )
    for row in connection.execute(query):
        had, goods = ended.setdefault((row.code, row.sscc), {}), (row.item, row.lot)
        # Two lines of the same goods in one unit were both shown all of them.
        had[goods] = max(had.get(goods, 0), row.ended_micro)
