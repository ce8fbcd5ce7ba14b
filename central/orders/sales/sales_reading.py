"""Lists of sales orders, and of what is set aside. Edge of the database; writes nothing."""

from dataclasses import dataclass
from typing import Annotated, NamedTuple

import msgspec
from sqlalchemy import Connection, select, text, tuple_

from central.orders.reserving.reservation_rows import reservation_of
from central.orders.reserving.reservations import Reservation
from central.orders.sales.sales_orders import RESERVING, OrderFigures
from central.orders.sales.sales_store import read_figures, read_orders
from central.storage import sales_tables

SCANNED_MAX = 2000  # Orders that one page looks at; a page of few matches ends sooner.
DERIVED: frozenset[str] = frozenset(
    {"reserved", "part_reserved", "backorder", "picking", "part_shipped", "shipped"}
)


@dataclass(frozen=True, slots=True)
class SalesFilter:
    """Which orders. state: also the derived ones. late_on: those promised before that day.

    "" is any, everywhere. kept_state: as people decided. wave: in which they are picked.
    """

    state: str = ""
    warehouse: str = ""
    customer: str = ""
    item: str = ""
    late_on: str = ""
    wave: str = ""
    kept_state: str = ""


@dataclass(frozen=True, slots=True)
class ReservationFilter:
    """Which reservations. "" is any. ended: also those of which nothing is set aside any more."""

    warehouse: str = ""
    item: str = ""
    location: str = ""
    lot: str = ""
    holder: str = ""
    ended: bool = False


class ReservationCursor(NamedTuple):
    """The key of a reservation, in the order of its table."""

    warehouse: str
    kind: str
    code: str
    line: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
    item: str
    location: str
    lot: str
    serial: str
    sscc: str
    unit: str

    @classmethod
    def of(cls, row: Reservation) -> "ReservationCursor":
        """Return the key of a reservation."""
        return cls(*row.holder, *row.stock[1:])


def list_orders(
    connection: Connection, wanted: SalesFilter, *, after: str, limit: int
) -> tuple[list[OrderFigures], str]:
    """Return orders after a code, in order, and the code to go on after, "" at the end."""
    found: list[OrderFigures] = []
    scanned_count = 0
    while scanned_count < SCANNED_MAX:
        codes = _codes(connection, wanted, after=after, limit=limit)
        for figures in read_figures(connection, read_orders(connection, codes)):
            after = figures.order.code
            if _matches(figures, wanted):
                found.append(figures)
                if len(found) == limit:
                    return found, after
        scanned_count += limit
        if len(codes) < limit:
            return found, ""
    return found, after


def list_reservations(
    connection: Connection,
    wanted: ReservationFilter,
    *,
    after: ReservationCursor | None,
    limit: int,
) -> list[Reservation]:
    """Return reservations in the order of their keys, after one of them."""
    table = sales_tables.reservations
    query = select(table)
    for name in ("warehouse", "item", "location", "lot", "holder"):
        value = getattr(wanted, name)
        if value:
            query = query.where(table.c[name] == value)
    if not wanted.ended:
        query = query.where(text("quantity_micro > 0"))  # In plain text, as the index has it.
    keys = list(table.primary_key.columns)
    if after is not None:
        query = query.where(tuple_(*keys) > tuple_(*after))
    rows = connection.execute(query.order_by(*keys).limit(limit))
    return [reservation_of(tuple(row)) for row in rows]


def _codes(connection: Connection, wanted: SalesFilter, *, after: str, limit: int) -> list[str]:
    orders, lines = sales_tables.sales_orders.c, sales_tables.sales_order_lines.c
    waves = sales_tables.pick_wave_orders.c
    query = select(orders.code).where(orders.code > after)
    if wanted.warehouse:
        query = query.where(orders.warehouse == wanted.warehouse)
    if wanted.customer:
        query = query.where(orders.customer == wanted.customer)
    if wanted.late_on:
        query = query.where(orders.promised_on != "", orders.promised_on < wanted.late_on)
    if wanted.state:
        states = RESERVING if wanted.state in DERIVED else {wanted.state}
        query = query.where(orders.state.in_(sorted(states)))
    if wanted.kept_state:
        query = query.where(orders.state == wanted.kept_state)
    if wanted.item:
        ordered = select(lines.line).where(
            lines.order_code == orders.code, lines.item == wanted.item
        )
        query = query.where(ordered.exists())
    if wanted.wave:
        inside = select(waves.wave).where(
            waves.order_code == orders.code, waves.wave == wanted.wave
        )
        query = query.where(inside.exists())
    return list(connection.execute(query.order_by(orders.code).limit(limit)).scalars())


def _matches(figures: OrderFigures, wanted: SalesFilter) -> bool:
    if wanted.state and figures.stage != wanted.state:
        return False
    return not wanted.late_on or (figures.stage not in ("signed", "closed", "cancelled", "shipped"))
