"""Proves the documents, arrivals and inspections of purchasing. Edge of the database."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from sqlalchemy import Connection, Table, and_, func, select

from central.contract.facts import Movement, Reversal
from central.contract.quantities import canonical_text, from_micro, parse_decimal, to_micro
from central.contract.reference import ExpectedDocument
from central.ledger.entries import ProgressKey
from central.ledger.fact_check import Fault
from central.ledger.locations import SUPPLIER, is_virtual
from central.ledger.reading import read_fact
from central.ledger.statuses import INSPECTION
from central.orders.purchasing import asn, purchase_orders, supplier_returns
from central.orders.purchasing.asn_reading import load_notices
from central.orders.purchasing.inspection_reading import load_inspections, view_inspections
from central.orders.purchasing.purchase_reading import NO_SHARES, load_orders, read_shares
from central.orders.purchasing.supplier_return_reading import load_returns
from central.storage import bulk, purchasing_tables, tables

ROWS_AT_ONCE = 200
STREAMED = {"yield_per": ROWS_AT_ONCE}
OURS = (
    (purchasing_tables.purchase_orders, purchase_orders.RELEASED),
    (purchasing_tables.shipping_notices, frozenset({"expected"})),
    (purchasing_tables.supplier_returns, frozenset({"released"})),
)
Lines = dict[int, tuple[str, int, int]]  # Line -> item, expected_micro, tolerance_percent_micro.


def faults(connection: Connection) -> Iterator[Fault]:
    """Yield what is off; streams and writes nothing."""
    yield from _documents(connection)
    yield from _ended_documents(connection)
    yield from _arrivals(connection)
    yield from _inspections(connection)
    yield from _uninspected(connection)


def _documents(connection: Connection) -> Iterator[Fault]:
    """Stations work on exactly what is released."""
    for table, released in OURS:
        for codes in _codes(connection, table, states=released):
            expected = _expected(connection, table, codes)
            stored = _stored(connection, sorted(expected))
            for key in sorted(expected):
                if expected[key] != stored.get(key, {}):
                    detail = "what stations work on is not what is released"
                    yield Fault("document", "/".join(key), detail)


def _ended_documents(connection: Connection) -> Iterator[Fault]:
    """Stations work on nothing that is not released."""
    documents = tables.documents.c
    for table, released in OURS:
        query = (
            select(table.c.warehouse, table.c.code, table.c.state)
            .join(
                tables.documents,
                (documents.warehouse == table.c.warehouse) & (documents.document == table.c.code),
            )
            .where(table.c.state.not_in(sorted(released)))
        )
        for row in connection.execute(query, execution_options=STREAMED):
            subject = f"{row.warehouse}/{row.code}"
            yield Fault("document", subject, f"stations work on it, but it is {row.state}")


def _arrivals(connection: Connection) -> Iterator[Fault]:
    """What came by lot and unit sums to what was counted towards each line.

    Progress also counts goods that a station says crossed another border under the document, with
    its discrepancy: where the two differ, the facts decide.
    """
    table, progress = purchasing_tables.document_arrivals.c, tables.document_progress.c
    names = ("warehouse", "document", "line", "item", "unit")
    sums = (
        select(*(table[name] for name in names), func.sum(table.quantity_micro).label("came_micro"))
        .group_by(*(table[name] for name in names))
        .subquery()
    )
    query = select(sums, progress.received_micro, progress.direction).outerjoin(
        tables.document_progress, and_(*(sums.c[name] == progress[name] for name in names))
    )
    for row in connection.execute(query, execution_options=STREAMED):
        came_micro = int(row.came_micro)
        if came_micro == (row.received_micro or 0) * (row.direction or 1):
            continue
        key = ProgressKey(*(getattr(row, name) for name in names))
        supplied_micro = _supplied_micro(connection, key)
        if came_micro != supplied_micro:
            detail = f"{came_micro} came by lot and unit, {supplied_micro} by the facts"
            yield Fault("arrivals", "/".join(map(str, key)), detail)


def _supplied_micro(connection: Connection, key: ProgressKey) -> int:
    """Return what came from suppliers for a document line, by the facts themselves."""
    lines, facts = tables.lines.c, tables.facts.c
    query = (
        select(facts.gateway, facts.seq, facts.body, lines.quantity_micro)
        .join_from(
            tables.lines,
            tables.facts,
            and_(facts.record_no == lines.record_no, facts.warehouse == lines.warehouse),
        )
        .where(
            lines.warehouse == key.warehouse,
            lines.item == key.item,
            lines.unit == key.unit,
            lines.location == SUPPLIER,
        )
    )
    total_micro = 0
    for row in connection.execute(query, execution_options=STREAMED):
        fact = read_fact(row.body, seq=row.seq)
        if isinstance(fact, Reversal):
            target = (key.warehouse, row.gateway, fact.reverses_epoch, fact.reverses_seq)
            stored = next(bulk.select_by_key(connection, tables.facts, [target], columns_count=4))
            fact = read_fact(stored[5], seq=fact.reverses_seq)
        if isinstance(fact, Movement) and (fact.document, fact.document_line) == key[1:3]:
            total_micro -= row.quantity_micro
    return total_micro


def _inspections(connection: Connection) -> Iterator[Fault]:
    """An inspection is open while something of it is to be decided."""
    for codes in _codes(connection, purchasing_tables.inspections):
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


def _expected(
    connection: Connection, table: Table, codes: Sequence[str]
) -> dict[tuple[str, str], Lines]:
    """Return what stations should work on, by warehouse and code."""
    documents: dict[tuple[str, str], ExpectedDocument | None] = {}
    if table is purchasing_tables.purchase_orders:
        orders = load_orders(connection, codes)
        shares = read_shares(connection, orders)
        for order in orders:
            share = shares.get(order.code, NO_SHARES)
            documents[order.warehouse, order.code] = purchase_orders.receipt_document(
                order, partner="", notified=share.promised
            )
    elif table is purchasing_tables.shipping_notices:
        for notice in load_notices(connection, codes):
            documents[notice.warehouse, notice.code] = asn.receipt_document(notice, partner="")
    else:
        for one in load_returns(connection, codes):
            documents[one.warehouse, one.code] = supplier_returns.return_document(one, partner="")
    return {key: _lines(document) for key, document in documents.items()}


def _lines(document: ExpectedDocument | None) -> Lines:
    return {
        line.line: (
            line.item,
            to_micro(parse_decimal(line.quantity)),
            to_micro(parse_decimal(line.tolerance_percent)),
        )
        for line in (document.lines if document is not None else ())
    }


def _stored(
    connection: Connection, keys: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], Lines]:
    stored: dict[tuple[str, str], Lines] = {}
    for row in bulk.select_by_key(connection, tables.document_lines, keys, columns_count=2):
        stored.setdefault((row[0], row[1]), {})[row[2]] = (row[3], row[4], row[5])
    return stored


def _codes(
    connection: Connection, table: Table, *, states: frozenset[str] | None = None
) -> Iterator[list[str]]:
    """Yield the codes of a table in runs."""
    after = ""
    while True:
        query = select(table.c.code).where(table.c.code > after)
        if states is not None:
            query = query.where(table.c.state.in_(sorted(states)))
        codes = list(connection.execute(query.order_by(table.c.code).limit(ROWS_AT_ONCE)).scalars())
        if not codes:
            return
        yield codes
        after = codes[-1]
