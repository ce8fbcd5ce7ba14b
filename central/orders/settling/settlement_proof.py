"""Proves settlements: their facts are here, and each took back what it says. Edge of the database.

facts     every fact of a settlement is a movement of the ledger's own, and is stored
back      what one took back is marked as taken back by it, until it is itself taken back
equal     what took something back, one fact or several, moved just that, the other way round
rests     what was rounded is a fact of a settlement
states    what is settled says why; what is open says nothing
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, Subquery, and_, func, or_, select

from central.ledger.fact_check import Fault
from central.ledger.own_facts import OWN_GATEWAY
from central.orders.settling.kind_rules import KIND_RULES
from central.storage import tables
from central.storage.settlement_tables import discrepancies, settlement_facts, settlement_rests

BACK = ("back_gateway", "back_epoch", "back_seq")
STREAMED = {"yield_per": 500}


def faults(connection: Connection) -> Iterator[Fault]:
    """Yield what is off with settlements and discrepancies."""
    yield from _fact_faults(connection)
    yield from _back_faults(connection)
    yield from _unequal_faults(connection)
    yield from _rest_faults(connection)
    yield from _state_faults(connection)


def _fact_faults(connection: Connection) -> Iterator[Fault]:
    own, facts = settlement_facts.c, tables.facts.c
    stored = (
        select(facts.seq)
        .where(
            facts.warehouse == own.warehouse,
            facts.gateway == own.gateway,
            facts.epoch == own.epoch,
            facts.seq == own.seq,
            facts.kind == "movement",
        )
        .exists()
    )
    query = select(settlement_facts).where(or_(~stored, own.gateway != OWN_GATEWAY))
    for row in connection.execute(query, execution_options=STREAMED):
        detail = f"its fact {row.gateway}/{row.epoch}/{row.seq} is not a stored one of the ledger's"
        yield Fault("settlement", f"{row.discrepancy}/{row.number}", detail)


def _back_faults(connection: Connection) -> Iterator[Fault]:
    own, reversals = settlement_facts.c, tables.reversals.c
    later, first = settlement_facts.alias("later"), settlement_facts.alias("first")
    # Of several that take one back together, the first one is marked.
    marked = (
        select(reversals.seq)
        .join_from(
            tables.reversals,
            first,
            and_(
                first.c.discrepancy == own.discrepancy,
                first.c.number == own.number,
                first.c.epoch == reversals.by_epoch,
                first.c.seq == reversals.by_seq,
                *(first.c[name] == own[name] for name in BACK),
            ),
        )
        .where(
            reversals.warehouse == own.warehouse,
            reversals.gateway == own.back_gateway,
            reversals.epoch == own.back_epoch,
            reversals.seq == own.back_seq,
        )
        .exists()
    )
    undone = (
        select(later.c.seq)
        .where(
            later.c.discrepancy == own.discrepancy,
            later.c.warehouse == own.warehouse,
            later.c.back_gateway == own.gateway,
            later.c.back_epoch == own.epoch,
            later.c.back_seq == own.seq,
        )
        .exists()
    )
    # Exactly one of the two: it counts as taken back, or that was undone.
    both = or_(and_(~marked, ~undone), and_(marked, undone))
    query = select(settlement_facts).where(own.back_epoch != "", both)
    for row in connection.execute(query, execution_options=STREAMED):
        detail = f"{row.back_gateway}/{row.back_epoch}/{row.back_seq} is not marked as it says"
        yield Fault("settlement", f"{row.discrepancy}/{row.number}", detail)


def _unequal_faults(connection: Connection) -> Iterator[Fault]:
    for row in connection.execute(_unequal(), execution_options=STREAMED):
        detail = f"{row.epoch}/{row.seq} does not move back what it takes back"
        yield Fault("settlement", f"{row.discrepancy}/{row.number}", detail)


@cache
def _unequal() -> Select[Any]:
    names = ("item", "lot", "serial", "sscc")
    back = _moved("back", prefix="back_")
    each = _moved("each", prefix="")
    taken_back = [each.c[name] for name in ("discrepancy", "number", *BACK)]
    whole = func.sum(each.c.quantity_micro).over(partition_by=taken_back)
    own = select(each, whole.label("whole_micro")).subquery("own")
    key = ("discrepancy", "number", "epoch", "seq")
    differs = [own.c[name] != back.c[name] for name in names]
    differs += [
        own.c.from_location != back.c.to_location,
        own.c.to_location != back.c.from_location,
        # Known by now in another unit, it is another figure.
        and_(own.c.unit == back.c.unit, own.c.whole_micro != back.c.quantity_micro),
    ]
    query = select(own).join(back, and_(*(own.c[name] == back.c[name] for name in key)))
    return query.where(or_(*differs))


def _moved(name: str, *, prefix: str) -> Subquery:
    """Return what each fact of a settlement moved, or the fact that it takes back."""
    own, facts = settlement_facts.c, tables.facts.c
    giving, taking = tables.lines.alias(), tables.lines.alias()
    lines, given = tables.lines.alias(), tables.lines.alias()
    # What a decision left where and as it was is not moved back.
    changed = or_(given.c.location != lines.c.location, given.c.status != lines.c.status)
    total = (
        select(func.sum(lines.c.quantity_micro))
        .join_from(
            lines,
            given,
            and_(
                given.c.warehouse == lines.c.warehouse,
                given.c.record_no == lines.c.record_no,
                given.c.line_no == lines.c.line_no - 1,
                changed,
            ),
        )
        .where(
            lines.c.warehouse == facts.warehouse,
            lines.c.record_no == facts.record_no,
            lines.c.quantity_micro > 0,
        )
        .scalar_subquery()
    )
    sides = [
        and_(
            side.c.warehouse == facts.warehouse,
            side.c.record_no == facts.record_no,
            side.c.line_no == number,
        )
        for number, side in enumerate((giving, taking), 1)
    ]
    what = ("item", "lot", "serial", "sscc", "unit")
    return (
        select(
            *(own[column] for column in ("discrepancy", "number", "epoch", "seq", *BACK)),
            *(giving.c[column] for column in what),
            giving.c.location.label("from_location"),
            taking.c.location.label("to_location"),
            total.label("quantity_micro"),
        )
        .join_from(
            settlement_facts,
            tables.facts,
            and_(
                facts.warehouse == own.warehouse,
                *(facts[part] == own[prefix + part] for part in ("gateway", "epoch", "seq")),
            ),
        )
        .join(giving, sides[0])
        .join(taking, sides[1])
        .where(own.back_epoch != "")
        .subquery(name)
    )


def _rest_faults(connection: Connection) -> Iterator[Fault]:
    own, table = settlement_facts.c, settlement_rests.c
    # One pass over each: a look for each rest would read all facts of settlements again.
    settled = select(own.warehouse, own.epoch, own.seq).where(own.gateway == OWN_GATEWAY)
    lost = select(table.warehouse, table.epoch, table.seq).except_(settled).subquery("lost")
    query = select(settlement_rests).join(
        lost, and_(*(table[name] == lost.c[name] for name in ("warehouse", "epoch", "seq")))
    )
    for row in connection.execute(query, execution_options=STREAMED):
        detail = f"fact {row.epoch}/{row.seq} was rounded by {row.rest}, and settled nothing"
        yield Fault("settlement", f"{row.warehouse}/{row.item}", detail)


def _state_faults(connection: Connection) -> Iterator[Fault]:
    table = discrepancies.c
    query = select(table.id, table.kind, table.state, table.settlement).where(
        or_(
            and_(table.state == "settled", or_(table.settlement == "", table.settled_ms == 0)),
            and_(table.state == "open", or_(table.settlement != "", table.settled_ms != 0)),
            table.state.not_in(("open", "settled")),
            table.kind.not_in(sorted(KIND_RULES)),
        )
    )
    for row in connection.execute(query, execution_options=STREAMED):
        detail = f"{row.kind} is {row.state}, settlement {row.settlement!r}"
        yield Fault("discrepancy", row.id, detail)
