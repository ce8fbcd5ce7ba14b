"""How much of an order can still come back: what it shipped, less returns. Edge of the database."""

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import Connection, select

from central.errors import Conflict
from central.orders.catalogue.packs import text_of
from central.orders.sales.customer_return_reading import read_returns
from central.orders.sales.customer_returns import ReturnLine, ReturnView
from central.orders.sales.sales_orders import OrderFigures, SalesOrder
from central.orders.sales.sales_store import read_figures
from central.storage import sales_tables

Taken = Counter[tuple[str, str]]  # By item and lot.
ENDED_WITHOUT = frozenset({"rejected", "cancelled"})  # Nothing comes back under such a return.


def refuse_more_than_shipped(
    connection: Connection, order: SalesOrder, lines: Sequence[ReturnLine], *, own_code: str = ""
) -> None:
    """Return if so much of an order can come back. Raises Conflict with what it shipped of which.

    Of another open return counts what it asks for, or what came if that is more; of a closed one
    what came. own_code: of the return that the lines are of, once it is kept.
    """
    (figures,) = read_figures(connection, [order])
    shipped: Counter[str] = Counter()
    for key, amount in figures.counted.items():
        shipped[key.item] += amount
    others = [view for view in _returns_of(connection, order) if view.returned.code != own_code]
    returned = _taken_up(others, by_lot=False)
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
        if quantity_micro > shipped[item] - returned[item, ""]:
            raise Conflict(
                f"{text_of(quantity_micro)} of {item} cannot come back: {order} shipped"
                f" {text_of(shipped[item])}, and returns took up {text_of(returned[item, ''])}"
                " of that",
                hint="Return no more than went out, or leave the order out.",
                fields={
                    "item": item,
                    "shipped": text_of(shipped[item]),
                    "returned": text_of(returned[item, ""]),
                },
            )
    _refuse_other_lots(figures, lines, _taken_up(others, by_lot=True), shipped=shipped)


def _refuse_other_lots(
    figures: OrderFigures, lines: Sequence[ReturnLine], returned: Taken, *, shipped: Counter[str]
) -> None:
    """Return if the lots that lines name were shipped. Raises Conflict with those that were.

    What went out without a lot, or nobody had set aside, may have been of any.
    """
    lots: Taken = Counter()
    for row in figures.reservations:
        if row.stock.lot and row.shipped_micro:
            lots[row.stock.item, row.stock.lot] += row.shipped_micro
    any_lot = shipped.copy()
    for (item, _), micro in lots.items():
        any_lot[item] -= micro
    asked: Taken = Counter()
    for line in lines:
        if line.lot:
            asked[line.item, line.lot] += line.quantity_micro
    for (item, lot), quantity_micro in sorted(asked.items()):
        left_micro = lots[item, lot] - returned[item, lot] + max(any_lot[item], 0)
        if quantity_micro <= left_micro:
            continue
        went_out = {other: text_of(lots[of, other]) for of, other in sorted(lots) if of == item}
        raise Conflict(
            f"{text_of(quantity_micro)} of lot {lot} of {item} cannot come back: {figures.order}"
            f" shipped {text_of(lots[item, lot])} of it, and returns took up"
            f" {text_of(returned[item, lot])} of that",
            hint="Name a lot that went out, or leave out the lot or the order.",
            fields={"item": item, "lot": lot, "shipped": went_out},
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


def _taken_up(views: Sequence[ReturnView], *, by_lot: bool) -> Taken:
    """Return how much of each item comes, or came, back under returns, by lot or of any ("")."""
    found: Taken = Counter()
    for view in views:
        for line, progress in zip(view.returned.lines, view.progress.lines, strict=True):
            asked_micro = 0 if view.returned.state == "closed" else line.quantity_micro
            lot = line.lot if by_lot else ""
            found[line.item, lot] += max(progress.done_micro, asked_micro)
    return found
