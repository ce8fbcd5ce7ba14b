"""Turns key figures and alerts into the bodies of answers. Edge of HTTP."""

from decimal import Decimal
from fractions import Fraction

from central.api.kpi_models import (
    AgeOut,
    AlertOut,
    DeadStockOut,
    ItemAgeOut,
    LateOut,
    MoverOut,
    StockAgeOut,
    SupplierOut,
    ThroughputOut,
    TurnoverOut,
    UnderWayOut,
    WeekOut,
)
from central.api.order_values import quantity_text
from central.stock.alerts import Alert
from central.stock.deliveries import Judged, Week
from central.stock.kpis import AgeClass, Span, Turnover
from central.stock.kpis_age import AgedWarehouse, StockAge, UnderWay
from central.stock.kpis_docks import Throughput
from central.stock.kpis_supply import SupplierRecord
from central.stock.kpis_turnover import DeadStock, Mover
from central.stock.times import utc_text


def percent_text(share: Fraction | None) -> str | None:
    """Return a share in percent, cut after two places and not rounded: 99.999 is not 100."""
    return None if share is None else f"{Decimal(int(share * 10_000)).scaleb(-2):.2f}"


def times_text(times: Fraction | None) -> str | None:
    """Return how often, cut after two places."""
    return None if times is None else f"{Decimal(int(times * 100)).scaleb(-2):.2f}"


def turnover_out(one: Turnover) -> TurnoverOut:
    """Return the turnover of one unit in a warehouse."""
    return TurnoverOut(
        warehouse=one.warehouse,
        unit=one.unit,
        shipped=quantity_text(one.shipped_micro),
        average=quantity_text(one.average_micro),
        a_year=times_text(one.a_year),
        before_shipped=quantity_text(one.before_shipped_micro),
        before_average=quantity_text(one.before_average_micro),
        before_a_year=times_text(one.before_a_year),
        below_norm=one.below_norm,
        above_norm=one.above_norm,
        dropped=one.dropped,
    )


def mover_out(one: Mover, span: Span) -> MoverOut:
    """Return what was sold of an item."""
    return MoverOut(
        item=one.item,
        name=one.name,
        name_zh=one.name_zh,
        unit=one.unit,
        shipped=quantity_text(one.shipped_micro),
        before_shipped=quantity_text(one.before_shipped_micro),
        on_hand=quantity_text(one.on_hand_micro),
        covered_days=one.covered_days(span),
    )


def dead_out(one: DeadStock) -> DeadStockOut:
    """Return stock of which nothing moved."""
    return DeadStockOut(
        warehouse=one.warehouse,
        item=one.item,
        name=one.name,
        name_zh=one.name_zh,
        unit=one.unit,
        on_hand=quantity_text(one.on_hand_micro),
        last_moved_time=utc_text(one.last_ms),
        value=None if one.value_micro is None else quantity_text(one.value_micro),
    )


def ages_out(classes: tuple[AgeClass, ...], *, counted: bool = False) -> list[AgeOut]:
    """Return classes of age. counted: their amounts are counts, not millionths."""
    return [
        AgeOut(
            from_days=one.from_days,
            to_days=one.to_days,
            amount=str(one.amount_micro) if counted else quantity_text(one.amount_micro),
        )
        for one in classes
    ]


def stock_age_out(one: AgedWarehouse) -> StockAgeOut:
    """Return the age of the stock of a warehouse."""
    return StockAgeOut(
        warehouse=one.warehouse,
        unit=one.unit,
        items_count=one.items_count,
        ages=ages_out(one.classes),
    )


def item_age_out(one: StockAge) -> ItemAgeOut:
    """Return the age of the stock of an item."""
    return ItemAgeOut(
        warehouse=one.warehouse,
        item=one.item,
        name=one.name,
        name_zh=one.name_zh,
        unit=one.unit,
        on_hand=quantity_text(one.on_hand_micro),
        ages=ages_out(one.classes),
    )


def under_way_out(one: UnderWay, *, now_ms: int) -> UnderWayOut:
    """Return a transfer with goods under way."""
    return UnderWayOut(
        transfer=one.transfer,
        source=one.source,
        destination=one.destination,
        since_time=utc_text(one.since_ms),
        age_days=one.age_days(now_ms=now_ms),
    )


def week_out(one: Week) -> WeekOut:
    """Return a week."""
    return WeekOut(
        begins=one.begins,
        due_count=one.due_count,
        on_time_count=one.on_time_count,
        percent=percent_text(one.on_time),
        alarm=one.alarm,
    )


def late_out(one: Judged) -> LateOut:
    """Return an order that was not on time."""
    return LateOut.model_validate(
        {
            "code": one.delivery.code,
            "customer": one.delivery.partner,
            "warehouse": one.delivery.warehouse,
            "due": one.delivery.due,
            "cause": one.cause,
            "late_days": one.late_days,
        }
    )


def supplier_out(one: SupplierRecord) -> SupplierOut:
    """Return how a supplier did."""
    return SupplierOut(
        supplier=one.supplier,
        name=one.name,
        name_zh=one.name_zh,
        due_count=one.due_count,
        on_time_count=one.on_time_count,
        on_time_percent=percent_text(one.on_time),
        decided_count=one.decided_count,
        passed_count=one.passed_count,
        pass_percent=percent_text(one.passed),
        late_orders=list(one.late_orders),
        alarm=one.alarm,
    )


def throughput_out(one: Throughput) -> ThroughputOut:
    """Return what a gateway recorded in an hour."""
    return ThroughputOut(
        warehouse=one.warehouse,
        gateway=one.gateway,
        hour=utc_text(one.hour_ms),
        facts_count=one.facts_count,
        moved_count=one.moved_count,
    )


def alert_out(one: Alert) -> AlertOut:
    """Return something to see to."""
    return AlertOut(
        kind=one.kind,
        severity=one.severity,
        warehouse=one.warehouse,
        subject=one.subject,
        item=one.item,
        location=one.location,
        lot=one.lot,
        unit=one.unit,
        figure=None if one.figure_micro is None else quantity_text(one.figure_micro),
        bound=None if one.bound_micro is None else quantity_text(one.bound_micro),
        since_time=utc_text(one.since_ms) if one.since_ms else None,
        due=one.due,
        detail=one.detail,
    )
