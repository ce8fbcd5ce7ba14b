"""Movements of a lot or serial number, page by page, and what settles. Edge of the database.

What is joined are the facts of the page alone: a lot may have moved ten thousands of times.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, text

from central.contract.errors import ContractError
from central.contract.facts import Fact, Movement, Reversal, decode_fact
from central.contract.identifiers import FactId, parse_epoch
from central.contract.quantities import from_micro
from central.stock.trace_links import ADJUSTMENT, FactName, settles
from central.storage import bulk
from central.storage.line_blocks import Tracing, in_blocks, last_to_read, traced_lines
from central.storage.tables import facts as facts_table
from central.storage.within import within_of

_FIRST_SQL = """
SELECT first.warehouse, first.record_no FROM {first}
WHERE {in_blocks} AND first.item = :item AND first.{name} = :code AND first.{name} <> ''
      AND first.line_no = 1 {within}
"""
# One fact more than steps: all of the first one may have been on the page before.
_STEPS_SQL = f"""
SELECT first.warehouse, first.record_no, gives.line_no, gives.location AS from_location,
       takes.location AS to_location, gives.serial, gives.lot, gives.sscc, gives.unit,
       gives.status AS from_status, takes.status AS to_status, takes.quantity_micro,
       fact.gateway, fact.epoch, fact.seq, fact.kind, fact.event_time_ms, fact.record_ms, fact.body
FROM ({_FIRST_SQL}
      AND first.record_no >= :from_no ORDER BY first.record_no LIMIT :limit + 1) AS first
JOIN lines AS gives ON gives.warehouse = first.warehouse AND gives.record_no = first.record_no
     AND gives.line_no % 2 = 1
JOIN lines AS takes ON takes.warehouse = first.warehouse AND takes.record_no = first.record_no
     AND takes.line_no = gives.line_no + 1
JOIN facts AS fact ON fact.record_no = first.record_no
WHERE first.record_no > :from_no OR gives.line_no > :after_line
ORDER BY first.record_no, gives.line_no
LIMIT :limit
"""  # noqa: S608 - made of our own constants
# Of a fact that settles so one line of the first two is about `adjustment`.
_ADJUSTED_SQL = f"""
SELECT fact.warehouse, fact.gateway, fact.epoch, fact.seq, fact.record_no, fact.body
FROM ({_FIRST_SQL}) AS first
JOIN lines AS other ON other.warehouse = first.warehouse AND other.record_no = first.record_no
     AND other.line_no <= 2 AND other.location = '{ADJUSTMENT}'
JOIN facts AS fact ON fact.record_no = first.record_no
"""  # noqa: S608 - made of our own constants
_WITHIN = "AND first.warehouse = :within"
_BODY = list(facts_table.columns.keys()).index("body")


class StepKey(NamedTuple):
    """A step in the ledger's order."""

    record_no: int
    line_no: int


@dataclass(frozen=True, slots=True)
class TraceStep:
    """One movement of the goods, also the way back of a reversal. quantity: in `unit`.

    document: the order that it answers, "" if none; a reversal answers that of its movement.
    line_no: of its first line: several movements of one fact have the same record number.
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
    line_no: int = 1

    @property
    def key(self) -> StepKey:
        """Return its place in the ledger's order."""
        return StepKey(self.record_no, self.line_no)


@dataclass(frozen=True, slots=True)
class Traced:
    """An item of which a lot, or a serial number, is traced."""

    item: str
    by: Tracing


def read_steps(
    connection: Connection, traced: Traced, code: str, *, after: StepKey | None, limit: int
) -> list[TraceStep]:
    """Return steps of a lot or of a serial number in the ledger's order, beyond a step."""
    begin, line_no = after or StepKey(0, 0)
    query, bounds = _statement(connection, _STEPS_SQL, traced, code, begin=begin)
    bounds |= {"from_no": begin, "after_line": line_no, "limit": limit}
    rows = connection.execute(text(query), bounds).all()
    facts = [_fact_of(row.body) for row in rows]
    return list(_steps(rows, facts, _documents_of(connection, rows, facts)))


def read_settling(
    connection: Connection, traced: Traced, lot: str
) -> list[tuple[FactName, int, Movement]]:
    """Return the facts of a lot by which somebody settled something, with their record numbers."""
    query, bounds = _statement(connection, _ADJUSTED_SQL, traced, lot)
    found = []
    for row in connection.execute(text(query), bounds):
        fact = _fact_of(row.body)
        if isinstance(fact, Movement) and settles(fact):
            name = (row.warehouse, row.gateway, row.epoch, row.seq)
            found.append((name, row.record_no, fact))
    return found


def _statement(
    connection: Connection, form: str, traced: Traced, code: str, *, begin: int = 0
) -> tuple[str, dict[str, object]]:
    within = within_of(connection)
    query = form.format(
        name=traced.by,
        first=traced_lines(connection.dialect.name, traced.by),
        in_blocks=in_blocks(after=max(begin - 1, 0), through=last_to_read(connection)),
        within=_WITHIN if within else "",
    )
    bounds: dict[str, object] = {"item": traced.item, "code": code}
    return query, bounds | ({"within": within} if within else {})


def _documents_of(
    connection: Connection, rows: Sequence[Row[Any]], facts: Sequence[Fact | None]
) -> dict[FactName, str]:
    """Return the documents of movements that reversals among the facts take back."""
    wanted = {
        (row.warehouse, row.gateway, fact.reverses_epoch, fact.reverses_seq)
        for row, fact in zip(rows, facts, strict=True)
        if isinstance(fact, Reversal)
    }
    found: dict[FactName, str] = {}
    for row in bulk.select_by_key(connection, facts_table, sorted(wanted), columns_count=4):
        fact = _fact_of(row[_BODY])
        if isinstance(fact, Movement):
            found[row[0], row[1], row[2], row[3]] = fact.document
    return found


def _steps(
    rows: Iterable[Row[Any]], facts: Iterable[Fact | None], documents: dict[FactName, str]
) -> Iterator[TraceStep]:
    """Yield the steps; a reversal answers the document of the movement that it takes back."""
    for row, fact in zip(rows, facts, strict=True):
        movement = fact if isinstance(fact, Movement) else None
        document = movement.document if movement else ""
        if isinstance(fact, Reversal):
            taken_back = (row.warehouse, row.gateway, fact.reverses_epoch, fact.reverses_seq)
            document = documents.get(taken_back, "")
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
            line_no=row.line_no,
        )


def _fact_of(body: bytes) -> Fact | None:
    try:
        return decode_fact(bytes(body))
    except ContractError:  # Posted by a newer program: what its lines say is still true.
        return None
