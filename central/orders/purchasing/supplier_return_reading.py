"""Reads supplier returns with what has left of them. Edge of the database; writes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from central.errors import NotThere
from central.ledger.progress import OUT
from central.orders.document_progress import DocumentProgress, progress_of
from central.orders.purchasing.purchase_reading import Arrival, read_arrivals, read_counted
from central.orders.purchasing.supplier_returns import (
    Claim,
    ReturnLine,
    Stage,
    SupplierReturn,
    stage_of,
)
from central.storage import bulk, purchasing_tables

DERIVED: dict[str, frozenset[str]] = {
    "released": frozenset({"none"}),
    "part_shipped": frozenset({"partial"}),
    "shipped": frozenset({"complete", "over"}),
}


@dataclass(frozen=True, slots=True)
class ReturnView:
    """A return with what has left. departure: when; None if nothing has."""

    returned: SupplierReturn
    progress: DocumentProgress
    stage: Stage
    departure: Arrival | None


@dataclass(frozen=True, slots=True)
class ReturnFilter:
    """Which returns; "" is any. state: also what follows from progress."""

    state: str = ""
    warehouse: str = ""
    supplier: str = ""
    item: str = ""


def load_return(connection: Connection, code: str) -> SupplierReturn:
    """Return a supplier return. Raises NotThere."""
    found = load_returns(connection, [code])
    if not found:
        raise NotThere(
            f"no supplier return is called {code}",
            hint="Correct the code; the list shows all returns.",
            fields={"code": code},
        )
    return found[0]


def load_returns(connection: Connection, codes: Sequence[str]) -> list[SupplierReturn]:
    """Return those supplier returns that are there, by code."""
    table = purchasing_tables.supplier_returns
    query = select(table).where(table.c.code.in_(codes)).order_by(table.c.code)
    return _returns(connection, connection.execute(query).all())


def view_return(connection: Connection, code: str) -> ReturnView:
    """Return a supplier return with what has left. Raises NotThere."""
    return view_returns(connection, [load_return(connection, code)])[0]


def view_returns(connection: Connection, returns: Sequence[SupplierReturn]) -> list[ReturnView]:
    """Return supplier returns with what has left of each."""
    keys = [(one.warehouse, one.code) for one in returns]
    counted = read_counted(connection, keys, way=OUT)
    departures = read_arrivals(connection, keys)
    views = []
    for one, key in zip(returns, keys, strict=True):
        progress = progress_of([line.expected for line in one.lines], counted.get(key, {}))
        views.append(ReturnView(one, progress, stage_of(one, progress), departures.get(key)))
    return views


def list_returns(
    connection: Connection, wanted: ReturnFilter, *, after: str, limit: int
) -> tuple[list[ReturnView], str]:
    """Return returns by code after one, and the code to go on after ("": there are no more).

    What follows from progress is judged one by one: a page may be shorter and not the last.
    """
    table, lines = purchasing_tables.supplier_returns, purchasing_tables.supplier_return_lines.c
    conditions = [table.c.code > after]
    if wanted.state:
        stored = "released" if wanted.state in DERIVED else wanted.state
        conditions.append(table.c.state == stored)
    if wanted.warehouse:
        conditions.append(table.c.warehouse == wanted.warehouse)
    if wanted.supplier:
        conditions.append(table.c.supplier == wanted.supplier)
    if wanted.item:
        has = select(lines.code).where(lines.code == table.c.code, lines.item == wanted.item)
        conditions.append(has.exists())
    query = select(table).where(*conditions).order_by(table.c.code).limit(limit + 1)
    rows = connection.execute(query).all()
    more, rows = len(rows) > limit, rows[:limit]
    views = view_returns(connection, _returns(connection, rows))
    if wanted.state in DERIVED:
        views = [view for view in views if view.progress.fulfilment in DERIVED[wanted.state]]
    return views, rows[-1].code if more else ""


def _returns(connection: Connection, rows: Sequence[Row[Any]]) -> list[SupplierReturn]:
    keys = [(row.code,) for row in rows]
    lines: dict[str, list[ReturnLine]] = {}
    claims: dict[str, list[Claim]] = {}
    for found in bulk.select_by_key(
        connection, purchasing_tables.supplier_return_lines, keys, columns_count=1
    ):
        lines.setdefault(found[0], []).append(ReturnLine(*found[1:]))
    for found in bulk.select_by_key(
        connection, purchasing_tables.supplier_claims, keys, columns_count=1
    ):
        claims.setdefault(found[0], []).append(Claim(*found[1:]))
    return [
        SupplierReturn(
            **row._mapping,
            lines=tuple(sorted(lines.get(row.code, []), key=lambda line: line.line)),
            claims=tuple(sorted(claims.get(row.code, []), key=lambda claim: claim.claim_no)),
        )
        for row in rows
    ]
