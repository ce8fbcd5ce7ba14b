"""What the pictures and the tables below them are drawn from. Edge of the database."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from central.stock.ageing import ClassCounts
from central.stock.closings import ItemDays, item_days
from central.stock.feed import list_movements
from central.stock.flows import TransferFlow, transfer_flows
from central.stock.pareto import Pareto, moved_items
from central.stock.rows import STOCK_KINDS, FeedFilter
from central.stock.states import list_gateways
from central.stock.throughput import Throughput, hourly_throughput
from central.web.asking import Asking
from central.web.listing import Wanted

DAY_MS = 86_400_000
DAYS_USUAL = 30
GATEWAYS_MAX = 5000

ReadClasses = Callable[..., list[ClassCounts]]  # Of a connection and `now_ms`.


def days_of(wanted: Wanted) -> int:
    """Return how many days are looked back."""
    return int(wanted.values["days"] or DAYS_USUAL)


def offset_ms_of(wanted: Wanted) -> int:
    """Return how far the reader's clock is ahead of UTC."""
    return int(wanted.values["zone"] or 0) * 60_000


def read_days(asking: Asking, wanted: Wanted) -> tuple[str, ItemDays]:
    """Return the item that is looked at, and its days. "": nothing has moved yet."""
    warehouse = wanted.values["warehouse"]
    with asking.read() as connection:
        item = wanted.values["item"]
        if not item:
            kinds = FeedFilter(kinds=STOCK_KINDS, warehouse=warehouse)
            for row in list_movements(connection, kinds, before_record_no=None, limit=1):
                item = getattr(row.taken_back or row.fact, "item", "")
        offset_ms, days = offset_ms_of(wanted), days_of(wanted)
        found = item_days(connection, item, now_ms=asking.now_ms, days=days, offset_ms=offset_ms)
    kept = tuple(one for one in found.rows if warehouse in {"", one.warehouse})
    return item, replace(found, rows=kept)


def read_throughput(asking: Asking, wanted: Wanted) -> Throughput:
    """Return what the docks did by hour; of one warehouse without what the desk did there."""
    since_ms = asking.now_ms - days_of(wanted) * DAY_MS
    warehouse = wanted.values["warehouse"]
    with asking.read() as connection:
        found = hourly_throughput(connection, since_ms=since_ms, offset_ms=offset_ms_of(wanted))
        gateways = list_gateways(connection, warehouse=warehouse, limit=GATEWAYS_MAX)
    if not warehouse:
        return found
    own = {one.code for one in gateways}
    return replace(found, rows=tuple(one for one in found.rows if one.gateway in own))


def read_pareto(asking: Asking, wanted: Wanted) -> Pareto:
    """Return which items move most."""
    since_ms = asking.now_ms - days_of(wanted) * DAY_MS
    with asking.read() as connection:
        return moved_items(
            connection,
            since_ms=since_ms,
            warehouse=wanted.values["warehouse"],
            unit=wanted.values["unit"],
        )


def read_classes(asking: Asking, wanted: Wanted, read: ReadClasses) -> list[ClassCounts]:
    """Return counts by warehouse, of the one that is wanted or of all."""
    with asking.read() as connection:
        found = read(connection, now_ms=asking.now_ms)
    return [one for one in found if wanted.values["warehouse"] in {"", one.warehouse}]


def read_flows(asking: Asking, wanted: Wanted) -> list[TransferFlow]:
    """Return what transfers carried, to or from the warehouse that is wanted or between all."""
    since_ms, warehouse = asking.now_ms - days_of(wanted) * DAY_MS, wanted.values["warehouse"]
    with asking.read() as connection:
        found: list[Any] = transfer_flows(connection, since_ms=since_ms)
    return [one for one in found if warehouse in {"", one.source, one.destination}]
