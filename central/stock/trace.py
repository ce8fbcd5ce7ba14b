"""Where a lot or serial number came from, went to and is, everywhere. Edge of the database.

One statement reads every movement of it in the ledger's order, by an index that only goods with a
lot or a serial number have entries in, one look a block of record numbers:

    supplier --PO-7--> SH1 BIN-4 --TR-2--> in transit --TR-2--> BJ1 BIN-1 --SO-9--> customer
    '- came from -'                                                      '-- went to --'

A lot that was settled to be another one went where that went, and the other came from where it
came from: such a lot is read with it, by one statement more.
"""

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, text

from central.contract.errors import ContractError
from central.contract.facts import Fact, Movement, Reversal, decode_fact
from central.contract.identifiers import FactId, parse_epoch
from central.contract.quantities import from_micro
from central.stock.rows import outside
from central.stock.trace_links import Became, lots_that_became, settles
from central.stock.views import list_warehouses
from central.storage import bulk
from central.storage.line_blocks import Tracing, in_blocks, last_to_read, traced_lines
from central.storage.places import is_physical
from central.storage.tables import balances
from central.storage.within import within_of

STEPS_MAX = 10_000
LOTS_MAX = 50  # That became each other.

_STEPS_SQL = """
SELECT first.warehouse, first.record_no, gives.location AS from_location,
       takes.location AS to_location, gives.serial, gives.lot, gives.sscc, gives.unit,
       gives.status AS from_status, takes.status AS to_status, takes.quantity_micro,
       fact.gateway, fact.epoch, fact.seq, fact.kind, fact.event_time_ms, fact.record_ms, fact.body
FROM {first}
JOIN lines AS gives ON gives.warehouse = first.warehouse AND gives.record_no = first.record_no
     AND gives.line_no % 2 = 1
JOIN lines AS takes ON takes.warehouse = first.warehouse AND takes.record_no = first.record_no
     AND takes.line_no = gives.line_no + 1
JOIN facts AS fact ON fact.record_no = first.record_no
WHERE {in_blocks} AND first.item = :item AND first.{name} = :code AND first.{name} <> ''
      AND first.line_no = 1 {within}
ORDER BY first.record_no, gives.line_no
LIMIT :limit
"""
_WITHIN = "AND first.warehouse = :within"


@dataclass(frozen=True, slots=True)
class TraceStep:
    """One movement of the goods, also the way back of a reversal. quantity: in `unit`.

    document: the order that it answers, "" if none; a reversal answers that of its movement.
    """

    record_no: int
    fact_id: FactId
    kind: str
    warehouse: str
    from_location: str
    to_location: str
    lot: str
    serial: str
    sscc: str
    quantity: Decimal
    unit: str
    from_status: str
    to_status: str
    business_step: str
    document: str
    operator: str
    event_time_ms: int
    record_ms: int


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
    """How much of it stands somewhere now; places outside the warehouses are left out."""

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
    """Everything about a lot or serial number.

    settled: which lots became which, of all that are in it. complete: False if there are more steps
    or places than were asked for.
    """

    steps: tuple[TraceStep, ...]
    came_from: tuple[TraceEnd, ...]
    went_to: tuple[TraceEnd, ...]
    whereabouts: tuple[Whereabouts, ...]
    settled: tuple[Became, ...]
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
        """Return True for stock of lots, or of a serial number, that stands in a warehouse."""
        named = self.serial == serial if serial else self.lot in lots
        return named and self.on_hand_micro != 0 and is_physical(self.location)


def trace(
    connection: Connection, *, item: str, lot: str = "", serial: str = "", limit: int = STEPS_MAX
) -> Trace:
    """Return the way of a lot or of a serial number of an item; one of both is given.

    What was taken back counts in `came_from` and `went_to` with the sign turned, so they say what
    remains. Nothing is known of goods that were never scanned with it. On a narrowed connection
    its way in that warehouse alone.
    """
    assert bool(lot) != bool(serial)
    ways = _Ways(connection, item, "lot" if lot else "serial", limit=limit)
    became = ways.closure(lot or serial, onward=True)
    been = ways.closure(lot or serial, onward=False)
    numbers = {number for one in ways.settled for number in one.record_nos}
    # By the index that is named: without statistics SQLite would read whole warehouses.
    keys = [(one.code, item) for one in list_warehouses(connection)]
    columns = ("warehouse", "item")
    found = bulk.select_by_columns(
        connection, balances, keys, columns=columns, index="balances_item", where=""
    )
    present = sorted(row for row in map(_Balance._make, found) if row.is_of(became, serial))
    steps = sorted(
        (step for way in ways.read.values() for step in way), key=lambda step: step.record_no
    )
    return Trace(
        steps=tuple(steps[:limit]),
        came_from=tuple(_ends(ways.steps_of(been), numbers, by_lot=bool(lot), incoming=True)),
        went_to=tuple(_ends(ways.steps_of(became), numbers, by_lot=bool(lot), incoming=False)),
        whereabouts=tuple(
            Whereabouts(
                row.warehouse,
                row.location,
                row.lot,
                row.serial,
                row.sscc,
                row.status,
                row.unit,
                from_micro(row.on_hand_micro),
            )
            for row in present[:limit]
        ),
        settled=tuple(sorted(ways.settled, key=lambda one: one.record_nos)),
        complete=ways.complete and max(len(steps), len(present)) <= limit,
    )


