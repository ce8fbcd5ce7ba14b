"""What is under way, open and set aside: by the tables now, and as of a moment by their views."""

from collections import Counter

from sqlalchemy import func, select

from central.orders.sales.reservations_as_of import known_since_ms, list_reservations_as_of
from central.orders.sales.sales_reading import ReservationCursor, ReservationFilter
from central.stock.discrepancy_times import DiscrepancyFilter
from central.stock.in_transit import TransitFilter, list_in_transit
from central.stock.moments import moment_at
from central.stock.states import list_discrepancies
from central.storage import sales_tables, tables
from central.storage.places import in_transit

PAGE = 3


def present(connection):
    """By kind of thing and its key: {("under way", place, item, ...): micro, ...}."""
    return _under_way(connection) | _open(connection) | _set_aside(connection)


def as_of(connection, time_ms, *, kind="record"):
    """The same of a moment, page by page."""
    moment = moment_at(connection, time_ms, kind=kind, warehouse="")
    found, after = {}, None
    while True:
        page = list_in_transit(connection, TransitFilter(), moment, after=after, limit=PAGE)
        found |= {("under way", *row.key): int(row.quantity * 10**6) for row in page}
        if len(page) < PAGE:
            break
        after = page[-1].key
    wanted = DiscrepancyFilter(state="open", as_of=(time_ms, kind))
    rows = list_discrepancies(connection, wanted, before=None, limit=100_000)
    found |= {("open", row.id): 1 for row in rows}
    assert known_since_ms(connection) <= time_ms
    cursor = None
    while True:
        held, cursor = list_reservations_as_of(
            connection, ReservationFilter(), time_ms, after=cursor, limit=PAGE
        )
        found |= {("set aside", *ReservationCursor.of(one.row)): one.quantity_micro for one in held}
        if cursor is None:
            return found


def differing(noted, told):
    """What is not the same in two of these, for people."""
    return [
        f"{key}: {noted.get(key)} then, {told.get(key)} as of then"
        for key in sorted(noted.keys() | told.keys(), key=str)
        if noted.get(key) != told.get(key)
    ]


def _under_way(connection):
    table = tables.balances.c
    key = (table.location, table.warehouse, table.item, table.lot, table.serial, table.unit)
    query = select(*key, func.sum(table.on_hand_micro)).where(in_transit(table.location))
    sums = Counter()
    for place, book, *thing, micro in connection.execute(query.group_by(*key)):
        sums["under way", place, book if place == "in_transit" else "", *thing] += int(micro)
    return {key: micro for key, micro in sums.items() if micro}


def _open(connection):
    table = tables.discrepancies.c
    rows = connection.execute(select(table.id).where(table.state == "open"))
    return {("open", row.id): 1 for row in rows}


def _set_aside(connection):
    table = sales_tables.reservations
    rows = connection.execute(select(table).where(table.c.quantity_micro > 0))
    return {("set aside", *row[:10]): row.quantity_micro for row in rows}
