"""Which lots became which where somebody settled what was read wrongly. Edge of the database.

Who settles that goods of lot L0 were of lot LI posts two facts of the ledger's own, one after the
other; both name the discrepancy:

    LI  BIN-2 -> adjustment  2          LI came from supplier ... and went, as L0, to a customer
    L0  adjustment -> BIN-2  2
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Connection

from central.contract.errors import ContractError
from central.contract.facts import Movement, decode_fact
from central.storage import bulk, tables

ADJUSTMENT = "adjustment"
# What the ledger's own facts say of themselves; orders/settling writes it.
_FLAG = "settlement"
_SETTLES, _TAKES_BACK = b"settles ", b"takes back "
_COLUMNS = [column.name for column in tables.facts.columns]
_RECORD_NO, _BODY = _COLUMNS.index("record_no"), _COLUMNS.index("body")

FactName = tuple[str, str, str, int]  # Warehouse, gateway, epoch, sequence number.


@dataclass(frozen=True, slots=True)
class Became:
    """How much of one lot was settled to be of another one. record_nos: of both facts."""

    record_nos: tuple[int, int]
    discrepancy: str
    from_lot: str
    to_lot: str
    quantity: Decimal
    unit: str


def settles(movement: Movement) -> str:
    """Return which discrepancy a movement settles by `adjustment`, "" if it does not.

    Nor does what takes back a settlement.
    """
    if _FLAG not in movement.flags or ADJUSTMENT not in _ends(movement):
        return ""
    said = [one.raw for one in movement.evidence]
    if any(raw.startswith(_TAKES_BACK) for raw in said):
        return ""
    found = (raw for raw in said if raw.startswith(_SETTLES))
    return next(found, b"").removeprefix(_SETTLES).decode("ascii", "replace")


def lots_that_became(
    connection: Connection, facts: Iterable[tuple[FactName, int, Movement]]
) -> Iterator[Became]:
    """Yield what became of a lot, and what became that lot, as far as it still holds.

    facts: those of the lot that settle something, with their record numbers.
    """
    ours = {name: (record_no, movement) for name, record_no, movement in facts}
    pairs = {name: _other_of_pair(name, movement) for name, (_, movement) in ours.items()}
    named = [*pairs, *pairs.values()]
    undone = {
        _name(row)
        for row in bulk.select_by_key(connection, tables.reversals, named, columns_count=4)
    }
    wanted = sorted(set(pairs.values()) - undone)
    found = {
        _name(row): (int(row[_RECORD_NO]), _movement(bytes(row[_BODY])))
        for row in bulk.select_by_key(connection, tables.facts, wanted, columns_count=4)
    }
    for name, (record_no, movement) in ours.items():
        other_no, other = found.get(pairs[name], (0, None))
        if name in undone or other is None or not _are_a_pair(movement, other):
            continue
        numbers, (gone, came) = (record_no, other_no), (movement, other)
        if movement.from_location == ADJUSTMENT:
            numbers, (gone, came) = (other_no, record_no), (other, movement)
        quantity = Decimal(gone.quantity)
        yield Became(numbers, settles(gone), gone.lot, came.lot, quantity, gone.unit)


def _other_of_pair(name: FactName, movement: Movement) -> FactName:
    """Return the name of the fact before or after one: what goes is posted first."""
    step = 1 if movement.to_location == ADJUSTMENT else -1
    return (*name[:3], name[3] + step)


def _are_a_pair(movement: Movement, other: Movement) -> bool:
    same = (movement.item, movement.quantity, movement.unit, settles(movement))
    lots = movement.lot and other.lot and movement.lot != other.lot
    return bool(
        settles(other)
        and same == (other.item, other.quantity, other.unit, settles(other))
        and lots
        and _ends(movement).index(ADJUSTMENT) != _ends(other).index(ADJUSTMENT)
    )


def _ends(movement: Movement) -> tuple[str, str]:
    return (movement.from_location, movement.to_location)


def _name(row: bulk.Row) -> FactName:
    warehouse, gateway, epoch, seq = row[:4]
    return (str(warehouse), str(gateway), str(epoch), int(seq))


def _movement(body: bytes) -> Movement | None:
    try:
        fact = decode_fact(body)
    except ContractError:  # Posted by a newer program.
        return None
    return fact if isinstance(fact, Movement) else None
