"""The address below /api/v1 of what was done to any object. Edge of HTTP."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import JsonValue

from central.api.api_model import ApiModel
from central.api.context import Reading
from central.api.parameters import (
    PREFIX,
    PageParameters,
    RecordCursor,
    read_cursor,
    write_cursor,
)
from central.api.problems import PROBLEM
from central.stock.history import ObjectEvent, list_events
from central.stock.times import utc_text
from central.webhooks.kinds import checked_kinds

router = APIRouter(
    prefix=f"{PREFIX}/history",
    responses={422: PROBLEM, 503: PROBLEM},
    tags=["history"],
)
KindInPath = Annotated[str, Path(max_length=64, pattern=r"^[a-z][a-z_]*$", examples=["transfer"])]
# Some objects are called by more than one code, e.g. a place by its warehouse's and its own.
CodeInPath = Annotated[
    str, Path(min_length=1, max_length=200, pattern=r"^[^\x00]+$", examples=["TR-000001"])
]


class EventOut(ApiModel):
    """One thing that was done. event_no: its place among everything that was ever done."""

    event_no: int
    kind: str
    code: str
    action: str
    warehouse: str
    actor: str
    time: str | None
    fields: dict[str, JsonValue]


class HistoryPage(ApiModel):
    """What was done to an object, newest first; nothing for one that is not there.

    A kind that nothing is of is refused.
    """

    events: list[EventOut]
    next_cursor: str | None


@router.get("/{kind}/{code:path}")
def history(
    reading: Reading,
    kind: KindInPath,
    code: CodeInPath,
    asked: Annotated[PageParameters, Query()],
) -> HistoryPage:
    """List what was done to an order, an item, a count ..., newest first."""
    before = read_cursor(asked.cursor, RecordCursor)
    with reading.database.read() as connection:
        found = list_events(
            connection,
            kind=kind,
            code=code,
            before=before.record_no if before else None,
            limit=asked.limit + 1,
        )
    if not found:
        checked_kinds([kind])
    page = found[: asked.limit]
    more = len(found) > asked.limit
    return HistoryPage(
        events=[event_out(event) for event in page],
        next_cursor=write_cursor(RecordCursor(page[-1].event_no)) if more else None,
    )


def event_out(event: ObjectEvent) -> EventOut:
    """Return an event as it is answered."""
    return EventOut.model_validate(
        {
            "event_no": event.event_no,
            "kind": event.kind,
            "code": event.code,
            "action": event.action,
            "warehouse": event.warehouse,
            "actor": event.actor,
            "time": utc_text(event.at_ms),
            "fields": event.fields,
        }
    )
