"""The bodies of requests and answers about counts of stock. Pure."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, JsonValue

from central.api.api_model import ApiModel
from central.api.order_values import Asking, DateText, DecimalText, Note, Reason
from central.api.parameters import PageParameters, Text, WarehouseCode
from central.orders.counts.counts import LINES_COUNT_MAX, PARTS_COUNT_MAX, Kind, State, Verdict

ROUNDS_COUNT_MAX = 9
ENTRIES_COUNT_MAX = 500

OptionalText = Annotated[str, Field(max_length=64, pattern=r"^[^\x00-\x1f]*$")]
PlanText = Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z0-9._-]*$")]
LINE: JsonValue = {"location": "BIN-1", "item": "BOLT"}
COUNT: JsonValue = {
    "warehouse": "SH1",
    "lines": [LINE, {"location": "BIN-2"}],
    "note": "Before the holiday",
}
THING: JsonValue = {"location": "BIN-1", "item": "BOLT", "unit": "C62"}
ENTRIES: JsonValue = {
    "counted_by": "an",
    "entries": [{"location": "BIN-1", "item": "BOLT", "quantity": "10"}],
    "empty": ["BIN-2"],
}


class LimitsBody(Asking):
    """How large a variance may be; null: no bound. percent: of the book. value: in the currency of
    the items' costs.
    """

    percent: DecimalText | None = None
    quantity: DecimalText | None = None
    value: DecimalText | None = None


RECOUNT = LimitsBody(percent="2")
REVIEW = LimitsBody(percent="0")


class CountLineIn(Asking):
    """What to count: a place, with item "" for all that is there, with lot "" for any lot.

    part: 0, or 1, 2, 3 ... of goods that several people count a part of each, which add up.
    """

    location: Text
    item: OptionalText = ""
    lot: OptionalText = ""
    part: Annotated[int, Field(ge=0, le=PARTS_COUNT_MAX)] = 0


class RulesBody(Asking):
    """How a count is judged. recount: beyond it another person counts again, rounds_max rounds in
    all. review: beyond it somebody accepts who did not count. blind: stations show no quantity.
    """

    blind: bool = True
    rounds_max: Annotated[int, Field(ge=1, le=ROUNDS_COUNT_MAX)] = 2
    recount: LimitsBody = RECOUNT
    review: LimitsBody = REVIEW


class CountIn(RulesBody):
    """A new count."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [COUNT]})

    warehouse: WarehouseCode
    lines: Annotated[list[CountLineIn], Field(min_length=1, max_length=LINES_COUNT_MAX)]
    note: Note = ""


class ThingBody(Asking):
    """Goods at a place, as the variances of a count have them."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [THING]})

    location: Text
    item: Text
    unit: Text
    lot: OptionalText = ""
    serial: OptionalText = ""
    sscc: OptionalText = ""


class RecountIn(Asking):
    """What is to be counted again; all that differ if nothing is named."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"lines": [THING]}]})

    lines: list[ThingBody] = Field(max_length=LINES_COUNT_MAX, default=[])


class RejectIn(Asking):
    """At which lines the book is right, and why."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"lines": [THING], "reason": "the wrong bin"}]},
    )

    lines: Annotated[list[ThingBody], Field(min_length=1, max_length=LINES_COUNT_MAX)]
    reason: Annotated[Reason, Field(min_length=1)]


class EntryIn(Asking):
    """What was counted. unit: "" for the item's. part: of a line that has parts."""

    location: Text
    item: Text
    quantity: DecimalText
    unit: OptionalText = ""
    lot: OptionalText = ""
    serial: OptionalText = ""
    sscc: OptionalText = ""
    expiry_date: DateText = ""
    part: Annotated[int, Field(ge=0, le=PARTS_COUNT_MAX)] = 0


