"""Reads customer returns with what came of them. Edge of the database; writes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from central.errors import NotThere
from central.ledger.progress import IN
from central.orders.document_progress import CountedKey
from central.orders.purchasing.inspection_reading import read_inspections_of
from central.orders.sales.customer_returns import (
    CustomerReturn,
    Inspected,
    ReturnDecision,
    ReturnLine,
    ReturnView,
    view_of,
)
from central.orders.sales.sales_store import read_counted
from central.storage import bulk, sales_tables

HEAD = tuple(column.name for column in sales_tables.customer_returns.columns)


@dataclass(frozen=True, slots=True)
class ReturnFilter:
    """Which returns. state: as it is kept. "" is any, everywhere."""

    warehouse: str = ""
    customer: str = ""
    state: str = ""
    reason: str = ""
    item: str = ""


def read_return(connection: Connection, code: str) -> ReturnView:
    """Return a return with what came of it. Raises NotThere."""
    found = read_returns(connection, [code])
    if not found:
        raise NotThere(
            f"there is no customer return {code}",
            hint="Look the code up in the list of returns.",
            fields={"code": code},
        )
    return found[0]


def read_returns(connection: Connection, codes: Sequence[str]) -> list[ReturnView]:
    """Return the returns of these codes that are there, in the order of their codes."""
    keys = [(code,) for code in sorted(set(codes))]
    lines: dict[str, list[ReturnLine]] = {}
    for row in bulk.select_by_key(
        connection, sales_tables.customer_return_lines, keys, columns_count=1
    ):
        lines.setdefault(row[0], []).append(ReturnLine(*row[1:]))
    decisions: dict[str, list[ReturnDecision]] = {}
    for row in bulk.select_by_key(
        connection, sales_tables.customer_return_decisions, keys, columns_count=1
    ):
        decisions.setdefault(row[0], []).append(ReturnDecision(*row[1:]))
    found = [
        CustomerReturn(
            **dict(zip(HEAD, row, strict=True)),
            lines=tuple(sorted(lines.get(row[0], []), key=lambda one: one.line)),
            decisions=tuple(sorted(decisions.get(row[0], []), key=lambda one: one.number)),
        )
        for row in bulk.select_by_key(
            connection, sales_tables.customer_returns, keys, columns_count=1
        )
    ]
    documents = [(one.warehouse, one.code) for one in found]
    counted = read_counted(connection, documents, way=IN)
    inspected = read_inspected(connection, documents)
    return sorted(
        (view_of(one, counted.get(one.code, {}), inspected.get(one.code)) for one in found),
        key=lambda view: view.returned.code,
    )


def read_inspected(
    connection: Connection, documents: Sequence[tuple[str, str]]
) -> dict[str, dict[CountedKey, Inspected]]:
    """Return what inspections say of goods that came under documents, by code; none: left out.

    documents: (warehouse, code) of each.
    """
    found: dict[str, dict[CountedKey, Inspected]] = {}
    for view in read_inspections_of(connection, documents):
        one, amounts = view.inspection, view.amounts
        waiting_micro = amounts.inspection_micro + amounts.held_micro
        key = CountedKey(one.document_line, one.item, one.unit)
        of_document = found.setdefault(one.document, {})
        before = of_document.get(key, Inspected())
        of_document[key] = Inspected(
            before.decided_micro + one.arrived_micro - waiting_micro,
            before.waiting_micro + waiting_micro,
        )
    return found


def list_returns(
    connection: Connection, wanted: ReturnFilter, *, after: str, limit: int
) -> list[ReturnView]:
    """Return returns in the order of their codes, after one of them."""
    table, lines = sales_tables.customer_returns.c, sales_tables.customer_return_lines.c
    query = select(table.code).where(table.code > after)
    for name in ("warehouse", "customer", "state", "reason"):
        value = getattr(wanted, name)
        if value:
            query = query.where(table[name] == value)
    if wanted.item:
        has_item = select(lines.line).where(
            lines.return_code == table.code, lines.item == wanted.item
        )
        query = query.where(has_item.exists())
    codes = connection.execute(query.order_by(table.code).limit(limit)).scalars()
    return read_returns(connection, list(codes))
