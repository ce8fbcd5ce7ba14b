"""What settlements took back as too much, and what takes that back. Edge of the database.

PO-1 of 10    5 came, 5 were scanned once more by mistake, 5 came
settled       5 are too much: the last 5 are reversed, which had come
undone        the gateway undoes its mistake: 5 have come by the book, and 10 really

So much of the reversing as was undone since is taken back, what came last first; never of a fact
that its gateway undid as well.
"""

from collections.abc import Iterable, Sequence
from functools import cache, partial

from sqlalchemy import Connection, and_, select

from central.contract.facts import Movement, Reversal, decode_fact
from central.errors import Conflict, Unusable
from central.ledger.entries import OWN_GATEWAY, DiscrepancyKind, FactKey, Line
from central.ledger.locations import is_virtual
from central.ledger.reading import read_fact
from central.orders.catalogue.packs import text_of
from central.orders.order_goods import require_whole
from central.orders.settling.cases import Case
from central.orders.settling.discrepancy_facts import Found, fact_at, movements_at
from central.orders.settling.excess_counts import excess_of
from central.orders.settling.present_reading import goods_since
from central.orders.settling.serial_places import KINDS_TWICE, lying_micro
from central.orders.settling.settlement_moves import steps_anew
from central.orders.settling.settlement_rests import roundings_of
from central.orders.settling.settlement_steps import STANDS_FOR, Step, meant_by, name_of
from central.orders.settling.settlements import KINDS_OF_EXCESS, Decision
from central.storage import bulk, tables
from central.storage.settlement_tables import discrepancies, settlement_facts, settlements

KIND: DiscrepancyKind = "reversed_twice"
UNMATCHED: DiscrepancyKind = "reversal_unmatched"  # Of a fact that is taken back already, too.
# What is too much at a line, of a serial number or of a unit: which fact it is, nobody knows.
FOLLOWED: frozenset[DiscrepancyKind] = KINDS_OF_EXCESS | {"serial_twice", "unit_twice"}


class Reversed:
    """What one settlement took back of a fact: `micro` millionths, while they are put together.

    fact: that; None for what was adjusted away. record_no: the last of the settlement. own: what
    took it back, stayed being taken back, and stands; given: what was posted for another line.
    """

    def __init__(self, fact: FactKey | None, record_no: int) -> None:
        self.fact, self.record_no = fact, record_no
        self.own: list[int] = []
        self.given: list[int] = []
        self.micro = 0
        self.movement: Movement | None = None


def rows_of(connection: Connection, row: Found) -> list[Found]:
    """Return what was too much of what a discrepancy is about, the newest first."""
    table = discrepancies.c
    query = select(discrepancies).where(table.kind.in_(FOLLOWED), table.subject == row.subject)
    found = connection.execute(query.order_by(table.opened_ms.desc(), table.id)).all()
    return [one for one in found if one.kind in KINDS_TWICE or one.warehouse == row.warehouse]


def reversed_of(connection: Connection, warehouse: str, subject: str) -> list[Reversed]:
    """Return what stands of what settlements took back in a warehouse, what came last first.

    subject: that had too much.
    """
    about, own, facts = discrepancies.c, settlement_facts.c, tables.facts.c
    name = ("warehouse", "gateway", "epoch", "seq")
    query = (
        select(settlement_facts, facts.record_no, facts.body)
        .join_from(discrepancies, settlement_facts, own.discrepancy == about.id)
        .join(
            settlements,
            and_(
                settlements.c.discrepancy == own.discrepancy,
                settlements.c.number == own.number,
                settlements.c.action != "reopen",
            ),
        )
        .join(tables.facts, and_(*(facts[one] == own[one] for one in name)))
        .where(
            about.kind.in_([*FOLLOWED, KIND]),
            about.subject == subject,
            own.warehouse == warehouse,
        )
        .order_by(facts.record_no)
    )
    posted: dict[tuple[str, int], list[Found]] = {}
    for one in connection.execute(query):
        posted.setdefault((one.discrepancy, one.number), []).append(one)
    reading = _Reading(connection, warehouse, [one for some in posted.values() for one in some])
    for some in sorted(posted.values(), key=lambda them: them[0].record_no):
        reading.take_up(some)
    return reading.standing()