class EntriesIn(Asking):
    """A filled-in count sheet. counted_by: who counted. counted_time: when; left out: just now.

    empty: places at which nothing is of what the count asks for.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [ENTRIES]})

    counted_by: Text
    entries: list[EntryIn] = Field(max_length=ENTRIES_COUNT_MAX, default=[])
    empty: list[Text] = Field(max_length=LINES_COUNT_MAX, default=[])
    counted_time: Annotated[str, Field(max_length=40)] | None = None


class CountParameters(PageParameters):
    """Which counts."""

    warehouse: WarehouseCode | None = None
    state: State | None = None
    kind: Kind | None = None
    plan: PlanText | None = None


class VarianceParameters(PageParameters):
    """judged: "now" by all that is known by now, also of a count that is posted; "posted" as it was
    posted. Left out: as it was posted, or now while it is not.
    """

    judged: Literal["now", "posted"] | None = None
    differing: bool = False


class CountHeadOut(ApiModel):
    """A count in a list. actions: what may be done to it now. plan: that chose the lines.

    gateway: of an ad hoc count. reason: why it was cancelled.
    """

    code: str
    warehouse: str
    kind: Kind
    state: State
    blind: bool
    round: int
    rounds_max: int
    recount: LimitsBody
    review: LimitsBody
    plan: str
    gateway: str
    note: str
    reason: str
    created_by: str
    created_time: str | None
    released_time: str | None
    finished_time: str | None
    ended_by: str
    ended_time: str | None
    actions: list[str]
    version: int


class CountOut(CountHeadOut):
    """A count. lines_count, uncounted_count: lines of the present round, and those without a count.

    outdated_count: lines that are off by what came late, as discrepancies tell.
    """

    lines_count: int
    uncounted_count: int
    observations_count: int
    outdated_count: int


class CountPage(ApiModel):
    """Counts, newest first. next_cursor: None on the last page."""

    counts: list[CountHeadOut]
    next_cursor: str | None


class CountLineOut(ApiModel):
    """A line of a round. state: "counted", "empty" (somebody said so) or "uncounted"."""

    round: int
    line: int
    location: str
    item: str
    item_name: str
    item_name_zh: str
    lot: str
    part: int
    state: Literal["counted", "empty", "uncounted"]


class CountLinePage(ApiModel):
    """Lines by round and number. next_cursor: None on the last page."""

    lines: list[CountLineOut]
    next_cursor: str | None


class ObservationOut(ApiModel):
    """One count fact. fact: its identity, as of movements. book: what the ledger had right then."""

    fact: str
    record_no: int
    round: int
    line: int
    part: int
    location: str
    item: str
    lot: str
    serial: str
    sscc: str
    unit: str
    expiry_date: str
    quantity: str
    book: str
    operator: str
    station: str
    event_time: str | None


class ObservationPage(ApiModel):
    """Observations in the ledger's order. next_cursor: None on the last page."""

    observations: list[ObservationOut]
    next_cursor: str | None


class VarianceOut(ApiModel):
    """A line of the result: counted - (book + late - after + corrections + taken_back) = variance.

    fact: the observation at whose moment it is compared; book: what the ledger had when it came.
    late: moved before the count and came after it; after: moved after it and was posted already;
    corrections: of the book since; taken_back: reversed after the count, which shows that it never
    was. explanation: the same in words. found: false for what was looked for and not there.
    verdict: what the limits ask for. adjusted: what this count has changed stock by.
    outcome: "" before it is posted; "superseded": a later count of the same goods has set it right.
    outdated_by: what stock still has to change by since something came late; "0": nothing.
    """

    location: str
    item: str
    lot: str
    serial: str
    sscc: str
    unit: str
    round: int
    fact: str
    event_time: str | None
    counters: list[str]
    found: bool
    counted: str
    book: str
    late: str
    after: str
    corrections: str
    taken_back: str
    corrected_book: str
    variance: str
    value: str | None
    abc: str
    doubtful: bool
    explanation: list[str]
    verdict: Verdict
    rejected_by: str
    reject_reason: str
    adjusted: str
    outcome: str
    outdated_by: str


class VariancePage(ApiModel):
    """Lines of the result by place and goods. next_cursor: None on the last page."""

    variances: list[VarianceOut]
    next_cursor: str | None


class FinishedOut(CountOut):
    """A count of which a round was finished. follows: "recount", "refer" or "" for neither.

    uncounted: what nobody has counted, at most 500 lines.
    """

    follows: str
    uncounted: list[CountLineIn]
    variances_count: int


class PostedOut(CountOut):
    """A count that was posted. adjusted: the lines at which stock was changed just now."""

    adjusted: list[VarianceOut]


class SheetLineOut(ApiModel):
    """A row of a count sheet. expected: what the book has, None on a blind count's sheet.

    Of a line for a whole place: one for each of the goods of the book, unless the count is blind.
    """

    line: int
    location: str
    item: str
    item_name: str
    item_name_zh: str
    unit: str
    lot: str
    part: int
    expected: str | None


class SheetOut(ApiModel):
    """What a count sheet shows: the lines of the present round in walking order."""

    code: str
    warehouse: str
    round: int
    blind: bool
    note: str
    printed_time: str | None
    lines: list[SheetLineOut]
