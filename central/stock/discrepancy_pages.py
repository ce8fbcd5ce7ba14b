"""Discrepancies as people go through them, filtered and counted. Edge of the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, or_, select

from central.stock.discrepancy_times import discrepancies_at
from central.stock.moments import TimeKind
from central.stock.rows import DiscrepancyRow
from central.stock.states import discrepancy_row
from central.stock.views import ESCAPE, literal
from central.storage.tables import discrepancies


@dataclass(frozen=True, slots=True)
class InboxFilter:
    """Which discrepancies. "" is any. kinds: any of these, empty for all.

    owner: "-" for those of nobody. overdue_ms: whose day is over by then, 0 for any.
    opened_before_ms: 0 for any. as_of: in ms and by which time; None for now.
    """

    state: str = "open"
    kinds: tuple[str, ...] = ()
    warehouse: str = ""
    owner: str = ""
    gateway: str = ""
    location: str = ""
    search: str = ""
    overdue_ms: int = 0
    opened_before_ms: int = 0
    as_of: tuple[int, TimeKind] | None = None


def page_of(
    connection: Connection,
    wanted: InboxFilter,
    *,
    order: Sequence[ColumnElement[Any]] = (),
    descending: bool = False,
    offset: int,
    limit: int,
) -> tuple[list[DiscrepancyRow], int]:
    """Return a page of discrepancies and how many there are in all.

    order: before the time at which they were opened; descending: the newest first.
    """
    table = discrepancies.c
    asked = discrepancies_at(wanted.state, wanted.as_of)
    query = _filtered(asked, wanted)
    opened = table.opened_ms.desc() if descending else table.opened_ms
    query = query.order_by(*order, opened, table.id).offset(offset).limit(limit)
    count = _filtered(asked.with_only_columns(func.count()), wanted)
    rows = [discrepancy_row(row) for row in connection.execute(query)]
    return rows, connection.execute(count).scalar_one()


def owners(connection: Connection) -> list[str]:
    """Return who sees to open discrepancies, by name; at most 200."""
    table = discrepancies.c
    query = (
        select(table.owner)
        .where(table.state == "open", table.owner != "")
        .distinct()
        .order_by(table.owner)
    )
    return list(connection.execute(query.limit(200)).scalars())


def by_groups(groups: Sequence[Sequence[str]]) -> ColumnElement[Any]:
    """Return what sorts by the first group that has the kind."""
    kind = discrepancies.c.kind
    return case(
        *((kind.in_(kinds), number) for number, kinds in enumerate(groups)), else_=len(groups)
    )


def by_column(name: str) -> ColumnElement[Any]:
    """Return what sorts by a column."""
    return discrepancies.c[name]


def _filtered(query: Select[Any], wanted: InboxFilter) -> Select[Any]:
    table = discrepancies.c
    for column, value in (
        (table.warehouse, wanted.warehouse),
        (table.gateway, wanted.gateway),
        (table.location, wanted.location),
    ):
        if value:
            query = query.where(column == value)
    if wanted.kinds:
        query = query.where(table.kind.in_(wanted.kinds))
    if wanted.owner:
        query = query.where(table.owner == ("" if wanted.owner == "-" else wanted.owner))
    if wanted.overdue_ms:
        query = query.where(and_(table.due_ms > 0, table.due_ms < wanted.overdue_ms))
    if wanted.opened_before_ms:
        query = query.where(table.opened_ms < wanted.opened_before_ms)
    if wanted.search:
        pattern = f"%{literal(wanted.search)}%"
        columns = (table.item, table.location, table.lot, table.document, table.subject)
        query = query.where(or_(*(one.ilike(pattern, escape=ESCAPE) for one in columns)))
    return query