class _Reading:
    """Puts together what settlements posted, one after another."""

    def __init__(self, connection: Connection, warehouse: str, every: Sequence[Found]) -> None:
        self._connection = connection
        keys = [_key(one) for one in every]
        marks = bulk.select_by_key(connection, tables.reversals, sorted(keys), columns_count=4)
        self._marked = {FactKey(*mark[:4]) for mark in marks}
        self._micro: dict[int, int] = {}
        numbers = sorted((warehouse, one.record_no) for one in every)
        for read in bulk.select_by_key(connection, tables.lines, numbers, columns_count=2):
            line = Line(*read)
            more = max(0, line.quantity_micro)
            self._micro[line.record_no] = self._micro.get(line.record_no, 0) + more
        self._found: list[Reversed] = []
        self._of: dict[FactKey, tuple[Reversed, bool]] = {}  # And whether for another line.

    def take_up(self, posted: Sequence[Found]) -> None:
        """Take up one settlement. posted: its facts, oldest first."""
        last = posted[-1].record_no
        here: dict[FactKey, Reversed] = {}
        for one in posted:
            back = FactKey(one.warehouse, one.back_gateway, one.back_epoch, one.back_seq)
            if one.back_epoch and back not in self._of:
                group = here.setdefault(back, Reversed(back, last))
                self._note(group, one, is_given=False)
        self._found += here.values()
        names = {name_of(key): group for key, group in here.items()}
        for one in posted:
            if not one.back_epoch:
                self._take_anew(one, names, is_adjusted=not any(row.back_epoch for row in posted))

    def standing(self) -> list[Reversed]:
        """Return what stands of it, what came last first."""
        left = [one for one in self._found if one.micro > 0 and one.own]
        first = {one.fact: self._first(one.fact) for one in left if one.fact is not None}
        undone = _undone(self._connection, list(first.values()))
        left = [one for one in left if one.fact is None or first[one.fact] not in undone]
        keys = sorted({one.fact for one in left if one.fact is not None})
        at = list(tables.facts.columns.keys()).index("record_no")
        stored = bulk.select_by_key(self._connection, tables.facts, keys, columns_count=4)
        came = {FactKey(*one[:4]): one[at] for one in stored}
        return sorted(left, key=lambda one: -came.get(one.fact, one.record_no) if one.fact else 0)

    def _first(self, fact: FactKey) -> FactKey:
        """Return the fact for which one was posted, by one settlement after another, or itself."""
        movement = fact_at(self._connection, fact) if fact.gateway == OWN_GATEWAY else None
        meant = meant_by(movement) if isinstance(movement, Movement) else None
        return fact if meant is None else self._first(meant)

    def _take_anew(self, one: Found, names: dict[str, Reversed], *, is_adjusted: bool) -> None:
        """Take up what takes nothing back: a rest that stays, or what was meant otherwise."""
        said = [text.raw.decode() for text in decode_fact(bytes(one.body)).evidence]
        meant = next((text for text in said if text.startswith(STANDS_FOR)), "")
        meant = meant.removeprefix(STANDS_FOR)
        earlier = next((own for own in self._of if name_of(own) == meant), None)
        if earlier is not None:
            self._note(self._of[earlier][0], one, is_given=self._of[earlier][1])
        elif meant in names:
            group, movement = names[meant], _movement(one)
            assert group.movement is not None
            line = (movement.document, movement.document_line)
            if line == (group.movement.document, group.movement.document_line):
                group.micro -= self._micro.get(one.record_no, 0)
            else:
                self._note(group, one, is_given=True)
        elif is_adjusted:
            group = Reversed(None, one.record_no)
            self._found.append(group)
            self._note(group, one, is_given=False)

    def _note(self, group: Reversed, one: Found, *, is_given: bool) -> None:
        key = _key(one)
        self._of[key] = (group, is_given)
        group.movement = group.movement or _movement(one)
        if key not in self._marked:
            (group.given if is_given else group.own).append(one.record_no)
            group.micro += 0 if is_given else self._micro.get(one.record_no, 0)


def _undone(connection: Connection, facts: Sequence[FactKey]) -> set[FactKey]:
    """Return the facts that these gateways undid after somebody else had taken them back."""
    table = discrepancies.c
    query = select(table.warehouse, table.gateway, table.epoch, table.seq).where(
        table.kind == UNMATCHED,
        table.state.in_(("open", "settled")),
        table.warehouse.in_({fact.warehouse for fact in facts}),
        table.gateway.in_({fact.gateway for fact in facts}),
    )
    keys = sorted(FactKey(*row) for row in connection.execute(query)) if facts else []
    found: set[FactKey] = set()
    for row in bulk.select_by_key(connection, tables.facts, keys, columns_count=4):
        fact = read_fact(bytes(row[5]), seq=row[3])
        if isinstance(fact, Reversal):
            found.add(FactKey(row[0], row[1], fact.reverses_epoch, fact.reverses_seq))
    return found


