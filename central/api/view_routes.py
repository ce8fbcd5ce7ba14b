"""The addresses below /api/v1 at which staff keep views of tables. Edge of HTTP."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import ConfigDict, Field

from central.api.api_model import ApiModel
from central.api.context import Reading
from central.api.parameters import PREFIX, WholeParameters, read_cursor, write_cursor
from central.api.problems import PROBLEM
from central.api.writing import REFUSALS, Answer, Call, Writing
from central.ledger.desk import Change
from central.staff.saved_views import (
    NAME_CHARACTERS_MAX,
    QUERY_CHARACTERS_MAX,
    SavedView,
    forget_view,
    keep_view,
    list_views,
)
from central.stock.times import utc_text

router = APIRouter(
    prefix=f"{PREFIX}/views",
    responses={404: PROBLEM, 422: PROBLEM, 503: PROBLEM},
    tags=["views"],
)
TableName = Annotated[
    str, Path(alias="page", min_length=1, max_length=64, pattern="^[a-z][a-z0-9_.-]*$")
]
ViewName = Annotated[str, Field(min_length=1, max_length=NAME_CHARACTERS_MAX)]


class ViewIn(ApiModel):
    """What is kept. query: of the page's address, e.g. "warehouse=SH1&sort=-quantity"."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"name": "Short in Shanghai", "query": "warehouse=SH1&sort=-late"}]
        },
    )

    name: ViewName
    query: Annotated[str, Field(max_length=QUERY_CHARACTERS_MAX)]


class ViewOut(ApiModel):
    """One view of a table."""

    page: str
    name: str
    query: str
    made_by: str
    time: str | None


class ViewList(ApiModel):
    """Views of a table by name. next_cursor: None on the last page."""

    views: list[ViewOut]
    next_cursor: str | None


class ViewGone(ApiModel):
    """What is no longer there."""

    page: str
    name: str


@router.get("/{page}")
def views(
    reading: Reading, page: TableName, asked: Annotated[WholeParameters, Query()]
) -> ViewList:
    """List the views of a table that staff have kept; empty for a table that nobody knows."""
    after = read_cursor(asked.cursor, str)
    with reading.database.read() as connection:
        found = list_views(connection, page, after=after or "", limit=asked.limit + 1)
    shown = found[: asked.limit]
    return ViewList(
        views=[_out(one) for one in shown],
        next_cursor=write_cursor(shown[-1].name) if len(found) > asked.limit else None,
    )


@router.put("/{page}", response_model=ViewOut, responses=REFUSALS)
def put_view(writing: Writing, call: Call, page: TableName, body: ViewIn) -> Response:
    """Keep a view of a table under a name; one of the same name is replaced."""
    return writing.answer(
        call,
        lambda change: Answer(_out(keep_view(change, page=page, name=body.name, query=body.query))),
    )


@router.delete("/{page}", response_model=ViewGone, responses=REFUSALS)
def remove_view(
    writing: Writing,
    call: Call,
    page: TableName,
    name: Annotated[str, Query(min_length=1, max_length=NAME_CHARACTERS_MAX)],
) -> Response:
    """Forget a view of a table."""

    def work(change: Change) -> Answer:
        forget_view(change, page=page, name=name)
        return Answer(ViewGone(page=page, name=name))

    return writing.answer(call, work)


def _out(one: SavedView) -> ViewOut:
    return ViewOut(
        page=one.page,
        name=one.name,
        query=one.query,
        made_by=one.made_by,
        time=utc_text(one.at_ms),
    )
