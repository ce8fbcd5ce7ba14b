"""Which order it is that a warehouse worked on and was not told of. Edge of the database.

SO-7 of SH1, and BJ1 ships 5 under SO-7: nobody in BJ1 knows it, and SH1 would ship it again
"""

from sqlalchemy import Connection, Table

from central.contract.facts import Movement
from central.orders.order_goods import parting
from central.orders.settling.cases import KnownKind, KnownOrder
from central.orders.settling.excess_counts import counts_of
from central.orders.settling.line_matches import LineMatch
from central.orders.settling.settlements import document_kind
from central.storage import bulk, purchasing_tables, sales_tables, tables, transfer_tables

_ORDERS: tuple[tuple[KnownKind, Table, tuple[str, ...]], ...] = (
    ("purchase_order", purchasing_tables.purchase_orders, ("warehouse",)),
    ("sales_order", sales_tables.sales_orders, ("warehouse",)),
    ("transfer", transfer_tables.transfers, ("source_warehouse", "destination_warehouse")),
)
# What counts where a document is, though it moved elsewhere: these ask about one warehouse alone.
KINDS_COUNTED_THERE = frozenset({"shipment", "receipt"})


def known_elsewhere(connection: Connection, code: str, *, warehouse: str) -> KnownOrder | None:
    """Return the order of this code, None if there is none or it is the warehouse's own."""
    for kind, table, ends in _ORDERS:
        places = [list(table.c).index(table.c[end]) for end in ends]
        for row in bulk.select_by_key(connection, table, [(code,)], columns_count=1):
            found = tuple(row[place] for place in places)
            return None if warehouse in found else KnownOrder(kind, code, found)
    return None


def lines_there(
    connection: Connection,
    order: KnownOrder | None,
    fact: Movement | None,
    *,
    moved_micro: int,
    unit: str,
) -> tuple[LineMatch, ...]:
    """Return the line of another warehouse's order that goods count for, if it expects them.

    The one that the fact names, else all of its item together as line 0; none of an order that
    stations there are not told of. moved_micro, unit: of what it may be given.
    """
    if order is None or fact is None or order.kind == "transfer":
        return ()
    (warehouse,) = order.warehouses
    heads = bulk.select_by_key(
        connection, tables.documents, [(warehouse, order.code)], columns_count=2
    )
    kind = document_kind(from_location=fact.from_location, to_location=fact.to_location)
    if kind not in KINDS_COUNTED_THERE or kind not in {head[2] for head in heads}:
        return ()
    counts = counts_of(connection, warehouse, {order.code}, item=fact.item)
    left = {line: one.expected_micro - one.done_micro for (_, line), one in counts.items()}
    left = {line: micro for line, micro in left.items() if micro > 0}
    number = fact.document_line if fact.document_line in left else min(left, default=0)
    if sum(left.values()) > left.get(number, 0) < moved_micro:
        number, left = 0, {0: sum(left.values())}
    items = bulk.select_by_key(connection, tables.items, [(fact.item,)], columns_count=1)
    own = next((str(item[3]) for item in items), "")
    given = min(moved_micro, left.get(number, 0))
    if not given or unit != own:  # In another unit they would count for no line there.
        return ()
    if parting(connection, fact.item, {given}, unit=unit, of=moved_micro):
        return ()
    return (LineMatch(order.code, number, left[number], own),)
