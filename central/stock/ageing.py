"""How near to expiry lots are, and how long goods have stood untouched. Edge of the database."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, Text, bindparam, text

from central.contract.quantities import from_micro
from central.stock.moments import record_no_at
from central.stock.views import list_warehouses
from central.storage.places import PHYSICAL_LINE

DAY_MS = 86_400_000
# Days to expiry at which a class begins; before the first one a lot has expired.
EXPIRY_EDGES = (0, 8, 31, 91, 181)
EXPIRY_CLASSES = ("expired", "0-7", "8-30", "31-90", "91-180", "181+", "none")
# Days since the last movement at which a class begins.
REST_EDGES = (8, 31, 91, 181)
REST_CLASSES = ("0-7", "8-30", "31-90", "91-180", "181+")

_STANDS = f"l.warehouse IN :codes AND l.on_hand_micro > 0 AND {PHYSICAL_LINE}"
_EXPIRY = text(f"""
SELECT warehouse, class, COUNT(*) AS lots FROM (
  SELECT stands.warehouse, CASE WHEN k.expiry_date IS NULL THEN 6
    WHEN k.expiry_date < :edge0 THEN 0 WHEN k.expiry_date < :edge1 THEN 1
    WHEN k.expiry_date < :edge2 THEN 2 WHEN k.expiry_date < :edge3 THEN 3
    WHEN k.expiry_date < :edge4 THEN 4 ELSE 5 END AS class
  FROM (SELECT DISTINCT l.warehouse, l.item, l.lot FROM balances AS l
        WHERE {_STANDS} AND l.lot <> '') AS stands
  LEFT JOIN lots AS k ON k.warehouse = stands.warehouse AND k.item = stands.item
    AND k.lot = stands.lot) AS classed
GROUP BY warehouse, class
""").bindparams(bindparam("codes", expanding=True, type_=Text))  # noqa: S608 - ours
_REST = text(f"""
SELECT l.warehouse, CASE WHEN l.record_no > :edge0 THEN 0 WHEN l.record_no > :edge1 THEN 1
  WHEN l.record_no > :edge2 THEN 2 WHEN l.record_no > :edge3 THEN 3 ELSE 4 END AS class,
  COUNT(*) AS stocks
FROM balances AS l WHERE {_STANDS} GROUP BY l.warehouse, class
""").bindparams(bindparam("codes", expanding=True, type_=Text))  # noqa: S608 - ours
# SQLite without statistics would read all of the warehouse for each lot.
_INDEXED = {"sqlite": "INDEXED BY balances_item", "postgresql": ""}
# Of one warehouse, from its index of expiry dates: the first ones come without reading the others.
_LOTS = """
SELECT k.warehouse, k.item, k.lot, k.expiry_date FROM lots AS k
WHERE k.warehouse = :warehouse AND k.expiry_date >= :first AND k.expiry_date < :beyond {item}
  AND EXISTS (SELECT 1 FROM balances AS l {indexed} WHERE l.warehouse = k.warehouse
    AND l.item = k.item AND l.lot = k.lot AND l.on_hand_micro > 0 AND {physical})
ORDER BY k.expiry_date, k.item, k.lot LIMIT :limit
"""
_STOCK_OF_LOTS = text(f"""
SELECT l.warehouse, l.item, l.lot, l.unit, SUM(l.on_hand_micro) AS micro FROM balances AS l
WHERE l.warehouse IN :codes AND l.item IN :items AND l.lot IN :lots AND l.on_hand_micro > 0
  AND {PHYSICAL_LINE}
