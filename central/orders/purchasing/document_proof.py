"""Proves what stations are told of purchasing. Edge of the database; writes nothing.

How much notices and their order tolerate together depends on what had come when they were told.
What is proved of it is that it is no more than the order does.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from sqlalchemy import Connection, Table, select

from central.contract.quantities import parse_decimal, to_micro
from central.contract.reference import ExpectedDocument
from central.ledger.entries import ExpectedLine
from central.ledger.fact_check import Fault
from central.orders.document_progress import PERCENT_MICRO
from central.orders.purchasing import asn, purchase_orders, supplier_returns
from central.orders.purchasing.asn_reading import load_notices
from central.orders.purchasing.purchase_orders import PurchaseOrder
from central.orders.purchasing.purchase_reading import (
    NO_SHARES,
    NoticeShares,
    load_orders,
    read_shares,
)
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
Told = Mapping[tuple[str, str], Lines]  # By warehouse and code.


def faults(connection: Connection) -> Iterator[Fault]:
    """Yield what is off; streams and writes nothing."""
    yield from _documents(connection)
    yield from _tolerances(connection)
    yield from _ended_documents(connection)


def codes_of(
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


def _documents(connection: Connection) -> Iterator[Fault]:
    """Stations work on exactly what is released."""
    for table, released in OURS:
        for codes in codes_of(connection, table, states=released):
            expected, shared = _expected(connection, table, codes)
            stored = _stored(connection, sorted(expected))
            for key in sorted(expected):
                told, right = stored.get(key, {}), expected[key]
                if key in shared:
                    told, right = _untolerant(told), _untolerant(right)
                if told != right:
                    detail = "what stations work on is not what is released"
                    yield Fault("document", "/".join(key), detail)


def _tolerances(connection: Connection) -> Iterator[Fault]:
    """What came with notices that ended, and all that stations tolerate, is no more than the most.

    Of an order with notices of shipment: its own document and theirs together, line by line.
    """
    table, (_, released) = purchasing_tables.purchase_orders, OURS[0]
    for codes in codes_of(connection, table, states=released):
        orders = load_orders(connection, codes)
        shares = read_shares(connection, orders)
        for order in [one for one in orders if one.code in shares]:
            share = shares[order.code]
            keys = [(order.warehouse, code) for code in (order.code, *share.codes)]
            yield from _too_tolerant(order, share, _stored(connection, keys))


def _too_tolerant(order: PurchaseOrder, share: NoticeShares, told: Told) -> Iterator[Fault]:
    for line in order.lines:
        said = share.promised.get(line.line)
        if said is None:
            continue
        own = told.get((order.warehouse, order.code), {}).get(line.line)
        theirs = [
            told.get((order.warehouse, one.notice), {}).get(one.line)
            for one in share.coming
            if one.order_line == line.line
        ]
        expected = [ExpectedLine(*one) for one in chain([own], theirs) if one is not None]
        room = line.expected.most_micro - said.arrived_micro
        most = max(room, sum(one.expected_micro for one in expected))
        # Each percent is rounded up.
        rounded = sum(one.expected_micro // PERCENT_MICRO + 1 for one in expected)
        if sum(one.limit_micro for one in expected) > most + rounded:
            subject = f"{order.warehouse}/{order.code}/{line.line}"
            yield Fault("document", subject, "stations tolerate more than the order does")


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


def _expected(
    connection: Connection, table: Table, codes: Sequence[str]
) -> tuple[dict[tuple[str, str], Lines], set[tuple[str, str]]]:
    """Return what stations should work on, by warehouse and code; and which share a tolerance."""
    documents: dict[tuple[str, str], ExpectedDocument | None] = {}
    shared: set[tuple[str, str]] = set()
    if table is purchasing_tables.purchase_orders:
        orders = load_orders(connection, codes)
        shares = read_shares(connection, orders)
        for order in orders:
            share = shares.get(order.code, NO_SHARES)
            documents[order.warehouse, order.code] = purchase_orders.receipt_document(
                order,
                partner="",
                notified=share.promised,
                tolerances={line.line: line.over_percent_micro for line in order.lines},
            )
            if order.code in shares:
                shared.add((order.warehouse, order.code))
    elif table is purchasing_tables.shipping_notices:
        for notice in load_notices(connection, codes):
            key = (notice.warehouse, notice.code)
            documents[key] = asn.receipt_document(notice, partner="", tolerances={})
            if notice.order_code:
                shared.add(key)
    else:
        for one in load_returns(connection, codes):
            documents[one.warehouse, one.code] = supplier_returns.return_document(one, partner="")
    return {key: _lines(document) for key, document in documents.items()}, shared


def _untolerant(lines: Lines) -> Lines:
    return {number: (item, micro, 0) for number, (item, micro, _) in lines.items()}


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
