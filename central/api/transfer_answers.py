"""The bodies of answers about transfers. Edge of HTTP."""

from central.access.permissions import Permission, Principal, may
from central.api.api_model import ApiModel
from central.api.order_values import quantity_text
from central.orders.reserving.reservations import Reservation
from central.orders.transfers.transfer_closing import Reason as ClosingReason
from central.orders.transfers.transfer_transit import FactBehind, UnderWay
from central.orders.transfers.transfer_views import MS_PER_DAY, TransferDetail
from central.orders.transfers.transfers import ENDED, ShownState, Transfer, TransferLine
from central.stock.times import utc_text


class TransferHeadOut(ApiModel):
    """A transfer without its lines.

    state: as people name it; decided_state: what people decided, without what facts made of it.
    backorders: it may be released although not all of it can be set aside. stale: goods that were
    set aside have moved, and stations of the source are about to be told.
    under_way_since: when the oldest goods that are under way left, None if nothing is under way;
    under_way_days: how many whole days ago. actions: what is possible now.
    """

    code: str
    source_warehouse: str
    destination_warehouse: str
    state: ShownState
    decided_state: ShownState
    version: int
    note: str
    second_person: bool
    backorders: bool
    stale: bool
    created_by: str
    created_time: str | None
    requested_by: str
    approved_by: str
    released_time: str | None
    ended_time: str | None
    ended_reason: str
    under_way_since: str | None
    under_way_days: int | None
    actions: list[str]


class TransferPage(ApiModel):
    """Transfers, newest first. next_cursor: None on the last page."""

    transfers: list[TransferHeadOut]
    next_cursor: str | None


class TransferLineOut(ApiModel):
    """A line and how far it is, all in `unit`.

    reserved: set aside at the source. backorder: asked for, and neither set aside nor shipped.
    received: with what came damaged. elsewhere: received by a third warehouse. remainder: shipped
    and received nowhere; below zero: received, and nobody said that it left. Of a transfer that has
    ended nothing is to be shipped or waits for stock, and once nothing is under way nothing
    remains: `closings` say what became of the rest. One that goods have reopened counts what was
    closed before, too.
    """

    line: int
    item: str
    unit: str
    lot: str
    from_location: str
    to_location: str
    tolerance_percent: str
    requested: str
    shipped: str
    to_ship: str
    reserved: str
    backorder: str
    received: str
    damaged: str
    elsewhere: str
    remainder: str


class UnaskedOut(ApiModel):
    """What moved under the transfer and belongs to no line. line: as the station said, or 0."""

    line: int
    item: str
    unit: str
    shipped: str
    received: str


class ClosingOut(ApiModel):
    """What became of goods that were under way, and the fact that moved them."""

    item: str
    lot: str
    serial: str
    unit: str
    quantity: str
    reason: ClosingReason
    location: str
    note: str
    actor: str
    time: str | None
    fact: str


class TransferPickOut(ApiModel):
    """What is set aside at one place of the source for a line. number: what its stations call it.

    picked: it stands ready there.
    """

    number: int
    line: int
    item: str
    location: str
    lot: str
    serial: str
    sscc: str
    unit: str
    quantity: str
    picked: bool


class TransferOut(TransferHeadOut):
    """A transfer with everything about it.

    picks: what is set aside, where; none for whoever may not read orders of the source.
    """

    lines: list[TransferLineOut]
    picks: list[TransferPickOut]
    unasked: list[UnaskedOut]
    closings: list[ClosingOut]


class TransitFactOut(ApiModel):
    """A fact that moved a thing to (quantity above zero) or from the in-transit place.

    location: where it came from or went to.
    """

    record_no: int
    fact: str
    warehouse: str
    location: str
    sscc: str
    quantity: str
    event_time: str | None
    operator: str


class ReceivedOut(ApiModel):
    """What one warehouse received of a thing."""

    warehouse: str
    quantity: str


class UnderWayOut(ApiModel):
    """What is known of one thing at the in-transit place: shipped - received - closed = under_way.

    closed: lost and damaged, less found. since: when the oldest of what is under way moved. facts:
    the newest ones behind it, of facts_count.
    """

    item: str
    lot: str
    serial: str
    unit: str
    shipped: str
    received: list[ReceivedOut]
    closed: str
    under_way: str
    since: str | None
    days: int | None
    facts_count: int
    facts: list[TransitFactOut]


class UnderWayPage(ApiModel):
    """Things by item, lot, serial number and unit. next_cursor: None on the last page."""

    transfer: str
    things: list[UnderWayOut]
    next_cursor: str | None


def transfer_head_out(transfer: Transfer, *, now_ms: int) -> TransferHeadOut:
    """Return a transfer without its lines."""
    since_ms = transfer.under_way_since_ms
    return TransferHeadOut(
        code=transfer.code,
        source_warehouse=transfer.source,
        destination_warehouse=transfer.destination,
        state=transfer.shown_state,
        decided_state=transfer.state,
        version=transfer.version,
        note=transfer.note,
        second_person=transfer.second_person,
        backorders=transfer.backorders,
        stale=transfer.stale,
        created_by=transfer.created_by,
        created_time=utc_text(transfer.created_ms),
        requested_by=transfer.requested_by,
        approved_by=transfer.approved_by,
        released_time=_time(transfer.released_ms),
        ended_time=_time(transfer.ended_ms),
        ended_reason=transfer.ended_reason,
        under_way_since=_time(since_ms),
        under_way_days=_days(since_ms, now_ms=now_ms),
        actions=list(transfer.possible),
    )


