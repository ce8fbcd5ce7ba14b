"""Reads facts as EPCIS events, in the order of the ledger. Edge of the database."""

from dataclasses import dataclass

from sqlalchemy import Connection

from central.contract.facts import Count, Movement
from central.stock.epcis import EpcisEvent, event_of
from central.stock.epcis_cards import read_names
from central.stock.epcis_declarations import read_declarations
from central.stock.epcis_names import Naming
from central.stock.feed import list_movements_from
from central.stock.rows import FeedFilter

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
    declared = read_declarations(connection, page)
    told = [
        (row, declared.get(row.record_no))
        for row in page
        if declared.get(row.record_no, row) is not None
    ]
    facts = [(declares.of if declares else row).fact for row, declares in told]
    codes = {fact.item for fact in facts if isinstance(fact, Movement | Count)}
    naming = Naming(base, read_names(connection, codes))
    events = (event_of(row, naming, declares) for row, declares in told)
    return EventsRead(
        events=tuple(event for event in events if event is not None),
        last_record_no=page[-1].record_no if page else after_record_no,
        more=len(rows) > limit,
    )
