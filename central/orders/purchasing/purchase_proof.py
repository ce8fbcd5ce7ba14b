"""Proves the arrivals and inspections of purchasing, and its documents. Edge of the database."""

from collections.abc import Collection, Iterator, Mapping
from functools import cache
from itertools import groupby, islice
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    and_,
    case,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from central.contract.quantities import canonical_text, from_micro
from central.ledger.entries import ProgressKey
from central.ledger.fact_check import Fault
from central.ledger.line_movements import read_movements
from central.ledger.locations import SUPPLIER, is_virtual
from central.ledger.progress import BORDERS
from central.ledger.statuses import INSPECTION
from central.orders.purchasing import document_proof
from central.orders.purchasing.document_proof import OURS, ROWS_AT_ONCE, STREAMED, codes_of
from central.orders.purchasing.inspection_reading import load_inspections, view_inspections
from central.storage import purchasing_tables, tables

ARRIVAL = ("warehouse", "document", "line", "item", "unit")
Columns = ReadOnlyColumnCollection[str, Any]


def faults(connection: Connection) -> Iterator[Fault]:
    """Yield what is off; streams and writes nothing."""
    yield from document_proof.faults(connection)
    yield from _arrivals(connection)
    yield from _inspections(connection)
    yield from _uninspected(connection)


def _arrivals(connection: Connection) -> Iterator[Fault]:
    """What came by lot and unit sums to what came from suppliers for each line, by the facts.

    Progress is proved by the ledger itself. It says the same, but for items of which a station says
    that they crossed another border under the document, which a discrepancy then tells: where the
    two differ and for those items, the facts are read, once for all lines of an item.
    """
    rows = connection.execute(_doubtful_arrivals(), execution_options=STREAMED)
    for goods, some in groupby(rows, key=lambda row: (row.warehouse, row.item, row.unit)):
        came = {
            ProgressKey(row.warehouse, row.document, row.line, row.item, row.unit): int(
                row.came_micro
            )
            for row in some
        }
        supplied = _supplied(connection, goods, came)
        for key, came_micro in came.items():
            if came_micro != supplied[key]:
                detail = f"{came_micro} came by lot and unit, {supplied[key]} by the facts"
                yield Fault("arrivals", "/".join(map(str, key)), detail)


@cache
def _doubtful_arrivals() -> CompoundSelect[Any]:
    """Return the query of lines, item by item, of which progress alone does not prove what came."""
    table, progress = purchasing_tables.document_arrivals.c, tables.document_progress.c
    sums = (
        select(
            *(table[name] for name in ARRIVAL), func.sum(table.quantity_micro).label("came_micro")
        )
        .group_by(*(table[name] for name in ARRIVAL))
        .subquery()
    )
    same = and_(*(sums.c[name] == progress[name] for name in ARRIVAL))
    came = case((progress.direction > 0, progress.received_micro), else_=-progress.received_micro)
    counted = func.coalesce(came, 0)
    differing = (
        select(*sums.c)
        .outerjoin(tables.document_progress, same)
        .where(or_(sums.c.came_micro != counted, _crossed_elsewhere(sums.c)))
    )
    kept = [table[name] == progress[name] for name in ARRIVAL]
    codes = [owner.c.code for owner, _ in OURS]
    missing = select(*(progress[name] for name in ARRIVAL), literal(0).label("came_micro")).where(
        progress.received_micro != 0,
        ~select(table.document).where(*kept).exists(),
        or_(
            *(select(code).where(code == progress.document).exists() for code in codes),
            _supplied_document(progress),
            _crossed_elsewhere(progress),
        ),
    )
    return union_all(differing, missing).order_by("warehouse", "item", "unit")


def _supplied_document(columns: Columns) -> ColumnElement[bool]:
    """Return whether stations work on the document, and suppliers are its border."""
    documents = tables.documents.c
    kinds = [kind for kind, border in BORDERS.items() if border == SUPPLIER]
    return (
        select(documents.document)
        .where(
            documents.warehouse == columns.warehouse,
            documents.document == columns.document,
            documents.kind.in_(kinds),
        )
        .exists()
    )


