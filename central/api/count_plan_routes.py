"""The addresses below /api/v1 of plans of cyclic counts, and how true the book is. Edge of HTTP."""

from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import AfterValidator, ConfigDict, Field, JsonValue

from central.api.api_model import ApiModel
from central.api.context import Reading
from central.api.count_answers import limits_body, rules_asked
from central.api.count_bodies import count_answer
from central.api.count_models import CountOut, LimitsBody, RulesBody
from central.api.due_models import DueOut, DuePage, DueParameters
from central.api.order_values import quantity_text
from central.api.parameters import PREFIX, PageParameters, WarehouseCode, read_cursor, write_cursor
from central.api.problems import PROBLEM, ProblemRaised
from central.api.ranking import Ranking
from central.api.writing import (
    EDIT_REFUSALS,
    REFUSALS,
    Answer,
    Call,
    Writing,
    etag_of,
    require_match,
)
from central.contract.identifiers import parse_code
from central.ledger.desk import Change
from central.orders.counts.count_plans import (
    DAYS_MAX,
    CountPlan,
    draw_count,
    due_lines,
    find_plan,
    list_plans,
    load_plan,
    put_plan,
)
from central.orders.counts.counts import LINES_COUNT_MAX
from central.orders.order_goods import require_known
from central.stock.count_kpis import ALARM_BELOW, Accuracy, AccuracyFilter, read_accuracy
from central.stock.times import parse_time, utc_text

router = APIRouter(
    prefix=PREFIX,
    responses={422: PROBLEM, 503: PROBLEM},
    tags=["counts"],
)
NOT_THERE: dict[int | str, dict[str, Any]] = {404: PROBLEM}
PlanCode = Annotated[
    str, Path(max_length=64), AfterValidator(lambda text: parse_code(text, what="count plan"))
]
Days = Annotated[int, Field(ge=0, le=DAYS_MAX)]
TimeText = Annotated[str, Field(max_length=40)]
PLAN: JsonValue = {"warehouse": "SH1", "a_days": 30, "b_days": 90, "c_days": 180}


