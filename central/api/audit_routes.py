"""The addresses below /api/v1 of everything that was ever done, and its seals. Edge of HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field

from central.access.audit import AuditFilter, audit_faults, last_seal, list_audit
from central.api.api_model import ApiModel
from central.api.context import Reading
from central.api.history_routes import HistoryPage, event_out
from central.api.parameters import (
    PREFIX,
    PageParameters,
    RecordCursor,
    Text,
    read_cursor,
    write_cursor,
)
from central.api.problems import PROBLEM
from central.orders.spreadsheets.workbook_writing import write_workbook
from central.stock.times import parse_time, utc_text

EXPORTED_MAX = 50_000
FAULTS_MAX = 100
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
HEADINGS = ("event_no", "time", "actor", "kind", "code", "action", "warehouse", "fields")

router = APIRouter(
    prefix=f"{PREFIX}/audit", responses={422: PROBLEM, 503: PROBLEM}, include_in_schema=False
)


class AuditParameters(PageParameters):
    """Which events. code: the beginning of one. since, until: a day or a time."""

    kind: Text | None = None
    code: Text | None = None
    actor: Text | None = None
    action: Text | None = None
    since: Annotated[str, Field(max_length=40)] | None = None
    until: Annotated[str, Field(max_length=40)] | None = None


class SealOut(ApiModel):
    """The newest seal; 0 and "" before there is one. faults: what is not as it was sealed."""

    seal_no: int
    through_no: int
    digest: str
    sealed: str | None
    faults: list[str]


@router.get("")
def list_events(reading: Reading, asked: Annotated[AuditParameters, Query()]) -> HistoryPage:
    """List what was done, the newest first."""
    before = read_cursor(asked.cursor, RecordCursor)
    with reading.database.read() as connection:
        found = list_audit(
            connection,
            wanted_of(asked),
            before=before.record_no if before else None,
            limit=asked.limit + 1,
        )
    page = found[: asked.limit]
    more = len(found) > asked.limit
    return HistoryPage(
        events=[event_out(event) for event in page],
        next_cursor=write_cursor(RecordCursor(page[-1].event_no)) if more else None,
    )


@router.get("/export.xlsx", response_class=Response, responses={200: {"content": {XLSX: {}}}})
def export(reading: Reading, asked: Annotated[AuditParameters, Query()]) -> Response:
    """Return what was done as an Excel file, at most EXPORTED_MAX events, the newest first."""
    with reading.database.read() as connection:
        found = list_audit(connection, wanted_of(asked), before=None, limit=EXPORTED_MAX)
    rows = [
        (
            str(one.event_no),
            utc_text(one.at_ms) or "",
            one.actor,
            one.kind,
            one.code,
            one.action,
            one.warehouse,
            fields_text(one.fields),
        )
        for one in found
    ]
    body = write_workbook([HEADINGS, *rows], name="audit", number_columns=frozenset({0}))
    disposition = 'attachment; filename="audit.xlsx"'
    return Response(body, media_type=XLSX, headers={"Content-Disposition": disposition})


@router.get("/check")
def check(reading: Reading) -> SealOut:
    """Compute every seal anew from the events, and say what is off."""
    with reading.database.read() as connection:
        seal = last_seal(connection)
        faults = [f"{one.subject}: {one.detail}" for one in audit_faults(connection)]
    return SealOut(
        seal_no=seal.seal_no if seal else 0,
        through_no=seal.through_no if seal else 0,
        digest=seal.digest if seal else "",
        sealed=utc_text(seal.sealed_ms) if seal else None,
        faults=faults[:FAULTS_MAX],
    )


def wanted_of(asked: AuditParameters) -> AuditFilter:
    """Return the filter of parameters. Raises ContractError for a time that is none."""
    return AuditFilter(
        kind=asked.kind or "",
        code=asked.code or "",
        actor=asked.actor or "",
        action=asked.action or "",
        since_ms=parse_time(asked.since) if asked.since else 0,
        until_ms=parse_time(asked.until) if asked.until else 0,
    )


def fields_text(fields: dict[str, object]) -> str:
    """Return what belongs to an event as one line; before and after beside each other."""
    before, after = fields.get("before"), fields.get("after")
    if isinstance(before, dict) and isinstance(after, dict):
        names = sorted(before.keys() | after.keys())
        changed = (name for name in names if before.get(name) != after.get(name))
        return "; ".join(
            f"{one}: {_plain(before.get(one))} → {_plain(after.get(one))}" for one in changed
        )
    plain = {**fields, **after} if isinstance(after, dict) else dict(fields)
    changes = plain.pop("changes", None)
    told = [
        f"{name}: {_plain(value)}"
        for name, value in plain.items()
        if name not in {"before", "after"} and value
    ]
    if isinstance(changes, dict):
        pairs = ((name, pair) for name, pair in changes.items() if isinstance(pair, list))
        told += [f"{name}: {_plain(pair[0])} → {_plain(pair[1])}" for name, pair in pairs]
    return "; ".join(told)


def _plain(value: object) -> str:
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ", ".join(value) or "–"
    return "–" if value in (None, "") else str(value)
