"""Sets aside again what an order or a transfer lost, once what took it is taken back. Edge of SQL.

BIN-1   5, set aside for SO-1     a station ships 3 of them otherwise: SO-1 is 3 short
        it undoes that            3 are set aside for SO-1 again, if nobody else has them by now
"""

from sqlalchemy import Connection, select

from central.ledger.discrepancies import settle_discrepancies
from central.ledger.ledger import Posted
from central.ledger.locations import is_virtual
from central.orders.reserving.reservation_book import ReservationBook
from central.orders.reserving.shortages import KIND
from central.orders.reserving.stale_holders import mark_stale
from central.orders.settling.settlement_reserving import wanted_now
from central.storage import tables


def settle_regained(connection: Connection, posted: Posted) -> None:
    """Set aside what is back for whoever lost goods there, who lost them first; settle that.

    What is short still stays open. Only of facts that gateways took back.
    """
    back = {
        (line.warehouse, line.item, line.location, line.lot): line.record_no
        for _, _, lines in posted.taken_back
        for line in lines
        if line.quantity_micro < 0 and not is_virtual(line.location)
    }
    if not back:
        return
    table = tables.discrepancies
    query = select(table).where(
        table.c.warehouse.in_(sorted({key[0] for key in back})),
        table.c.state == "open",
        table.c.kind == KIND,
        table.c.item.in_(sorted({key[1] for key in back})),
    )
    for row in connection.execute(query.order_by(table.c.record_no, table.c.subject)).all():
        record_no = back.get((row.warehouse, row.item, row.location, row.lot))
        wanted = wanted_now(connection, row)
        if record_no is None or wanted is None:
            continue
        book = ReservationBook(connection, now_ms=posted.now_ms)
        book.load([wanted.holder.holder])
        (granted,) = book.reserve([wanted])
        book.write()
        if granted.granted_micro:
            mark_stale(connection, wanted.holder.kind, {wanted.holder.code})
        if not granted.missing_micro:
            why = f"record {record_no} was taken back, and what was lost is set aside again"
            settle_discrepancies(connection, [row.id], settlement=why, now_ms=posted.now_ms)
