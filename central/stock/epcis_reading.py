"""Reads facts as EPCIS events, in the order of the ledger. Edge of the database."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from central.contract.facts import Count, Movement
from central.contract.quantities import MICRO_PER_UNIT
from central.stock.epcis import EpcisEvent, Naming, event_of
from central.stock.feed import list_movements_from
from central.stock.rows import FeedFilter, MovementRow
from central.storage.tables import item_barcodes

EVENT_KINDS = ("movement", "reversal", "count", "packing", "passage")


@dataclass(frozen=True, slots=True)
class EventsRead:
    """Events in order. last_record_no: of the last fact read, for the next page; more: there is."""

    events: tuple[EpcisEvent, ...]
    last_record_no: int
    more: bool


def read_events(
    connection: Connection, *, base: str, warehouse: str, after_record_no: int, limit: int
) -> EventsRead:
    """Return the events of the next `limit` facts, "" for all warehouses.

    base: what URIs of things that only we name begin with. Fewer events than facts: what moved
    nothing and what has no GS1 key is none.
    """
    rows = list_movements_from(
        connection,
        FeedFilter(warehouse=warehouse, kinds=EVENT_KINDS),
        after_record_no=after_record_no,
        limit=limit + 1,
    )
    page = rows[:limit]
    naming = Naming(base, _gtins(connection, page))
    events = (event_of(row, naming) for row in page)
    return EventsRead(
        events=tuple(event for event in events if event is not None),
        last_record_no=page[-1].record_no if page else after_record_no,
        more=len(rows) > limit,
    )


def _gtins(connection: Connection, rows: list[MovementRow]) -> dict[str, str]:
    """Return the GTIN of one unit of each item, 14 digits; the lowest if there are several."""
    codes = set()
    for row in rows:
        fact = row.taken_back or row.fact
        if isinstance(fact, Movement | Count):
            codes.add(fact.item)
    table = item_barcodes.c
    found = connection.execute(
        select(table.item, func.min(table.gtin))
        .where(table.item.in_(sorted(codes)), table.quantity_micro == MICRO_PER_UNIT)
        .group_by(table.item)
    )
    return {item: gtin.zfill(14) for item, gtin in found}
