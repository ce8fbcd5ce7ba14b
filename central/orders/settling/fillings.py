"""What settlements filled balances below zero with, and what takes that back. Edge of the database.

10:00   sale      5 from BIN-1, which the book has empty: -5
10:30   adjusted  5 from `adjustment` to BIN-1: a filling
11:00   late      5 received at 09:00: the book has 5 in BIN-1 that are not there

What stays of a filling that is taken back is posted again, and is of the time of the filling.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from functools import cache, partial
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, and_, select

from central.errors import Conflict, Unusable
from central.ledger.discrepancies import settle_discrepancies
from central.ledger.entries import BalanceKey, DiscrepancyKind, FactKey, Line, balance_name
from central.ledger.locations import is_virtual
from central.orders.catalogue.packs import text_of
from central.orders.counts.count_judging import Thing
from central.orders.counts.last_results import adjusted_last, counted_at
from central.orders.order_goods import require_whole
from central.orders.settling.cases import Case
from central.orders.settling.discrepancy_facts import Found, movements_at
from central.orders.settling.present_reading import present_goods
from central.orders.settling.settlement_moves import steps_anew
from central.orders.settling.settlement_rests import roundings_of
from central.orders.settling.settlement_steps import Step
from central.orders.settling.settlements import Decision
from central.storage import bulk, tables
from central.storage.settlement_tables import discrepancies, settlement_facts

KIND: DiscrepancyKind = "filled_twice"
# Whose settlements fill a balance, or take that back.
KINDS: tuple[DiscrepancyKind, ...] = ("negative_balance", KIND)
Settlement = tuple[str, int]  # A discrepancy, and which of its settlements.


class Filling(NamedTuple):
    """A fact of a settlement that brought goods to the balance.

    stands: it is not taken back, and brought goods from elsewhere or was not counted since.
    dated_ms: when it filled the balance; of what was posted again of one, when that one did.
    taking: the record that took them out of the books as another lot or unit, 0 if none did.
    counted_ms: when the balance was counted last before that, 0 if it was not.
    """

    record_no: int
    fact: FactKey
    settlement: Settlement
    dated_ms: int
    quantity_micro: int
    stands: bool
    taking: int = 0
    counted_ms: int = 0


class _Taken(NamedTuple):
    """What a fact of a settlement took from a balance of the warehouse."""

    record_no: int
    subject: str
    quantity_micro: int


def fillings_of(
    connection: Connection, *, warehouse: str, items: Iterable[str], subjects: Iterable[str]
) -> Mapping[str, Sequence[Filling]]:
    """Return fillings of balances, oldest first, by how discrepancies name those.

    items: of the balances.
    """
    wanted, backs = set(subjects), dict[Settlement, list[FactKey]]()
    taken: dict[Settlement, list[_Taken]] = {}
    found: dict[int, tuple[str, Filling]] = {}
    things: dict[str, Thing] = {}
    about = discrepancies.c
    query = settled_facts(
        about.kind.in_(KINDS), about.warehouse == warehouse, about.item.in_(sorted(set(items)))
    )
    for row in connection.execute(query):
        settlement, fact = (row[0], row[1]), FactKey(*row[2:6])
        if row[7]:
            backs.setdefault(settlement, []).append(FactKey(warehouse, *row[6:9]))
            continue
        line = Line(*row[11:])
        subject = balance_name(line.balance_key)
        if line.quantity_micro < 0 and not is_virtual(line.location):
            gone = _Taken(line.record_no, subject, -line.quantity_micro)
            taken.setdefault(settlement, []).append(gone)
        elif line.quantity_micro > 0 and subject in wanted:
            filling = Filling(
                line.record_no, fact, settlement, row[9], line.quantity_micro, row[10] is None
            )
            found[line.record_no] = subject, filling
            things[subject] = Thing._make(line.balance_key[1:-1])
    dated: dict[FactKey, int] = {}
    fillings: dict[str, list[Filling]] = {}
    for _, (subject, one) in sorted(found.items()):
        before = [dated[back] for back in backs.get(one.settlement, ()) if back in dated]
        dated[one.fact] = min(before, default=one.dated_ms)
        taking = _taking(one, subject, taken.get(one.settlement, ()))
        one = one._replace(dated_ms=dated[one.fact], taking=taking)
        fillings.setdefault(subject, []).append(one)
    gave = {one.record_no for gone in taken.values() for one in gone}
    return _beside_counts(connection, warehouse, fillings, things, gave=gave)


def _beside_counts(
    connection: Connection,
    warehouse: str,
    fillings: Mapping[str, Sequence[Filling]],
    things: Mapping[str, Thing],
    *,
    gave: Set[int],
) -> Mapping[str, Sequence[Filling]]:
    """Return fillings with when they were counted; those do not stand that were counted since.

    Nor do those that a count has taken as corrections of the book when it was posted, or amended.
    What posted counts know only later is told of them. But what a balance of the warehouse `gave`
    (these records) goes back there, whatever was counted where it came.
    """
    counted = counted_at(connection, things.values(), warehouse=warehouse)
    codes = {code for thing in things.values() for _, code in counted.get(thing, ())}
    adjusted = adjusted_last(connection, codes)
    found: dict[str, list[Filling]] = {}
    for subject, of_balance in fillings.items():
        times = [counted_ms for counted_ms, _ in counted.get(things[subject], ())]
        last = adjusted.get(things[subject], 0)
        for one in of_balance:
            before = max((time for time in times if time <= one.dated_ms), default=0)
            goes_back = one.taking or one.record_no in gave
            is_counted = max(times, default=0) > one.dated_ms or one.record_no < last
            stands = one.stands and bool(goes_back or not is_counted)
            found.setdefault(subject, []).append(one._replace(stands=stands, counted_ms=before))
    return found


def settle_counted(
    connection: Connection,
    things: Iterable[Thing],
    *,
    warehouse: str,
    settlement: str,
    now_ms: int,
) -> None:
    """Settle what is open of balances filled twice of which a count has said what is there now.

    settlement: why, for people.
    """
    table = discrepancies.c
    query = select(discrepancies).where(
        table.warehouse == warehouse, table.state == "open", table.kind == KIND
    )
    rows = connection.execute(query).all()
    if not rows:
        return
    counted = {"/".join(thing) for thing in things}
    gone = [
        row.id
        for row in rows
        if row.subject.rpartition("/")[0] in counted or row.subject in counted
        if _left_micro(row, _fillings(connection, row)) <= 0
    ]
    settle_discrepancies(connection, gone, settlement=settlement, now_ms=now_ms)


def _taking(filling: Filling, subject: str, taken: Sequence[_Taken]) -> int:
    """Return which record of the same settlement took what a filling brought, if another did."""
    if any(one.record_no == filling.record_no for one in taken):
        return 0
    fits = (
        one.record_no
        for one in taken
        if one.subject != subject and one.quantity_micro == filling.quantity_micro
    )
    return next(fits, 0)


def settled_facts(*of: ColumnElement[bool]) -> Select[Any]:
    """Return what selects the facts of settlements, with their lines. of: which discrepancies."""
    about, own, facts, lines = discrepancies.c, settlement_facts.c, tables.facts.c, tables.lines
    marks, parts = tables.reversals.c, ("warehouse", "gateway", "epoch", "seq")
    return (
        select(own.discrepancy, own.number, *(own[name] for name in parts))
        .add_columns(own.back_gateway, own.back_epoch, own.back_seq)
        .add_columns(facts.event_time_ms, marks.by_seq, *lines.c)
        .join_from(discrepancies, settlement_facts, own.discrepancy == about.id)
        .join(tables.facts, and_(*(facts[name] == own[name] for name in parts)))
        .join(
            lines,
            and_(lines.c.warehouse == facts.warehouse, lines.c.record_no == facts.record_no),
        )
        .outerjoin(tables.reversals, and_(*(marks[name] == own[name] for name in parts)))
        .where(*of, lines.c.item == about.item)
        .order_by(facts.record_no, lines.c.line_no)
    )


def filled_micro(fillings: Sequence[Filling], *, dated_ms: int | None = None) -> int:
    """Return how much of what filled a balance stands.

    dated_ms: of what was filled after that moment, and not counted in between.
    """
    return sum(
        one.quantity_micro
        for one in fillings
        if one.stands and (dated_ms is None or one.counted_ms <= dated_ms < one.dated_ms)
    )


def case_of_filled(connection: Connection, row: Found) -> Case:
    """Return how much of what filled a balance is there twice, as far as it still stands."""
    left = _left_micro(row, _fillings(connection, row))
    return Case(kind=row.kind, excess_micro=left, gone=left <= 0)


def steps_to_unfill(connection: Connection, row: Found, decision: Decision) -> list[Step]:
    """Return what takes back what filled a balance, the newest first; what stays is posted again.

    Raises Conflict if nothing of it stands, Unusable for more than that.
    """
    fillings = _fillings(connection, row)
    return steps_of(connection, row, decision, fillings, _left_micro(row, fillings))


def steps_of(
    connection: Connection,
    row: Found,
    decision: Decision,
    fillings: Sequence[Filling],
    left: int,
) -> list[Step]:
    """Return what takes so much of fillings back as is decided. left: how much may be, at most.

    Raises Conflict if nothing may be, Unusable for more than that.
    """
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
    return _unfilled(connection, row.warehouse, fillings, quantity)


def steps_to_give_back(
    connection: Connection, *, source: BalanceKey, key: BalanceKey, quantity_micro: int
) -> tuple[list[Step], int]:
    """Return what takes back what filled a balance from another one that lacks it now, how much.

    source: which was filled; nothing of it if it is not known to be filled twice.
    """
    table = discrepancies.c
    query = select(discrepancies).where(
        table.warehouse == source.warehouse,
        table.state == "open",
        table.kind == KIND,
        table.subject == balance_name(source),
    )
    row = connection.execute(query).first()
    if row is None:
        return [], 0
    fillings = _fillings(connection, row)
    gave = _takings(connection, source.warehouse, fillings)
    from_there = [one for one in fillings if gave.get(one.record_no) == balance_name(key)]
    quantity = min(quantity_micro, _left_micro(row, fillings), filled_micro(from_there))
    if quantity <= 0:
        return [], 0
    return _unfilled(connection, row.warehouse, from_there, quantity), quantity


def _takings(connection: Connection, warehouse: str, fillings: Sequence[Filling]) -> dict[int, str]:
    """Return which balance each filling took its goods from, as discrepancies name it."""
    numbers = {one.taking or one.record_no: one.record_no for one in fillings if one.stands}
    keys = [(warehouse, number) for number in sorted(numbers)]
    return {
        numbers[line.record_no]: balance_name(line.balance_key)
        for line in (
            Line(*row)
            for row in bulk.select_by_key(connection, tables.lines, keys, columns_count=2)
        )
        if line.quantity_micro < 0
    }


def _unfilled(
    connection: Connection, warehouse: str, fillings: Sequence[Filling], quantity_micro: int
) -> list[Step]:
    """Return what takes so much of fillings back, the newest first; what stays is posted again.

    Of another lot or unit, so is what took that out of the books.
    """
    numbers, taking, taken_micro, left = list[int](), list[int](), 0, quantity_micro
    for one in sorted(fillings, reverse=True):
        if one.stands and left:
            part = min(left, one.quantity_micro)
            left -= part
            numbers.append(one.record_no)
            if one.taking:
                taking.append(one.taking)
                taken_micro += part
    steps = _taken_back(connection, warehouse, numbers, quantity_micro)
    return steps + _taken_back(connection, warehouse, taking, taken_micro)


def _taken_back(
    connection: Connection, warehouse: str, numbers: Sequence[int], quantity_micro: int
) -> list[Step]:
    if not numbers:
        return []
    facts = movements_at(connection, warehouse=warehouse, numbers=sorted(numbers))
    return steps_anew(
        facts,
        Decision(action="reverse"),
        unit="",
        quantity_micro=min(quantity_micro, sum(fact.quantity_micro for fact in facts)),
        roundings=cache(partial(roundings_of, connection, warehouse)),
        present=present_goods(connection, facts),
    )


def _fillings(connection: Connection, row: Found) -> Sequence[Filling]:
    found = fillings_of(
        connection, warehouse=row.warehouse, items=[row.item], subjects=[row.subject]
    )
    return found.get(row.subject, ())


def _left_micro(row: Found, fillings: Sequence[Filling]) -> int:
    return min(row.actual_micro or 0, filled_micro(fillings))
