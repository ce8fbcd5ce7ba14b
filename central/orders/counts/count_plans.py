"""Cyclic counts: which stock is due by class and by when it was last counted. Edge of the database.

A plan says after how many days an item of class A, B or C is counted again at each place where it
is. What is due is asked for outside of any change, and becomes a count like any other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    and_,
    case,
    func,
    literal,
    select,
    tuple_,
)

from central.errors import Conflict, NotThere, Unusable
from central.ledger.desk import Change, require_version
from central.orders.counts.count_book import CountDraft, plan_count
from central.orders.counts.count_rows import limits_row, rules_of
from central.orders.counts.counts import (
    DEFAULT_RULES,
    ENDED,
    LINES_COUNT_MAX,
    CountHead,
    CountLine,
    Rules,
)
from central.orders.document_changes import changed_document
from central.storage import bulk, tables
from central.storage.catalogue_tables import item_policies
from central.storage.count_tables import count_last, count_lines, count_plans, counts

DAY_MS = 24 * 3600 * 1000
DAYS_MAX = 3650


@dataclass(frozen=True, slots=True)
class CountPlan:
    """How a warehouse is counted little by little.

    a_days .. c_days: after so many days again, 0: never; C is also what has no class. lines_max:
    places and items of one count.
    """

    code: str
    warehouse: str
    a_days: int = 30
    b_days: int = 90
    c_days: int = 180
    lines_max: int = 100
    blind: bool = True
    rules: Rules = DEFAULT_RULES
    version: int = 0


@dataclass(frozen=True, slots=True)
class DueLine:
    """An item at a place that is to be counted. counted_ms: when it last was, 0: never.

    due_ms: since when it is to be counted; of what was never counted, 0.
    """

    location: str
    item: str
    abc: str
    counted_ms: int
    due_ms: int


def put_plan(change: Change, plan: CountPlan, *, version: int | None) -> CountPlan:
    """Make a plan or change it. Raises Unusable, Outdated, Conflict for another warehouse."""
    days = (plan.a_days, plan.b_days, plan.c_days)
    if not all(0 <= one <= DAYS_MAX for one in days) or not any(days):
        raise Unusable(
            f"a plan counts every 1 to {DAYS_MAX} days, 0 for a class that it leaves out",
            hint="Give at least one class a number of days.",
        )
    if not 1 <= plan.lines_max <= LINES_COUNT_MAX:
        raise Unusable(
            f"a count has 1 to {LINES_COUNT_MAX} lines", hint="Correct the number of lines."
        )
    if not _is_warehouse(change.connection, plan.warehouse):
        raise Unusable(f"no warehouse is called {plan.warehouse}", hint="Correct its code.")
    there = find_plan(change.connection, plan.code)
    present = there.version if there else 0
    require_version(present, version, what=f"count plan {plan.code}")
    if there is not None and there.warehouse != plan.warehouse:
        raise Conflict(
            f"count plan {plan.code} is of warehouse {there.warehouse}",
            hint="Make another plan for the other warehouse.",
        )
    row = (
        plan.code,
        plan.warehouse,
        *days,
        plan.lines_max,
        plan.blind,
        plan.rules.rounds_max,
        *limits_row(plan.rules),
        present + 1,
    )
    bulk.upsert_rows(change.connection, count_plans, [row])
    action = "changed" if there else "made"
    changes = changed_document(there, plan)
    change.note("count_plan", plan.code, action, warehouse=plan.warehouse, changes=changes)
    return load_plan(change.connection, plan.code)


def load_plan(connection: Connection, code: str) -> CountPlan:
    """Return a plan. Raises NotThere."""
    plan = find_plan(connection, code)
    if plan is None:
        raise NotThere(
            f"no count plan is called {code}",
            hint="Correct the code; the list shows all plans.",
            fields={"code": code},
        )
    return plan


def find_plan(connection: Connection, code: str) -> CountPlan | None:
    """Return a plan, None if there is none."""
    query = select(count_plans).where(count_plans.c.code == code)
    row = connection.execute(query).mappings().first()
    return None if row is None else _plan(row)


def list_plans(
    connection: Connection, *, warehouse: str, after: str, limit: int
) -> list[CountPlan]:
    """Return plans by code after one. warehouse: "" for all."""
    query = select(count_plans).where(count_plans.c.code > after)
    if warehouse:
        query = query.where(count_plans.c.warehouse == warehouse)
    rows = connection.execute(query.order_by(count_plans.c.code).limit(limit)).mappings()
    return [_plan(row) for row in rows]


def due_lines(
    connection: Connection,
    plan: CountPlan,
    *,
    now_ms: int,
    after: tuple[int | str, ...] | None = None,
    limit: int,
) -> list[DueLine]:
    """Return what is due by a plan, longest overdue first.

    after: when the last line of the page before is due, its class, place and item.

    Only what the book has at places of the reference data, of items in it (what is unknown has a
    discrepancy, and cannot be planned), and no count under way asks for. It reads the balances of
    the warehouse: never inside a change.
    """
    query, order = _due_query(plan, now_ms=now_ms)
    if after is not None:
        due_after, *rest = after
        query = query.having(tuple_(*order) > tuple_(literal(due_after, BigInteger), *rest))
    return [
        DueLine(row.location, row.item, row.abc, row.counted_ms, row.due_ms)
        for row in connection.execute(query.order_by(*order).limit(limit))
    ]


def _due_query(
    plan: CountPlan, *, now_ms: int
) -> tuple[Select[Any], tuple[ColumnElement[Any], ...]]:
    """Return the query of what is due, and its order."""
    balances, places = tables.balances.c, tables.locations.c
    # Milliseconds do not fit into what PostgreSQL takes a number for that says no more.
    never, now = literal(0, BigInteger), literal(now_ms, BigInteger)
    abc = func.coalesce(func.nullif(item_policies.c.abc, ""), "C")
    counted_ms = func.coalesce(count_last.c.counted_ms, never)
    interval_ms = case(
        (abc == "A", plan.a_days * DAY_MS),
        (abc == "B", plan.b_days * DAY_MS),
        else_=plan.c_days * DAY_MS,
    )
    # What was never counted is due at once, before everything that was.
    due_ms = case((counted_ms == never, never), else_=counted_ms + interval_ms)
    query = (
        select(
            balances.location,
            balances.item,
            func.max(abc).label("abc"),
            func.max(counted_ms).label("counted_ms"),
            func.max(due_ms).label("due_ms"),
        )
        .select_from(tables.balances)
        .join(
            tables.locations,
            and_(places.warehouse == balances.warehouse, places.location == balances.location),
        )
        .join(tables.items, tables.items.c.item == balances.item)
        .outerjoin(item_policies, item_policies.c.item == balances.item)
        .outerjoin(
            count_last,
            and_(
                count_last.c.warehouse == balances.warehouse,
                count_last.c.location == balances.location,
                count_last.c.item == balances.item,
            ),
        )
        .where(
            balances.warehouse == plan.warehouse,
            balances.on_hand_micro != 0,
            interval_ms > 0,
            due_ms <= now,
            ~_asked_already(),
        )
        .group_by(balances.location, balances.item)
    )
    return query, (func.max(due_ms), func.max(abc), balances.location, balances.item)


def draw_count(change: Change, code: str, due: Sequence[DueLine]) -> CountHead:
    """Make a count of what was due. Raises Conflict if nothing was."""
    plan = load_plan(change.connection, code)
    if not due:
        raise Conflict(
            f"nothing is due by count plan {code}",
            hint="Wait, or plan a count of the places that you mean.",
        )
    lines = tuple(
        CountLine(number, one.location, one.item)
        for number, one in enumerate(due[: plan.lines_max], 1)
    )
    return plan_count(
        change,
        CountDraft(
            warehouse=plan.warehouse,
            lines=lines,
            kind="cyclic",
            blind=plan.blind,
            rules=plan.rules,
            plan=plan.code,
        ),
    )


def _plan(row: RowMapping) -> CountPlan:
    return CountPlan(
        code=row["code"],
        warehouse=row["warehouse"],
        a_days=row["a_days"],
        b_days=row["b_days"],
        c_days=row["c_days"],
        lines_max=row["lines_max"],
        blind=bool(row["blind"]),
        rules=rules_of(row),
        version=row["version"],
    )


def _asked_already() -> ColumnElement[bool]:
    """Return whether a count that has not ended asks for an item at a place."""
    return (
        select(count_lines.c.line)
        .join(counts, counts.c.code == count_lines.c["count"])
        .where(
            counts.c.warehouse == tables.balances.c.warehouse,
            counts.c.state.not_in(sorted(ENDED)),
            count_lines.c.location == tables.balances.c.location,
            count_lines.c.item.in_(("", tables.balances.c.item)),
        )
        .exists()
    )


def _is_warehouse(connection: Connection, code: str) -> bool:
    table = tables.warehouses.c
    return (
        connection.execute(select(table.warehouse).where(table.warehouse == code)).first()
        is not None
    )
