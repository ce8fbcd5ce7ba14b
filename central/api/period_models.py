"""The bodies of requests and answers about closed periods. Edge of HTTP."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, JsonValue

from central.api.answers import movement_out
from central.api.api_model import ApiModel
from central.api.context import Words
from central.api.models import MovementOut
from central.api.order_values import Asking, DocumentCode, Note, quantity_text
from central.api.parameters import PageParameters, Text, WarehouseCode
from central.ledger.entries import BalanceKey
from central.orders.settling.period_late import LateFact, LateTotal
from central.orders.settling.periods import OpenPoint, Period
from central.stock.rows import MovementRow
from central.stock.times import parse_time, utc_text

DAY_LENGTH = len("2026-05-31")
CLOSE: JsonValue = {
    "period": "2026-05",
    "through": "2026-05-31",
    "anyway": True,
    "reason": "the open transfers are known",
}
TimeText = Annotated[str, Field(max_length=40, examples=["2026-05-31"])]


class CloseIn(Asking):
    """The next period to close. through: its last day in UTC, or the moment at which it ends.

    anyway: although something is open; then the reason says why.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [CLOSE]})

    period: DocumentCode
    through: TimeText
    reason: Note = ""
    anyway: bool = False


class ChecklistParameters(ApiModel):
    """The end of a period that may be closed next, as of `CloseIn`."""

    model_config = ConfigDict(extra="forbid")

    through: TimeText


class PeriodBalanceParameters(PageParameters):
    """Which balances of a period."""

    warehouse: WarehouseCode | None = None
    item: Text | None = None


class OpenPointOut(ApiModel):
    """Something that may still change the figures. subject: which gateway, discrepancy, ..."""

    check: Literal["gateway", "discrepancy", "transfer", "count", "balance"]
    warehouse: str
    subject: str
    detail: str


class ChecklistOut(ApiModel):
    """What is open before a period that ends at end_time. Empty: it can be closed as it is."""

    end_time: str | None
    open: list[OpenPointOut]


class PeriodOut(ApiModel):
    """A closed period. end_time: the first moment after it. late_count: facts that came too late.

    closed_record_no: the last fact that it knows. open: what was open when it was closed.
    """

    period: str
    end_time: str | None
    closed_time: str | None
    closed_record_no: int
    closed_by: str
    reason: str
    late_count: int
    open: list[OpenPointOut]


class PeriodsOut(ApiModel):
    """Closed periods, oldest first. next_cursor: None on the last page."""

    periods: list[PeriodOut]
    next_cursor: str | None


class PeriodBalanceOut(ApiModel):
    """What stood where at the end of a period, as it was closed. weight: of goods that are weighed.

    on_hand is "0" where only a weight was left by then of what had gone.
    """

    warehouse: str
    location: str
    item: str
    lot: str
    serial: str
    sscc: str
    unit: str
    status: str
    on_hand: str
    weight: str


class PeriodBalancePage(ApiModel):
    """Balances by key. next_cursor: None on the last page."""

    balances: list[PeriodBalanceOut]
    next_cursor: str | None


class LateFactOut(ApiModel):
    """A fact that came too late. counts_in: the period that counts it, None for the open one."""

    dated: str | None
    counts_in: str | None
    movement: MovementOut


class LateFactPage(ApiModel):
    """Facts that came too late, as they came. next_cursor: None on the last page."""

    facts: list[LateFactOut]
    next_cursor: str | None


class LateTotalOut(ApiModel):
    """What late facts changed of one item at one place. weight: of goods that are weighed."""

    warehouse: str
    location: str
    item: str
    lot: str
    unit: str
    facts_count: int
    quantity: str
    weight: str


class LateTotalsOut(ApiModel):
    """What came too late, by place and item; what changed most comes first."""

    totals: list[LateTotalOut]


def end_of(text: str) -> int:
    """Return where a period ends, in milliseconds: after a day, or at a moment.

    Raises ContractError.
    """
    return parse_time(text) + (1 if len(text) == DAY_LENGTH else 0)


def point_out(point: OpenPoint, words: Words | None = None) -> OpenPointOut:
    """Return something that is open. words: of whoever asks, None for as the ledger writes."""
    return OpenPointOut.model_validate(
        {
            "check": point.check,
            "warehouse": point.warehouse,
            "subject": point.subject,
            "detail": point.detail if words is None else words.point(point),
        }
    )


def period_out(period: Period, *, late_count: int, words: Words | None = None) -> PeriodOut:
    """Return a closed period. words: of whoever asks, None for as the ledger writes."""
    return PeriodOut(
        period=period.code,
        end_time=utc_text(period.through_ms),
        closed_time=utc_text(period.closed_ms),
        closed_record_no=period.closed_record_no,
        closed_by=period.actor,
        reason=period.reason,
        late_count=late_count,
        open=[point_out(point, words) for point in period.open_points],
    )


def balance_out(key: BalanceKey, on_hand_micro: int, weight_micro: int) -> PeriodBalanceOut:
    """Return what stood at one place."""
    return PeriodBalanceOut(
        **dict(zip(BalanceKey._fields, key, strict=True)),
        on_hand=quantity_text(on_hand_micro),
        weight=quantity_text(weight_micro),
    )


def late_out(late: LateFact, row: MovementRow) -> LateFactOut:
    """Return a fact that came too late."""
    return LateFactOut(
        dated=utc_text(late.dated_ms), counts_in=late.counts_in, movement=movement_out(row)
    )


def total_out(total: LateTotal) -> LateTotalOut:
    """Return what late facts changed at one place."""
    return LateTotalOut(
        warehouse=total.warehouse,
        location=total.location,
        item=total.item,
        lot=total.lot,
        unit=total.unit,
        facts_count=total.facts_count,
        quantity=quantity_text(total.quantity_micro),
        weight=quantity_text(total.weight_micro),
    )