def case_of_reversed(connection: Connection, row: Found) -> Case:
    """Return how much of what was taken back as too much was not, as far as it still stands."""
    left = _left_micro(connection, row, _reversed(connection, row))
    enough = False
    if row.document and left > 0:
        excess = excess_of(connection, row)
        enough = excess.micro + left > excess.tolerated_micro
    return Case(kind=row.kind, excess_micro=left, gone=left <= 0, is_enough=enough)


def steps_to_give_back(connection: Connection, row: Found, decision: Decision) -> list[Step]:
    """Return what takes the reversing back, of what came last first.

    Raises Conflict if nothing of it stands, Unusable for more than was undone since.
    """
    found = _reversed(connection, row)
    left = _left_micro(connection, row, found)
    if left <= 0:
        raise Conflict(
            "what is behind it is taken back already, or moved nothing",
            hint="Accept it; nothing is left to move.",
        )
    quantity = left if decision.quantity_micro is None else decision.quantity_micro
    if quantity > left:
        there, asked = text_of(left), text_of(quantity)
        raise Unusable(
            f"{there} {row.unit} of {row.item} were undone besides, not {asked}",
            hint="Take back no more than that, or leave the quantity out for all of it.",
            fields={"there": there, "asked": asked},
        )
    require_whole(connection, row.item, quantity, unit=row.unit, of=[left])
    steps: list[Step] = []
    for one in found:
        part = min(quantity, one.micro)
        quantity -= part
        for numbers in (one.own, one.given):
            steps += _steps(connection, row.warehouse, numbers, part) if part and numbers else ()
    # What comes before what goes: no place falls below zero on the way.
    return sorted(steps, key=lambda step: not is_virtual(step.from_location))


def _steps(
    connection: Connection, warehouse: str, numbers: Sequence[int], part_micro: int
) -> list[Step]:
    facts = movements_at(connection, warehouse=warehouse, numbers=sorted(numbers))
    return steps_anew(
        facts,
        Decision(action="reverse"),
        unit="",
        quantity_micro=min(part_micro, sum(fact.quantity_micro for fact in facts)),
        roundings=cache(partial(roundings_of, connection, warehouse)),
        present=goods_since(connection, facts, since=max(numbers)),
    )


def standing_micro(found: Iterable[Reversed]) -> int:
    """Return how much of what was taken back stands, in millionths."""
    return sum(one.micro for one in found)


def given_by(connection: Connection, row: Found) -> str:
    """Return the open discrepancy by which goods may go back to another order, "" for none.

    row: that its document has too much. What was given to it may be all that is too much.
    """
    table = discrepancies.c
    query = select(discrepancies).where(
        table.warehouse == row.warehouse,
        table.state == "open",
        table.kind == KIND,
        table.item == row.item,
        table.document != row.document,
    )
    for one in connection.execute(query.order_by(table.id)).all():
        found = _reversed(connection, one)
        if _left_micro(connection, one, found) <= 0:
            continue
        numbers = sorted(number for group in found for number in group.given)
        given = movements_at(connection, warehouse=row.warehouse, numbers=numbers)
        if any(fact.movement.document == row.document for fact in given):
            return str(one.id)
    return ""


def is_nowhere(connection: Connection, row: Found) -> bool:
    """Return whether no book has a serial number or a unit any more. row: that it was twice."""
    return lying_micro(connection, row) <= 0


def _reversed(connection: Connection, row: Found) -> list[Reversed]:
    return reversed_of(connection, row.warehouse, row.subject)


def _left_micro(connection: Connection, row: Found, found: Sequence[Reversed]) -> int:
    if not row.document:
        first = next(iter(rows_of(connection, row)), None)
        if first is None or not is_nowhere(connection, first):
            return 0
    return min(row.actual_micro or 0, standing_micro(found))


def _key(one: Found) -> FactKey:
    return FactKey(one.warehouse, one.gateway, one.epoch, one.seq)


def _movement(one: Found) -> Movement:
    movement = decode_fact(bytes(one.body))
    assert isinstance(movement, Movement)
    return movement
