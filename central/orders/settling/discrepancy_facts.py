"""The facts behind a discrepancy, as far as they are found cheaply. Edge of the database.

The first one is known by its name. The others are looked for among the facts of the same item from
there on, by the index of lines; what no item leads to has the first one alone.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Row, and_, select

from central.contract.errors import ContractError
from central.contract.facts import Fact, Movement, decode_fact
from central.ledger.entries import FactKey, Line
from central.ledger.goods_rules import NAMED_FLAG, SETTLING_FLAG, taken_back_by
from central.ledger.measures import WEIGHED_IN
from central.ledger.pairs import LINES_OF_A_PAIR
from central.ledger.restored_facts import restored_by
from central.ledger.rests_back import RestBack, rests_written_off
from central.ledger.unit_reading import items_of_unit
from central.orders.settling.arrived_goods import takes_so
from central.orders.settling.behind_rules import is_behind, writes_off, writes_off_more
from central.orders.settling.evidence_search import KINDS_BY_ITEM, may_be_behind
from central.orders.settling.excess_facts import KINDS_OF_LINE_EXCESS, ExcessFacts, excess_facts
from central.orders.settling.settlement_steps import MovedFact, MovedPart, Standing
from central.orders.settling.settlements import KINDS_SETTLED_IN_PART
from central.orders.settling.unexpected_evidence import those_unexpected
from central.storage import bulk, tables
from central.storage.catalogue_tables import item_policies
from central.storage.line_blocks import first_lines, reach_of
from central.storage.settlement_tables import settlement_facts

NUMBERS_AT_ONCE_MAX = 5000  # In one statement.
ITEMS_MAX = 500  # Under one document.
LINES_SCANNED_MAX = 50_000  # Of the item, from the first fact on.
FACTS_BEHIND_MAX = 5000  # Of an item, that are found in them.
MICROS = ("quantity_micro", "weight_micro")
# Kinds whose facts are told apart by lines or lots, after their movements.
KINDS_NARROWED = frozenset({"expiry_differs", "moved_unavailable", "unexpected", "weight_differs"})
# Kinds whose facts are found by their item, too, but are not what is taken back for them.
KINDS_BY_ITEM_TOO = frozenset({"negative_balance", "serial_twice", "weight_differs"})
# Kinds of which what takes another fact back may itself be the matter: it moved goods, too.
KINDS_OF_ANY_WAY = frozenset({"moved_unavailable", "weight_differs", "weight_missing"})
# Kinds whose facts moved what they are about, so that they can be taken back.
KINDS_OF_FACTS = KINDS_BY_ITEM | {"unknown_document", "serial_twice", "unit_twice"}

Found = Row[Any]


def numbers_behind(connection: Connection, row: Found, *, limit: int | None = None) -> list[int]:
    """Return record numbers of facts behind a discrepancy, oldest first, at least of its first.

    Empty if no fact is behind it. row: of `discrepancies`. limit: None for all that are looked at.
    """
    return _behind(connection, row, scanned_max=LINES_SCANNED_MAX, limit=limit)[0][:limit]


def standing_behind(connection: Connection, row: Found) -> Standing:
    """Return the movements behind a discrepancy that stand. row: of `discrepancies`.

    What its settlements took back and posted hides nothing that came later: so many lines more are
    looked at. What they posted anew as it was, as a part of a fact was meant otherwise, is behind
    it, too.
    """
    own = settlement_facts.c
    query = select(own.epoch, own.seq, own.back_epoch).where(own.discrepancy == row.id)
    settled = connection.execute(query).all()
    anew = frozenset((one.epoch, one.seq) for one in settled if not one.back_epoch)
    scanned_max = LINES_SCANNED_MAX + 2 * len(settled)
    numbers, is_cut = _behind(
        connection,
        row,
        scanned_max=scanned_max,
        is_standing=True,
        anew=anew if row.kind in KINDS_SETTLED_IN_PART else frozenset(),
    )
    return Standing(movements_at(connection, warehouse=row.warehouse, numbers=numbers), is_cut)


def left_behind(connection: Connection, row: Found) -> Standing:
    """Return what `standing_behind` does, and what settlements have posted of the same.

    So it is empty only if nothing is left of what a discrepancy is about. One that a reopening
    opened is about the fact that stands again since. row: of `discrepancies`.
    """
    opened_by = FactKey(row.warehouse, row.gateway, row.epoch, row.seq)
    with_backs = row.kind in KINDS_OF_ANY_WAY
    first = None if with_backs else restored_by(connection, opened_by)
    numbers, is_cut = _behind(
        connection, row, scanned_max=FACTS_BEHIND_MAX, is_standing=True, since=first, own=True
    )
    if row.kind == "expiry_differs":  # The first may state what the lot has by now.
        numbers = sorted(_of_other_dates(connection, row, set(numbers)))
    facts = movements_at(connection, warehouse=row.warehouse, numbers=numbers)
    if row.kind == "weight_differs":
        left = [one for one in facts if writes_off_more(one)]
    else:
        left = [one for one in facts if with_backs or taken_back_by(one.movement) is None]
    return Standing(left, is_cut)


def _behind(
    connection: Connection,
    row: Found,
    *,
    scanned_max: int,
    is_standing: bool = False,
    anew: frozenset[tuple[str, int]] = frozenset(),
    limit: int | None = None,
    since: int | None = None,
    own: bool = False,
) -> tuple[list[int], bool]:
    """Return which are behind it, and whether there may be more. limit: that are asked for.

    is_standing: without those that are taken back. since: the first of them, if not the one that
    opened it. anew: what its settlements posted, by epoch and number: the only ones of the ledger's
    own that may be, unless `own`, or what counts for a line is asked for and stands.
    """
    if not row.record_no or not row.epoch:
        return [], False
    first = row.record_no if since is None else since
    numbers: set[int] = set()
    items = _items(connection, row)
    is_cut = len(items) >= ITEMS_MAX
    excess = excess_facts(connection, row) if row.kind in KINDS_OF_LINE_EXCESS else None
    for item in items:
        reach = reach_of(
            connection,
            warehouse=row.warehouse,
            item=item,
            after=first - 1,
            limit=scanned_max,
            newest_first=False,
        )
        is_cut = is_cut or reach.facts_count >= scanned_max
        reached = first, reach.record_no
        # What settlements of others gave a line counts for it, and can be taken back as well.
        those = None if own or (excess is not None and is_standing) else anew
        found = _matching(
            connection, row, item, reached, is_standing=is_standing, anew=those, excess=excess
        )
        some = list(islice(found, None if row.kind in KINDS_NARROWED else limit))
        is_cut = is_cut or len(some) > FACTS_BEHIND_MAX
        numbers.update(some[:FACTS_BEHIND_MAX])
    if row.kind == "moved_unavailable":
        numbers = _by_lines(connection, row, numbers, takes_so)
    elif row.kind == "unexpected":
        numbers = those_unexpected(connection, row, numbers)
    elif row.kind == "expiry_differs":
        numbers = _of_other_dates(connection, row, numbers)
    elif row.kind == "weight_differs":
        numbers = _by_lines(connection, row, numbers, writes_off)
    # Of a document that came to be known later the first fact is named, whatever it moved.
    if excess is not None:
        is_first = not numbers and not is_standing
    else:
        is_first = not numbers or row.kind != "unexpected" or _has_moved(connection, row)
    if is_first:
        numbers.add(first)
    return sorted(numbers), is_cut


def movements_at(
    connection: Connection, *, warehouse: str, numbers: Sequence[int]
) -> list[MovedFact]:
    """Return those of these facts that moved stock and are not taken back, oldest first.

    numbers: oldest first.
    """
    facts, reversals = tables.facts, tables.reversals
    rows = [
        row
        for begin in range(0, len(numbers), NUMBERS_AT_ONCE_MAX)
        for row in connection.execute(
            select(facts)
            .where(
                facts.c.record_no.in_(numbers[begin : begin + NUMBERS_AT_ONCE_MAX]),
                facts.c.kind == "movement",
            )
            .order_by(facts.c.record_no)
        )
    ]
    keys = [FactKey(row.warehouse, row.gateway, row.epoch, row.seq) for row in rows]
    named = {
        FactKey(*one[:4])
        for one in bulk.select_by_key(connection, reversals, keys, columns_count=4)
    }
    lines = _lines(connection, [(warehouse, row.record_no) for row in rows])
    units = weight_units(connection, {line.item for some in lines.values() for line in some})
    found = []
    for key, row in zip(keys, rows, strict=True):
        movement = _readable(row.body)
        taking = [line for line in lines.get(row.record_no, ()) if line.quantity_micro > 0]
        if key not in named and taking and isinstance(movement, Movement):
            total = sum(line.quantity_micro for line in taking)
            weight = sum(line.weight_micro for line in taking)
            weighed_in = units.get(taking[0].item) or WEIGHED_IN
            moved = _moved(lines[row.record_no])
            found.append(
                MovedFact(key, movement, taking[0].unit, total, weight, weighed_in, *moved)
            )
    return found


def fact_at(connection: Connection, key: FactKey) -> Fact | None:
    """Return a fact by its identity, None if it is not here or cannot be read."""
    for row in bulk.select_by_key(connection, tables.facts, [key], columns_count=4):
        return _readable(bytes(row[5]))
    return None


def _has_moved(connection: Connection, row: Found) -> bool:
    """Return whether the fact that a discrepancy names moved the item that it is about."""
    moved = _lines(connection, [(row.warehouse, row.record_no)])
    return any(line.item == row.item for lines in moved.values() for line in lines)


def _items(connection: Connection, row: Found) -> set[str]:
    """Return the items of which facts may be behind it; none where only the first is found."""
    if row.kind in KINDS_BY_ITEM or row.kind in KINDS_BY_ITEM_TOO:
        return {row.item}
    if row.kind == "unknown_location":
        held = tables.balances.c
        there = (held.warehouse == row.warehouse, held.location == row.subject)
        query = select(held.item).where(*there).distinct().limit(ITEMS_MAX)
        return set(connection.execute(query).scalars())
    if row.kind == "unknown_document":
        table = tables.document_progress.c
        query = (
            select(table.item)
            .where(table.warehouse == row.warehouse, table.document == row.subject)
            .distinct()
            .limit(ITEMS_MAX)
        )
        return {row.item, *connection.execute(query).scalars()}
    if row.kind == "unit_twice":
        return items_of_unit(connection, row.warehouse, row.subject) | {row.item}
    return set()


def _matching(
    connection: Connection,
    row: Found,
    item: str,
    reached: tuple[int, int],
    *,
    is_standing: bool,
    anew: frozenset[tuple[str, int]] | None,
    excess: ExcessFacts | None,
) -> Iterator[int]:
    """Yield those of an item's facts, from the first of `reached` through the other."""
    facts, reversals = tables.facts.c, tables.reversals.c
    first, through = reached
    scanned = first_lines(
        connection,
        warehouses=[row.warehouse],
        items=[item],
        after=first - 1,
        through=through,
        columns=("record_no", "location", "lot", "serial", "sscc", "unit", *MICROS),
    )
    query = (
        select(scanned, facts.gateway, facts.epoch, facts.seq, facts.body)
        .join_from(scanned, tables.facts, facts.record_no == scanned.c.record_no)
        .where(facts.kind == "movement", *may_be_behind(connection, row, scanned))
        .order_by(scanned.c.record_no)
    )
    if is_standing:
        key = (facts.warehouse, facts.gateway, facts.epoch, facts.seq)
        marks = (reversals.warehouse, reversals.gateway, reversals.epoch, reversals.seq)
        named = and_(*(mark == part for mark, part in zip(marks, key, strict=True)))
        query = query.where(~select(reversals.seq).where(named).exists())
    for found in connection.execute(query):
        movement = _readable(found.body)
        if not isinstance(movement, Movement):
            continue
        # Of an unknown code what somebody has named since is as it was meant.
        is_meant = row.kind == "unknown_item" and NAMED_FLAG in movement.flags
        others = anew is not None and (is_meant or (found.epoch, found.seq) not in anew)
        if SETTLING_FLAG in movement.flags and others:
            continue
        made = excess is None or excess.made_it(movement, unit=found.unit)
        if made and is_behind(row, movement, found):
            yield found.record_no


