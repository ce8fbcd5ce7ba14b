"""What was set aside for whom as of a moment. Edge of the database; writes nothing.

To set something aside is an act of the ledger: it happens when it is recorded, so both times of a
view as of a moment mean the same here.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, or_, select, tuple_

from central.orders.reserving.reservation_history import quantity_at
from central.orders.reserving.reservation_rows import reservation_of
from central.orders.reserving.reservations import Reservation
from central.orders.sales.sales_reading import ReservationCursor, ReservationFilter
from central.storage import sales_tables, tables

SCANNED_MAX = 5_000  # Rows that one page looks at; a page of few matches ends sooner.
KNOWN_SINCE = "reservations_since"  # Of `ledger_state`; none where all of it is known.


@dataclass(frozen=True, slots=True)
class ReservationThen:
    """A row as it is now, and what it set aside then; None where that is not kept any more."""

    row: Reservation
    quantity_micro: int | None


def known_since_ms(connection: Connection) -> int:
    """Return from when on it is known what was set aside; 0 if it always was."""
    table = tables.ledger_state.c
    found = connection.execute(select(table.value).where(table.key == KNOWN_SINCE)).scalar()
    return int(found or 0)


def list_reservations_as_of(
    connection: Connection,
    wanted: ReservationFilter,
    time_ms: int,
    *,
    after: ReservationCursor | None,
    limit: int,
) -> tuple[list[ReservationThen], ReservationCursor | None]:
    """Return what was set aside at a time, by key, and the key to go on after, None at the end.

    The time is not before `known_since_ms`.
    """
    table = sales_tables.reservations
    keys = list(table.primary_key.columns)
    query = select(table).where(or_(table.c.quantity_micro > 0, table.c.changed_ms > time_ms))
    for name in ("warehouse", "item", "location", "lot", "holder"):
        value = getattr(wanted, name)
        if value:
            query = query.where(table.c[name] == value)
    if after is not None:
        query = query.where(tuple_(*keys) > tuple_(*after))
    rows = list(map(tuple, connection.execute(query.order_by(*keys).limit(SCANNED_MAX))))
    found: list[ReservationThen] = []
    for number, row in enumerate(map(reservation_of, rows), 1):
        micro = quantity_at(row.history, present_micro=row.quantity_micro, time_ms=time_ms)
        if micro == 0:
            continue
        found.append(ReservationThen(row, micro))
        if len(found) == limit:
            more = number < len(rows) or len(rows) == SCANNED_MAX
            return found, ReservationCursor.of(row) if more else None
    if len(rows) == SCANNED_MAX:
        return found, ReservationCursor.of(reservation_of(rows[-1]))
    return found, None
