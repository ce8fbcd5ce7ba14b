"""What settlements filled balances below zero with, and what takes that back. Edge of the database.

10:00   sale      5 from BIN-1, which the book has empty: -5
10:30   adjusted  5 from `adjustment` to BIN-1: a filling
11:00   late      5 received at 09:00: the book has 5 in BIN-1 that are not there
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache, partial
from typing import NamedTuple

from sqlalchemy import Connection, and_, select

from central.errors import Conflict, Unusable
from central.ledger.entries import DiscrepancyKind, Line, balance_name
from central.orders.catalogue.packs import text_of
from central.orders.order_goods import require_whole
from central.orders.settling.cases import Case
from central.orders.settling.discrepancy_facts import Found, movements_at
from central.orders.settling.present_reading import present_goods
from central.orders.settling.settlement_moves import steps_anew
from central.orders.settling.settlement_rests import roundings_of
from central.orders.settling.settlement_steps import Step
from central.orders.settling.settlements import Decision
from central.storage import tables
from central.storage.settlement_tables import discrepancies, settlement_facts

KIND: DiscrepancyKind = "filled_twice"
# Whose settlements fill a balance, or take that back.
KINDS: tuple[DiscrepancyKind, ...] = ("negative_balance", KIND)
Fact = tuple[str, int]  # Epoch and number of a fact of the ledger's own.


class Filling(NamedTuple):
    """What a fact of a settlement changed at the balance. back: the fact that it takes back."""

    record_no: int
    fact: Fact
    back: Fact
    event_time_ms: int
    quantity_micro: int


def fillings_of(
    connection: Connection, *, warehouse: str, subjects: Iterable[str]
) -> Mapping[str, Sequence[Filling]]:
    """Return fillings of balances, oldest first, by how discrepancies name those."""
    about, own, facts, lines = discrepancies.c, settlement_facts.c, tables.facts.c, tables.lines
    query = (
        select(about.subject, own.epoch, own.seq, own.back_epoch, own.back_seq, facts.event_time_ms)
        .add_columns(*lines.c)
        .join_from(discrepancies, settlement_facts, own.discrepancy == about.id)
        .join(
            tables.facts,
            and_(*(facts[name] == own[name] for name in ("warehouse", "gateway", "epoch", "seq"))),
        )
        .join(
            lines,
            and_(lines.c.warehouse == facts.warehouse, lines.c.record_no == facts.record_no),
        )
        .where(
            about.kind.in_(KINDS),
            about.subject.in_(sorted(subjects)),
            about.warehouse == warehouse,
            lines.c.location == about.location,
        )
        .order_by(facts.record_no)
    )
    found: dict[str, list[Filling]] = {}
    for subject, epoch, seq, back_epoch, back_seq, when_ms, *rest in connection.execute(query):
        line = Line(*rest)
        if line.quantity_micro and balance_name(line.balance_key) == subject:
            facts_of = (epoch, seq), (back_epoch, back_seq)
            one = Filling(line.record_no, *facts_of, when_ms, line.quantity_micro)
            found.setdefault(subject, []).append(one)
    return found


def filled_micro(fillings: Sequence[Filling], *, since_ms: int = -1) -> int:
    """Return how much of what filled a balance after a moment stands, in millionths."""
    counted: set[Fact] = set()
    total = 0
    for one in fillings:
        fills = not one.back[0] and one.quantity_micro > 0 and one.event_time_ms > since_ms
        if fills or one.back in counted:
            counted.add(one.fact)
            total += one.quantity_micro
    return max(0, total)


def case_of_filled(connection: Connection, row: Found) -> Case:
    """Return how much of what filled a balance is there twice, as far as it still stands."""
    left = _left_micro(row, _fillings(connection, row))
    return Case(kind=row.kind, excess_micro=left, gone=left <= 0)


def steps_to_unfill(connection: Connection, row: Found, decision: Decision) -> list[Step]:
    """Return what takes back what filled a balance, the newest first; what stays is posted again.

    Raises Conflict if nothing of it stands, Unusable for more than that.
    """
    fillings = _fillings(connection, row)
    left = _left_micro(row, fillings)
    if left <= 0:
        raise Conflict("what filled the balance is taken back already", hint="Accept it.")
    quantity = left if decision.quantity_micro is None else decision.quantity_micro
    if quantity > left:
        there, asked = text_of(left), text_of(quantity)
        raise Unusable(
            f"{there} {row.unit} of {row.item} came as well, not {asked}",
            hint="Take back no more than that, or leave the quantity out for all of it.",
            fields={"there": there, "asked": asked},
        )
    require_whole(connection, row.item, quantity, unit=row.unit, of=[left])
    numbers = [one.record_no for one in fillings if one.quantity_micro > 0 and not one.back[0]]
    facts = movements_at(connection, warehouse=row.warehouse, numbers=sorted(set(numbers)))
    return steps_anew(
        facts,
        decision,
        unit="",
        quantity_micro=min(quantity, sum(fact.quantity_micro for fact in facts)),
        roundings=cache(partial(roundings_of, connection, row.warehouse)),
        present=present_goods(connection, facts),
    )


def _fillings(connection: Connection, row: Found) -> Sequence[Filling]:
    found = fillings_of(connection, warehouse=row.warehouse, subjects=[row.subject])
    return found.get(row.subject, ())


def _left_micro(row: Found, fillings: Sequence[Filling]) -> int:
    return min(row.actual_micro or 0, filled_micro(fillings))