def sees_picks(principal: Principal, transfer: Transfer) -> bool:
    """Return whether somebody may see what is set aside where: whoever may read orders there."""
    return may(principal, Permission.ORDERS_READ, warehouse=transfer.source)


def transfer_out(detail: TransferDetail, *, now_ms: int, with_picks: bool = True) -> TransferOut:
    """Return a transfer with everything about it. with_picks: also where it is set aside."""
    figures = detail.standing.figures
    unasked: dict[tuple[int, str, str], list[int]] = {}
    for side, counted in enumerate((figures.unasked_shipped, figures.unasked_received)):
        for key, micro in counted:
            unasked.setdefault(key, [0, 0])[side] = micro
    return TransferOut(
        **transfer_head_out(detail.transfer, now_ms=now_ms).model_dump(),
        lines=[_line_out(line, detail) for line in detail.standing.lines],
        picks=[_pick_out(row) for row in detail.reservations if row.quantity_micro and with_picks],
        unasked=[
            UnaskedOut(
                line=line,
                item=item,
                unit=unit,
                shipped=quantity_text(shipped),
                received=quantity_text(received),
            )
            for (line, item, unit), (shipped, received) in sorted(unasked.items())
        ],
        closings=[
            ClosingOut(
                **part.closing.thing._asdict(),
                quantity=quantity_text(part.closing.quantity_micro),
                reason=part.closing.reason,
                location=part.closing.location,
                note=part.closing.note,
                actor=part.actor,
                time=utc_text(part.at_ms),
                fact=part.fact,
            )
            for part in detail.closed
        ],
    )


def under_way_out(one: UnderWay, *, now_ms: int) -> UnderWayOut:
    """Return what is known of one thing at the in-transit place."""
    return UnderWayOut(
        **one.thing._asdict(),
        shipped=quantity_text(one.shipped_micro),
        received=[
            ReceivedOut(warehouse=warehouse, quantity=quantity_text(micro))
            for warehouse, micro in sorted(one.received.items())
        ],
        closed=quantity_text(one.closed_micro),
        under_way=quantity_text(one.under_way_micro),
        since=_time(one.since_ms),
        days=_days(one.since_ms, now_ms=now_ms),
        facts_count=one.facts_count,
        facts=[_fact_out(fact) for fact in one.facts],
    )


def _pick_out(row: Reservation) -> TransferPickOut:
    return TransferPickOut(
        number=row.pick_line,
        line=row.holder.line,
        item=row.stock.item,
        location=row.stock.location,
        lot=row.stock.lot,
        serial=row.stock.serial,
        sscc=row.stock.sscc,
        unit=row.stock.unit,
        quantity=quantity_text(row.quantity_micro),
        picked=row.picked,
    )


def _line_out(line: TransferLine, detail: TransferDetail) -> TransferLineOut:
    figures = detail.standing.figures.lines[line.line]
    damaged_micro = detail.damaged_micro.get(line.line, 0)
    reserved_micro = detail.reserved_micro(line.line)
    ended = detail.transfer.state in ENDED
    to_ship_micro = 0 if ended else figures.to_ship_micro
    is_over = ended and not detail.transfer.phase
    return TransferLineOut(
        line=line.line,
        item=line.item,
        unit=line.unit,
        lot=line.lot,
        from_location=line.from_location,
        to_location=line.to_location,
        tolerance_percent=quantity_text(line.tolerance_percent_micro),
        requested=quantity_text(figures.requested_micro),
        shipped=quantity_text(figures.shipped_micro),
        to_ship=quantity_text(to_ship_micro),
        reserved=quantity_text(reserved_micro),
        backorder=quantity_text(max(to_ship_micro - reserved_micro, 0)),
        received=quantity_text(figures.received_micro),
        damaged=quantity_text(damaged_micro),
        elsewhere=quantity_text(figures.elsewhere_micro),
        remainder=quantity_text(0 if is_over else figures.remainder_micro),
    )


def _fact_out(fact: FactBehind) -> TransitFactOut:
    return TransitFactOut(
        record_no=fact.record_no,
        fact=fact.fact,
        warehouse=fact.warehouse,
        location=fact.location,
        sscc=fact.sscc,
        quantity=quantity_text(fact.quantity_micro),
        event_time=utc_text(fact.event_time_ms),
        operator=fact.operator,
    )


def _time(time_ms: int) -> str | None:
    return utc_text(time_ms) if time_ms else None


def _days(since_ms: int, *, now_ms: int) -> int | None:
    return max(now_ms - since_ms, 0) // MS_PER_DAY if since_ms else None
