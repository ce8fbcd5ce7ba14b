"""Where a lot or serial number came from, went to and is, everywhere. Edge of the database.

One statement reads a page of its movements in the ledger's order, by an index that only goods with
a lot or a serial number have entries in, one look a block of record numbers:

    supplier --PO-7--> SH1 BIN-4 --TR-2--> in transit --TR-2--> BJ1 BIN-1 --SO-9--> customer
    '- came from -'                                                      '-- went to --'

A lot that was settled to be another one went where that went, and the other came from where it
came from: such a lot is read with it, by two statements more. What all of it comes to at places
outside the warehouses is in the balances, however many movements led there.
"""

from collections.abc import Container, Iterable, Iterator, Set
from dataclasses import dataclass
from decimal import Decimal
from operator import attrgetter
from typing import NamedTuple

from sqlalchemy import Connection

from central.contract.quantities import from_micro
from central.stock.rows import outside
from central.stock.trace_links import ADJUSTMENT, Became, lots_that_became
from central.stock.trace_steps import StepKey, Traced, TraceStep, read_settling, read_steps
from central.stock.views import list_warehouses
from central.storage import bulk
from central.storage.places import is_physical
from central.storage.tables import balances

STEPS_MAX = 10_000
LOTS_MAX = 50  # That became each other.


@dataclass(frozen=True, slots=True)
class TraceEnd:
    """How much came from, or went to, one place outside the warehouses under one document.

    lot: as which it did, "" in the trace of a serial number.
    """

    warehouse: str
    location: str
    document: str
    lot: str
    unit: str
    quantity: Decimal
    first_record_no: int
    last_record_no: int


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """How much of it stands somewhere now."""

    warehouse: str
    location: str
    lot: str
    serial: str
    sscc: str
    status: str
    unit: str
    on_hand: Decimal


@dataclass(frozen=True, slots=True)
class Trace:
    """Everything about a lot or serial number, or a page of it.

    came_from, went_to: by the steps of the page. whereabouts: places of the warehouses; outside:
    others, also of lots that became it, by all that ever moved: below zero is how much came from
    there. settled: which lots became which, of all that are in it. last: of the page, None if none
    is beyond it. complete: False if there are more steps or places than were asked for.
    """

    steps: tuple[TraceStep, ...]
    came_from: tuple[TraceEnd, ...]
    went_to: tuple[TraceEnd, ...]
    whereabouts: tuple[Whereabouts, ...]
    outside: tuple[Whereabouts, ...]
    settled: tuple[Became, ...]
    last: StepKey | None
    complete: bool


class _Balance(NamedTuple):
    """A row of `balances`, its columns in order."""

    warehouse: str
    location: str
    item: str
    lot: str
    serial: str
    sscc: str
    unit: str
    status: str
    on_hand_micro: int
    record_no: int
    weight_micro: int

    def is_of(self, lots: Container[str], serial: str) -> bool:
        """Return True for stock of lots, or of a serial number."""
        return self.serial == serial if serial else self.lot in lots

    @property
    def is_adjusted(self) -> bool:
        """Return True if it says of a lot what settlements and counts adjusted, also for none."""
        return self.location == ADJUSTMENT and bool(self.lot)


