"""Picks whose goods left under the number of another item's pick. Pure.

    picks 1 and 2: S0 and S1, pick 3: a bolt       S0 and S1 left under pick 3: `unexpected`

They count for no line, so the order still lacks as much, and nothing is set aside for it any more.
Its picks stay told, without a place: so whoever settles what was not expected can say which of them
it was, and whoever has other goods can ship those.
"""

from collections.abc import Mapping

from central.orders.document_progress import by_number
from central.orders.reserving.reservations import Reservation
from central.orders.sales.sales_orders import OrderFigures


def lost_picks(figures: OrderFigures) -> dict[int, int]:
    """Return how much of each pick is gone, counts for no line, and is still asked for."""
    elsewhere: dict[str, int] = {}
    for key, quantity_micro in figures.progress.unexpected:
        elsewhere[key.item] = elsewhere.get(key.item, 0) + max(quantity_micro, 0)
    lacking = {one.line.line: one.backorder_micro for one in figures.lines}
    items = {row.pick_line: row.stock.item for row in figures.reservations}
    went = by_number(figures.counted, items)
    found: dict[int, int] = {}
    for number, rows in sorted(_by_pick(figures.reservations).items()):
        item, line = rows[0].stock.item, rows[0].holder.line
        gone = sum(row.shipped_micro for row in rows) - max(went.get(number, 0), 0)
        part_micro = min(gone, elsewhere.get(item, 0), lacking.get(line, 0))
        if part_micro > 0:
            found[number] = part_micro
            elsewhere[item] -= part_micro
            lacking[line] -= part_micro
    return found


def _by_pick(rows: tuple[Reservation, ...]) -> Mapping[int, list[Reservation]]:
    picks: dict[int, list[Reservation]] = {}
    for row in rows:
        if row.pick_line:
            picks.setdefault(row.pick_line, []).append(row)
    return picks
