"""How much notices of shipment and their order may bring together, and who expects a unit. Edge.

What stations are told of an order and of its notices is told together: what one of them tolerates
depends on what came under the others (`shared_tolerances`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from central.contract.quantities import canonical_text, from_micro
from central.errors import Conflict
from central.ledger.desk import Change
from central.orders.document_progress import CountedKey, share_out
from central.orders.order_documents import replace_document
from central.orders.order_goods import supplier_names
from central.orders.purchasing import asn, purchase_orders
from central.orders.purchasing.asn import NoticeLine, ShippingNotice
from central.orders.purchasing.asn_reading import load_notices
from central.orders.purchasing.purchase_orders import (
    RELEASED,
    PurchaseLine,
    PurchaseOrder,
    own_expected_micro,
)
from central.orders.purchasing.purchase_reading import (
    NO_SHARES,
    NoticeShares,
    read_counted,
    read_shares,
    view_order,
)
from central.orders.purchasing.shared_tolerances import Part, tolerances
from central.storage import purchasing_tables


@dataclass(frozen=True, slots=True)
class Tolerances:
    """How far above it what is expected may go, in 10^-6 percent.

    own: of an order's document, by line. notices: of those on their way, by code and line.
    """

    own: Mapping[int, int]
    notices: Mapping[tuple[str, int], int]


def tolerances_of(
    order: PurchaseOrder, share: NoticeShares, counted: Mapping[CountedKey, int]
) -> Tolerances:
    """Return what the documents of an order tolerate. counted: under its own code."""
    done, _ = share_out([line.expected for line in order.lines], counted)
    own: dict[int, int] = {}
    notices: dict[tuple[str, int], int] = {}
    for line in order.lines:
        own[line.line] = line.over_percent_micro
        if line.line not in share.promised:
            continue
        coming = [one for one in share.coming if one.order_line == line.line]
        parts = [
            Part(own_expected_micro(line, share.promised), max(done[line.line], 0)),
            *(Part(one.expected_micro, max(one.done_micro, 0)) for one in coming),
        ]
        room_micro = line.expected.most_micro - share.ended.get(line.line, 0)
        own[line.line], *others = tolerances(parts, room_micro=room_micro)
        notices |= {
            (one.notice, one.line): percent for one, percent in zip(coming, others, strict=True)
        }
    return Tolerances(own, notices)


def tell_stations(change: Change, order: PurchaseOrder) -> None:
    """Let stations work on what an order expects under its own code, and on nothing else.

    And on its notices of shipment, as far as what these tolerate is something else now.
    """
    _tell(change, order, codes=(), own=True)


def tell_notice(change: Change, notice: ShippingNotice, order: PurchaseOrder | None) -> None:
    """Let stations work on a notice as it is now, and on what its order and others expect now."""
    if order is not None:
        _tell(change, order, codes=[notice.code], own=order.state in RELEASED)
        return
    partner = supplier_names(change.connection, {notice.supplier})[notice.supplier]
    document = asn.receipt_document(notice, partner=partner, tolerances={})
    replace_document(change, document, warehouse=notice.warehouse, code=notice.code)


def _tell(change: Change, order: PurchaseOrder, *, codes: Sequence[str], own: bool) -> None:
    """Tell an order, if it is its `own`, and its notices: those of these codes and all coming."""
    connection = change.connection
    share = read_shares(connection, [order]).get(order.code, NO_SHARES)
    key = (order.warehouse, order.code)
    limits = tolerances_of(order, share, read_counted(connection, [key]).get(key, {}))
    notices = load_notices(connection, sorted({*codes, *share.codes}))
    names = supplier_names(connection, {order.supplier, *(one.supplier for one in notices)})
    for notice in notices:
        document = asn.receipt_document(
            notice, partner=names[notice.supplier], tolerances=limits.notices
        )
        replace_document(change, document, warehouse=notice.warehouse, code=notice.code)
    if own:
        told = purchase_orders.receipt_document(
            order,
            partner=names[order.supplier],
            notified=share.promised,
            tolerances=limits.own,
        )
        replace_document(change, told, warehouse=order.warehouse, code=order.code)


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
    """Return if no unit of a notice is expected with another, anywhere. Raises Conflict."""
    units, notices = purchasing_tables.notice_units, purchasing_tables.shipping_notices
    found = connection.execute(
        select(units.c.sscc, units.c.code)
        .join(notices, notices.c.code == units.c.code)
        .where(
            units.c.sscc.in_([unit.sscc for unit in notice.units]),
            units.c.code != notice.code,
            notices.c.state == "expected",
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


def _check_line(
    notice: ShippingNotice,
    order: PurchaseOrder,
    line: PurchaseLine,
    *,
    received_micro: int,
    share: NoticeShares,
) -> None:
    announced_micro = _announced(notice.lines, line.line)
    elsewhere_micro = share.outstanding_micro(line.line)
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