def trace(
    connection: Connection,
    *,
    item: str,
    lot: str = "",
    serial: str = "",
    after: StepKey | None = None,
    limit: int = STEPS_MAX,
) -> Trace:
    """Return the way of a lot or of a serial number of an item; one of both is given.

    after: the last step of the page before. What was taken back counts in `came_from` and `went_to`
    with the sign turned, so they say what remains. Nothing is known of goods that were never
    scanned with it. On a narrowed connection its way in that warehouse alone.
    """
    assert bool(lot) != bool(serial)
    # By the index that is named: without statistics SQLite would read whole warehouses.
    keys = [(one.code, item) for one in list_warehouses(connection)]
    columns = ("warehouse", "item")
    found = bulk.select_by_columns(
        connection, balances, keys, columns=columns, index="balances_item", where=""
    )
    there = [row for row in map(_Balance._make, found) if row.on_hand_micro or row.is_adjusted]
    traced = Traced(item, "lot" if lot else "serial")
    links = _Links(connection, traced, {row.lot for row in there if row.is_adjusted})
    became = links.closure(lot or serial, onward=True)
    been = links.closure(lot or serial, onward=False)
    numbers = {number for one in links.settled for number in one.record_nos}
    ways = {
        code: read_steps(connection, traced, code, after=after, limit=limit + 1)
        for code in dict.fromkeys((*became, *been))
    }
    steps = sorted((step for way in ways.values() for step in way), key=attrgetter("key"))
    page, last = steps[:limit], steps[limit - 1].key if len(steps) > limit else None

    def ends(codes: Iterable[str], *, incoming: bool) -> tuple[TraceEnd, ...]:
        kept = (step for code in codes for step in ways[code] if last is None or step.key <= last)
        ordered = sorted(kept, key=attrgetter("key"))
        return tuple(_ends(ordered, numbers, by_lot=bool(lot), incoming=incoming))

    ours = [row for row in sorted(there) if row.on_hand_micro]
    present = [row for row in ours if row.is_of(became, serial) and is_physical(row.location)]
    outside_of = [row for row in ours if row.is_of(ways, serial) and outside(row.location)]
    return Trace(
        steps=tuple(page),
        came_from=ends(been, incoming=True),
        went_to=ends(became, incoming=False),
        whereabouts=tuple(_whereabouts(row) for row in present[:limit]),
        outside=tuple(_whereabouts(row) for row in outside_of[:limit]),
        settled=tuple(sorted(links.settled, key=lambda one: one.record_nos)),
        last=last,
        complete=links.complete and last is None and max(len(present), len(outside_of)) <= limit,
    )


def _whereabouts(row: _Balance) -> Whereabouts:
    return Whereabouts(
        row.warehouse,
        row.location,
        row.lot,
        row.serial,
        row.sscc,
        row.status,
        row.unit,
        from_micro(row.on_hand_micro),
    )


class _Links:
    """Which lots became which, as they are read.

    adjusted: lots of which anything ever went to `adjustment`, as what is settled so does; no other
    is looked through. complete: False once there are more than are followed.
    """

    def __init__(self, connection: Connection, traced: Traced, adjusted: Set[str]) -> None:
        self.settled: set[Became] = set()
        self.complete = True
        self._connection, self._traced, self._unread = connection, traced, set(adjusted)

    def closure(self, code: str, *, onward: bool) -> list[str]:
        """Return a lot with all that it became, or was; a serial number alone."""
        found = [code]
        if self._traced.by == "serial":
            return found
        for one in found:
            if one in self._unread:
                self._unread.discard(one)
                settling = read_settling(self._connection, self._traced, one)
                self.settled.update(lots_that_became(self._connection, settling))
            for link in self.settled:
                here, there = link.from_lot, link.to_lot
                if not onward:
                    here, there = there, here
                if here == one and there not in found:
                    found.append(there)
            if len(found) > LOTS_MAX:
                self.complete = False
                return found[:LOTS_MAX]
        return found


def _ends(
    steps: Iterable[TraceStep], settling: Container[int], *, by_lot: bool, incoming: bool
) -> Iterator[TraceEnd]:
    """Yield what crossed the boundary of the warehouses, by place and document, in order.

    settling: the facts by which a lot became another one: nothing crossed it.
    """
    sums: dict[tuple[str, str, str, str, str], tuple[Decimal, int, int]] = {}
    for step in steps:
        if step.record_no in settling:
            continue
        place, sign = step.from_location, 1
        if outside(step.to_location):
            place, sign = step.to_location, -1
        if outside(step.from_location) == outside(step.to_location):
            continue
        lot = step.lot if by_lot else ""
        key = (step.warehouse, place, step.document, lot, step.unit)
        quantity, first, _ = sums.get(key, (Decimal(0), step.record_no, 0))
        sums[key] = (quantity + sign * step.quantity, first, step.record_no)
    for (warehouse, place, document, lot, unit), (quantity, first, last) in sums.items():
        if quantity and (quantity > 0) == incoming:
            yield TraceEnd(warehouse, place, document, lot, unit, abs(quantity), first, last)
