"""Which items move most: the ABC analysis by movements and by quantity. Edge of the database."""

from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Connection, Text, bindparam, text

from central.contract.quantities import from_micro
from central.stock.feed import last_record_no
from central.stock.moments import record_no_at
from central.stock.views import list_warehouses

MOVEMENTS_READ_MAX = 200_000  # The newest ones; that many take 0.4 s.
ITEMS_MAX = 50_000
SHARE_OF_A, SHARE_OF_B = Decimal("0.8"), Decimal("0.95")

# Each second line of a pair takes: one line for each movement of goods.
_MOVED = text("""
SELECT item, unit, COUNT(*) AS movements, SUM(ABS(quantity_micro)) AS micro
FROM lines WHERE warehouse IN :codes AND record_no > :first AND line_no % 2 = 0
GROUP BY item, unit ORDER BY movements DESC, item, unit LIMIT :limit
""").bindparams(bindparam("codes", expanding=True, type_=Text))


@dataclass(frozen=True, slots=True)
class MovedItem:
    """One item in one unit. share: of all that is compared, up to and with this one.

    abc: "A" up to 80 %, "B" up to 95 %, "C" beyond; the one that reaches over an edge is before it.
    """

    item: str
    unit: str
    movements: int
    quantity: Decimal
    share: Decimal
    abc: str


@dataclass(frozen=True, slots=True)
class Pareto:
    """Items from the most moved on. total: of what is compared. since_no: counted after this."""

    rows: tuple[MovedItem, ...]
    total: Decimal
    complete: bool


def moved_items(
    connection: Connection,
    *,
    since_ms: int,
    warehouse: str = "",
    unit: str = "",
    read_max: int = MOVEMENTS_READ_MAX,
) -> Pareto:
    """Return what moved since a time, by number of movements, or by quantity in one unit.

    unit: "" compares numbers of movements; quantities of different units are never compared. Cost:
    lines since then, of at most `read_max` facts, by their key.
    """
    oldest = last_record_no(connection) - read_max
    first = record_no_at(connection, since_ms)
    codes = [warehouse] if warehouse else [one.code for one in list_warehouses(connection)]
    bounds = {"codes": codes, "first": max(first, oldest), "limit": ITEMS_MAX}
    found = [
        (row.item, row.unit, int(row.movements), from_micro(int(row.micro)))
        for row in connection.execute(_MOVED, bounds)
        if unit in {"", row.unit}
    ]
    values = {(item, of): Decimal(count) for item, of, count, _ in found}
    if unit:
        values = {(item, of): quantity for item, of, _, quantity in found}
    total = sum(values.values(), Decimal(0))
    rows, before = [], Decimal(0)
    for item, of, count, quantity in sorted(found, key=lambda one: (-values[one[:2]], one[:2])):
        reached = before + values[item, of]
        share_before = before / total if total else Decimal(0)
        abc = "A" if share_before < SHARE_OF_A else "B" if share_before < SHARE_OF_B else "C"
        share = reached / total if total else Decimal(0)
        rows.append(MovedItem(item, of, count, quantity, share, abc))
        before = reached
    return Pareto(tuple(rows), total, complete=first >= oldest)