GROUP BY l.warehouse, l.item, l.lot, l.unit ORDER BY l.unit
""").bindparams(  # noqa: S608 - ours
    *(bindparam(name, expanding=True, type_=Text) for name in ("codes", "items", "lots"))
)


@dataclass(frozen=True, slots=True)
class ClassCounts:
    """One warehouse. counts: one for each class, in their order."""

    warehouse: str
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LotStock:
    """What stands of one lot in a warehouse, in one unit."""

    warehouse: str
    item: str
    lot: str
    expiry_date: str
    unit: str
    on_hand: Decimal


def expiry_counts(connection: Connection, *, now_ms: int) -> list[ClassCounts]:
    """Return how many lots in stock are how near to expiry, of each warehouse, by EXPIRY_CLASSES.

    A lot of which no movement stated a date is in the last class. Cost: all balances once and a
    look-up for each lot in stock.
    """
    edges = {f"edge{at}": _date(now_ms, days) for at, days in enumerate(EXPIRY_EDGES)}
    codes = _codes(connection)
    found = connection.execute(_EXPIRY, {"codes": codes, **edges}).all()
    return _counted(codes, found, "lots", len(EXPIRY_CLASSES))


def rest_counts(connection: Connection, *, now_ms: int) -> list[ClassCounts]:
    """Return how many stocks have not moved for how long, of each warehouse, by REST_CLASSES.

    A stock is what the ledger keeps one balance of. Cost: all balances once.
    """
    edges = {
        f"edge{at}": record_no_at(connection, now_ms - days * DAY_MS)
        for at, days in enumerate(REST_EDGES)
    }
    codes = _codes(connection)
    found = connection.execute(_REST, {"codes": codes, **edges}).all()
    return _counted(codes, found, "stocks", len(REST_CLASSES))


def list_expiring(
    connection: Connection,
    *,
    now_ms: int,
    warehouse: str = "",
    item: str = "",
    expiry_class: str = "",
    offset: int,
    limit: int,
) -> list[LotStock]:
    """Return lots in stock that have an expiry date, the nearest first.

    expiry_class: only those of one class, "" for all. A lot in two units makes two rows. Cost: of
    each warehouse the lots of the range up to the last one shown, by the index of expiry dates.
    """
    first, beyond = "0", "9999-99"
    if expiry_class in EXPIRY_CLASSES[:-1]:
        at = EXPIRY_CLASSES.index(expiry_class)
        first = _date(now_ms, EXPIRY_EDGES[at - 1]) if at else "0"
        beyond = _date(now_ms, EXPIRY_EDGES[at]) if at < len(EXPIRY_EDGES) else "9999-99"
    pieces = {"physical": PHYSICAL_LINE, "item": "AND k.item = :item" if item else ""}
    query = text(_LOTS.format(indexed=_INDEXED[connection.dialect.name], **pieces))
    bounds = {"first": first, "beyond": beyond, "limit": offset + limit}
    bounds |= {"item": item} if item else {}
    lots: list[Row[Any]] = []
    for code in [warehouse] if warehouse else _codes(connection):
        lots += connection.execute(query, bounds | {"warehouse": code}).all()
    lots.sort(key=lambda row: (row.expiry_date, row.warehouse, row.item, row.lot))
    shown = lots[offset : offset + limit]
    stock = _stock_of(connection, shown)
    return [
        LotStock(row.warehouse, row.item, row.lot, row.expiry_date, unit, on_hand)
        for row in shown
        for unit, on_hand in stock[row.warehouse, row.item, row.lot]
    ]


def days_left(expiry_date: str, *, now_ms: int) -> int | None:
    """Return how many days are left until a date, None for what is no date."""
    try:
        end = datetime.strptime(expiry_date, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        return None
    return int(end.timestamp() * 1000 - now_ms // DAY_MS * DAY_MS) // DAY_MS


def _stock_of(
    connection: Connection, lots: Sequence[Row[Any]]
) -> dict[tuple[str, str, str], list[tuple[str, Decimal]]]:
    if not lots:
        return {}
    bounds = {
        "codes": sorted({row.warehouse for row in lots}),
        "items": sorted({row.item for row in lots}),
        "lots": sorted({row.lot for row in lots}),
    }
    found: dict[tuple[str, str, str], list[tuple[str, Decimal]]] = defaultdict(list)
    for row in connection.execute(_STOCK_OF_LOTS, bounds):
        found[row.warehouse, row.item, row.lot].append((row.unit, from_micro(int(row.micro))))
    return found


def _counted(
    codes: Sequence[str], found: Sequence[Row[Any]], column: str, width: int
) -> list[ClassCounts]:
    sums = {code: [0] * width for code in codes}
    for row in found:
        sums[row.warehouse][getattr(row, "class")] = getattr(row, column)
    return [ClassCounts(code, tuple(counts)) for code, counts in sums.items()]


def _codes(connection: Connection) -> list[str]:
    return [one.code for one in list_warehouses(connection)]


def _date(now_ms: int, days: int) -> str:
    today = datetime.fromtimestamp(now_ms // 1000, UTC).date()
    return (today + timedelta(days=days)).isoformat()
