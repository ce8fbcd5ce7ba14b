"""The bodies of requests and answers about discrepancies and settlements. Edge of HTTP."""

import base64
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Literal, cast

from pydantic import ConfigDict, Field, JsonValue

from central.api.answers import fact_out
from central.api.api_model import ApiModel
from central.api.context import Words
from central.api.models import FactOut
from central.api.order_values import (
    Asking,
    DateText,
    DecimalText,
    Note,
    positive_micro,
)
from central.api.parameters import PastParameters, Text, WarehouseCode
from central.api.proposal_models import AdviceOut, ProposalOut, advice_out, proposal_out
from central.contract.quantities import canonical_text, parse_decimal, to_micro
from central.errors import Unusable
from central.ledger.entries import DiscrepancyKind
from central.orders.settling.discrepancy_views import DiscrepancyDetail, OpenCount, SettlementRow
from central.orders.settling.kind_rules import RESPONSIBLE_ROLE, Action, Cause, cause_of
from central.orders.settling.settlement_book import TEXT_LENGTH_MAX
from central.orders.settling.settlements import Decision
from central.stock.rows import DiscrepancyRow
from central.stock.times import parse_time, utc_text

FACTS_NAMED_MAX = 500
FACTOR_FORM = r"^\d{1,12}(\.\d{1,12})?(/\d{1,12})?$"
AGE_DAYS_MAX = 36_500
FactName = Annotated[str, Field(max_length=256)]

SETTLE: JsonValue = {"action": "adjust", "reason": "counted again: none is there", "counted": "0"}
REOPEN: JsonValue = {"reason": "the pallet was found in BIN-7", "take_back": True}
COMMENT: JsonValue = {"text": "the driver says that he took it"}
ASSIGN: JsonValue = {"owner": "li.na", "due_time": "2026-12-01T00:00:00Z"}


class DiscrepancyParameters(PastParameters):
    """Which discrepancies. unowned: those that nobody sees to. age_days: open for so long at least.

    cause: a group of kinds: goods, documents, devices or data. as_of: a day or a time; state,
    settlement and settled_time are of then, the rest is as it is now. as_of_time: "event" for what
    had happened by then, "record" for what the ledger knew then.
    """

    state: Literal["open", "settled"] | None = None
    kind: DiscrepancyKind | None = None
    cause: Cause | None = None
    warehouse: WarehouseCode | None = None
    owner: Text | None = None
    unowned: bool = False
    age_days: Annotated[int, Field(ge=0, le=AGE_DAYS_MAX)] | None = None


class CountParameters(ApiModel):
    """Of which warehouse."""

    model_config = ConfigDict(extra="forbid")

    warehouse: WarehouseCode | None = None


class SettleIn(Asking):
    """How a discrepancy is settled, and why. What is left out is as the evidence says.

    counted: what is at the place really (adjust). quantity: how much of it is meant. location, lot,
    sscc, item, document, document_line, warehouse: what it was meant for (reassign); sscc: the unit
    that goods were taken out of, "" for none; of a serial number, location and warehouse: where it
    is not (adjust). factor: how many of the item's units one of the stated unit is, e.g. "12" or
    "45359237/100000000". weight: what the goods of one fact, or the part of them that is meant,
    weighed, in the unit in which the item is weighed; a part that is not weighed takes its share.
    expiry_date: when the lot expires (correct). facts: only these of the facts behind it.
    happened_time: when it was so, if not now; not in a closed period.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [SETTLE]})

    action: Action
    reason: Annotated[Note, Field(min_length=1)]
    counted: DecimalText | None = None
    quantity: DecimalText | None = None
    location: Text | None = None
    lot: Annotated[str, Field(max_length=64)] | None = None
    sscc: Annotated[str, Field(pattern=r"^(\d{18})?$")] | None = None
    item: Text | None = None
    document: Text | None = None
    document_line: Annotated[int, Field(ge=0, le=2**31)] = 0
    warehouse: WarehouseCode | None = None
    factor: Annotated[str, Field(pattern=FACTOR_FORM)] | None = None
    weight: DecimalText | None = None
    expiry_date: DateText | None = None
    facts: Annotated[list[FactName], Field(max_length=FACTS_NAMED_MAX)] = Field(
        default_factory=list
    )
    happened_time: Annotated[str, Field(max_length=40)] | None = None


class ReopenIn(Asking):
    """Why a settlement was wrong. take_back: whether what it moved is moved back."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [REOPEN]})

    reason: Annotated[Note, Field(min_length=1)]
    take_back: bool = True


class AssignIn(Asking):
    """Who sees to it, "" for nobody, and until when."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [ASSIGN]})

    owner: Annotated[str, Field(max_length=64)]
    due_time: Annotated[str, Field(max_length=40)] | None = None


class CommentIn(Asking):
    """What somebody found out."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [COMMENT]})

    text: Annotated[Note, Field(min_length=1, max_length=TEXT_LENGTH_MAX)]


class DiscrepancyOut(ApiModel):
    """Something that does not add up. fact: identity of the first of `facts_count` facts behind.

    settlement: why it is settled, "" while it is open. owner: who sees to it, "" for nobody.
    responsible: who answers for it: the owner; else the role, in its warehouse, that may settle it.
    age_s: since it was opened, until it was settled.
    """

    id: str
    kind: str
    cause: str
    state: str
    warehouse: str
    subject: str
    item: str
    location: str
    lot: str
    unit: str
    document: str
    document_line: int
    expected: str | None
    actual: str | None
    detail: str
    fact: str | None
    facts_count: int
    opened_time: str | None
    age_s: int
    owner: str
    responsible: str
    due_time: str | None
    settlement: str
    settled_time: str | None
    version: int