class _Ways:
    """The ways of a lot or serial number, and of the lots that it became or was, as they are read.

    read: its steps by lot or serial number. complete: False once not all of them were.
    """

    def __init__(self, connection: Connection, item: str, name: Tracing, *, limit: int) -> None:
        self.read: dict[str, list[TraceStep]] = {}
        self.settled: set[Became] = set()
        self.complete = True
        self._connection, self._item, self._name, self._limit = connection, item, name, limit

    def closure(self, code: str, *, onward: bool) -> list[str]:
        """Return a lot with all that it became, or was; a serial number alone."""
        found = [code]
        for one in found:
            if one not in self.read:
                self._read(one)
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

    def steps_of(self, codes: Iterable[str]) -> list[TraceStep]:
        """Return the steps of some of them, in the ledger's order."""
        steps = (step for code in codes for step in self.read.get(code, ()))
        return sorted(steps, key=lambda step: step.record_no)

    def _read(self, code: str) -> None:
        connection, within = self._connection, within_of(self._connection)
        query = _STEPS_SQL.format(
            name=self._name,
            first=traced_lines(connection.dialect.name, self._name),
            in_blocks=in_blocks(after=0, through=last_to_read(connection)),
            within=_WITHIN if within else "",
        )
        bounds = {"item": self._item, "code": code, "limit": self._limit + 1}
        bounds |= {"within": within} if within else {}
        rows = connection.execute(text(query), bounds).all()
        self.complete = self.complete and len(rows) <= self._limit
        rows = rows[: self._limit]
        facts = [_fact_of(row.body) for row in rows]
        self.read[code] = list(_steps(rows, facts))
        if self._name == "lot":
            settling = [
                ((row.warehouse, row.gateway, row.epoch, row.seq), row.record_no, fact)
                for row, fact in zip(rows, facts, strict=True)
                if isinstance(fact, Movement) and settles(fact)
            ]
            self.settled.update(lots_that_became(connection, settling))


def _steps(rows: Iterable[Row[Any]], facts: Iterable[Fact | None]) -> Iterator[TraceStep]:
    """Yield the steps; a reversal answers the document of the movement that it takes back."""
    documents: dict[tuple[str, str, int], str] = {}
    for row, fact in zip(rows, facts, strict=True):
        movement = fact if isinstance(fact, Movement) else None
        document = movement.document if movement else ""
        if isinstance(fact, Reversal):
            document = documents.get((row.gateway, fact.reverses_epoch, fact.reverses_seq), "")
        documents[row.gateway, row.epoch, row.seq] = document
        ends = ((row.from_location, row.from_status), (row.to_location, row.to_status))
        # A reversal has its movement's lines with the signs turned: it goes the other way.
        (source, from_status), (target, to_status) = ends if row.quantity_micro > 0 else ends[::-1]
        yield TraceStep(
            record_no=row.record_no,
            fact_id=FactId(gateway=row.gateway, epoch=parse_epoch(row.epoch), seq=row.seq),
            kind=row.kind,
            warehouse=row.warehouse,
            from_location=source,
            to_location=target,
            lot=row.lot,
            serial=row.serial,
            sscc=row.sscc,
            quantity=from_micro(abs(row.quantity_micro)),
            unit=row.unit,
            from_status=from_status,
            to_status=to_status,
            business_step=movement.business_step if movement else "",
            document=document,
            operator=fact.operator if fact else "",
            event_time_ms=row.event_time_ms,
            record_ms=row.record_ms,
        )


def _fact_of(body: bytes) -> Fact | None:
    try:
        return decode_fact(bytes(body))
    except ContractError:  # Posted by a newer program: what its lines say is still true.
        return None


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
