"""What came or went back under the returns of an order, and what it had moved. Edge of SQL.

sales order      shipped 5, 2 of lot A     its customer returns    3 came back of lot A
purchase order   received 3                its supplier returns    5 went back
"""

from collections import Counter
from collections.abc import Collection, Sequence, Set
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Table, select

from central.contract.quantities import parse_decimal, to_micro
from central.ledger.locations import SUPPLIER
from central.ledger.measures import quantity_in_unit
from central.ledger.opening import DocumentKey
from central.ledger.progress import IN, OUT
from central.ledger.unexpected_facts import FACTS_READ_MAX, standing_movements
from central.orders.purchasing.purchase_reading import read_counted
from central.orders.reserving.reservation_rows import read_reservations
from central.orders.reserving.reservations import SALES_ORDER, Holder
from central.orders.sales.came_back import came_back
from central.storage import bulk, purchasing_tables, sales_tables
from central.storage.line_blocks import last_to_read, reach_of

LOTS_MAX = 5  # That are looked at as what else goods may have been.


class Goods(NamedTuple):
    """What is compared. lot, serial: "" for any."""

    item: str
    unit: str
    lot: str = ""
    serial: str = ""


def subject_of(code: str, goods: Goods) -> str:
    """Return how a discrepancy names goods of a return."""
    return "/".join((code, goods.item, *filter(None, goods[2:])))


def goods_of(row: Row[Any]) -> Goods:
    """Return which goods of a return a discrepancy is about. row: of `discrepancies`."""
    of_lot = Goods(row.item, row.unit, row.lot)
    return of_lot._replace(serial=row.subject[len(subject_of(row.document, of_lot)) + 1 :])


class Compared(NamedTuple):
    """What an order moved of goods (10^-6), and what of them came or went back since."""

    moved_micro: int
    back_micro: int

    @property
    def excess_micro(self) -> int:
        """Return how much more came back than had moved, 0 if it is no more."""
        return max(min(self.back_micro - self.moved_micro, self.back_micro), 0)


@dataclass(frozen=True, slots=True)
class OrderReturns:
    """An order that has returns.

    is_sale: it ships and customers send back; else it receives, and goods go back to the supplier.
    documents: under which its goods move. moved, back: of each item, by the ledger's count, what
    was taken back deducted; back by return.
    """

    code: str
    is_sale: bool
    documents: tuple[DocumentKey, ...]
    moved: Counter[Goods]
    back: dict[DocumentKey, Counter[Goods]]


def find_orders(
    connection: Connection, documents: Set[DocumentKey], *, is_sale: bool
) -> list[OrderReturns]:
    """Return the orders with returns that documents are of: an order's own, or that of a return."""
    codes = sorted({code for _, code in documents})
    heads = (_sales if is_sale else _purchases)(connection, codes)
    return [
        _counted(connection, code, is_sale=is_sale, documents=own, returns=returns)
        for code, own, returns in heads
        if returns and not documents.isdisjoint({*own, *returns})
    ]


def compare(connection: Connection, order: OrderReturns, goods: Goods) -> Compared:
    """Return what an order moved of goods, and what of them came back under all its returns.

    What it moved without a lot or serial number may have been of any. Where even all that came back
    of the item is not too much, it counts as back of these goods: nobody looks what it was.
    """
    item = Goods(goods.item, goods.unit)
    if goods.serial and not order.is_sale:
        return _compared_serial(connection, order, goods)
    moved, back = order.moved[item], sum(one[item] for one in order.back.values())
    if goods == item or back <= 0:
        return Compared(moved, back)
    of = Goods._fields.index("serial" if goods.serial else "lot")
    by_lot = _moved_by_lot(connection, order, item)
    own = sum(micro for one, micro in by_lot.items() if one[of] == goods[of])
    of_any = moved - sum(micro for one, micro in by_lot.items() if one[of])
    may_be = own + max(of_any, 0)
    if back > may_be:
        back = _back_of(connection, order, goods)
    return Compared(may_be, back)


def _compared_serial(connection: Connection, order: OrderReturns, goods: Goods) -> Compared:
    """Return whether a serial number came under a purchase order, and whether it went back."""
    named = {**goods._asdict(), "outside": SUPPLIER}
    moved = came_back(connection, order.documents, **named)
    back = -came_back(connection, order.back, **named)
    if back > moved:
        moved += _without_serial(connection, order, goods)
    return Compared(moved, back)


def _without_serial(connection: Connection, order: OrderReturns, goods: Goods) -> int:
    """Return how much came under a purchase order that may have been of any serial number.

    Of a warehouse with very many facts of the item all of it may have been.
    """
    found = 0
    for warehouse in sorted({warehouse for warehouse, _ in order.documents}):
        through = last_to_read(connection)
        reach = reach_of(
            connection,
            warehouse=warehouse,
            item=goods.item,
            after=0,
            limit=FACTS_READ_MAX,
            newest_first=True,
        )
        if reach.facts_count >= FACTS_READ_MAX:
            return order.moved[Goods(goods.item, goods.unit)]
        standing = standing_movements(connection, warehouse, goods.item, after=0, through=through)
        for _, movement in standing:
            if (warehouse, movement.document) in order.documents and not movement.serial:
                sign = (movement.from_location == SUPPLIER) - (movement.to_location == SUPPLIER)
                stated = to_micro(parse_decimal(movement.quantity))
                found += sign * (quantity_in_unit(movement, goods.unit) or stated)
    return max(found, 0)


