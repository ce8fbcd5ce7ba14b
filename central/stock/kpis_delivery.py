"""What customers were promised, and when it went out. Edge of the database.

An order is complete when each item of it went out, less what its tolerances allow. The last of it
went out with the last fact that counted towards the order.
"""

from collections.abc import Collection, Iterable

from sqlalchemy import Connection, func, select

from central.stock.deliveries import Delivery, Judged, day_text, judge
from central.stock.fact_times import facts_at
from central.stock.kpis import Span
from central.stock.sums import AnyRow
from central.storage import bulk
from central.storage.sales_tables import reservations, sales_order_lines, sales_orders
from central.storage.tables import document_progress, object_events

ORDERS_MAX = 20_000
CODES_PER_SELECT_MAX = 500
SALES_ORDER = "sales_order"
PERCENT_MICRO = 100_000_000
# What was really promised to somebody: neither a draft nor cancelled.
PROMISED = ("submitted", "approved", "released", "signed", "closed")


class _Goods:
    """What is found out about the goods of one order, by item, in millionths.

    last_no: the last fact that counted. reserved_ms: when the last of them was set aside.
    """

    def __init__(self) -> None:
        self.least: dict[str, int] = {}
        self.went: dict[str, int] = {}
        self.set_aside: dict[str, int] = {}
        self.given_up = False
        self.last_no = 0
        self.reserved_ms = 0

    @property
    def complete(self) -> bool:
        """Return whether everything that is still wanted went out."""
        return all(self.went.get(item, 0) >= least for item, least in self.least.items())

    @property
    def reserved_in_full_ms(self) -> int:
        """Return when the last of the goods was set aside, 0 if something is missing."""
        full = all(self.set_aside.get(item, 0) >= least for item, least in self.least.items())
        return self.reserved_ms if full else 0


def read_deliveries(connection: Connection, span: Span, *, warehouse: str = "") -> list[Judged]:
    """Return orders promised for a day of the span that can be judged, the latest day first.

    At most ORDERS_MAX.
    """
    table = sales_orders.c
    query = (
        select(table.code, table.customer, table.warehouse, table.promised_on)
        .where(
            table.promised_on >= day_text(span.from_ms),
            table.promised_on <= day_text(span.to_ms),
            table.state.in_(PROMISED),
        )
        .order_by(table.promised_on.desc(), table.code)
        .limit(ORDERS_MAX)
    )
    if warehouse:
        query = query.where(table.warehouse == warehouse)
    heads = connection.execute(query).all()
    found = _goods(connection, heads)
    times = {
        one.record_no: one.dated_ms
        for one in facts_at(connection, {one.last_no for one in found.values() if one.last_no})
    }
    steps = _steps(connection, [head.code for head in heads])
    judged = (
        judge(
            Delivery(
                code=head.code,
                partner=head.customer,
                warehouse=head.warehouse,
                due=head.promised_on,
                complete=found[head.code].complete,
                done_ms=times.get(found[head.code].last_no, 0),
                approved_ms=steps.get((head.code, "approved"), 0),
                released_ms=steps.get((head.code, "released"), 0),
                reserved_ms=found[head.code].reserved_in_full_ms,
                given_up=found[head.code].given_up,
            ),
            now_ms=span.to_ms,
        )
        for head in heads
    )
    return [one for one in judged if one is not None]


def _goods(connection: Connection, heads: Iterable[AnyRow]) -> dict[str, _Goods]:
    heads = list(heads)
    found = {head.code: _Goods() for head in heads}
    codes = [(head.code,) for head in heads]
    for row in bulk.select_by_key(connection, sales_order_lines, codes, columns_count=1):
        code, _, item, _, quantity_micro, _, given_up_micro, _, under_micro, *_ = row
        goods = found[code]
        wanted = quantity_micro - given_up_micro
        least = wanted - wanted * under_micro // PERCENT_MICRO
        goods.least[item] = goods.least.get(item, 0) + least
        goods.given_up = goods.given_up or bool(given_up_micro)
    documents = [(head.warehouse, head.code) for head in heads]
    for row in bulk.select_by_key(connection, document_progress, documents, columns_count=2):
        _, code, _, item, _, _, _, done_micro, record_no, direction = row
        goods = found[code]
        if done_micro:
            # Out of the warehouse, whichever way it was counted.
            went_micro = done_micro if direction < 0 else -done_micro
            goods.went[item] = goods.went.get(item, 0) + went_micro
            goods.last_no = max(goods.last_no, record_no)
    holders = [(head.warehouse, SALES_ORDER, head.code) for head in heads]
    for row in bulk.select_by_key(connection, reservations, holders, columns_count=3):
        values = dict(zip(_RESERVATION, row, strict=True))
        kept = values["quantity_micro"] + values["shipped_micro"]
        goods = found[values["holder"]]
        if kept > 0:
            item = values["item"]
            goods.set_aside[item] = goods.set_aside.get(item, 0) + kept
            goods.reserved_ms = max(goods.reserved_ms, values["reserved_ms"])
    return found


def _steps(connection: Connection, codes: Collection[str]) -> dict[tuple[str, str], int]:
    """Return when orders were last approved and released."""
    table, wanted = object_events.c, list(codes)
    found: dict[tuple[str, str], int] = {}
    for start in range(0, len(wanted), CODES_PER_SELECT_MAX):
        query = (
            select(table.code, table.action, func.max(table.at_ms).label("at_ms"))
            .where(
                table.kind == SALES_ORDER,
                table.code.in_(wanted[start : start + CODES_PER_SELECT_MAX]),
                table.action.in_(("approved", "released")),
            )
            .group_by(table.code, table.action)
        )
        found |= {(row.code, row.action): row.at_ms for row in connection.execute(query)}
    return found


_RESERVATION = tuple(column.name for column in reservations.columns)
