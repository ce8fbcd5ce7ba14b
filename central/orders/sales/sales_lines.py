"""Sales orders as somebody asks for them, with exact quantities. Edge of the database."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from central.contract.quantities import canonical_text, from_micro
from central.errors import Conflict, Unusable
from central.orders.catalogue.packs import to_base
from central.orders.order_goods import Goods, checked_date, read_goods
from central.orders.sales.sales_orders import LINES_COUNT_MAX, SalesLine
from central.storage import bulk, catalogue_tables

BUYING: frozenset[str] = frozenset({"customer", "both"})
_COLUMNS = [column.name for column in catalogue_tables.partners.columns]
_KIND, _ACTIVE = _COLUMNS.index("kind"), _COLUMNS.index("active")


@dataclass(frozen=True, slots=True)
class LineAsked:
    """A line as somebody asks for it. unit: "" for the item's own. lot: "" for any."""

    line: int
    item: str
    quantity_micro: int
    unit: str = ""
    lot: str = ""


@dataclass(frozen=True, slots=True)
class OrderAsked:
    """An order as somebody asks for it. code: "" for the next number."""

    warehouse: str
    customer: str
    lines: tuple[LineAsked, ...]
    code: str = ""
    backorders: bool = True
    wanted_on: str = ""
    promised_on: str = ""
    reference: str = ""
    note: str = ""
    carrier: str = ""


def lines_of(connection: Connection, asked: Sequence[LineAsked]) -> tuple[SalesLine, ...]:
    """Return lines with exact quantities in the units in which the items are kept.

    Raises Unusable for what is not there, does not convert, or is there twice.
    """
    if not 0 < len(asked) <= LINES_COUNT_MAX:
        raise Unusable(
            f"an order of {len(asked)} lines cannot be",
            hint=f"Order 1 to {LINES_COUNT_MAX} lines.",
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


def customer_look(customer: str) -> bulk.Look:
    """Return what `require_customer` will look up, to be read ahead with other things."""
    return bulk.Look(catalogue_tables.partners, [(customer,)], 1)


def require_customer(connection: Connection, customer: str) -> None:
    """Return if goods may be sold to a customer.

    Raises Unusable for one that is not there, Conflict for one that is retired or only sells.
    """
    fields: dict[str, object] = {"customer": customer}
    look = customer_look(customer)
    row = next(
        bulk.select_by_key(connection, look.table, look.keys, columns_count=look.columns_count),
        None,
    )
    if row is None:
        raise Unusable(
            f"no customer is called {customer!r}",
            hint="Add the customer first, or correct the code.",
            fields=fields,
        )
    if row[_KIND] not in BUYING:
        raise Conflict(
            f"partner {customer} is a supplier, not a customer",
            hint="Make the partner a customer too, or sell to another one.",
            fields=fields,
        )
    if not row[_ACTIVE]:
        raise Conflict(
            f"customer {customer} is retired",
            hint="Take the customer back into use, or sell to another one.",
            fields=fields,
        )


def checked_dates(asked: OrderAsked) -> tuple[str, str]:
    """Return the days for which goods are wanted and promised. Raises Unusable."""
    return (
        checked_date(asked.wanted_on, what="wanted_on"),
        checked_date(asked.promised_on, what="promised_on"),
    )


def _line(asked: LineAsked, goods: Goods) -> SalesLine:
    unit = asked.unit or goods.units.base
    if asked.quantity_micro <= 0:
        raise Unusable(
            f"line {asked.line} orders nothing",
            hint="Order more than zero.",
            fields={"line": asked.line},
        )
    return SalesLine(
        line=asked.line,
        item=asked.item,
        unit=goods.units.base,
        quantity_micro=to_base(asked.quantity_micro, goods.units, unit=unit),
        lot=asked.lot,
        over_percent_micro=goods.over_percent_micro,
        under_percent_micro=goods.under_percent_micro,
        entered_quantity=canonical_text(from_micro(asked.quantity_micro)),
        entered_unit=unit,
    )
