"""The facts behind a discrepancy, as far as they are found cheaply. Edge of the database.

The first one is known by its name. The others are looked for among the facts of the same item from
there on, by the index of lines; a place or a weighing has no such index, and there only the first
one is found.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Row, and_, select

from central.contract.errors import ContractError
from central.contract.facts import Fact, Movement, decode_fact
from central.contract.quantities import MICRO_PER_UNIT
from central.ledger.entries import OWN_GATEWAY, FactKey, Line
from central.ledger.goods_rules import SETTLING_FLAG, comes_in, is_told, ships
from central.ledger.locations import is_virtual
from central.ledger.measures import WEIGHED_IN, quantity_in_unit
from central.ledger.pairs import LINES_OF_A_PAIR, is_weighed_there, takes_share
from central.ledger.rests_back import RestBack, rests_written_off
from central.ledger.unit_reading import brings_unit, items_of_unit
from central.orders.settling.arrived_goods import is_moved_so, takes_so
from central.orders.settling.evidence_search import KINDS_BY_ITEM, may_be_behind
from central.orders.settling.settlement_steps import MovedFact, MovedPart, Standing
from central.orders.settling.settlements import KINDS_OF_EXCESS, KINDS_UNASKED
from central.orders.settling.unexpected_evidence import is_of_line, those_unexpected
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
KINDS_NARROWED = frozenset({"expiry_differs", "moved_unavailable", "unexpected"})
# Kinds about an item under a document.
KINDS_OF_LINES = frozenset({"unexpected", "over_received", "over_shipped"})
# Kinds whose facts moved what they are about, so that they can be taken back.
KINDS_OF_FACTS = KINDS_BY_ITEM | {"unknown_document", "serial_twice", "unit_twice"}

# Kinds that stay open with what a settlement leaves of a fact.
KINDS_SETTLED_IN_PART = KINDS_OF_EXCESS | KINDS_UNASKED

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


def _behind(
    connection: Connection,
    row: Found,
    *,
    scanned_max: int,
    is_standing: bool = False,
    anew: frozenset[tuple[str, int]] = frozenset(),
    limit: int | None = None,
) -> tuple[list[int], bool]:
    """Return which are behind it, and whether there may be more. limit: that are asked for.

    is_standing: without those that are taken back. anew: what its settlements posted, by epoch and
    number: the only ones of the ledger's own that may be.
    """
    if not row.record_no or not row.epoch:
        return [], False
    numbers: set[int] = set()
    is_cut = False
    for item in _items(connection, row):
        reach = reach_of(
            connection,
            warehouse=row.warehouse,
            item=item,
            after=row.record_no - 1,
            limit=scanned_max,
            newest_first=False,
        )
        is_cut = is_cut or reach.facts_count >= scanned_max
        through = reach.record_no
        found = _matching(connection, row, item, through, is_standing=is_standing, anew=anew)
        some = list(islice(found, None if row.kind in KINDS_NARROWED else limit))
        is_cut = is_cut or len(some) > FACTS_BEHIND_MAX
        numbers.update(some[:FACTS_BEHIND_MAX])
    if row.kind == "moved_unavailable":
        numbers = _unavailable(connection, row, numbers)
    elif row.kind == "unexpected":
        numbers = those_unexpected(connection, row, numbers)
    elif row.kind == "expiry_differs":
        numbers = _of_other_dates(connection, row, numbers)
    # Of a document that came to be known later the first fact is named, whatever it moved.
    if not numbers or row.kind not in KINDS_OF_LINES or _has_moved(connection, row):
        numbers.add(row.record_no)
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


def serial_of(row: Found) -> str:
    """Return the serial number that a `serial_twice` is about: its subject is item/serial."""
    return str(row.subject.removeprefix(f"{row.item}/"))


def _has_moved(connection: Connection, row: Found) -> bool:
    """Return whether the fact that a discrepancy names moved the item that it is about."""
    moved = _lines(connection, [(row.warehouse, row.record_no)])
    return any(line.item == row.item for lines in moved.values() for line in lines)


def _items(connection: Connection, row: Found) -> set[str]:
    """Return the items of which facts may be behind it; none where only the first is found."""
    if row.kind in KINDS_BY_ITEM or row.kind in {"negative_balance", "serial_twice"}:
        return {row.item}
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
    through: int,
    *,
    is_standing: bool,
    anew: frozenset[tuple[str, int]],
) -> Iterator[int]:
    facts, reversals = tables.facts.c, tables.reversals.c
    scanned = first_lines(
        connection,
        warehouses=[row.warehouse],
        items=[item],
        after=row.record_no - 1,
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
        if SETTLING_FLAG in movement.flags and (found.epoch, found.seq) not in anew:
            continue
        if _is_behind(row, movement, found):
            yield found.record_no


def _is_behind(row: Found, movement: Movement, line: Found) -> bool:
    """Return whether a movement is of what a discrepancy is about. line: its giving side."""
    if movement.warehouse != row.warehouse:
        return False
    ends = (movement.from_location, movement.to_location)
    if row.kind == "negative_balance":
        return (line.location, line.lot) == (row.location, row.lot)
    if row.kind == "serial_twice":  # What brought it to a place since it is at two.
        return movement.serial == serial_of(row) and not is_virtual(movement.to_location)
    if row.kind == "unit_twice":
        return brings_unit(movement, row.subject)
    if row.kind == "unit_differs":  # What had an exact value was posted in the item's own unit.
        return bool(movement.unit == row.unit == line.unit)
    if row.kind == "weight_missing":
        place = row.location
        # A weight in a unit that means nothing there was left out.
        unweighed = takes_share(movement) or (movement.net_weight and not line.weight_micro)
        due = place in ends and is_weighed_there(*ends) and unweighed
        return bool(due and movement.lot == row.lot)
    if row.kind == "piece_parted":
        parted = (quantity_in_unit(movement, line.unit) or line.quantity_micro) % MICRO_PER_UNIT
        return bool(parted and line.gateway != OWN_GATEWAY)
    if row.kind == "moved_unavailable":
        return is_moved_so(row, movement, line)
    if row.kind == "expiry_differs":
        return bool(movement.lot == row.lot and movement.expiry_date)
    if row.kind in {"lot_missing", "serial_missing"}:
        missing = movement.lot if row.kind == "lot_missing" else movement.serial
        return not missing and is_told(*ends)
    if row.kind in {"expiry_missing", "expired_shipped"}:
        is_so = comes_in if row.kind == "expiry_missing" else ships
        return bool(movement.lot == row.lot) and is_so(*ends)
    if row.kind in {"unknown_document", "unexpected"}:
        return bool(movement.document == row.document)
    if row.kind in KINDS_OF_EXCESS or row.kind == "outside_tolerance":
        return is_of_line(row, movement)
    return True


def _unavailable(connection: Connection, row: Found, numbers: set[int]) -> set[int]:
    """Return those that took what the discrepancy is about: goods of its status."""
    keys = [(row.warehouse, number) for number in sorted(numbers)]
    found = _lines(connection, keys)
    return {number for number, lines in found.items() if takes_so(row, lines)}


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