def _crossed_elsewhere(columns: Columns) -> ColumnElement[bool]:
    """Return whether an item may have crossed another border under a document: it was told."""
    table = tables.discrepancies.c
    item = columns.document.concat("/").concat(columns.item)
    return (
        select(table.id)
        .where(
            table.warehouse == columns.warehouse,
            or_(
                and_(table.kind == "unexpected", table.subject == item),
                and_(table.kind == "unknown_document", table.subject == columns.document),
            ),
        )
        .exists()
    )


def _supplied(
    connection: Connection, goods: tuple[str, str, str], wanted: Collection[ProgressKey]
) -> dict[ProgressKey, int]:
    """Return what came from suppliers for document lines of one item, by the facts themselves."""
    warehouse, item, unit = goods
    supplied_micro = dict.fromkeys(wanted, 0)
    for movement, quantity_micro in read_movements(
        connection, warehouse=warehouse, item=item, unit=unit, location=SUPPLIER
    ):
        key = ProgressKey(warehouse, movement.document, movement.document_line, item, unit)
        if key in supplied_micro:
            supplied_micro[key] -= quantity_micro
    return supplied_micro


def _inspections(connection: Connection) -> Iterator[Fault]:
    """An inspection is open while something of it is to be decided."""
    for codes in codes_of(connection, purchasing_tables.inspections):
        for view in view_inspections(connection, load_inspections(connection, codes)):
            if bool(view.inspection.open) != view.amounts.open:
                detail = "it is not open as its decisions say"
                yield Fault("inspection", view.inspection.code, detail)


def _uninspected(connection: Connection) -> Iterator[Fault]:
    """Nothing is under inspection of which no inspection knows, but what is a discrepancy."""
    table = tables.balances.c
    standing: dict[tuple[str, str, str, str], int] = {}
    query = select(
        table.warehouse, table.item, table.lot, table.unit, table.location, table.on_hand_micro
    ).where(table.status == INSPECTION, table.on_hand_micro != 0)
    for row in connection.execute(query, execution_options=STREAMED):
        if not is_virtual(row.location):
            key = (row.warehouse, row.item, row.lot, row.unit)
            standing[key] = standing.get(key, 0) + row.on_hand_micro
    goods = iter(sorted(standing.items()))
    while some := dict(islice(goods, ROWS_AT_ONCE)):
        pending = _pending(connection, some)
        for key, micro in some.items():
            left_micro = micro - pending.get(key, 0)
            if left_micro > 0 and not _is_open(connection, warehouse=key[0], item=key[1]):
                detail = f"{canonical_text(from_micro(left_micro))} more than is to be inspected"
                yield Fault("inspection", "/".join(key), detail)


def _pending(
    connection: Connection, goods: Mapping[tuple[str, str, str, str], int]
) -> dict[tuple[str, str, str, str], int]:
    """Return how much of goods is to be inspected by all inspections together."""
    table = purchasing_tables.inspections.c
    codes: list[str] = []
    for warehouse, item, lot, unit in goods:
        found = connection.execute(
            select(table.code).where(
                table.warehouse == warehouse,
                table.item == item,
                table.lot == lot,
                table.unit == unit,
            )
        )
        codes += found.scalars()
    sums: dict[tuple[str, str, str, str], int] = {}
    for view in view_inspections(connection, load_inspections(connection, codes)):
        one = view.inspection
        key = (one.warehouse, one.item, one.lot, one.unit)
        sums[key] = sums.get(key, 0) + view.amounts.inspection_micro
    return sums


def _is_open(connection: Connection, *, warehouse: str, item: str) -> bool:
    table = tables.discrepancies.c
    found = connection.execute(
        select(table.id)
        .where(table.warehouse == warehouse, table.state == "open", table.item == item)
        .limit(1)
    )
    return found.first() is not None
