"""Counts of stock and their plans as documents. Edge of the database."""

from collections.abc import Sequence

from central.api.count_answers import (
    count_head_out,
    count_out,
    line_out,
    observation_out,
    variance_out,
)
from central.api.count_plan_routes import plan_out
from central.errors import NotThere
from central.orders.counts.count_plans import due_lines, load_plan
from central.orders.counts.count_posting import list_results
from central.orders.counts.count_reading import read_standing
from central.orders.counts.count_rows import find_head, list_observations
from central.orders.counts.count_sheet import sheet_lines
from central.orders.counts.count_views import list_lines, view_count
from central.orders.counts.counts import LINES_COUNT_MAX, CountHead
from central.stock.times import utc_text
from central.web.documents.kinds import ActionOf, Connection, DocumentKind, Read, TableOf
from central.web.documents.parts import Values
from central.web.words import marked

OBSERVATIONS_SHOWN_MAX = 200
DUE_SHOWN_MAX = 200
GOODS = ("location", "item", "unit", "lot", "serial", "sscc")


def _counts(connection: Connection, codes: Sequence[str], _now_ms: int) -> list[Values]:
    heads = (find_head(connection, code) for code in codes)
    return [count_head_out(head).model_dump() for head in heads if head is not None]


def _whole(connection: Connection, values: Values, _now_ms: int) -> Read:
    head = find_head(connection, values["code"])
    assert head is not None
    lines = list_lines(connection, head, after=(0, 0), limit=LINES_COUNT_MAX)
    seen = list_observations(connection, head.code, after=0, limit=OBSERVATIONS_SHOWN_MAX)
    variances = _variances(connection, head)
    differing = [one for one in variances if one["variance"] != "0" and not one["rejected_by"]]
    goods = [{name: one[name] for name in GOODS} for one in differing]
    entries = [
        {"location": one.line.location, "item": one.line.item, "lot": one.line.lot}
        | {"part": one.line.part}
        for one in sheet_lines(connection, head)
    ]
    whole = count_out(view_count(connection, head)).model_dump() | {
        "lines": [line_out(one).model_dump() for one in lines],
        "variances": variances,
        "observations": [
            observation_out(one.said, station=one.station).model_dump() for one in seen
        ],
    }
    if not goods:
        whole["actions"] = [name for name in whole["actions"] if name not in {"recount", "reject"}]
    filled = {
        "recount": {"lines": goods},
        "reject": {"lines": goods},
        "entries": {"entries": entries},
    }
    return Read(whole, filled, warehouse=head.warehouse)


def _variances(connection: Connection, head: CountHead) -> list[Values]:
    """Return the result as it was posted, or as it stands now; what differs comes first."""
    found = (
        list_results(connection, head.code, after=None, limit=LINES_COUNT_MAX, differing=False)
        if head.ended_ms
        else read_standing(connection, head).variances
    )
    out = [variance_out(one).model_dump() for one in found]
    return sorted(out, key=lambda one: one["variance"] == "0")


def _plans(connection: Connection, codes: Sequence[str], _now_ms: int) -> list[Values]:
    found: list[Values] = []
    for code in codes:
        try:
            found.append(plan_out(load_plan(connection, code)).model_dump())
        except NotThere:
            continue
    return found


def _whole_plan(connection: Connection, values: Values, now_ms: int) -> Read:
    plan = load_plan(connection, values["code"])
    due = due_lines(connection, plan, now_ms=now_ms, limit=DUE_SHOWN_MAX)
    rows = [
        {
            "location": one.location,
            "item": one.item,
            "abc": one.abc,
            "counted_time": utc_text(one.counted_ms) if one.counted_ms else None,
            "due_time": utc_text(one.due_ms) if one.due_ms else None,
        }
        for one in due
    ]
    return Read({**values, "due": rows}, {"edit": values}, warehouse=plan.warehouse)


COUNT = DocumentKind(
    name="count",
    path="/counts",
    api="/api/v1/counts/{code}",
    title=marked("Count"),
    new_title=marked("New count"),
    create="/api/v1/counts",
    facts=(
        *("warehouse", "kind", "round", "rounds_max", "lines_count", "uncounted_count"),
        *("observations_count", "outdated_count", "blind", "plan", "gateway", "created_by"),
        *("created_time", "released_time", "finished_time", "ended_by", "ended_time"),
        *("reason", "note"),
    ),
    tables=(
        TableOf(
            "variances",
            marked("Counted beside the book"),
            (
                *("location", "item", "lot", "serial", "counted", "corrected_book", "variance"),
                *("outdated_by", "verdict", "outcome", "explanation", "counters", "rejected_by"),
            ),
            wide=frozenset({"lot", "serial", "explanation", "counters", "rejected_by", "outcome"}),
        ),
        TableOf(
            "lines",
            marked("What is to be counted"),
            ("round", "location", "item", "lot", "part", "state"),
            wide=frozenset({"round", "part"}),
        ),
        TableOf(
            "observations",
            marked("What was counted"),
            (
                *("event_time", "location", "item", "lot", "serial", "quantity", "operator"),
                *("station", "round", "fact"),
            ),
            wide=frozenset({"lot", "serial", "station", "round", "fact"}),
        ),
    ),
    read_many=_counts,
    read_whole=_whole,
    actions=(
        ActionOf("recount", chosen=True, grows=False, fixed=frozenset(GOODS)),
        ActionOf(
            "reject",
            chosen=True,
            grows=False,
            fixed=frozenset(GOODS),
            word=marked("Keep the book"),
        ),
        ActionOf(
            "entries",
            skipped_by="quantity",
            without=frozenset({"unit", "expiry_date", "sscc"}),
        ),
    ),
    links=lambda values: (
        (("/count-plans/" + values["plan"], marked("Plan")),) if values["plan"] else ()
    ),
)
COUNT_PLAN = DocumentKind(
    name="count_plan",
    path="/count-plans",
    api="/api/v1/count-plans/{code}",
    title=marked("Plan of counts"),
    new_title=marked("New plan of counts"),
    create="/api/v1/count-plans/{code}",
    create_method="PUT",
    facts=("warehouse", "a_days", "b_days", "c_days", "lines_max", "blind", "rounds_max"),
    tables=(
        TableOf(
            "due",
            marked("Due now"),
            ("location", "item", "abc", "counted_time", "due_time"),
            wide=frozenset({"due_time"}),
            empty=marked("Nothing is due."),
        ),
    ),
    read_many=_plans,
    read_whole=_whole_plan,
    actions=(
        ActionOf("draw", possible=lambda values: bool(values["due"]), then="/counts/{code}"),
        ActionOf(
            "edit",
            method="PUT",
            possible=lambda _values: True,
        ),
    ),
    kinds=("count",),
)
