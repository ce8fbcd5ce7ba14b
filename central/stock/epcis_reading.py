"""Reads facts as EPCIS events, in the order of the ledger. Edge of the database.

No index has what events are asked for by but record numbers, hence record times. So a page looks
for what the bytes of facts must hold in at most FACTS_SCANNED_MAX of them, reads at most
FACTS_READ_MAX of those that may be asked for, and compares their events.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, func, literal, or_, select

from central.contract.facts import Count, Movement
from central.stock.epcis import EpcisEvent, event_of
from central.stock.epcis_cards import read_names
from central.stock.epcis_declarations import TAKES_BACK, read_declarations
from central.stock.epcis_names import GTIN_DIGITS, Naming
from central.stock.epcis_query import EventQuery, Hint, hints_of, is_asked
from central.stock.feed import last_record_no, list_movements_from, list_numbered
from central.stock.moments import NEAR_MS, record_no_at
from central.stock.rows import FeedFilter, MovementRow
from central.storage.catalogue_tables import item_units
from central.storage.tables import facts, item_barcodes, lines, object_events

EVENT_KINDS = ("movement", "reversal", "count", "packing", "passage")
FACTS_SCANNED_MAX = 100_000
FACTS_READ_MAX = 5_000
FACTS_AT_ONCE_MIN, FACTS_AT_ONCE_MAX = 100, 500


@dataclass(frozen=True, slots=True)
class EventsRead:
    """Events in order. last_record_no: of the last fact looked at, for the next page; more: there
    may be."""

    events: tuple[EpcisEvent, ...]
    last_record_no: int
    more: bool


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many facts one page looks into, and reads."""

    scanned_max: int = FACTS_SCANNED_MAX
    read_max: int = FACTS_READ_MAX


def read_events(
    connection: Connection,
    query: EventQuery,
    *,
    base: str,
    after_record_no: int,
    limit: int,
    bounds: Bounds = Bounds(),
) -> EventsRead:
    """Return the next events that are asked for.

    base: what URIs of things that only we name begin with. Of everything that happened a page has
    the events of `limit` facts; fewer events than facts: what moved nothing and what has no GS1 key
    is none. Else it has at most `limit` events: it may be short, even empty, and yet not the last.
    """
    if query.is_plain:
        return _next_facts(connection, query, base=base, after=after_record_no, limit=limit)
    low, high = _ends(connection, query, after=after_record_no)
    hints = hints_of(query, base=base, items_of=lambda gtin: _items_of(connection, gtin))
    if low >= high or any(hint.is_none for hint in hints):
        return EventsRead((), max(low, high), more=False)
    through = min(high, low + bounds.scanned_max)
    found: list[EpcisEvent] = []
    at_once = min(max(limit, FACTS_AT_ONCE_MIN), FACTS_AT_ONCE_MAX, bounds.read_max)
    for _ in range(0, bounds.read_max, at_once):
        numbers = _candidates(connection, query, hints, low, through, limit=at_once)
        rows = list_numbered(connection, numbers)
        for row, event in _told(connection, rows, base):
            if is_asked(event, query):
                found.append(event)
            if len(found) == limit:
                return EventsRead(tuple(found), row.record_no, more=row.record_no < high)
        low = through if len(numbers) < at_once else numbers[-1]
        if low == through:
            break
    return EventsRead(tuple(found), low, more=low < high)


def _next_facts(
    connection: Connection, query: EventQuery, *, base: str, after: int, limit: int
) -> EventsRead:
    rows = list_movements_from(
        connection,
        FeedFilter(warehouse=query.warehouse, kinds=EVENT_KINDS),
        after_record_no=after,
        limit=limit + 1,
    )
    page = rows[:limit]
    return EventsRead(
        events=tuple(event for _, event in _told(connection, page, base)),
        last_record_no=page[-1].record_no if page else after,
        more=len(rows) > limit,
    )


