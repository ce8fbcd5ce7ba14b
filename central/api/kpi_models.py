"""The bodies of answers about key figures and alerts. Edge of HTTP."""

from typing import Annotated, Literal

from pydantic import Field

from central.api.api_model import ApiModel
from central.api.parameters import PageParameters, WarehouseCode
from central.stock.alerts import AlertKind, Severity
from central.stock.kpis import DAYS_MAX, DEAD_DAYS

WEEKS_MAX = 53


class KpiParameters(PageParameters):
    """Of which warehouse, and how many rows at most. cursor: `next_cursor` of the page before,
    which is of the same moment."""

    warehouse: WarehouseCode | None = None


class SpanParameters(KpiParameters):
    """Of the last so many times 24 hours."""

    days: Annotated[int, Field(ge=1, le=DAYS_MAX)] = 30


class MoverParameters(SpanParameters):
    """What sold most first, or what sold least of what there is."""

    order: Literal["best", "worst"] = "best"


class DeadParameters(KpiParameters):
    """Of which nothing moved for so many days."""

    days: Annotated[int, Field(ge=1, le=DAYS_MAX)] = DEAD_DAYS


class WeekParameters(KpiParameters):
    """Of so many weeks, the present one too."""

    weeks: Annotated[int, Field(ge=1, le=WEEKS_MAX)] = 8


class AlertParameters(KpiParameters):
    """Which alerts. cursor: `next_cursor` of the page before."""

    kind: AlertKind | None = None
    severity: Severity | None = None


class TurnoverOut(ApiModel):
    """How often stock turned over, by quantity. warehouse: "" for all of them.

    a_year: shipped / average, times a year; None without stock. before_...: of the span before.
    """

    warehouse: str
    unit: str
    shipped: str
    average: str
    a_year: str | None
    before_shipped: str
    before_average: str
    before_a_year: str | None
    below_norm: bool
    above_norm: bool
    dropped: bool


class TurnoverPage(ApiModel):
    """By unit of all warehouses, then by warehouse and unit. norm: from and to, times a year."""

    days: int
    norm: tuple[str, str]
    turnover: list[TurnoverOut]
    next_cursor: str | None


class MoverOut(ApiModel):
    """An item with what was sold and what there is. covered_days: None where nothing sells."""

    item: str
    name: str
    name_zh: str
    unit: str
    shipped: str
    before_shipped: str
    on_hand: str
    covered_days: int | None


class MoverPage(ApiModel):
    """Items by sales; items_count: of the whole answer."""

    days: int
    items_count: int
    items: list[MoverOut]
    next_cursor: str | None


class DeadStockOut(ApiModel):
    """Stock of which nothing moved. value: at the cost of the item's policy, None if unknown."""

    warehouse: str
    item: str
    name: str
    name_zh: str
    unit: str
    on_hand: str
    last_moved_time: str | None
    value: str | None


class DeadStockPage(ApiModel):
    """What moved last longest ago first; items_count: of the whole answer."""

    days: int
    items_count: int
    items: list[DeadStockOut]
    next_cursor: str | None


class AgeOut(ApiModel):
    """So much of an age in days; to_days: None for the oldest class."""

    from_days: int
    to_days: int | None
    amount: str


class StockAgeOut(ApiModel):
    """How old the stock of one unit in a warehouse is. warehouse: "" for all of them."""

    warehouse: str
    unit: str
    items_count: int
    ages: list[AgeOut]


class ItemAgeOut(ApiModel):
    """How old the stock of an item in a warehouse is."""

    warehouse: str
    item: str
    name: str
    name_zh: str
    unit: str
    on_hand: str
    ages: list[AgeOut]


class StockAgePage(ApiModel):
    """Sums, and the items with most of the oldest first."""

    sums: list[StockAgeOut]
    items: list[ItemAgeOut]
    next_cursor: str | None


class UnderWayOut(ApiModel):
    """A transfer with goods under way."""

    transfer: str
    source: str
    destination: str
    since_time: str | None
    age_days: int


class TransitAgePage(ApiModel):
    """How many transfers are under way for how long, and the oldest of them."""

    ages: list[AgeOut]
    transfers: list[UnderWayOut]
    next_cursor: str | None


class WeekOut(ApiModel):
    """What was due in a week. percent: on time of all, None if nothing was due."""

    begins: str
    due_count: int
    on_time_count: int
    percent: str | None
    alarm: bool


class LateOut(ApiModel):
    """An order that was not on time, and why."""

    code: str
    customer: str
    warehouse: str
    due: str
    cause: Literal["approval", "stock", "release", "given_up", "dock"]
    late_days: int


class DeliveryPage(ApiModel):
    """How many orders went out in full by the promised day. late: the latest due first."""

    due_count: int
    on_time_count: int
    percent: str | None
    alarm: bool
    alarm_below_percent: str
    weeks: list[WeekOut]
    causes: dict[str, int]
    late: list[LateOut]
    next_cursor: str | None


class SupplierOut(ApiModel):
    """How one supplier did. on_time_percent, pass_percent: None if there is nothing to judge."""

    supplier: str
    name: str
    name_zh: str
    due_count: int
    on_time_count: int
    on_time_percent: str | None
    decided_count: int
    passed_count: int
    pass_percent: str | None
    late_orders: list[str]
    alarm: bool


class SupplierPage(ApiModel):
    """Suppliers of whom something was due or inspected."""

    days: int
    suppliers: list[SupplierOut]
    next_cursor: str | None


class ThroughputOut(ApiModel):
    """What a gateway recorded in an hour."""

    warehouse: str
    gateway: str
    hour: str | None
    facts_count: int
    moved_count: int


class ThroughputPage(ApiModel):
    """This hour and the 23 before."""

    hours: list[ThroughputOut]
    next_cursor: str | None


class AlertOut(ApiModel):
    """Something to see to. figure, bound: in `unit`, what is and what should be."""

    kind: str
    severity: str
    warehouse: str
    subject: str
    item: str
    location: str
    lot: str
    unit: str
    figure: str | None
    bound: str | None
    since_time: str | None
    due: str
    detail: str


class AlertPage(ApiModel):
    """Alerts, the bad ones first. The counts are of all alerts, whatever was asked for.

    more: of some kind there are more than any page lists. next_cursor: None on the last page.
    """

    read_time: str | None
    bad_count: int
    warn_count: int
    more: bool
    alerts: list[AlertOut]
    next_cursor: str | None
