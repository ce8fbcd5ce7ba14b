"""The addresses below /api/v1 that say what in the catalogue wants a look. Edge of HTTP."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query

from central.api.api_model import ApiModel
from central.api.context import Reading
from central.api.parameters import PREFIX, PageParameters, read_cursor, write_cursor
from central.api.problems import PROBLEM
from central.stock.cleaning import Gap, Subject, Unused, list_alike, list_gaps, list_idle
from central.stock.times import parse_time

router = APIRouter(
    prefix=f"{PREFIX}/cleaning",
    responses={422: PROBLEM, 503: PROBLEM},
    tags=["catalogue"],
)


class PairCursor(msgspec.Struct, frozen=True, array_like=True):
    """The last entry of a page, by the two parts of its key."""

    first: str
    second: str


class AlikeParameters(PageParameters):
    """Which entries to compare."""

    of: Subject = "items"


class AlikeOut(ApiModel):
    """Entries that are probably one. by: what they share: "code", "name", "name_zh", "phone"."""

    by: str
    key: str
    codes: list[str]
    names: list[str]


class AlikePage(ApiModel):
    """Groups of entries that are alike. next_cursor: None on the last page."""

    duplicates: list[AlikeOut]
    next_cursor: str | None


class GapParameters(PageParameters):
    """What items lack. shelf_life, lots: of those whose expiry is tracked."""

    lacks: Gap


class GapOut(ApiModel):
    """An item that lacks it."""

    code: str
    name: str


class GapPage(ApiModel):
    """Items by code. next_cursor: None on the last page."""

    items: list[GapOut]
    next_cursor: str | None


class IdleParameters(PageParameters):
    """Which entries. since: a day or a time; what moved later is left out.

    Partners are listed if no order names them, whatever the time.
    """

    of: Unused = "items"
    since: Annotated[str, Query(max_length=40, examples=["2026-01-01"])]


class IdleOut(ApiModel):
    """An entry that nobody uses. last_record_no: of the last fact that moved it, 0 for never."""

    warehouse: str
    code: str
    name: str
    last_record_no: int


class IdlePage(ApiModel):
    """Entries by warehouse and code. next_cursor: None on the last page."""

    unused: list[IdleOut]
    next_cursor: str | None


@router.get("/duplicates")
def duplicates(reading: Reading, asked: Annotated[AlikeParameters, Query()]) -> AlikePage:
    """List items or partners that are probably one, by what they have in common."""
    last = read_cursor(asked.cursor, PairCursor) or PairCursor("", "")
    with reading.database.read() as connection:
        rows = list_alike(
            connection, asked.of, after=(last.first, last.second), limit=asked.limit + 1
        )
    page = rows[: asked.limit]
    more = len(rows) > asked.limit
    return AlikePage(
        duplicates=[
            AlikeOut(by=one.by, key=one.key, codes=list(one.codes), names=list(one.names))
            for one in page
        ],
        next_cursor=write_cursor(PairCursor(page[-1].by, page[-1].key)) if more else None,
    )


@router.get("/missing")
def missing(reading: Reading, asked: Annotated[GapParameters, Query()]) -> GapPage:
    """List items that lack something."""
    after = read_cursor(asked.cursor, str) or ""
    with reading.database.read() as connection:
        rows = list_gaps(connection, asked.lacks, after=after, limit=asked.limit + 1)
    page = rows[: asked.limit]
    return GapPage(
        items=[GapOut(code=code, name=name) for code, name in page],
        next_cursor=write_cursor(page[-1][0]) if len(rows) > asked.limit else None,
    )


@router.get("/unused")
def unused(reading: Reading, asked: Annotated[IdleParameters, Query()]) -> IdlePage:
    """List items and places where nothing has moved since a time, or partners without orders."""
    last = read_cursor(asked.cursor, PairCursor) or PairCursor("", "")
    with reading.database.read() as connection:
        rows = list_idle(
            connection,
            asked.of,
            since_ms=parse_time(asked.since),
            after=(last.first, last.second),
            limit=asked.limit + 1,
        )
    page = rows[: asked.limit]
    more = len(rows) > asked.limit
    return IdlePage(
        unused=[
            IdleOut(
                warehouse=one.warehouse,
                code=one.code,
                name=one.name,
                last_record_no=one.last_record_no,
            )
            for one in page
        ],
        next_cursor=write_cursor(PairCursor(page[-1].warehouse, page[-1].code)) if more else None,
    )
