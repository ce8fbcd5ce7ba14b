"""Gives up what is set aside of a lot and may no longer be shipped. Edge of the database.

L1 expires on 2026-08-01     5 of it are set aside for SO-1
it expires on 2026-06-01     SO-1 has 5 of another lot, or is told that it is short
"""

from sqlalchemy import Connection, select

from central.ledger.goods_rules import LotKey
from central.orders.reserving.allocation import StockKey
from central.orders.reserving.reservation_book import Granted, ReservationBook, Wanted
from central.orders.reserving.reservation_following import stock_name, wants_of
from central.orders.reserving.reservations import Holder
from central.orders.reserving.shortages import report_shortages
from central.orders.reserving.stale_holders import mark_stale
from central.storage.sales_tables import reservations


def give_up_unfit(connection: Connection, lot: LotKey, *, record_no: int, now_ms: int) -> None:
    """Set other stock aside for whoever has unfit goods of a lot, or open that there is none.

    What was picked stays. record_no: of the last fact that was posted.
    """
    warehouse, item, code = lot
    held = reservations.c
    query = select(held.holder_kind, held.holder).where(
        held.warehouse == warehouse,
        held.item == item,
        held.lot == code,
        held.quantity_micro > 0,
    )
    found = connection.execute(query.distinct())
    holders = sorted(Holder(warehouse, row.holder_kind, row.holder) for row in found)
    if not holders:
        return
    book = ReservationBook(connection, now_ms=now_ms)
    book.load(holders)
    unfit = [
        row
        for holder in holders
        for row in book.unfit(holder)
        if (row.stock.item, row.stock.lot) == (item, code)
    ]
    wants = wants_of(connection, {row.holder for row in unfit})
    for row in unfit:
        book.free(row, row.quantity_micro, reason="may no longer be shipped")
    short: list[tuple[Granted, StockKey, str]] = []
    for row in sorted(unfit, key=lambda one: (one.reserved_ms, one.holder, one.stock)):
        only, place = wants.get(row.holder, ("", ""))
        wanted = Wanted(row.holder, item, row.quantity_micro, only, location=place)
        (granted,) = book.reserve([wanted])
        why = f"{stock_name(row.stock)} was set aside and may no longer be shipped"
        short.append((granted, row.stock, why))
    book.write()
    report_shortages(connection, short, record_no=record_no, now_ms=now_ms)
    for holder in sorted({row.holder.holder for row in unfit}):
        mark_stale(connection, holder.kind, {holder.code})
