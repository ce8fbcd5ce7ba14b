"""Which documents a table shows: codes of one page, and how many there are. Edge of the database.

Only what heads of documents store is searched, narrowed and sorted by; how far each is, is read for
the documents of the page alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Column, ColumnElement, Connection, Table, and_, case, func, or_, select

from central.storage import count_tables, purchasing_tables, sales_tables, tables, transfer_tables

OPEN_DISCREPANCIES_MAX = 5_000
transfers = transfer_tables.transfers.c


@dataclass(frozen=True, slots=True)
class Heads:
    """Where the heads of a kind are. key: the code's column. lines: with an item, None for none.

    state: as it is stored, and for transfers with what facts have made of it.
    """

    table: Table
    key: Column[str]
    searched: tuple[str, ...]
    state: ColumnElement[str] | None = None
    line_key: Column[str] | None = None
    line_item: Column[str] | None = None


@dataclass(frozen=True, slots=True)
class HeadsWanted:
    """Which heads. search: part of a code or a text. equal: by column. item: on one of the lines.

    sort, group: a column, "" for the code. either: (columns, value), one of which has it. between:
    (column, first, last), texts of days, "" for no bound; what has no day is left out then.
    states: one of them, () for any.
    """

    search: str = ""
    equal: Mapping[str, str] = field(default_factory=dict)
    either: tuple[tuple[str, ...], str] = ((), "")
    item: str = ""
    between: tuple[str, str, str] = ("", "", "")
    states: tuple[str, ...] = ()
    sort: str = ""
    group: str = ""
    descending: bool = False
    offset: int = 0
    limit: int = 50


_p, _s, _t = purchasing_tables, sales_tables, transfer_tables
HEADS: Mapping[str, Heads] = {
    "transfer": Heads(
        _t.transfers,
        transfers.transfer,
        ("transfer", "note", "created_by"),
        case((transfers.phase == "", transfers.state), else_=transfers.phase),
        _t.transfer_lines.c.transfer,
        _t.transfer_lines.c.item,
    ),
    "purchase_order": Heads(
        _p.purchase_orders,
        _p.purchase_orders.c.code,
        ("code", "supplier", "note"),
        _p.purchase_orders.c.state,
        _p.purchase_lines.c.code,
        _p.purchase_lines.c.item,
    ),
    "shipping_notice": Heads(
        _p.shipping_notices,
        _p.shipping_notices.c.code,
        ("code", "supplier", "order_code", "note"),
        _p.shipping_notices.c.state,
        _p.notice_lines.c.code,
        _p.notice_lines.c.item,
    ),
    "inspection": Heads(
        _p.inspections,
        _p.inspections.c.code,
        ("code", "document", "item", "lot"),
        case((_p.inspections.c.open, "open"), else_="decided"),
        _p.inspections.c.code,
        _p.inspections.c.item,
    ),
    "supplier_return": Heads(
        _p.supplier_returns,
        _p.supplier_returns.c.code,
        ("code", "supplier", "order_code", "note"),
        _p.supplier_returns.c.state,
        _p.supplier_return_lines.c.code,
        _p.supplier_return_lines.c.item,
    ),
    "sales_order": Heads(
        _s.sales_orders,
        _s.sales_orders.c.code,
        ("code", "customer", "reference", "note"),
        _s.sales_orders.c.state,
        _s.sales_order_lines.c.order_code,
        _s.sales_order_lines.c.item,
    ),
    "pick_wave": Heads(_s.pick_waves, _s.pick_waves.c.code, ("code", "note")),
    "customer_return": Heads(
        _s.customer_returns,
        _s.customer_returns.c.code,
        ("code", "customer", "order_code", "note"),
        _s.customer_returns.c.state,
        _s.customer_return_lines.c.return_code,
        _s.customer_return_lines.c.item,
    ),
    "count": Heads(
        count_tables.counts,
        count_tables.counts.c.code,
        ("code", "note", "plan", "created_by"),
        count_tables.counts.c.state,
    ),
    "count_plan": Heads(
        count_tables.count_plans, count_tables.count_plans.c.code, ("code", "warehouse")
    ),
}


def page_of_codes(
    connection: Connection, kind: str, wanted: HeadsWanted
) -> tuple[tuple[str, ...], int]:
    """Return the codes of one page of documents of a kind, and how many there are in all."""
    heads = HEADS[kind]
    where = and_(True, *_conditions(heads, wanted))
    order = []
    if wanted.group:
        order.append(_column(heads, wanted.group))
    if wanted.sort:
        column = _column(heads, wanted.sort)
        order.append(column.desc() if wanted.descending else column.asc())
    # What is equal otherwise stands newest first.
    order.append(heads.key.asc() if wanted.sort == "code" else heads.key.desc())
    query = select(heads.key).where(where).order_by(*order)
    codes = connection.execute(query.offset(wanted.offset).limit(wanted.limit)).scalars()
    found = tuple(codes)
    count = select(func.count()).select_from(heads.table).where(where)
    return found, int(connection.execute(count).scalar_one())


def count_by_state(connection: Connection, kind: str, wanted: HeadsWanted) -> dict[str, int]:
    """Return how many documents of a kind have each state; those that nothing has are left out."""
    heads = HEADS[kind]
    assert heads.state is not None
    query = (
        select(heads.state.label("shown"), func.count())
        .where(and_(True, *_conditions(heads, wanted)))
        .group_by(heads.state)
    )
    return {row[0]: int(row[1]) for row in connection.execute(query)}


def open_discrepancies_of(connection: Connection, documents: tuple[str, ...]) -> dict[str, int]:
    """Return how many discrepancies are open of each of some documents; none is left out."""
    table = tables.discrepancies.c
    query = (
        select(table.document, func.count())
        .where(table.state == "open", table.document.in_(documents))
        .group_by(table.document)
        .limit(OPEN_DISCREPANCIES_MAX)
    )
    return {row[0]: int(row[1]) for row in connection.execute(query)}


def _conditions(heads: Heads, wanted: HeadsWanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.search:
        text = wanted.search.lower()
        searched = (heads.table.c[name] for name in heads.searched)
        found.append(
            or_(*(func.lower(column).contains(text, autoescape=True) for column in searched))
        )
    found += [_column(heads, name) == value for name, value in wanted.equal.items() if value]
    names, value = wanted.either
    if value:
        found.append(or_(*(heads.table.c[name] == value for name in names)))
    day, first, last = wanted.between
    if first or last:
        found.append(heads.table.c[day] >= (first or "0"))
    if last:
        found.append(heads.table.c[day] <= last)
    if wanted.states and heads.state is not None:
        found.append(heads.state.in_(wanted.states))
    if wanted.item and heads.line_key is not None and heads.line_item is not None:
        with_item = select(heads.line_key).where(heads.line_item == wanted.item)
        found.append(heads.key.in_(with_item))
    return found


def _column(heads: Heads, name: str) -> ColumnElement[str]:
    if name == "state" and heads.state is not None:
        return heads.state
    return heads.key if name == "code" else heads.table.c[name]