def _told(
    connection: Connection, rows: Sequence[MovementRow], base: str
) -> Iterator[tuple[MovementRow, EpcisEvent]]:
    """Yield those facts that are events, with these."""
    declared = read_declarations(connection, rows)
    told = [
        (row, declared.get(row.record_no))
        for row in rows
        if declared.get(row.record_no, row) is not None
    ]
    its = [(declares.of if declares else row).fact for row, declares in told]
    codes = {fact.item for fact in its if isinstance(fact, Movement | Count)}
    naming = Naming(base, read_names(connection, codes))
    for row, declares in told:
        event = event_of(row, naming, declares)
        if event is not None:
            yield row, event


def _ends(connection: Connection, query: EventQuery, *, after: int) -> tuple[int, int]:
    """Return between which record numbers to look: after the first, up to and with the second.

    What happened from a time on is recorded from ten minutes before it on, as `moments` has it.
    """
    low, high = after, last_record_no(connection)
    if query.record_from_ms is not None:
        low = max(low, record_no_at(connection, query.record_from_ms - 1))
    if query.event_from_ms is not None:
        low = max(low, record_no_at(connection, query.event_from_ms - NEAR_MS))
    if query.record_until_ms is not None:
        high = min(high, record_no_at(connection, query.record_until_ms - 1))
    return low, high


def _candidates(
    connection: Connection,
    query: EventQuery,
    hints: Sequence[Hint],
    low: int,
    high: int,
    *,
    limit: int,
) -> list[int]:
    """Return the numbers of facts that may be asked for, oldest first."""
    table = facts.c
    may = [_fits(connection, hint) for hint in hints]
    if query.event_from_ms is not None:
        may.append(table.event_time_ms >= query.event_from_ms)
    if query.event_until_ms is not None:
        may.append(table.event_time_ms < query.event_until_ms)
    wanted = select(table.record_no).where(
        table.record_no > low, table.record_no <= high, table.kind.in_(EVENT_KINDS)
    )
    if may:
        # What takes another fact back is told as that one.
        takes_back = _holds(connection, TAKES_BACK)
        wanted = wanted.where(or_(and_(*may), table.kind == "reversal", takes_back))
    if query.warehouse:
        # Not the column itself: by that SQLite would read the whole warehouse.
        wanted = wanted.where(table.warehouse.concat("") == query.warehouse)
    found = connection.execute(wanted.order_by(table.record_no).limit(limit))
    return list(found.scalars())


def _fits(connection: Connection, hint: Hint) -> ColumnElement[bool]:
    conditions = [_holds(connection, text.encode()) for text in hint.texts]
    if hint.kinds:
        conditions.append(facts.c.kind.in_(hint.kinds))
    if hint.in_unit:
        in_unit = select(lines.c.sscc).where(
            lines.c.warehouse == facts.c.warehouse,
            lines.c.record_no == facts.c.record_no,
            lines.c.line_no == 1,
            lines.c.sscc != "",
        )
        conditions.append(in_unit.exists())
    return or_(*conditions)


def _holds(connection: Connection, wanted: bytes) -> ColumnElement[bool]:
    if connection.dialect.name == "sqlite":
        return func.instr(facts.c.body, wanted) > 0
    return func.position(literal(wanted).op("IN")(facts.c.body)) > 0


def _items_of(connection: Connection, gtin: str) -> set[str]:
    """Return the items whose cards have or had a GTIN, of one or of a pack."""
    digits = gtin.lstrip("0")
    if not digits.isdecimal() or len(digits) > GTIN_DIGITS:
        return set()
    notes, found = object_events.c, set[str]()
    for column, item in (
        (item_barcodes.c.gtin, item_barcodes.c.item),
        (item_units.c.gtin, item_units.c.item),
    ):
        found.update(
            connection.execute(select(item).where(func.ltrim(column, "0") == digits)).scalars()
        )
    query = select(notes.code).where(notes.kind == "item", notes.fields_json.contains(digits))
    return found | {*connection.execute(query).scalars()}