def _by_lines(
    connection: Connection,
    row: Found,
    numbers: set[int],
    is_so: Callable[[Found, Sequence[Line]], bool],
) -> set[int]:
    """Return those whose lines are of what the discrepancy is about."""
    found = _lines(connection, [(row.warehouse, number) for number in sorted(numbers)])
    return {number for number, lines in found.items() if is_so(row, lines)}


def _of_other_dates(connection: Connection, row: Found, numbers: set[int]) -> set[int]:
    """Return those that state another date than the lot has."""
    key = (row.warehouse, row.item, row.lot)
    dates = {lot[3] for lot in bulk.select_by_key(connection, tables.lots, [key], columns_count=3)}
    facts = tables.facts.c
    query = select(facts.record_no, facts.body).where(
        facts.warehouse == row.warehouse, facts.record_no.in_(sorted(numbers))
    )
    found = ((number, _readable(body)) for number, body in connection.execute(query))
    return {
        number
        for number, fact in found
        if isinstance(fact, Movement) and fact.expiry_date not in dates
    }


def _lines(connection: Connection, keys: list[tuple[str, int]]) -> dict[int, list[Line]]:
    lines: dict[int, list[Line]] = {}
    for found in bulk.select_by_key(connection, tables.lines, keys, columns_count=2):
        lines.setdefault(found[1], []).append(Line(*found))
    return lines


def _moved(lines: Sequence[Line]) -> tuple[tuple[MovedPart, ...], tuple[RestBack, ...]]:
    """Return the parts of a movement, and what gives back the weights that it wrote off."""
    own = sorted(lines)
    parts = tuple(
        MovedPart(given.status, taken.status, taken.quantity_micro, taken.weight_micro)
        for given, taken in zip(own[::LINES_OF_A_PAIR], own[1::LINES_OF_A_PAIR], strict=True)
        if taken.quantity_micro
    )
    return parts, rests_written_off(own)


def weight_units(connection: Connection, items: set[str]) -> dict[str, str]:
    keys = [(item,) for item in sorted(items)]
    found = bulk.select_by_key(connection, item_policies, keys, columns_count=1)
    return {row[0]: row[3] for row in found}


def _readable(body: bytes) -> Fact | None:
    try:
        return decode_fact(bytes(body))
    except ContractError:
        return None
