"""Reads notices of shipment with what came of them. Edge of the database; writes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, and_, select

from central.errors import NotThere
from central.orders.document_progress import CountedKey, DocumentProgress, progress_of
from central.orders.purchasing.asn import (
    HandlingUnit,
    NoticeLine,
    ShippingNotice,
    UnitPresence,
    unit_presences,
)
from central.orders.purchasing.purchase_reading import Arrival, read_arrivals, read_counted
from central.orders.purchasing.unit_arrivals import arrived_for
from central.storage import bulk, purchasing_tables


@dataclass(frozen=True, slots=True)
class NoticeView:
    """A notice with what came of it. unexpected: SSCCs under its code that it does not name.

    arrival: when something came under its own code, None if nothing did.
    """

    notice: ShippingNotice
    progress: DocumentProgress
    units: tuple[UnitPresence, ...]
    unexpected: tuple[str, ...]
    arrival: Arrival | None


@dataclass(frozen=True, slots=True)
class NoticeFilter:
    """Which notices; "" is any. late_on: those expected before that day that are not complete."""

    state: str = ""
    warehouse: str = ""
    supplier: str = ""
    order_code: str = ""
    item: str = ""
    sscc: str = ""
    late_on: str = ""


def load_notice(connection: Connection, code: str) -> ShippingNotice:
    """Return a notice. Raises NotThere."""
    found = load_notices(connection, [code])
    if not found:
        raise NotThere(
            f"no notice of shipment is called {code}",
            hint="Correct the code; the list shows all notices.",
            fields={"code": code},
        )
    return found[0]


def load_notices(connection: Connection, codes: Sequence[str]) -> list[ShippingNotice]:
    """Return those notices that are there, by code."""
    table = purchasing_tables.shipping_notices
    query = select(table).where(table.c.code.in_(codes)).order_by(table.c.code)
    return _notices(connection, connection.execute(query).all())


def view_notice(connection: Connection, code: str) -> NoticeView:
    """Return a notice with what came of it. Raises NotThere."""
    return view_notices(connection, [load_notice(connection, code)])[0]


def view_notices(connection: Connection, notices: Sequence[ShippingNotice]) -> list[NoticeView]:
    """Return notices with what came of them."""
    keys = [(notice.warehouse, notice.code) for notice in notices]
    counted = read_counted(connection, keys)
    arrivals = read_arrivals(connection, keys)
    arrived = arrived_for(connection, notices)
    named = _named(connection, keys)
    views = []
    for notice, key in zip(notices, keys, strict=True):
        by_unit = arrived[notice.code]
        own = counted.get(key, {})
        if not notice.own_document:
            own = {
                CountedKey(line.line, line.item, line.unit): by_unit.get(line.sscc, {}).get(
                    (line.item, line.lot), 0
                )
                for line in notice.lines
            }
        views.append(
            NoticeView(
                notice,
                progress_of([line.expected for line in notice.lines], own),
                unit_presences(notice, by_unit),
                tuple(sorted(named.get(key, set()) - by_unit.keys())),
                arrivals.get(key),
            )
        )
    return views


def list_notices(
    connection: Connection, wanted: NoticeFilter, *, after: str, limit: int
) -> tuple[list[NoticeView], str]:
    """Return notices by code after one, and the code to go on after ("": there are no more).

    What is late is judged notice by notice: a page may be shorter than `limit` and not the last.
    """
    rows = _candidates(connection, wanted, after=after, limit=limit + 1)
    more, rows = len(rows) > limit, rows[:limit]
    views = view_notices(connection, _notices(connection, rows))
    if wanted.late_on:
        views = [view for view in views if view.progress.fulfilment not in {"complete", "over"}]
    return views, rows[-1].code if more else ""


def _named(
    connection: Connection, keys: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], set[str]]:
    """Return the SSCCs that came under the codes of notices."""
    named: dict[tuple[str, str], set[str]] = {}
    table = purchasing_tables.document_arrivals
    position = list(table.c.keys()).index("sscc")
    for row in bulk.select_by_key(connection, table, keys, columns_count=2):
        if row[position] and row[position + 1]:
            named.setdefault((row[0], row[1]), set()).add(row[position])
    return named


def _candidates(
    connection: Connection, wanted: NoticeFilter, *, after: str, limit: int
) -> Sequence[Row[Any]]:
    table = purchasing_tables.shipping_notices
    conditions = [table.c.code > after]
    conditions += [
        table.c[name] == value
        for name in ("state", "warehouse", "supplier", "order_code")
        if (value := getattr(wanted, name))
    ]
    if wanted.late_on:
        late = and_(table.c.expected_date != "", table.c.expected_date < wanted.late_on)
        conditions += [late, table.c.state == "expected"]
    lines, units = purchasing_tables.notice_lines.c, purchasing_tables.notice_units.c
    if wanted.item:
        has = select(lines.code).where(lines.code == table.c.code, lines.item == wanted.item)
        conditions.append(has.exists())
    if wanted.sscc:
        has = select(units.code).where(units.code == table.c.code, units.sscc == wanted.sscc)
        conditions.append(has.exists())
    query = select(table).where(*conditions).order_by(table.c.code).limit(limit)
    return connection.execute(query).all()


def _notices(connection: Connection, rows: Sequence[Row[Any]]) -> list[ShippingNotice]:
    keys = [(row.code,) for row in rows]
    lines: dict[str, list[NoticeLine]] = {}
    units: dict[str, list[HandlingUnit]] = {}
    for found in bulk.select_by_key(
        connection, purchasing_tables.notice_lines, keys, columns_count=1
    ):
        lines.setdefault(found[0], []).append(NoticeLine(*found[1:]))
    for found in bulk.select_by_key(
        connection, purchasing_tables.notice_units, keys, columns_count=1
    ):
        units.setdefault(found[0], []).append(HandlingUnit(*found[1:]))
    return [
        ShippingNotice(
            **row._mapping,
            units=tuple(sorted(units.get(row.code, []), key=lambda unit: unit.sscc)),
            lines=tuple(sorted(lines.get(row.code, []), key=lambda line: line.line)),
        )
        for row in rows
    ]
