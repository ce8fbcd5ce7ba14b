"""Shows what could not be taken, and gives out its bytes. Edge of HTTP."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import ConfigDict, Field

from central.api.api_model import ApiModel
from central.api.context import Reading
from central.api.parameters import (
    LIMIT_DEFAULT,
    LIMIT_MAX,
    PREFIX,
    Cursor,
    RecordCursor,
    read_cursor,
    write_cursor,
)
from central.api.problems import PROBLEM, ProblemRaised
from central.inbox.quarantine import Kept, find_payload, list_kept
from central.stock.times import utc_text

router = APIRouter(prefix=PREFIX, responses={422: PROBLEM, 503: PROBLEM}, tags=["intake"])


class QuarantineParameters(ApiModel):
    """What may be asked of the quarantine."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=LIMIT_MAX)] = LIMIT_DEFAULT
    cursor: Cursor | None = None


class QuarantinedOut(ApiModel):
    """A payload that was refused whole; identical ones are kept once and counted."""

    id: str
    topic_gateway: str = Field(description="In whose name it came; empty if in nobody's.")
    reason: str
    detail: str
    received_time: str | None = Field(description="When it came last.")
    offers_count: int
    bytes_count: int


class QuarantinePage(ApiModel):
    """Newest first. dropped_count: payloads that had to make room for newer ones."""

    quarantine: list[QuarantinedOut]
    dropped_count: int
    next_cursor: str | None


@router.get("/quarantine")
def quarantine(reading: Reading, asked: Annotated[QuarantineParameters, Query()]) -> QuarantinePage:
    """List payloads that could not be read, authenticated or fitted to what the ledger has."""
    before = read_cursor(asked.cursor, RecordCursor)
    with reading.database.read() as connection:
        kept, dropped_count = list_kept(
            connection,
            before=(before.record_no, before.id) if before else None,
            limit=asked.limit + 1,
        )
    page = kept[: asked.limit]
    more = len(kept) > asked.limit
    return QuarantinePage(
        quarantine=[_out(one) for one in page],
        dropped_count=dropped_count,
        next_cursor=write_cursor(RecordCursor(page[-1].received_ms, page[-1].id)) if more else None,
    )


@router.get(
    "/quarantine/{identity}/payload",
    response_class=Response,
    responses={404: PROBLEM, 200: {"content": {"application/octet-stream": {}}}},
)
def quarantined_payload(
    reading: Reading, identity: Annotated[str, Path(pattern="^[0-9a-f]{64}$")]
) -> Response:
    """Return the bytes as they came."""
    with reading.database.read() as connection:
        payload = find_payload(connection, identity)
    if payload is None:
        raise ProblemRaised(
            status=404,
            title="No such payload",
            detail=f"The quarantine has no payload {identity}.",
            hint="List /api/v1/quarantine again: older payloads make room for newer ones.",
        )
    name = f'attachment; filename="{identity}.bin"'
    return Response(
        payload, media_type="application/octet-stream", headers={"Content-Disposition": name}
    )


def _out(kept: Kept) -> QuarantinedOut:
    return QuarantinedOut(
        id=kept.id,
        topic_gateway=kept.topic_gateway,
        reason=kept.reason,
        detail=kept.detail,
        received_time=utc_text(kept.received_ms),
        offers_count=kept.offers_count,
        bytes_count=kept.bytes_count,
    )
