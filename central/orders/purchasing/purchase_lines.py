"""Lines of purchase orders, made of what somebody asks for. Edge of the database."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from central.errors import Conflict, Unusable
from central.orders.catalogue.packs import to_base
from central.orders.order_goods import Goods, checked_date, read_goods
from central.orders.purchasing.purchase_orders import LINES_COUNT_MAX, PurchaseLine, PurchaseOrder


@dataclass(frozen=True, slots=True)
class LineAsked:
    """A line as somebody asks for it. unit: "" for the item's own.

    over_percent_micro, under_percent_micro: None for what the item's policy says.
    """

    line: int
    item: str
    quantity_micro: int
    unit: str = ""
    over_percent_micro: int | None = None
    under_percent_micro: int | None = None
    price_e4: int | None = None
    promised_date: str = ""


def lines_of(connection: Connection, asked: Sequence[LineAsked]) -> tuple[PurchaseLine, ...]:
    """Return lines with exact quantities in the units in which the items are kept.

    Raises Unusable for what is not there, does not convert or is there twice.
    """
    if len(asked) > LINES_COUNT_MAX:
        raise Unusable(
            f"an order of {len(asked)} lines is too long",
            hint=f"Make several orders of at most {LINES_COUNT_MAX} lines.",
        )
    numbers = [line.line for line in asked]
    if len(set(numbers)) != len(numbers):
        twice = sorted({number for number in numbers if numbers.count(number) > 1})
        raise Unusable(
            f"line {twice[0]} is there twice",
            hint="Give each line a number of its own.",
            fields={"lines": twice},
        )
    goods = read_goods(connection, {line.item for line in asked})
    return tuple(_line(line, goods[line.item]) for line in sorted(asked, key=lambda one: one.line))


def with_line_closed(order: PurchaseOrder, number: int, reason: str) -> PurchaseOrder:
    """Return an order that expects nothing more of a line. Raises Unusable, Conflict."""
    line = next((line for line in order.lines if line.line == number), None)
    if line is None:
        raise Unusable(
            f"{order} has no line {number}",
            hint="Name one of its lines.",
            fields={"lines": [line.line for line in order.lines]},
        )
    if line.closed_reason:
        raise Conflict(f"line {number} of {order} is closed already", hint="Load it again.")
    closed = replace(line, closed_reason=reason)
    return replace(
        order, lines=tuple(closed if line.line == number else line for line in order.lines)
    )


def _line(asked: LineAsked, goods: Goods) -> PurchaseLine:
    unit = asked.unit or goods.units.base
    expected_micro = to_base(asked.quantity_micro, goods.units, unit=unit)
    over, under = asked.over_percent_micro, asked.under_percent_micro
    return PurchaseLine(
        line=asked.line,
        item=asked.item,
        unit=unit,
        quantity_micro=asked.quantity_micro,
        base_unit=goods.units.base,
        expected_micro=expected_micro,
        over_percent_micro=goods.over_percent_micro if over is None else over,
        under_percent_micro=goods.under_percent_micro if under is None else under,
        price_e4=asked.price_e4,
        promised_date=checked_date(asked.promised_date, what="promised_date"),
    )
