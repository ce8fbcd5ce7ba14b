"""Turns counts into the bodies of answers, and limits into integers. Edge of HTTP."""

from central.api.count_models import (
    CountHeadOut,
    CountLineIn,
    CountLineOut,
    CountOut,
    LimitsBody,
    ObservationOut,
    RulesBody,
    SheetLineOut,
    ThingBody,
    VarianceOut,
)
from central.api.order_values import percent_micro, quantity_text
from central.contract.quantities import parse_decimal, to_micro
from central.errors import Unusable
from central.orders.counts.count_judging import Observed, Thing
from central.orders.counts.count_results import Variance
from central.orders.counts.count_sheet import SheetLine
from central.orders.counts.count_views import CountView, LineView
from central.orders.counts.counts import (
    OBSERVED,
    STATES,
    CountHead,
    CountLine,
    Limits,
    Rules,
)
from central.orders.state_tables import possible_actions
from central.stock.times import utc_text


def rules_asked(body: RulesBody) -> Rules:
    """Return the rules in a request. Raises ContractError, Unusable."""
    return Rules(limits_asked(body.recount), limits_asked(body.review), body.rounds_max)


def limits_asked(body: LimitsBody) -> Limits:
    """Return limits in integers. Raises ContractError, Unusable."""
    return Limits(
        percent_micro(body.percent, what="percent"),
        not_negative_micro(body.quantity, what="quantity"),
        not_negative_micro(body.value, what="value"),
    )


def not_negative_micro(text: str | None, *, what: str) -> int | None:
    """Return millionths, None for None. Raises ContractError, Unusable below zero."""
    if text is None:
        return None
    micro = to_micro(parse_decimal(text, what=what), what=what)
    if micro < 0:
        raise Unusable(f"{what} {text} is below zero", hint="Give a number from 0 on.")
    return micro


def limits_body(limits: Limits) -> LimitsBody:
    """Return limits as decimal text."""
    return LimitsBody(
        percent=_optional(limits.percent_micro),
        quantity=_optional(limits.quantity_micro),
        value=_optional(limits.value_micro),
    )


def thing_asked(body: ThingBody) -> Thing:
    """Return the goods that a request names."""
    return Thing(body.location, body.item, body.lot, body.serial, body.sscc, body.unit)


def line_asked(number: int, body: CountLineIn) -> CountLine:
    """Return a line of a new count."""
    return CountLine(number, body.location, body.item, body.lot, body.part)


def line_body(line: CountLine) -> CountLineIn:
    """Return a line as it was asked for."""
    return CountLineIn(location=line.location, item=line.item, lot=line.lot, part=line.part)


def count_head_out(head: CountHead) -> CountHeadOut:
    """Return a count without figures of its lines."""
    actions = list(possible_actions(STATES, head.state))
    if head.state in OBSERVED:
        actions.append("entries")
    return CountHeadOut(
        code=head.code,
        warehouse=head.warehouse,
        kind=head.kind,
        state=head.state,
        blind=head.blind,
        round=head.round,
        rounds_max=head.rules.rounds_max,
        recount=limits_body(head.rules.recount),
        review=limits_body(head.rules.review),
        plan=head.plan,
        gateway=head.gateway,
        note=head.note,
        reason=head.reason,
        created_by=head.created_by,
        created_time=_time(head.created_ms),
        released_time=_time(head.released_ms),
        finished_time=_time(head.finished_ms),
        ended_by=head.ended_by,
        ended_time=_time(head.ended_ms),
        actions=actions,
        version=head.version,
    )


def count_out(view: CountView) -> CountOut:
    """Return a count with its figures."""
    return CountOut(
        **count_head_out(view.head).model_dump(),
        lines_count=view.lines_count,
        uncounted_count=view.uncounted_count,
        observations_count=view.observations_count,
        outdated_count=view.outdated_count,
    )


def line_out(view: LineView) -> CountLineOut:
    """Return a line of a round."""
    line, name = view.line, view.name
    return CountLineOut(
        round=view.round,
        line=line.line,
        location=line.location,
        item=line.item,
        item_name=name.name,
        item_name_zh=name.name_zh,
        lot=line.lot,
        part=line.part,
        state=view.state,
    )


def sheet_line_out(one: SheetLine) -> SheetLineOut:
    """Return a line of a count sheet."""
    line, name = one.line, one.name
    return SheetLineOut(
        line=line.line,
        location=line.location,
        item=line.item,
        item_name=name.name,
        item_name_zh=name.name_zh,
        unit=name.unit,
        lot=line.lot,
        part=line.part,
        expected=_optional(one.expected_micro),
    )


def observation_out(said: Observed, *, station: str) -> ObservationOut:
    """Return one count fact."""
    thing, moment = said.thing, said.moment
    return ObservationOut(
        fact=f"{moment.gateway}/{moment.epoch}/{moment.seq}",
        record_no=moment.record_no,
        round=said.round,
        line=said.line,
        part=said.part,
        location=thing.location,
        item=thing.item,
        lot=thing.lot,
        serial=thing.serial,
        sscc=thing.sscc,
        unit=thing.unit,
        expiry_date=said.expiry_date,
        quantity=quantity_text(said.quantity_micro),
        book=quantity_text(said.book_micro),
        operator=said.operator,
        station=station,
        event_time=utc_text(moment.event_time_ms),
    )


def variance_out(one: Variance) -> VarianceOut:
    """Return a line of the result."""
    thing, judged, fact = one.thing, one.judgement, one.fact
    return VarianceOut(
        location=thing.location,
        item=thing.item,
        lot=thing.lot,
        serial=thing.serial,
        sscc=thing.sscc,
        unit=thing.unit,
        round=one.counted.round,
        fact=f"{fact.gateway}/{fact.epoch}/{fact.seq}",
        event_time=utc_text(one.counted.moment.event_time_ms),
        counters=sorted(one.counted.counters),
        found=one.counted.found,
        counted=quantity_text(judged.counted_micro),
        book=quantity_text(judged.book_micro),
        late=quantity_text(judged.late_micro),
        after=quantity_text(judged.after_micro),
        corrections=quantity_text(judged.corrections_micro),
        taken_back=quantity_text(judged.taken_back_micro),
        corrected_book=quantity_text(judged.corrected_micro),
        variance=quantity_text(judged.variance_micro),
        value=quantity_text(one.value_micro) if one.worth.cost_micro else None,
        abc=one.worth.abc,
        doubtful=judged.doubtful,
        explanation=list(judged.explanation),
        verdict=one.verdict,
        rejected_by=one.rejected_by,
        reject_reason=one.reject_reason,
        adjusted=quantity_text(one.adjusted_micro),
        outcome=one.outcome,
        outdated_by=quantity_text(one.outdated_micro),
    )


def _optional(micro: int | None) -> str | None:
    return None if micro is None else quantity_text(micro)


def _time(time_ms: int) -> str | None:
    return utc_text(time_ms) if time_ms else None
