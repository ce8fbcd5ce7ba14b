"""How much notices of shipment may bring of their order, and which units. Edge of the database.

    order line: 100, at most 110      expected notices: 60 and 45      each may bring 4.76 % more

A line of a notice tolerates what its order's line does, as long as all that is announced of that
line stays below the most of it even so; else all notices share what is left, in equal percents.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, select

from central.contract.quantities import canonical_text, from_micro
from central.errors import Conflict
from central.ledger.desk import Change
from central.orders.document_progress import PERCENT_MICRO
from central.orders.order_documents import replace_document
from central.orders.order_goods import supplier_names
from central.orders.purchasing.asn import NoticeLine, ShippingNotice, receipt_document
from central.orders.purchasing.asn_reading import load_notices
from central.orders.purchasing.purchase_orders import (
    NotifiedQuantity,
    PurchaseLine,
    PurchaseOrder,
)
from central.orders.purchasing.purchase_reading import (
    NO_SHARES,
    NoticeShares,
    read_shares,
    view_order,
)
from central.storage import purchasing_tables


def tolerances_of(order: PurchaseOrder, promised: Mapping[int, NotifiedQuantity]) -> dict[int, int]:
    """Return by order line how far above it notices may go, in 10^-6 percent. promised: by line."""
    return {
        line.line: _tolerance(line, promised[line.line])
        for line in order.lines
        if line.line in promised and promised[line.line].awaited_micro
    }


def tell_notices(change: Change, order: PurchaseOrder | None, codes: Sequence[str]) -> None:
    """Let stations work on notices and on all others of their order as these now are.

    codes: of notices with documents of their own, also of those that have just ended.
    """
    connection = change.connection
    share = NO_SHARES
    if order is not None:
        share = read_shares(connection, [order]).get(order.code, NO_SHARES)
    tolerances = {} if order is None else tolerances_of(order, share.promised)
    notices = load_notices(connection, sorted({*codes, *share.coming}))
    names = supplier_names(connection, {notice.supplier for notice in notices})
    for notice in notices:
        document = receipt_document(notice, partner=names[notice.supplier], tolerances=tolerances)
        replace_document(change, document, warehouse=notice.warehouse, code=notice.code)


def check_announced(connection: Connection, notice: ShippingNotice, order: PurchaseOrder) -> None:
    """Return if a notice brings no order line above the most of it.

    Counts what was received of the order, and what its expected notices still announce. Raises
    Conflict.
    """
    share = read_shares(connection, [order]).get(order.code, NO_SHARES)
    progress = view_order(connection, order.code).progress
    received = {line.line: line.done_micro for line in progress.lines}
    for line in order.lines:
        _check_line(notice, order, line, received_micro=received[line.line], share=share)


def check_units_elsewhere(connection: Connection, notice: ShippingNotice) -> None:
    """Return if no unit of a notice is expected in its warehouse with another. Raises Conflict."""
    units, notices = purchasing_tables.notice_units, purchasing_tables.shipping_notices
    found = connection.execute(
        select(units.c.sscc, units.c.code)
        .join(notices, notices.c.code == units.c.code)
        .where(
            units.c.sscc.in_([unit.sscc for unit in notice.units]),
            units.c.code != notice.code,
            notices.c.state == "expected",
            notices.c.warehouse == notice.warehouse,
        )
        .order_by(units.c.sscc, units.c.code)
        .limit(1)
    ).first()
    if found is not None:
        raise Conflict(
            f"unit {found.sscc} is expected with notice {found.code} already",
            hint="Correct the SSCC, or close or cancel the other notice first.",
            fields={"sscc": found.sscc, "notice": found.code},
        )


def _tolerance(line: PurchaseLine, said: NotifiedQuantity) -> int:
    """Return the order's, or what its most leaves to all that is awaited, rounded up.

    Rounded up it is off by less than 10^-8 of the quantity; rounded down the very last piece that
    the order tolerates would be too much.
    """
    left_micro = line.expected.most_micro - said.arrived_micro - said.awaited_micro
    shared = -(-left_micro * PERCENT_MICRO // said.awaited_micro)
    return max(min(line.over_percent_micro, shared), 0)


def _check_line(
    notice: ShippingNotice,
    order: PurchaseOrder,
    line: PurchaseLine,
    *,
    received_micro: int,
    share: NoticeShares,
) -> None:
    announced_micro = _announced(notice.lines, line.line)
    elsewhere_micro = share.outstanding.get(line.line, 0)
    most_micro = line.expected.most_micro
    left_micro = max(most_micro - received_micro - elsewhere_micro, 0)
    if announced_micro <= left_micro:
        return
    raise Conflict(
        f"{notice} announces {_text(announced_micro)} of {line.item}, but at most"
        f" {_text(left_micro)} more may come of line {line.line} of {order}",
        hint="Announce less, close or cancel another notice of the order, or order more.",
        fields={
            "order": order.code,
            "order_line": line.line,
            "item": line.item,
            "announced": _text(announced_micro),
            "received": _text(received_micro),
            "announced_elsewhere": _text(elsewhere_micro),
            "at_most": _text(most_micro),
        },
    )


def _announced(lines: Sequence[NoticeLine], order_line: int) -> int:
    return sum(line.quantity_micro for line in lines if line.order_line == order_line)


def _text(quantity_micro: int) -> str:
    return canonical_text(from_micro(quantity_micro))
