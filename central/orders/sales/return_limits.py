"""How much of an order can still come back: what it shipped, less returns. Edge of the database."""

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import Connection, select

from central.errors import Conflict
from central.orders.catalogue.packs import text_of
from central.orders.sales.customer_return_reading import read_returns
from central.orders.sales.customer_returns import ReturnLine, ReturnView
from central.orders.sales.sales_orders import SalesOrder
from central.orders.sales.sales_store import read_counted
from central.storage import sales_tables

ENDED_WITHOUT = frozenset({"rejected", "cancelled"})  # Nothing comes back under such a return.


def refuse_more_than_shipped(
    connection: Connection, order: SalesOrder, lines: Sequence[ReturnLine]
) -> None:
    """Return if so much of an order can come back. Raises Conflict with what it shipped of which.

    Of another open return counts what it asks for, or what came if that is more; of a closed one
    what came.
    """
    shipped: Counter[str] = Counter()
    counted = read_counted(connection, [(order.warehouse, order.code)])
    for key, amount in counted.get(order.code, {}).items():
        shipped[key.item] += amount
    returned: Counter[str] = Counter()
    for view in _returns_of(connection, order):
        returned.update(_taken_up(view))
    asked: Counter[str] = Counter()
    for line in lines:
        asked[line.item] += line.quantity_micro
    ordered = {line.item for line in order.lines}
    for item, quantity_micro in sorted(asked.items()):
        if item not in ordered and not shipped[item]:
            raise Conflict(
                f"{order} has no line of {item}",
                hint="Name the order that the goods were shipped under, or leave it out.",
                fields={"item": item, "items": sorted(ordered)},
            )
        if quantity_micro > shipped[item] - returned[item]:
            raise Conflict(
                f"{text_of(quantity_micro)} of {item} cannot come back: {order} shipped"
                f" {text_of(shipped[item])}, and returns took up {text_of(returned[item])} of that",
                hint="Return no more than went out, or leave the order out.",
                fields={
                    "item": item,
                    "shipped": text_of(shipped[item]),
                    "returned": text_of(returned[item]),
                },
            )


def _returns_of(connection: Connection, order: SalesOrder) -> list[ReturnView]:
    table = sales_tables.customer_returns.c
    codes = connection.execute(
        select(table.code).where(
            table.customer == order.customer,
            table.order_code == order.code,
            table.state.not_in(sorted(ENDED_WITHOUT)),
        )
    )
    return read_returns(connection, list(codes.scalars()))


def _taken_up(view: ReturnView) -> Counter[str]:
    """Return how much of each item comes, or came, back under a return."""
    found: Counter[str] = Counter()
    for line, progress in zip(view.returned.lines, view.progress.lines, strict=True):
        asked_micro = 0 if view.returned.state == "closed" else line.quantity_micro
        found[line.item] += max(progress.done_micro, asked_micro)
    return found