def lots_left(connection: Connection, order: OrderReturns, item: Goods) -> list[tuple[str, int]]:
    """Return lots of which an order moved more than came back, each with how much more."""
    by_lot: Counter[str] = Counter()
    for one, micro in _moved_by_lot(connection, order, item).items():
        by_lot[one.lot] += micro
    named = [(lot, micro) for lot, micro in sorted(by_lot.items()) if lot and micro > 0][:LOTS_MAX]
    left = [
        (lot, micro - _back_of(connection, order, item._replace(lot=lot))) for lot, micro in named
    ]
    return [(lot, micro) for lot, micro in left if micro > 0]


Head = tuple[str, tuple[DocumentKey, ...], list[DocumentKey]]  # Code, own documents, returns.


def _sales(connection: Connection, codes: Sequence[str]) -> list[Head]:
    returns, orders = sales_tables.customer_returns, sales_tables.sales_orders
    found: list[Head] = []
    for head in _heads(connection, orders, returns, codes):
        backs = _returns_of(connection, returns, "customer", head.customer, order=head.code)
        found.append((head.code, ((head.warehouse, head.code),), backs))
    return found


def _purchases(connection: Connection, codes: Sequence[str]) -> list[Head]:
    returns, orders = purchasing_tables.supplier_returns, purchasing_tables.purchase_orders
    notices = purchasing_tables.shipping_notices.c
    query = select(notices.order_code).where(notices.code.in_(codes))
    of_notices = [code for code in connection.execute(query).scalars() if code]
    found: list[Head] = []
    for head in _heads(connection, orders, returns, [*codes, *of_notices]):
        backs = _returns_of(connection, returns, "supplier", head.supplier, order=head.code)
        own = select(notices.warehouse, notices.code).where(
            notices.order_code == head.code, notices.own_document
        )
        told = [(row.warehouse, row.code) for row in connection.execute(own)] if backs else []
        found.append((head.code, ((head.warehouse, head.code), *told), backs))
    return found


def _heads(
    connection: Connection, orders: Table, returns: Table, codes: Sequence[str]
) -> Sequence[Row[Any]]:
    """Return the orders of these codes, and those that returns of these codes name."""
    keys, place = [(code,) for code in codes], returns.c.keys().index("order_code")
    rows = bulk.select_by_key(connection, returns, keys, columns_count=1)
    wanted = {*codes, *(row[place] for row in rows if row[place])}
    query = select(orders).where(orders.c.code.in_(sorted(wanted))).order_by(orders.c.code)
    return connection.execute(query).all()


def _returns_of(
    connection: Connection, returns: Table, role: str, partner: str, *, order: str
) -> list[DocumentKey]:
    """Return the documents of the returns of an order, by the index of their partner."""
    table = returns.c
    query = (
        select(table.warehouse, table.code)
        .where(table[role] == partner, table.order_code == order)
        .order_by(table.code)
    )
    return [(row.warehouse, row.code) for row in connection.execute(query)]


def _counted(
    connection: Connection,
    code: str,
    *,
    is_sale: bool,
    documents: tuple[DocumentKey, ...],
    returns: Collection[DocumentKey],
) -> OrderReturns:
    came_in = read_counted(connection, [*documents, *returns])
    sums = {}
    for document in (*documents, *returns):
        way = IN if (document in returns) == is_sale else OUT
        sums[document] = of_items = Counter[Goods]()
        for key, micro in came_in.get(document, {}).items():
            of_items[Goods(key.item, key.unit)] += micro * way
    moved = Counter[Goods]()
    for document in documents:
        moved.update(sums[document])
    return OrderReturns(code, is_sale, documents, moved, {one: sums[one] for one in returns})


def _moved_by_lot(connection: Connection, order: OrderReturns, item: Goods) -> Counter[Goods]:
    """Return what an order moved of an item by lot and, where it ships, by serial number."""
    found: Counter[Goods] = Counter()
    if order.is_sale:
        holders = [Holder(warehouse, SALES_ORDER, code) for warehouse, code in order.documents]
        for row in read_reservations(connection, holders):
            stock = row.stock
            if (stock.item, stock.unit) == item[:2] and row.shipped_micro:
                found[Goods(stock.item, stock.unit, stock.lot, stock.serial)] += row.shipped_micro
        return found
    for goods, micro in _arrivals(connection, order.documents):
        if goods[:2] == item[:2]:
            found[goods] += micro
    return found


def _back_of(connection: Connection, order: OrderReturns, goods: Goods) -> int:
    """Return how much came back of a lot, or of a serial number that customers had."""
    if order.is_sale:
        return came_back(connection, order.back, **goods._asdict())
    return -sum(micro for one, micro in _arrivals(connection, order.back) if one == goods)


def _arrivals(
    connection: Connection, documents: Collection[DocumentKey]
) -> list[tuple[Goods, int]]:
    """Return what came from suppliers under documents, below zero for what went back, by lot."""
    table = purchasing_tables.document_arrivals
    rows = bulk.select_by_key(connection, table, sorted(documents), columns_count=2)
    return [(Goods(*row[3:6]), row[7]) for row in rows]
