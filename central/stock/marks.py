"""Which kinds of things changed since a moment, so that pages draw anew. Edge of the database."""

import hashlib
import zlib
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from central.stock.feed import stock_change
from central.storage import tables

events = tables.object_events
KINDS_MAX = 64
MARK_BYTES = 8


@dataclass(frozen=True, slots=True)
class Mark:
    """How far everything is that a page can show; equal marks mean that nothing changed.

    record_no: newest recorded fact. event_no: newest event of an object (order, item, count ...).
    reference: revision of what gateways are told. gateways: of their states. discrepancies_open:
    how many.
    """

    record_no: int
    event_no: int
    reference: str
    gateways: int
    discrepancies_open: int

    @property
    def text(self) -> str:
        """Return the mark as it stands in a page; whoever sees a part learns no count of all."""
        told = (
            f"{self.record_no}.{self.event_no}.{self.reference}.{self.gateways:x}"
            f".{self.discrepancies_open}"
        )
        return hashlib.blake2b(told.encode(), digest_size=MARK_BYTES).hexdigest()


@dataclass(frozen=True, slots=True)
class News:
    """What changed. kinds: of objects, sorted; "movement" for stock. whole: anything may have."""

    change: Mark
    kinds: tuple[str, ...]
    whole: bool


def read_mark(connection: Connection, *, now_ms: int) -> Mark:
    """Return how far everything is."""
    change = stock_change(connection, now_ms=now_ms)
    newest = connection.execute(select(func.max(events.c.event_no))).scalar() or 0
    return Mark(
        record_no=change.record_no,
        event_no=newest,
        reference=change.reference_revision,
        gateways=zlib.crc32(change.gateways_mark.encode()),
        discrepancies_open=change.discrepancies_open,
    )


def read_news(connection: Connection, before: Mark | None, *, now_ms: int) -> News:
    """Return what changed after a mark; anything for None."""
    mark = read_mark(connection, now_ms=now_ms)
    if before is None:
        return News(mark, (), whole=True)
    query = select(events.c.kind).where(events.c.event_no > before.event_no).distinct()
    kinds = set(connection.execute(query.limit(KINDS_MAX)).scalars())
    if mark.record_no != before.record_no:
        kinds.add("movement")
    if mark.gateways != before.gateways:
        kinds.add("gateway")
    if mark.discrepancies_open != before.discrepancies_open:
        kinds.add("discrepancy")
    if mark.reference != before.reference:
        kinds |= {"item", "place", "warehouse"}
    return News(mark, tuple(sorted(kinds)), whole=False)