class PlanIn(RulesBody):
    """How a warehouse is counted little by little: every so many days by class, 0 for never.

    Items without a class are counted as C. lines_max: places and items of one count.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [PLAN]})

    warehouse: WarehouseCode
    a_days: Days = 30
    b_days: Days = 90
    c_days: Days = 180
    lines_max: Annotated[int, Field(ge=1, le=LINES_COUNT_MAX)] = 100


class PlanOut(ApiModel):
    """A plan."""

    code: str
    warehouse: str
    a_days: int
    b_days: int
    c_days: int
    lines_max: int
    blind: bool
    rounds_max: int
    recount: LimitsBody
    review: LimitsBody
    version: int


class PlanPage(ApiModel):
    """Plans by code. next_cursor: None on the last page."""

    plans: list[PlanOut]
    next_cursor: str | None


class PlanParameters(PageParameters):
    """Which plans."""

    warehouse: WarehouseCode | None = None


class AccuracyParameters(ApiModel):
    """Which counted lines: by when they were counted. A day as until: to its end."""

    model_config = ConfigDict(extra="forbid")

    since: TimeText | None = None
    until: TimeText | None = None
    warehouse: WarehouseCode | None = None
    abc: Literal["A", "B", "C"] | None = None


class AccuracyOut(ApiModel):
    """How true the book was. matching: of each line the smaller of counted and book; total: the
    larger. by_lines_percent, by_quantity_percent: cut after two places. alarm: either is below 98.
    variance_value: None for whoever may not see money.
    """

    warehouse: str
    abc: str
    unit: str
    lines_count: int
    matching_lines_count: int
    by_lines_percent: str
    counted: str
    matching: str
    total: str
    by_quantity_percent: str
    lost: str
    found: str
    variance_value: str | None
    alarm: bool


class AccuracyPage(ApiModel):
    """By warehouse, class and unit, and by lines over all of them.

    Percentages are None where nothing was counted. alarm: any group's, or that over all.
    """

    groups: list[AccuracyOut]
    lines_count: int
    matching_lines_count: int
    by_lines_percent: str | None
    alarm_below_percent: str
    alarm: bool


@router.get("/count-plans")
def count_plans(reading: Reading, asked: Annotated[PlanParameters, Query()]) -> PlanPage:
    """List plans by code."""
    after = read_cursor(asked.cursor, str)
    with reading.database.read() as connection:
        plans = list_plans(
            connection,
            warehouse=asked.warehouse or "",
            after=after or "",
            limit=asked.limit + 1,
        )
        require_known(connection, plans, asked.warehouse)
    page = plans[: asked.limit]
    more = len(plans) > asked.limit
    return PlanPage(
        plans=[plan_out(plan) for plan in page],
        next_cursor=write_cursor(page[-1].code) if more else None,
    )


@router.get("/count-plans/{code}", responses=NOT_THERE)
def count_plan(reading: Reading, response: Response, code: PlanCode) -> PlanOut:
    """Return a plan."""
    with reading.database.read() as connection:
        plan = load_plan(connection, code)
    response.headers["ETag"] = etag_of(plan.version)
    return plan_out(plan)


@router.put("/count-plans/{code}", response_model=PlanOut, responses=EDIT_REFUSALS)
def put_count_plan(writing: Writing, call: Call, code: PlanCode, body: PlanIn) -> Response:
    """Make a plan or change it (If-Match); counts that were drawn from it stay as they are."""

    def work(change: Change) -> Answer:
        if call.matched:
            load_plan(change.connection, code)  # Of what is not there nobody has seen a version.
        elif find_plan(change.connection, code) is not None:
            require_match(call)
        plan = CountPlan(
            code,
            body.warehouse,
            body.a_days,
            body.b_days,
            body.c_days,
            body.lines_max,
            body.blind,
            rules_asked(body),
        )
        there = put_plan(change, plan, version=call.version)
        return Answer(plan_out(there), version=there.version)

    return writing.answer(call, work)


@router.get("/count-plans/{code}/due", responses=NOT_THERE)
def count_plan_due(
    reading: Reading, code: PlanCode, asked: Annotated[DueParameters, Query()]
) -> DuePage:
    """List what is to be counted by a plan and no count asks for yet."""
    ranking = Ranking(asked.cursor, now_ms=reading.clock.now_ms(), limit=asked.limit)
    ranking.require((0, "", "", ""))
    limit, after = asked.limit + 1, ranking.rank
    with reading.database.read() as connection:
        plan = load_plan(connection, code)
        due = due_lines(connection, plan, now_ms=ranking.now_ms, after=after, limit=limit)
    page, further = ranking.page(due, lambda one: (one.due_ms, one.abc, one.location, one.item))
    return DuePage(
        due=[
            DueOut(
                location=one.location,
                item=one.item,
                abc=one.abc,
                counted_time=utc_text(one.counted_ms) if one.counted_ms else None,
                due_time=utc_text(one.due_ms) if one.due_ms else None,
            )
            for one in page
        ],
        next_cursor=further,
    )


@router.post(
    "/count-plans/{code}/draw", status_code=201, response_model=CountOut, responses=REFUSALS
)
def draw_from_count_plan(
    writing: Writing, call: Call, reading: Reading, code: PlanCode
) -> Response:
    """Make a count of what is due; it still has to be released."""
    # Balances of a whole warehouse are read before the change, which everybody waits for.
    with reading.database.read() as connection:
        plan = load_plan(connection, code)
        due = due_lines(connection, plan, now_ms=reading.clock.now_ms(), limit=plan.lines_max)

    def work(change: Change) -> Answer:
        head = draw_count(change, code, due)
        return count_answer(change, head, status=201, location=f"{PREFIX}/counts/{head.code}")

    return writing.answer(call, work)


@router.get("/kpis/count-accuracy")
def count_accuracy(reading: Reading, asked: Annotated[AccuracyParameters, Query()]) -> AccuracyPage:
    """Return how true the book was where it was counted; below 98 percent is an alarm."""
    until_ms = reading.clock.now_ms() if asked.until is None else parse_time(asked.until)
    since_ms = _day_begins(asked.since)
    if since_ms > until_ms:
        raise ProblemRaised(
            status=422,
            title="Unusable parameter",
            detail="since: is later than until, or than now",
            hint="Name a since that is before until.",
        )
    wanted = AccuracyFilter(
        from_ms=since_ms,
        to_ms=until_ms + 1,
        warehouse=asked.warehouse or "",
        abc=asked.abc or "",
    )
    with reading.database.read() as connection:
        groups = read_accuracy(connection, wanted)
        require_known(connection, groups, asked.warehouse)
    lines_count = sum(one.lines_count for one in groups)
    matching_count = sum(one.matching_lines_count for one in groups)
    share = Fraction(matching_count, lines_count) if lines_count else None
    return AccuracyPage(
        groups=[_accuracy_out(one) for one in groups],
        lines_count=lines_count,
        matching_lines_count=matching_count,
        by_lines_percent=None if share is None else _percent(share),
        alarm_below_percent=_percent(ALARM_BELOW),
        alarm=any(one.alarm for one in groups) or (share is not None and share < ALARM_BELOW),
    )


def _day_begins(text: str | None) -> int:
    """Return the first millisecond that is meant: of a day its beginning."""
    if text is None:
        return 0
    whole_day = len(text) == len("2026-11-22")
    return parse_time(f"{text}T00:00:00Z" if whole_day else text)


def _percent(share: Fraction) -> str:
    """Return a share in percent, cut and not rounded: 99.999 is not 100."""
    return f"{Decimal(int(share * 10_000)).scaleb(-2):.2f}"


def _accuracy_out(one: Accuracy) -> AccuracyOut:
    return AccuracyOut(
        warehouse=one.warehouse,
        abc=one.abc,
        unit=one.unit,
        lines_count=one.lines_count,
        matching_lines_count=one.matching_lines_count,
        by_lines_percent=_percent(one.by_lines),
        counted=quantity_text(one.counted_micro),
        matching=quantity_text(one.matching_micro),
        total=quantity_text(one.total_micro),
        by_quantity_percent=_percent(one.by_quantity),
        lost=quantity_text(one.lost_micro),
        found=quantity_text(one.found_micro),
        variance_value=quantity_text(one.value_micro),
        alarm=one.alarm,
    )


def plan_out(plan: CountPlan) -> PlanOut:
    """Return a plan as it is answered."""
    return PlanOut(
        code=plan.code,
        warehouse=plan.warehouse,
        a_days=plan.a_days,
        b_days=plan.b_days,
        c_days=plan.c_days,
        lines_max=plan.lines_max,
        blind=plan.blind,
        rounds_max=plan.rules.rounds_max,
        recount=limits_body(plan.rules.recount),
        review=limits_body(plan.rules.review),
        version=plan.version,
    )