class DiscrepancyPage(ApiModel):
    """Discrepancies, newest first. next_cursor: None on the last page."""

    discrepancies: list[DiscrepancyOut]
    next_cursor: str | None


class SettlementOut(ApiModel):
    """A decision about it. action: also "reopen". facts: the ledger's own that it posted."""

    number: int
    action: str
    reason: str
    actor: str
    time: str | None
    facts: list[str]


class DiscrepancyDetailOut(DiscrepancyOut):
    """A discrepancy with the raw evidence.

    means: what its kind says. actions: what settles it. facts: behind it, with every reading, as
    far as they are found quickly; facts_count says how many there are. unread_base64: bytes that
    are no fact, None else. proposals: best first; where only people know there is none, and advice
    says what they have to say first.
    """

    means: str
    actions: list[str]
    facts: list[FactOut]
    unread_base64: str | None
    settlements: list[SettlementOut]
    proposals: list[ProposalOut]
    advice: list[AdviceOut]


class OpenCountOut(ApiModel):
    """How many are open, by age. within_week: older than a day."""

    warehouse: str
    cause: str
    kind: str
    open_count: int
    within_day_count: int
    within_week_count: int
    older_count: int
    overdue_count: int
    unowned_count: int


class OpenCountsOut(ApiModel):
    """What is open, by warehouse and kind."""

    counts: list[OpenCountOut]


def decision_of(body: SettleIn) -> Decision:
    """Return what somebody decided. Raises ContractError or Unusable."""
    return Decision(
        action=body.action,
        reason=body.reason,
        counted_micro=None if body.counted is None else _counted(body.counted),
        quantity_micro=None if body.quantity is None else positive_micro(body.quantity),
        location=body.location or "",
        lot=body.lot,
        sscc=body.sscc,
        item=body.item or "",
        document=body.document or "",
        document_line=body.document_line,
        warehouse=body.warehouse or "",
        factor=None if body.factor is None else _factor(body.factor),
        weight_micro=None if body.weight is None else positive_micro(body.weight),
        expiry_date=body.expiry_date or "",
        facts=tuple(body.facts),
        event_time_ms=None if body.happened_time is None else parse_time(body.happened_time),
    )


def discrepancy_out(
    row: DiscrepancyRow, *, now_ms: int, words: Words | None = None
) -> DiscrepancyOut:
    """Return one discrepancy. words: of whoever asks, None for as the ledger writes."""
    return DiscrepancyOut(
        id=row.id,
        kind=row.kind,
        cause=cause_of(cast(DiscrepancyKind, row.kind)),
        state=row.state,
        warehouse=row.warehouse,
        subject=row.subject,
        item=row.item,
        location=row.location,
        lot=row.lot,
        unit=row.unit,
        document=row.document,
        document_line=row.document_line,
        expected=_optional_text(row.expected),
        actual=_optional_text(row.actual),
        detail=row.detail if words is None else words.detail(row.detail),
        fact=str(row.fact_id) if row.fact_id else None,
        facts_count=row.facts_count,
        opened_time=utc_text(row.opened_time_ms),
        age_s=max(0, (row.settled_time_ms or now_ms) - row.opened_time_ms) // 1000,
        owner=row.owner,
        responsible=row.owner or RESPONSIBLE_ROLE,
        due_time=utc_text(row.due_time_ms) if row.due_time_ms else None,
        settlement=row.settlement if words is None else words.settlement(row.settlement),
        settled_time=utc_text(row.settled_time_ms) if row.settled_time_ms else None,
        version=row.version,
    )


def detail_out(
    detail: DiscrepancyDetail, *, now_ms: int, words: Words | None = None
) -> DiscrepancyDetailOut:
    """Return a discrepancy with its evidence. words: of whoever asks, None for as is written."""
    unread, said = detail.unread, str if words is None else words.sentence
    return DiscrepancyDetailOut(
        **discrepancy_out(detail.row, now_ms=now_ms, words=words).model_dump(),
        means=detail.rule.means if words is None else words.meaning(detail.row.kind),
        actions=list(detail.rule.actions),
        facts=[fact_out(row) for row in detail.facts],
        unread_base64=None if unread is None else base64.b64encode(unread).decode(),
        settlements=[_settlement_out(row) for row in detail.settlements],
        proposals=[proposal_out(proposal, said) for proposal in detail.proposals],
        advice=[advice_out(advice, said) for advice in detail.advice],
    )


def open_count_out(count: OpenCount) -> OpenCountOut:
    """Return how many of a kind are open."""
    return OpenCountOut(
        warehouse=count.warehouse,
        cause=cause_of(count.kind),
        kind=count.kind,
        open_count=count.open_count,
        within_day_count=count.within_day_count,
        within_week_count=count.within_week_count,
        older_count=count.older_count,
        overdue_count=count.overdue_count,
        unowned_count=count.unowned_count,
    )


def _settlement_out(row: SettlementRow) -> SettlementOut:
    return SettlementOut(
        number=row.number,
        action=row.action,
        reason=row.reason,
        actor=row.actor,
        time=utc_text(row.at_ms),
        facts=[str(fact) for fact in row.facts],
    )


def _counted(text: str) -> int:
    micro = to_micro(parse_decimal(text))
    if micro < 0:
        raise Unusable(f"nobody counts {text}", hint="Give what is there, 0 for nothing.")
    return micro


def _factor(text: str) -> Fraction:
    try:
        factor = Fraction(text)
    except (ValueError, ZeroDivisionError) as error:
        raise Unusable(f"{text!r} is no factor", hint='Give e.g. "12" or "1/12".') from error
    if factor <= 0:
        raise Unusable(f"{text!r} is no factor", hint="Give a number greater than zero.")
    return factor


def _optional_text(value: Decimal | None) -> str | None:
    return None if value is None else canonical_text(value)
