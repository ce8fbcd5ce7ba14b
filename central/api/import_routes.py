"""The addresses below /api/v1 that take and give tables as files. Edge of HTTP."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import BoundedSemaphore
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import ConfigDict

from central.api.api_model import ApiModel
from central.api.context import Reading, ReadSide
from central.api.parameters import PREFIX, WarehouseCode
from central.api.problems import PROBLEM, ProblemRaised
from central.api.writing import REFUSALS, Answer, Call, Writing
from central.ledger.desk import Change
from central.orders.order_goods import require_known
from central.orders.spreadsheets.exports import export_rows, to_csv, to_workbook
from central.orders.spreadsheets.imports import (
    ImportReport,
    Judged,
    Upload,
    apply_import,
    book_named,
    check_import,
    judge_import,
    read_upload,
)

AT_ONCE_MAX = 1  # It holds a whole file in memory, as text and as rows: half a gigabyte at most.
CSV_TYPE = "text/csv; charset=utf-8"
WORKBOOK_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FILE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The file itself: CSV (UTF-8, GB18030 or UTF-16) or .xlsx.",
        "content": {
            "text/csv": {
                "schema": {"type": "string"},
                "examples": {"items": {"value": "item,name,unit\nBOLT-M8,Bolt M8,C62\n"}},
            },
            WORKBOOK_TYPE: {"schema": {"type": "string", "format": "binary"}},
        },
    }
}
FILES: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            "text/csv": {"schema": {"type": "string"}},
            WORKBOOK_TYPE: {"schema": {"type": "string", "format": "binary"}},
        }
    },
    404: PROBLEM,
}
BUSY: dict[int | str, dict[str, Any]] = {404: PROBLEM, 429: PROBLEM}

router = APIRouter(
    prefix=PREFIX,
    responses={422: PROBLEM, 503: PROBLEM},
    tags=["catalogue"],
)
_places = BoundedSemaphore(AT_ONCE_MAX)

TableName = Literal[
    "items", "packs", "barcodes", "homes", "locations", "partners", "certificates", "balances"
]


class FaultOut(ApiModel):
    """What is wrong with a row, counted as the spreadsheet counts. column: "" for the whole row."""

    row: int
    column: str
    message: str
    hint: str


class ImportOut(ApiModel):
    """What became of a file, or would. told: how it was understood.

    rows_count, sound_count: rows that say anything, and those without faults. faults: at most
    50,000 of faults_count. import_code: of the import's event, "" for a check; created, changed,
    unchanged: objects, None for a check.
    """

    table: str
    told: str
    rows_count: int
    sound_count: int
    faults_count: int
    faults: list[FaultOut]
    import_code: str
    created: int | None
    changed: int | None
    unchanged: int | None


class ColumnOut(ApiModel):
    """A column of a table. choices: what its cells may say, empty for anything of its kind."""

    name: str
    name_zh: str
    kind: str
    required: bool
    key: bool
    choices: list[str]


class ColumnsOut(ApiModel):
    """The columns of a table, in the order in which they are exported."""

    table: str
    columns: list[ColumnOut]


class ApplyParameters(ApiModel):
    """only_valid: import the rows without faults and leave the others out."""

    model_config = ConfigDict(extra="forbid")

    only_valid: bool = False


class ExportParameters(ApiModel):
    """How to write a table. warehouse: of places, homes and stock; all if left out."""

    model_config = ConfigDict(extra="forbid")

    format: Literal["csv", "xlsx"] = "csv"
    language: Literal["en", "zh"] = "en"
    warehouse: WarehouseCode | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """A file that was sent, and what it is judged beside."""

    reading: ReadSide
    data: bytes


async def _sent(request: Request, reading: Reading) -> Sent:
    return Sent(reading, await request.body())


FileSent = Annotated[Sent, Depends(_sent)]


@router.get("/imports/{table}")
def import_columns(table: TableName) -> ColumnsOut:
    """Return the columns that a file of a table may have."""
    known = book_named(table).table
    return ColumnsOut(
        table=table,
        columns=[
            ColumnOut(
                name=column.name,
                name_zh=column.name_zh,
                kind=column.kind,
                required=column.required,
                key=column.name in known.key,
                choices=list(column.choices),
            )
            for column in known.columns
        ],
    )


@router.post("/imports/{table}/check", responses=BUSY, openapi_extra=FILE_BODY)
def check(table: TableName, sent: FileSent) -> ImportOut:
    """Name everything that is wrong with a file, by row and column; nothing is written."""
    with _one_place():
        upload = read_upload(table, sent.data)
        with sent.reading.database.read() as connection:
            return _import_out(check_import(connection, upload))


@router.post(
    "/imports/{table}",
    response_model=ImportOut,
    responses=REFUSALS | BUSY,
    openapi_extra=FILE_BODY,
)
def apply(
    writing: Writing,
    call: Call,
    table: TableName,
    sent: FileSent,
    asked: Annotated[ApplyParameters, Query()],
) -> Response:
    """Import a file whole, or its sound rows alone; a file with faults is refused otherwise."""
    with _one_place():
        upload = read_upload(table, sent.data)
        with sent.reading.database.read() as connection:
            judged = judge_import(connection, upload)
        return writing.answer(call, _applying(upload, judged, only_valid=asked.only_valid))


@router.get("/exports/{table}", response_class=Response, responses=FILES)
def export(
    reading: Reading, table: TableName, asked: Annotated[ExportParameters, Query()]
) -> Response:
    """Return a table as a file; importing it again changes nothing."""
    with _one_place():
        with reading.database.read() as connection:
            rows = export_rows(
                connection,
                table,
                warehouse=asked.warehouse or "",
                chinese=asked.language == "zh",
            )
            require_known(connection, rows[1:], asked.warehouse)
        content = to_csv(rows) if asked.format == "csv" else to_workbook(rows, table)
    return Response(
        content,
        media_type=CSV_TYPE if asked.format == "csv" else WORKBOOK_TYPE,
        headers={"Content-Disposition": f'attachment; filename="{table}.{asked.format}"'},
    )


def _applying(upload: Upload, judged: Judged, *, only_valid: bool) -> Callable[[Change], Answer]:
    return lambda change: Answer(
        _import_out(apply_import(change, upload, only_valid=only_valid, judged=judged))
    )


@contextmanager
def _one_place() -> Iterator[None]:
    if not _places.acquire(blocking=False):
        raise ProblemRaised(
            status=429,
            title="Too many files at once",
            detail="Another file is being read or written just now.",
            hint="Try again in a few seconds.",
            headers={"Retry-After": "5"},
        )
    try:
        yield
    finally:
        _places.release()


def _import_out(report: ImportReport) -> ImportOut:
    counts = report.counts
    return ImportOut.model_construct(
        table=report.table,
        told=report.told,
        rows_count=report.rows_count,
        sound_count=report.sound_count,
        faults_count=report.faults_count,
        faults=[
            FaultOut.model_construct(
                row=one.row, column=one.column, message=one.message, hint=one.hint
            )
            for one in report.faults
        ],
        import_code=report.code,
        created=counts.created if counts else None,
        changed=counts.changed if counts else None,
        unchanged=counts.unchanged if counts else None,
    )
