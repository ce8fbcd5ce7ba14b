"""Sets aside again what an order or a transfer lost, once what took it is taken back. Edge of SQL.

BIN-1   5, set aside for SO-1     a station ships 3 of them otherwise: SO-1 is 3 short
        it undoes that            3 are set aside for SO-1 again, if nobody else has them by now

So it is where a settlement takes back what took them.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, select

from central.ledger.desk import Change
from central.ledger.discrepancies import settle_discrepancies
from central.ledger.ledger import Posted
from central.ledger.locations import is_virtual
from central.orders.reserving.reservation_book import ReservationBook
from central.orders.reserving.shortages import KIND
from central.orders.reserving.stale_holders import mark_stale
from central.orders.settling.settlement_reserving import wanted_now
from central.orders.settling.settlement_steps import Step
from central.storage import tables

Goods = tuple[str, str, str]  # item, place, lot
Lying = tuple[str, str, str, str]  # warehouse, and goods


def settle_regained(connection: Connection, posted: Posted) -> None:
    """Set aside what is back for whoever lost goods there, who lost them first; settle that.

    What is short still stays open. Only of facts that gateways took back.
    """
    back = {
        (line.warehouse, line.item, line.location, line.lot): f"record {line.record_no} was taken"
        " back"
        for _, _, lines in posted.taken_back
        for line in lines
        if line.quantity_micro < 0 and not is_virtual(line.location)
    }
    _set_aside_again(connection, back, now_ms=posted.now_ms)


def settle_regained_by(change: Change, steps: Sequence[Step], *, what: str) -> None:
    """Do so with what a settlement brought back, but for what it took from the same place again.

    what: was done, "over_shipped SO-1/1 was settled".
    """
    amounts = Counter[Goods]()
    for step in steps:
        amounts[step.item, step.to_location, step.lot] += step.quantity_micro
        amounts[step.item, step.from_location, step.lot] -= step.quantity_micro
    back = {
        (step.takes_back.warehouse, *goods): what
        for step in steps
        if step.takes_back is not None and not is_virtual(step.to_location)
        for goods in [(step.item, step.to_location, step.lot)]
        if amounts[goods] > 0
    }
    _set_aside_again(change.connection, back, now_ms=change.now_ms)


def _set_aside_again(connection: Connection, back: Mapping[Lying, str], *, now_ms: int) -> None:
    """back: why goods are back, by warehouse, item, place and lot."""
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
        why = back.get((row.warehouse, row.item, row.location, row.lot))
        wanted = wanted_now(connection, row)
        if why is None or wanted is None:
            continue
        book = ReservationBook(connection, now_ms=now_ms)
        book.load([wanted.holder.holder])
        (granted,) = book.reserve([wanted])
        book.write()
        if granted.granted_micro:
            mark_stale(connection, wanted.holder.kind, {wanted.holder.code})
        if not granted.missing_micro:
            text = f"{why}, and what was lost is set aside again"
            settle_discrepancies(connection, [row.id], settlement=text, now_ms=now_ms)
