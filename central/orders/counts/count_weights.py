"""What a count's own adjustments weigh that an amendment takes back. Edge of the database.

count   3 more than the book: adjustment -> BIN-1   3, nobody has weighed them
desk    they weigh 13 kg                            3 of 13 kg stand for them
late    3 of 13 kg came before the count            the count found nothing more
amend   BIN-1 -> adjustment                         3 of 13 kg, not of what lies there on average

The newest go first. What is more than was adjusted weighs what any adjustment does.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, select, update

from central.contract.quantities import canonical_text, from_micro
from central.ledger.discrepancies import settle_discrepancies
from central.ledger.entries import BalanceKey, FactKey, Line, balance_name
from central.ledger.measures import shares
from central.ledger.pairs import FLAG_WEIGHTLESS
from central.ledger.statuses import AVAILABLE
from central.orders.counts.count_judging import Thing
from central.orders.counts.count_moves import own_adjustments
from central.orders.counts.count_results import Variance
from central.orders.settling.discrepancy_facts import standing_behind, weight_units
from central.orders.settling.undone_facts import standing_for
from central.storage import bulk, tables

RECORD_NO = list(tables.facts.columns.keys()).index("record_no")


class Part(NamedTuple):
    """A part of what a line lacks, in millionths. weight_micro: None for what there is of it."""

    quantity_micro: int
    weight_micro: int | None = None
    weight_unit: str = ""

    def fields(self) -> dict[str, object]:
        """Return what a movement says of its weight."""
        if self.weight_micro is None:
            return {}
        if not self.weight_micro:
            return {"flags": (FLAG_WEIGHTLESS,)}
        weight = canonical_text(from_micro(self.weight_micro))
        return {"net_weight": weight, "weight_unit": self.weight_unit}


class Amount(NamedTuple):
    """What a place has by an adjustment, below zero for less; millionths."""

    quantity_micro: int
    weight_micro: int


def parts_of(
    connection: Connection, code: str, due: Iterable[Variance]
) -> list[tuple[Variance, Part]]:
    """Return what each line lacks, apart what its own adjustments moved, with their weight."""
    lacking = list(due)
    back = [one for one in lacking if one.missing_micro * one.adjusted_micro < 0]
    units = weight_units(connection, {one.thing.item for one in back}) if back else {}
    things = {one.thing for one in back if units.get(one.thing.item)}
    adjusted = _adjusted(connection, code, things) if things else {}
    return [
        (one, Part(part.quantity_micro, part.weight_micro, units.get(one.thing.item, "")))
        for one in lacking
        for part in _parted(one.missing_micro, adjusted.get(one.thing, ()))
    ]


def settle_unweighed(
    connection: Connection, code: str, amended: Sequence[Variance], *, settlement: str, now_ms: int
) -> None:
    """Settle that what a count found weighs nothing, where nothing of that is left.

    What is left of it stays open with its quantity. amended: what was posted just now.
    """
    lines = [one for one in amended if one.missing_micro < 0 < one.adjusted_micro]
    units = weight_units(connection, {one.thing.item for one in lines}) if lines else {}
    for one in lines:
        if not units.get(one.thing.item):
            continue
        table, warehouse = tables.discrepancies, one.fact.warehouse
        name = balance_name(BalanceKey(warehouse, *one.thing, AVAILABLE))
        query = select(table).where(
            table.c.warehouse == warehouse,
            table.c.state == "open",
            table.c.kind == "weight_missing",
            table.c.subject == name,
            table.c.detail == "",
        )
        own = own_adjustments(connection, code)
        for row in connection.execute(query).all():
            behind = standing_behind(connection, row)
            unweighed = {fact.key for fact in behind.facts if not fact.weight_micro}
            if behind.is_cut or not unweighed or unweighed - own.keys():
                continue
            left_micro = one.adjusted_micro + one.missing_micro
            if left_micro <= 0:
                settle_discrepancies(connection, [row.id], settlement=settlement, now_ms=now_ms)
                continue
            values = {"actual_micro": left_micro, "version": row.version + 1}
            connection.execute(update(table).where(table.c.id == row.id).values(**values))


def _parted(missing_micro: int, adjusted: Sequence[Amount]) -> list[Amount | Part]:
    """Return what takes adjustments back, the newest first, and what is more than they were."""
    quantity = weight = 0
    for one in reversed(adjusted):
        part = min(abs(missing_micro) - quantity, abs(one.quantity_micro))
        if not part or missing_micro * one.quantity_micro > 0:
            break
        quantity += part
        weight += shares(abs(one.weight_micro), [part, abs(one.quantity_micro) - part])[0]
    sign = 1 if missing_micro > 0 else -1
    rest = Part(missing_micro - sign * quantity)
    if not quantity:
        return [rest]
    back = Amount(sign * quantity, weight)
    return [back, rest] if rest.quantity_micro else [back]


def _adjusted(
    connection: Connection, code: str, things: Collection[Thing]
) -> Mapping[Thing, Sequence[Amount]]:
    """Return what a count's adjustments changed and nothing has taken back, oldest first."""
    own = {
        key: thing
        for key, (thing, _) in own_adjustments(connection, code).items()
        if thing in things
    }
    found: dict[Thing, list[Amount]] = {}
    for key, amount in _amounts(connection, own):
        _add(found.setdefault(own[key], []), amount)
    return found


def _add(stands: list[Amount], one: Amount) -> None:
    """Note one adjustment more: what goes the other way takes back what stands, the newest first.

    With just the weight that it took.
    """
    quantity, weight = one
    while quantity and stands and stands[-1].quantity_micro * quantity < 0:
        last = stands.pop()
        part = min(abs(quantity), abs(last.quantity_micro))
        part = part if quantity > 0 else -part
        share, weight = shares(weight, [part, quantity - part])
        quantity -= part
        if last.quantity_micro + part:
            stands.append(Amount(last.quantity_micro + part, last.weight_micro + share))
    if quantity:
        stands.append(Amount(quantity, weight))


def _amounts(
    connection: Connection, own: Mapping[FactKey, Thing]
) -> Iterable[tuple[FactKey, Amount]]:
    """Yield what adjustments changed as they stand now, by what settlements made of them."""
    stands: dict[FactKey, set[FactKey]] = {key: {key} for key in own}
    for row in bulk.select_by_key(connection, tables.reversals, sorted(own), columns_count=4):
        stands[FactKey(*row[:4])] = standing_for(connection, FactKey(*row[:4]))
    every = sorted(set().union(*stands.values()))
    marked = {
        FactKey(*row[:4])
        for row in bulk.select_by_key(connection, tables.reversals, every, columns_count=4)
    }
    records = {
        FactKey(*row[:4]): row[RECORD_NO]
        for row in bulk.select_by_key(connection, tables.facts, every, columns_count=4)
    }
    changed: dict[tuple[int, Thing], Amount] = {}
    numbers = sorted((key.warehouse, number) for key, number in records.items())
    for row in bulk.select_by_key(connection, tables.lines, numbers, columns_count=2):
        line = Line(*row)
        what = (line.record_no, _thing_of(line))
        quantity, weight = changed.get(what, (0, 0))
        changed[what] = Amount(quantity + line.quantity_micro, weight + line.weight_micro)
    for key, thing in sorted(own.items(), key=lambda one: records[one[0]]):
        left = [
            changed.get((records[one], thing), Amount(0, 0))
            for one in stands[key]
            if one not in marked
        ]
        yield key, Amount(sum(one[0] for one in left), sum(one[1] for one in left))


def _thing_of(line: Line) -> Thing:
    return Thing(line.location, line.item, line.lot, line.serial, line.sscc, line.unit)
