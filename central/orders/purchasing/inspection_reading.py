"""Reads inspections with what was decided of them. Edge of the database; writes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from central.errors import NotThere
from central.ledger.entries import BalanceKey, Line
from central.ledger.locations import is_virtual
from central.orders.purchasing.inspection import (
    Amounts,
    DecisionRow,
    Inspection,
    Source,
    Standing,
    amounts_of,
)
from central.storage import bulk, purchasing_tables, tables

STANDING_ROWS_MAX = 5000
INSPECTIONS_READ_MAX = 200  # Of one item, lot and unit that are open at a time.


@dataclass(frozen=True, slots=True)
class InspectionView:
    """An inspection with what was decided, in order, and what became of the goods."""

    inspection: Inspection
    amounts: Amounts
    decisions: tuple[DecisionRow, ...]


@dataclass(frozen=True, slots=True)
class InspectionFilter:
    """Which inspections; "" is any. open: None for all."""

    open: bool | None = None
    warehouse: str = ""
    item: str = ""
    lot: str = ""
    document: str = ""


def load_inspection(connection: Connection, code: str) -> Inspection:
    """Return an inspection. Raises NotThere."""
    found = load_inspections(connection, [code])
    if not found:
        raise NotThere(
            f"no inspection is called {code}",
            hint="Correct the code; the list shows all inspections.",
            fields={"code": code},
        )
    return found[0]


def load_inspections(connection: Connection, codes: Sequence[str]) -> list[Inspection]:
    """Return those inspections that are there, by code."""
    table = purchasing_tables.inspections
    query = select(table).where(table.c.code.in_(codes)).order_by(table.c.code)
    return [_inspection(row) for row in connection.execute(query)]


def view_inspection(connection: Connection, code: str) -> InspectionView:
    """Return an inspection with what was decided. Raises NotThere."""
    return view_inspections(connection, [load_inspection(connection, code)])[0]


def view_inspections(
    connection: Connection, inspections: Sequence[Inspection]
) -> list[InspectionView]:
    """Return inspections with what was decided of each."""
    table = purchasing_tables.inspection_decisions
    decisions: dict[str, list[DecisionRow]] = {}
    keys = [(one.code,) for one in inspections]
    for row in bulk.select_by_key(connection, table, keys, columns_count=1):
        decisions.setdefault(row[0], []).append(DecisionRow(*row[1:]))
    views = []
    for one in inspections:
        own = tuple(sorted(decisions.get(one.code, []), key=lambda row: row.decision_no))
        views.append(InspectionView(one, amounts_of(one.arrived_micro, own), own))
    return views


def read_inspections_of(
    connection: Connection, documents: Sequence[tuple[str, str]]
) -> list[InspectionView]:
    """Return the inspections of what came under documents, in no order.

    documents: (warehouse, code) of each.
    """
    rows = bulk.select_by_columns(
        connection,
        purchasing_tables.inspections,
        sorted(set(documents)),
        columns=("warehouse", "document"),
        index="inspections_goods",
        where="",
    )
    return view_inspections(connection, [Inspection(*row) for row in rows])


def read_open_inspections(
    connection: Connection, goods: Line | BalanceKey
) -> list[tuple[Inspection, list[DecisionRow]]]:
    """Return the open inspections of an item, lot and unit, oldest first, with their decisions."""
    table = purchasing_tables.inspections
    rows = connection.execute(
        select(table)
        .where(
            table.c.warehouse == goods.warehouse,
            table.c.item == goods.item,
            table.c.lot == goods.lot,
            table.c.unit == goods.unit,
            table.c.open.is_(True),
        )
        .order_by(table.c.code)
        .limit(INSPECTIONS_READ_MAX)
    ).all()
    return [(_inspection(row), read_decisions(connection, row.code)) for row in rows]


def read_decisions(connection: Connection, code: str) -> list[DecisionRow]:
    """Return what was decided of an inspection, in no order."""
    table = purchasing_tables.inspection_decisions
    return [
        DecisionRow(*row[1:])
        for row in bulk.select_by_key(connection, table, [(code,)], columns_count=1)
    ]


def list_inspections(
    connection: Connection, wanted: InspectionFilter, *, after: str, limit: int
) -> list[InspectionView]:
    """Return at most `limit` inspections by code after one."""
    table = purchasing_tables.inspections
    conditions = [table.c.code > after]
    conditions += [
        table.c[name] == value
        for name in ("warehouse", "item", "lot", "document")
        if (value := getattr(wanted, name))
    ]
    if wanted.open is not None:
        conditions.append(table.c.open.is_(wanted.open))
    rows = connection.execute(select(table).where(*conditions).order_by(table.c.code).limit(limit))
    return view_inspections(connection, [_inspection(row) for row in rows])


def read_standing(
    connection: Connection,
    inspection: Inspection,
    *,
    status: Source,
    location: str = "",
    serial: str = "",
    sscc: str = "",
) -> list[Standing]:
    """Return where goods like those of an inspection stand with a status.

    location, serial, sscc: only there and those; "" for any.
    """
    table = tables.balances.c
    conditions = [
        table.warehouse == inspection.warehouse,
        table.item == inspection.item,
        table.lot == inspection.lot,
        table.unit == inspection.unit,
        table.status == status,
        table.on_hand_micro > 0,
    ]
    for column, value in ((table.location, location), (table.serial, serial), (table.sscc, sscc)):
        if value:
            conditions.append(column == value)
    query = (
        select(
            *(table.location, table.serial, table.sscc),
            *(table.on_hand_micro, table.weight_micro),
        )
        .where(*conditions)
        .order_by(table.location, table.sscc, table.serial)
        .limit(STANDING_ROWS_MAX)
    )
    rows = connection.execute(query)
    return [Standing(*row) for row in rows if not is_virtual(row.location)]


def _inspection(row: Row[Any]) -> Inspection:
    return Inspection(**row._mapping)
