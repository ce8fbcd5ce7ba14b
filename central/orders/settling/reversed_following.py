"""Tells that a mistake was undone after what it made too much had been reversed. Edge of SQL.

Nobody knows which of several facts is too much: a settlement reverses the last one. What its
gateway undoes then, or somebody settles, is another one of before: now both are taken back.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from central.contract.facts import Movement
from central.ledger.desk import Change
from central.ledger.discrepancies import open_discrepancies, settle_discrepancies
from central.ledger.entries import FactKey, Finding, Line
from central.ledger.goods_rules import taken_back_by
from central.ledger.ledger import Posted
from central.ledger.locations import is_virtual
from central.ledger.reversals import stored_movements
from central.orders.returned_goods import goods_of
from central.orders.settling.discrepancy_facts import Found
from central.orders.settling.excess_facts import KINDS_OF_LINE_EXCESS, excess_facts
from central.orders.settling.excess_reversed import (
    FOLLOWED,
    KIND,
    Reversed,
    case_of_reversed,
    is_nowhere,
    reversed_of,
    standing_micro,
)
from central.orders.settling.late_facts import told_by
from central.orders.settling.regained import settle_regained_by
from central.orders.settling.serial_places import KINDS_TWICE
from central.orders.settling.settlement_steps import Step, meant_by
from central.orders.settling.settlements import KINDS_OF_EXCESS
from central.orders.settling.undone_facts import standing_for
from central.storage.settlement_tables import discrepancies, settlement_facts

GONE = "what had been reversed as too much stands again"


class Moved(NamedTuple):
    """A fact with its lines."""

    movement: Movement
    lines: Sequence[Line]

    @property
    def quantity_micro(self) -> int:
        """Return how much it moved."""
        return sum(max(0, line.quantity_micro) for line in self.lines)


class Subject(NamedTuple):
    """What had too much, where it may be given back."""

    warehouse: str
    subject: str


def tell_reversed(connection: Connection, posted: Posted) -> None:
    """Look at what gateways took back; only facts of before a settlement are a matter."""
    undone = [Moved(movement, lines) for _, movement, lines in posted.taken_back]
    _tell(connection, undone, (), now_ms=posted.now_ms)


def settle_besides(change: Change, row: Found, steps: Sequence[Step], *, what: str) -> None:
    """Follow what a settlement or a reopening took back. row: of `discrepancies`; what: was done.

    What was lost is set aside again; and it is looked whether too much is taken back now.
    """
    settle_regained_by(change, steps, what=what)
    if row.kind in FOLLOWED:
        _settle_gone(change, row)
    elif any(
        step.takes_back
        and (step.document or step.serial or step.sscc)
        and (row.kind != KIND or step.document not in ("", row.document))
        for step in steps
    ):
        _follow_settled(change, row)


def _follow_settled(change: Change, row: Found) -> None:
    """Look at what the last decision about a discrepancy took back, less what it posted anew."""
    connection, own = change.connection, settlement_facts.c
    last = select(func.max(own.number)).where(own.discrepancy == row.id).scalar_subquery()
    every = connection.execute(select(settlement_facts).where(own.discrepancy == row.id)).all()
    number = connection.execute(select(last)).scalar_one()
    posted = [one for one in every if one.number == number]
    taken = {_back(one) for one in posted if one.back_epoch}
    came = {_key(one) for one in posted if not one.back_epoch}
    # What a reopening takes back lets stand again what that had taken back.
    came |= {_back(one) for one in every if one.back_epoch and _key(one) in taken}
    _tell(
        connection,
        _stored(connection, taken),
        _stored(connection, came),
        now_ms=change.now_ms,
        keys=taken,
    )


def _settle_gone(change: Change, row: Found) -> None:
    """Settle that too much was taken back, once that stands again as it was opened again."""
    connection, table = change.connection, discrepancies.c
    query = select(discrepancies).where(
        table.kind == KIND, table.subject == row.subject, table.state == "open"
    )
    found = connection.execute(query.order_by(table.id)).all()
    gone = [one.id for one in found if case_of_reversed(connection, one).gone]
    settle_discrepancies(connection, gone, settlement=GONE, now_ms=change.now_ms)


def _tell(
    connection: Connection,
    undone: Sequence[Moved],
    came: Sequence[Moved],
    *,
    now_ms: int,
    keys: Iterable[FactKey] = (),
) -> None:
    """Open, or count at, what is taken back twice now.

    undone: with their lines as posted; came: what was posted instead. keys: of what a settlement
    took back, be it what stands for a fact that had been reversed in part.
    """
    found: dict[Subject, Finding] = {}
    for row in _too_much(connection, undone):
        counted = [one for one in undone if _has_counted(connection, row, one)]
        came_micro = sum(one.quantity_micro for one in came if _has_counted(connection, row, one))
        micro = sum(one.quantity_micro for one in counted) - came_micro
        if micro <= 0:
            continue
        if row.kind in KINDS_TWICE and not is_nowhere(connection, row):
            continue
        first = min(_began(connection, one) for one in counted)
        # A serial number may be taken out of the book of another warehouse.
        for warehouse in _warehouses(connection, row):
            where = Subject(warehouse, row.subject)
            left = [
                one
                for one in reversed_of(connection, warehouse, row.subject)
                if one.record_no >= first and not _stands_for(connection, one, keys)
            ]
            if left and where not in found:
                found[where] = _finding(connection, row, where, left, last=counted[-1], micro=micro)
    open_discrepancies(connection, [found[one] for one in sorted(found)], now_ms=now_ms)


def _too_much(connection: Connection, undone: Sequence[Moved]) -> list[Found]:
    """Return what was too much of what facts are about, open or not, the newest first."""
    table = discrepancies.c
    documents: dict[str, set[str]] = {}
    for movement, _ in undone:
        if movement.document:
            documents.setdefault(movement.warehouse, set()).add(movement.document)
    found: list[Found] = []
    for warehouse, some in sorted(documents.items()):
        query = select(discrepancies).where(
            table.warehouse == warehouse,
            table.state.in_(("open", "settled")),
            table.kind.in_(KINDS_OF_EXCESS),
            table.document.in_(sorted(some)),
        )
        found += connection.execute(query).all()
    serials = {
        f"{one.movement.item}/{one.movement.serial}" for one in undone if one.movement.serial
    }
    units = {one.movement.sscc for one in undone if one.movement.sscc}
    for kind, subjects in (("serial_twice", serials), ("unit_twice", units)):
        if subjects:
            query = select(discrepancies).where(
                table.kind == kind, table.subject.in_(sorted(subjects))
            )
            found += connection.execute(query).all()
    newest = {(one.warehouse, one.kind, one.subject): one for one in sorted(found, key=_age)}
    return [newest[one] for one in sorted(newest)]


def _age(row: Found) -> tuple[int, str]:
    return row.opened_ms, row.id


def _has_counted(connection: Connection, row: Found, one: Moved) -> bool:
    """Return whether a fact is one of those of which some were too much."""
    movement, lines = one
    if taken_back_by(movement) is not None or not lines:
        return False
    if row.kind in KINDS_TWICE:
        return any(
            line.quantity_micro > 0
            and not is_virtual(line.location)
            and row.subject in (f"{line.item}/{line.serial}", line.sscc)
            for line in lines
        )
    if lines[0].warehouse != row.warehouse:
        return False
    if row.kind in KINDS_OF_LINE_EXCESS:
        return excess_facts(connection, row).made_it(movement, unit=lines[0].unit)
    goods = goods_of(row)
    return (
        (movement.document, movement.item) == (row.document, goods.item)
        and goods.lot in ("", movement.lot)
        and goods.serial in ("", movement.serial)
        and is_virtual(movement.from_location) != is_virtual(movement.to_location)
    )


def _warehouses(connection: Connection, row: Found) -> list[str]:
    if row.kind not in KINDS_TWICE:
        return [row.warehouse]
    own, about = settlement_facts.c, discrepancies.c
    query = (
        select(own.warehouse)
        .join_from(discrepancies, settlement_facts, own.discrepancy == about.id)
        .where(about.kind == row.kind, about.subject == row.subject)
    )
    return sorted(set(connection.execute(query).scalars()))


def _began(connection: Connection, one: Moved) -> int:
    """Return the record of a fact, or that of the first one for which it was posted."""
    meant = meant_by(one.movement)
    stored = _stored(connection, [meant] if meant is not None else [])
    return _began(connection, stored[0]) if stored else one.lines[0].record_no


def _stands_for(connection: Connection, one: Reversed, keys: Iterable[FactKey]) -> bool:
    taken = set(keys)
    return bool(taken) and one.fact is not None and bool(standing_for(connection, one.fact) & taken)


def _finding(
    connection: Connection,
    row: Found,
    where: Subject,
    left: Sequence[Reversed],
    *,
    last: Moved,
    micro: int,
) -> Finding:
    fact = told_by(connection, last.lines[0].record_no)
    standing, table = standing_micro(left), discrepancies.c
    query = select(table.actual_micro).where(
        table.warehouse == where.warehouse,
        table.state == "open",
        table.kind == KIND,
        table.subject == where.subject,
    )
    already = connection.execute(query).scalar() or 0
    movement = left[0].movement
    assert movement is not None
    ends = (movement.from_location, movement.to_location)
    place = next((end for end in ends if not is_virtual(end)), "")
    told = (where.warehouse, fact.gateway, fact.epoch, fact.seq, fact.record_no)
    return Finding(
        KIND,
        where.subject,
        *told,
        item=movement.item,
        location=place,
        lot=movement.lot,
        unit=row.unit or last.lines[0].unit,
        document=row.document,
        document_line=row.document_line,
        expected_micro=standing,
        actual_micro=standing if row.kind in KINDS_TWICE else min(standing, already + micro),
    )


def _stored(connection: Connection, keys: Iterable[FactKey]) -> list[Moved]:
    found: Mapping[FactKey, Moved] = {
        key: Moved(one.movement, one.lines)
        for key, one in stored_movements(connection, sorted(set(keys)))
        if one.movement is not None
    }
    return [found[key] for key in sorted(found, key=lambda key: found[key].lines[0].record_no)]


def _key(one: Found) -> FactKey:
    return FactKey(one.warehouse, one.gateway, one.epoch, one.seq)


def _back(one: Found) -> FactKey:
    return FactKey(one.warehouse, one.back_gateway, one.back_epoch, one.back_seq)
