"""Pick lists and waves: several orders picked on one round. Edge of the database."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, delete, select

from central.errors import Conflict, NotThere, Unusable
from central.ledger.desk import Change, require_version
from central.orders.order_goods import require_warehouse
from central.orders.reserving.reservations import SALES_ORDER
from central.orders.reserving.stale_holders import read_stale
from central.orders.sales.picking import PickLine, WaveState, pick_list, wave_state
from central.orders.sales.sales_book import release_order
from central.orders.sales.sales_orders import OrderFigures, SalesOrder
from central.orders.sales.sales_store import read_figures, read_orders
from central.orders.sales.shipment_guidance import read_walk_orders
from central.orders.sales.stale_guidance import tell_anew
from central.storage import bulk, sales_tables

KIND = "pick_wave"
CODE_PREFIX = "PW"
ORDERS_COUNT_MAX = 50
STALE_ORDERS_MAX = 200  # That one refreshing tells stations of.
TO_PICK: frozenset[str] = frozenset({"approved", "released"})


@dataclass(frozen=True, slots=True)
class Wave:
    """Orders of a warehouse that are picked on one round."""

    code: str
    version: int
    warehouse: str
    note: str
    created_ms: int


@dataclass(frozen=True, slots=True)
class WaveView:
    """A wave with its orders and what is still to be taken, in walking order."""

    wave: Wave
    orders: tuple[OrderFigures, ...]
    lines: tuple[PickLine, ...]

    @property
    def state(self) -> WaveState:
        """Return how far it is."""
        return wave_state([one.stage for one in self.orders], self.lines)


def make_wave(change: Change, warehouse: str, codes: Sequence[str], *, note: str = "") -> WaveView:
    """Put approved or released orders on one round, and release those that are not yet.

    Raises Unusable for an order that is not there or of another warehouse, Conflict for one that is
    on another round or in another state.
    """
    require_warehouse(change.connection, warehouse)
    if not 0 < len(set(codes)) <= ORDERS_COUNT_MAX:
        raise Unusable(
            f"a round of {len(set(codes))} orders cannot be",
            hint=f"Name 1 to {ORDERS_COUNT_MAX} orders.",
        )
    orders = read_orders(change.connection, codes)
    _check_orders(change.connection, warehouse, set(codes), orders)
    wave = Wave(change.next_code(CODE_PREFIX), 1, warehouse, note, change.now_ms)
    for order in orders:
        if order.state == "approved":
            release_order(change, order.code)
    row = (wave.code, wave.version, wave.warehouse, wave.note, wave.created_ms)
    bulk.insert_rows(change.connection, sales_tables.pick_waves, [row])
    places = [(order.code, wave.code) for order in orders]
    bulk.insert_rows(change.connection, sales_tables.pick_wave_orders, places)
    change.note(KIND, wave.code, "made", warehouse=warehouse, orders_count=len(orders))
    return view_wave(change.connection, wave.code)


def break_up_wave(change: Change, code: str, *, version: int | None = None) -> Wave:
    """Take the orders of a wave off their round; they stay released. The wave stays, empty."""
    wave = _read_wave(change.connection, code)
    require_version(wave.version, version, what=f"pick wave {code}")
    places, waves = sales_tables.pick_wave_orders, sales_tables.pick_waves
    change.connection.execute(delete(places).where(places.c.wave == code))
    wave = replace(wave, version=wave.version + 1)
    row = (wave.code, wave.version, wave.warehouse, wave.note, wave.created_ms)
    bulk.upsert_rows(change.connection, waves, [row])
    change.note(KIND, code, "broken_up", warehouse=wave.warehouse)
    return wave


def refresh_stations(change: Change, warehouse: str) -> list[str]:
    """Tell stations anew of orders whose goods are no longer where they were told; their codes.

    At most STALE_ORDERS_MAX at once.
    """
    codes = read_stale(change.connection, SALES_ORDER, warehouse=warehouse, limit=STALE_ORDERS_MAX)
    return tell_anew(change, codes)


def view_wave(connection: Connection, code: str) -> WaveView:
    """Return a wave with its orders and what is still to be taken. Raises NotThere."""
    wave = _read_wave(connection, code)
    table = sales_tables.pick_wave_orders.c
    codes = connection.execute(select(table.order_code).where(table.wave == code)).scalars()
    figures = read_figures(connection, read_orders(connection, list(codes)))
    return WaveView(wave, tuple(figures), tuple(list_picks(connection, figures)))


def list_picks(connection: Connection, orders: Sequence[OrderFigures]) -> list[PickLine]:
    """Return what is still to be taken for released orders, on one round, in walking order."""
    rows = [row for one in orders if one.order.state == "released" for row in one.reservations]
    return pick_list(rows, read_walk_orders(connection, rows))


def list_waves(connection: Connection, *, warehouse: str, after: str, limit: int) -> list[Wave]:
    """Return waves in the order of their codes, after one of them."""
    table = sales_tables.pick_waves
    query = select(table).where(table.c.code > after)
    if warehouse:
        query = query.where(table.c.warehouse == warehouse)
    rows = connection.execute(query.order_by(table.c.code).limit(limit))
    return [Wave(*row) for row in rows]


def _read_wave(connection: Connection, code: str) -> Wave:
    table = sales_tables.pick_waves
    row = connection.execute(select(table).where(table.c.code == code)).first()
    if row is None:
        raise NotThere(
            f"there is no pick wave {code}",
            hint="Look the code up in the list of waves.",
            fields={"code": code},
        )
    return Wave(*row)


def _check_orders(
    connection: Connection, warehouse: str, codes: set[str], orders: Sequence[SalesOrder]
) -> None:
    missing = sorted(codes - {one.code for one in orders if one.warehouse == warehouse})
    if missing:
        raise Unusable(
            f"{warehouse} has no sales order {missing[0]}",
            hint="Name orders of one warehouse.",
            fields={"orders": missing},
        )
    others = {one.code: one.state for one in orders if one.state not in TO_PICK}
    if others:
        code, state = min(others.items())
        raise Conflict(
            f"sales order {code} is {state}: it cannot be picked",
            hint="Name orders that are approved or released.",
            fields={"states": others},
        )
    table = sales_tables.pick_wave_orders.c
    taken = connection.execute(
        select(table.order_code, table.wave).where(table.order_code.in_(codes))
    ).all()
    if taken:
        raise Conflict(
            f"sales order {taken[0].order_code} is on round {taken[0].wave} already",
            hint="Leave it out, or break up that round first.",
            fields={"waves": {row.order_code: row.wave for row in taken}},
        )
