"""Which facts say that another fact was wrong, and what was posted instead. Edge of the database.

    reversal of a gateway          the movement that it reverses
    fact of a settlement           the fact that it takes back, whole; what stays of that, and what
                                   was meant, the settlement posts again: those facts correct it

Of several facts that take one back (a status each) the first stands for all. What takes back what
took one back (a reopening) is told as what it moves: EPCIS has no declaration of a declaration.
Nothing is read from `reversals`: a reopening deletes there, and what was told must not change.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from sqlalchemy import Connection, select

from central.contract.facts import Movement, Reversal, decode_fact
from central.contract.identifiers import FactId, parse_epoch
from central.stock.epcis import Declaration
from central.stock.rows import MovementRow
from central.storage import bulk
from central.storage.settlement_tables import settlement_facts
from central.storage.tables import facts

LEDGER = "central"  # The gateway of the ledger's own facts.
_FLAG, _SETTLES, TAKES_BACK = "settlement", b"settles ", b"takes back "
_TARGET = re.compile(r"([^/]+)/([^/]+)/(\d{1,18})", re.ASCII)
_COLUMNS = list(facts.columns.keys())

FactName = tuple[str, str, str, int]  # Warehouse, gateway, epoch, sequence number.


def read_declarations(
    connection: Connection, rows: Sequence[MovementRow]
) -> dict[int, Declaration | None]:
    """Return what facts declare, by record number; None: another one declares it already."""
    backs = {row.record_no: name for row in rows if (name := _target(row)) is not None}
    settling = [row for row in rows if row.record_no in backs and isinstance(row.fact, Movement)]
    decided = _decided(connection, settling)
    meant: dict[int, FactName | None] = dict(backs)
    instead: dict[int, tuple[FactId, ...]] = {}
    for row in settling:
        its = decided.get(_settled_by(row), [])
        mine = next((one for one in its if one.name == _name_of(row)), None)
        if mine is not None:
            meant[row.record_no] = _standing(its, mine)
            instead[row.record_no] = tuple(
                _fact_id(one.name) for one in its if one.number == mine.number and not one.back[1]
            )
    named = {name for name in (*backs.values(), *meant.values()) if name is not None}
    recorded = dict(_recorded(connection, sorted(named)))
    found: dict[int, Declaration | None] = {}
    for row in rows:
        back = recorded.get(backs[row.record_no]) if row.record_no in backs else None
        if back is None or _said(back[-1], backs[row.record_no][1], TAKES_BACK):
            continue  # It is told as what it moves.
        name = meant[row.record_no]
        found[row.record_no] = None
        if name is not None and name in recorded:
            of = _as_recorded(row, name, recorded[name])
            found[row.record_no] = Declaration(of, instead.get(row.record_no, ()))
    return found


class _Decided(NamedTuple):
    """A fact of a settlement. number: of the decision; back: what it takes back, "" for nothing."""

    number: int
    name: FactName
    back: FactName


_Recorded = tuple[int, int, int, Movement]  # Record number, event time, record time.


def _standing(decided: Sequence[_Decided], mine: _Decided) -> FactName | None:
    """Return which fact told last what is taken back, None if another step declares that.

    What was taken back, and again by a reopening, was told anew by the facts of the reopening.
    """
    steps = [one.name for one in decided if (one.number, one.back) == (mine.number, mine.back)]
    before = [one for one in decided if one.number < mine.number]
    takers = {one.name for one in before if one.back == mine.back}
    anew = [one for one in before if one.back in takers]
    last = [one.name for one in anew if one.number == anew[-1].number] or [mine.back]
    index = steps.index(mine.name)
    return last[index] if index < len(last) else None


def _as_recorded(row: MovementRow, name: FactName, recorded: _Recorded) -> MovementRow:
    record_no, event_time_ms, record_ms, movement = recorded
    return replace(
        row,
        record_no=record_no,
        fact_id=_fact_id(name),
        fact=movement,
        taken_back=None,
        event_time_ms=event_time_ms,
        record_time_ms=record_ms,
    )


def _target(row: MovementRow) -> FactName | None:
    """Return which fact another one takes back, None if it does not."""
    fact, gateway = row.fact, row.fact_id.gateway
    if not row.posted:
        return None
    if isinstance(fact, Reversal):
        return (fact.warehouse, gateway, fact.reverses_epoch, fact.reverses_seq)
    said = _said(fact, gateway, TAKES_BACK) if isinstance(fact, Movement) else ""
    match = _TARGET.fullmatch(said)
    return (fact.warehouse, match[1], match[2], int(match[3])) if match else None


def _said(movement: Movement, gateway: str, prefix: bytes) -> str:
    """Return what a settlement says of a fact of its own, "" for nothing."""
    if gateway != LEDGER or _FLAG not in movement.flags:
        return ""
    raws = (one.raw for one in movement.evidence if one.raw.startswith(prefix))
    return next(raws, b"").removeprefix(prefix).decode("ascii", "replace")


def _settled_by(row: MovementRow) -> str:
    """Return which discrepancy a fact settles."""
    assert isinstance(row.fact, Movement)
    return _said(row.fact, row.fact_id.gateway, _SETTLES)


def _recorded(
    connection: Connection, named: Sequence[FactName]
) -> Iterable[tuple[FactName, _Recorded]]:
    for row in bulk.select_by_key(connection, facts, named, columns_count=4):
        said = dict(zip(_COLUMNS, row, strict=True))
        fact = decode_fact(bytes(said["body"])) if said["kind"] == "movement" else None
        if isinstance(fact, Movement):
            name = (row[0], row[1], row[2], row[3])
            yield name, (said["record_no"], said["event_time_ms"], said["record_ms"], fact)


def _decided(connection: Connection, rows: Sequence[MovementRow]) -> dict[str, list[_Decided]]:
    """Return all facts that settled what these do, in their order, by discrepancy."""
    table = settlement_facts.c
    discrepancies = sorted({_settled_by(row) for row in rows})
    if not discrepancies:
        return {}
    query = select(settlement_facts).where(table.discrepancy.in_(discrepancies))
    found: dict[str, list[_Decided]] = {}
    for row in connection.execute(query.order_by(table.number, table.epoch, table.seq)):
        name = (row.warehouse, row.gateway, row.epoch, row.seq)
        back = (row.warehouse, row.back_gateway, row.back_epoch, row.back_seq)
        found.setdefault(row.discrepancy, []).append(_Decided(row.number, name, back))
    return found


def _name_of(row: MovementRow) -> FactName:
    named = row.fact_id
    return (row.fact.warehouse, named.gateway, str(named.epoch), named.seq)


def _fact_id(name: FactName) -> FactId:
    return FactId(gateway=name[1], epoch=parse_epoch(name[2]), seq=name[3])
