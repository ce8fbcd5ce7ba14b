"""By how much more was returned than its order had moved, as of now. Edge of the database."""

from sqlalchemy import Connection

from central.orders.returned_goods import OrderReturns, compare, find_orders, goods_of, lots_left
from central.orders.settling.cases import Case
from central.orders.settling.discrepancy_facts import Found
from central.orders.settling.returned_decisions import Returned


def case_of_returned(connection: Connection, row: Found) -> Case:
    """Return what is known of such a discrepancy now. row: of `discrepancies`."""
    order, goods = _order_of(connection, row), goods_of(row)
    if order is None:
        return Case(kind=row.kind)
    excess = compare(connection, order, goods).excess_micro
    asked = excess and goods.lot and not goods.serial
    returned = Returned(
        order.code,
        order.is_sale,
        names_goods=bool(goods.lot or goods.serial),
        lots=tuple(lots_left(connection, order, goods)) if asked else (),
    )
    return Case(kind=row.kind, excess_micro=excess, returned=returned)


def still_returned_micro(connection: Connection, row: Found) -> int | None:
    """Return what came or went back by now, None if that is no more than the order moved."""
    order = _order_of(connection, row)
    compared = compare(connection, order, goods_of(row)) if order is not None else None
    return compared.back_micro if compared is not None and compared.excess_micro else None


def explained_by(connection: Connection, row: Found) -> str:
    """Return the order that has moved as much as came or went back by now, "" if none has."""
    order = _order_of(connection, row)
    if order is None or compare(connection, order, goods_of(row)).excess_micro:
        return ""
    return order.code


def _order_of(connection: Connection, row: Found) -> OrderReturns | None:
    """Return the order that the return of a discrepancy names, None if there is none."""
    documents = {(row.warehouse, row.document)}
    for is_sale in (True, False):
        for order in find_orders(connection, documents, is_sale=is_sale):
            return order
    return None
