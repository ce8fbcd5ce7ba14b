"""The addresses of the page, its pieces, its live stream and its assets. Edge of HTTP."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import HTMLResponse, StreamingResponse
from starlette.concurrency import run_in_threadpool

from central.access.access import Access
from central.api.context import Reading
from central.api.problems import Problem, ProblemRaised, problem_response
from central.contract.identifiers import parse_fact_id
from central.stock.discrepancy_times import DiscrepancyFilter
from central.stock.feed import find_fact
from central.stock.rows import StockChange, StockFilter
from central.stock.states import list_discrepancies
from central.stock.updates import Update
from central.stock.views import SEARCH_CHARACTERS_MAX, list_stock
from central.web.asking import within_of
from central.web.assets import assets
from central.web.languages import LANGUAGE_COOKIE, choose_language
from central.web.live import Live, SinceT, always
from central.web.pages import Pages, pages_in

PLACES_MAX = 100
DISCREPANCIES_MAX = 20
DIGITS_MAX = 18
ASKED_AGAIN_S = 5.0  # So long whoever is dismissed may still see a stream.

router = APIRouter(include_in_schema=False)


@router.get("/fragments/places")
def places_fragment(request: Request, reading: Reading) -> HTMLResponse:
    """Draw where an item stands, place by place, with what is in transit.

    Without it for whoever knows one warehouse: it stands in the books of two.
    """
    item = _shown(request.query_params.get("item", ""))
    within = within_of(request)
    wanted = StockFilter(
        warehouse=within, item=item, include_virtual=False, include_in_transit=not within
    )
    with reading.database.read() as connection:
        rows = list_stock(connection, wanted, after=None, limit=PLACES_MAX + 1)
    return HTMLResponse(language_pages(request).places(rows, item=item, limit=PLACES_MAX))


@router.get("/fragments/evidence/{gateway}/{epoch}/{seq}")
def evidence_fragment(
    request: Request,
    reading: Reading,
    gateway: Annotated[str, Path(max_length=64)],
    epoch: Annotated[str, Path(max_length=64)],
    seq: Annotated[int, Path(ge=1, le=2**63 - 1)],
) -> HTMLResponse:
    """Draw what a movement was made from."""
    with reading.database.read() as connection:
        row = find_fact(connection, parse_fact_id(f"{gateway}/{epoch}/{seq}"))
    if row is None:
        raise ProblemRaised(
            status=404,
            title="No such fact",
            detail="The ledger has no readable fact of this identity.",
            hint="Load the page anew.",
        )
    return HTMLResponse(language_pages(request).evidence(row))


@router.get("/fragments/discrepancies")
def discrepancies_fragment(request: Request, reading: Reading) -> HTMLResponse:
    """Draw the newest open discrepancies."""
    wanted = DiscrepancyFilter(state="open", warehouse=within_of(request))
    with reading.database.read() as connection:
        rows = list_discrepancies(connection, wanted, before=None, limit=DISCREPANCIES_MAX)
    return HTMLResponse(language_pages(request).discrepancies(rows))


@router.get("/live", response_model=None)
async def live_stream(request: Request) -> Response:
    """Stream what changes, from `Last-Event-ID`, else from `?since=`.

    Source of the form: HTML standard, section 9.2, Server-sent events.
    """
    since = _number(
        request.headers.get("last-event-id", "") or request.query_params.get("since", "")
    )
    return await _stream(request, live_of(request), since, within=within_of(request))


@router.get("/changes", response_model=None)
async def changes_stream(request: Request) -> Response:
    """Stream which kinds of things change; the first event says how far everything is."""
    changes = request.app.state.changes
    assert isinstance(changes, Live)
    return await _stream(request, changes, None)


@router.get("/static/{name}")
def static_file(request: Request, name: str) -> Response:
    """Return an asset; one asked for by its version may be kept for ever."""
    asset = assets().get(name)
    if asset is None:
        return Response(status_code=404)
    for_ever = request.query_params.get("v") == asset.version
    return Response(
        asset.body,
        media_type=asset.content_type,
        headers={
            "Cache-Control": "public, max-age=31536000, immutable" if for_ever else "no-cache"
        },
    )


def language_pages(request: Request) -> Pages:
    """Return what draws in the language of whoever asks."""
    return pages_in(
        choose_language(
            asked=request.query_params.get("lang", ""),
            cookie=request.cookies.get(LANGUAGE_COOKIE, ""),
            accept=request.headers.get("accept-language", ""),
        )
    )


def live_of(request: Request) -> Live[StockChange, int, Update]:
    """Return the application's open pages."""
    live = request.app.state.live
    assert isinstance(live, Live)
    return live


async def _stream(
    request: Request, live: Live[Any, SinceT, Any], since: SinceT | None, *, within: str = ""
) -> Response:
    if live.full:
        return problem_response(
            Problem(
                status=503,
                title="Too many pages",
                detail="As many pages are open as this server keeps current.",
                hint="Close pages that nobody looks at.",
            ),
            headers={"Retry-After": "5"},
        )
    events = await live.open(
        language=language_pages(request).language,
        since=since,
        within=within,
        may_go_on=_still_in(request),
    )
    return StreamingResponse(
        events, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
    )


def _still_in(request: Request) -> Callable[[], Awaitable[bool]]:
    """Return what says whether somebody who opened a stream is still let in: a stream is one
    request that lasts for hours, and its session may end meanwhile."""
    access, principal = request.app.state.access, request.state.principal
    if access is None:
        return always
    assert isinstance(access, Access)
    asked_s = access.clock.monotonic_s()

    async def still_in() -> bool:
        nonlocal asked_s
        now_s = access.clock.monotonic_s()
        if now_s - asked_s < ASKED_AGAIN_S:
            return True
        asked_s = now_s
        return await run_in_threadpool(access.lets_in, principal)

    return still_in


def _shown(text: str) -> str:
    printable = "".join(character for character in text if character.isprintable())
    return printable[:SEARCH_CHARACTERS_MAX]


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= DIGITS_MAX else None
