"""Alerts of lots that are near their expiry, or beyond it. Edge of the database.

The date of a lot is what the warehouse's own books have of it; where they have none, the earliest
of the other books, as for whoever sets goods aside.
"""

from collections.abc import Iterator

from sqlalchemy import Connection, Text, bindparam, text

from central.stock.alerts import PER_KIND_MAX, Alert, AlertKind
from central.stock.deliveries import day_text
from central.stock.kpis import DAY_MS
from central.stock.sums import total
from central.storage.places import PHYSICAL_LINE

EXPIRING_DAYS = 30
# How long ago a lot expired of which only other books tell, at most: they are looked through.
ELSEWHERE_DAYS_MAX = 366
_DATED = """
SELECT k.warehouse, k.item, k.lot, k.expiry_date FROM lots AS k
WHERE k.warehouse IN :codes AND k.expiry_date <> '' AND k.expiry_date < :soon
UNION ALL
SELECT h.warehouse, k.item, k.lot, MIN(k.expiry_date) FROM lots AS k CROSS JOIN warehouses AS h
WHERE h.warehouse IN :codes AND k.expiry_date >= :since AND k.expiry_date < :soon
  AND NOT EXISTS (SELECT 1 FROM lots AS o
    WHERE o.warehouse = h.warehouse AND o.item = k.item AND o.lot = k.lot)
GROUP BY h.warehouse, k.item, k.lot
"""
# Whole units and millionths apart, as `sums` has them.
_STOCK = """
SELECT dated.warehouse, dated.item, dated.lot, dated.expiry_date, l.unit, i.name, i.name_zh,
  p.min_days_left_to_ship AS days_left,
  SUM(l.on_hand_micro / 1000000) AS on_hand_units, SUM(l.on_hand_micro % 1000000) AS on_hand_rest
FROM ({dated}) AS dated CROSS JOIN balances AS l {indexed}
LEFT JOIN items AS i ON i.item = dated.item
LEFT JOIN item_policies AS p ON p.item = dated.item
WHERE l.warehouse = dated.warehouse AND l.item = dated.item AND l.lot = dated.lot
  AND l.on_hand_micro <> 0 AND {physical}
GROUP BY dated.warehouse, dated.item, dated.lot, dated.expiry_date, l.unit, i.name, i.name_zh,
  p.min_days_left_to_ship
ORDER BY dated.expiry_date, dated.warehouse, dated.item, dated.lot LIMIT :limit
"""
# SQLite without statistics would read all of the warehouse for each lot.
_STOCK_OF_LOTS = {
    dialect: text(_STOCK.format(dated=_DATED, indexed=indexed, physical=PHYSICAL_LINE)).bindparams(
        bindparam("codes", expanding=True, type_=Text)
    )
    for dialect, indexed in (("sqlite", "INDEXED BY balances_item"), ("postgresql", ""))
}


def expiry_alerts(connection: Connection, codes: list[str], *, now_ms: int) -> Iterator[Alert]:
    """Yield alerts of lots in stock in these warehouses, at most PER_KIND_MAX a kind.

    Those expire within EXPIRING_DAYS, the earliest first. Cost: a look for each lot that ever
    expired, and for those of the last ELSEWHERE_DAYS_MAX one more a warehouse.
    """
    today, soon = day_text(now_ms), day_text(now_ms + EXPIRING_DAYS * DAY_MS)
    since = day_text(now_ms - ELSEWHERE_DAYS_MAX * DAY_MS)
    asked = {"codes": codes, "since": since, "soon": soon, "limit": 3 * PER_KIND_MAX}
    counts: dict[AlertKind, int] = {}
    for row in connection.execute(_STOCK_OF_LOTS[connection.dialect.name], asked):
        on_hand = total(row, "on_hand")
        last = day_text(now_ms + (row.days_left or 0) * DAY_MS)
        kind: AlertKind = "lot_expiring"
        if row.expiry_date < today:
            kind = "lot_expired"
        elif row.expiry_date < last:
            kind = "lot_unshippable"
        counts[kind] = counts.get(kind, 0) + 1
        if on_hand <= 0 or counts[kind] > PER_KIND_MAX:
            continue
        yield Alert(
            kind=kind,
            warehouse=row.warehouse,
            subject=row.item,
            item=row.item,
            name=row.name or "",
            name_zh=row.name_zh or "",
            lot=row.lot,
            unit=row.unit,
            figure_micro=on_hand,
            due=row.expiry_date,
        )
