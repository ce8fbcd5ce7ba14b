"""Builds the web application of central: interface for programs, page for people. Root.

app = create_app(database=database, clock=clock, site="demo", intake_connected=link.connected)
notify = notify_of_app(app)               # for the intake: call it after each commit
uvicorn.run(app, timeout_graceful_shutdown=2)   # an open page would hold the server for ever
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from central.access.access import Access
from central.access.permissions import OPEN_PRINCIPAL
from central.access.refusals import Refusals
from central.api import (
    claim_routes,
    enrol_routes,
    epcis_routes,
    handling_unit_routes,
    ingest,
    metrics,
    outgoing,
    problems,
    quarantine,
    routes,
    snapshots,
    trace_routes,
)
from central.api.body_bound import AddressBound, BodyBound
from central.api.context import Entrance, Outgoing, ReadSide
from central.api.desk_routes import ROUTERS
from central.api.guard import Guard
from central.api.openapi import document_of
from central.api.problem_translations import problem_words
from central.api.writing import WriteSide
from central.clock import Clock
from central.contract.errors import ContractError
from central.errors import CentralError, DeskRefused
from central.stock.feed import stock_change
from central.stock.marks import Mark, News, read_mark, read_news
from central.stock.rows import StockChange
from central.stock.updates import Update, read_update
from central.storage.database import Database
from central.trust.trust import Trust
from central.web import listing_routes
from central.web import routes as web_routes
from central.web.asking import asking_of, wants_page
from central.web.discrepancy_words import discrepancy_words
from central.web.live import CLIENTS_MAX, POLL_S, Event, Live
from central.web.pages import pages_in
from central.web.refusing import writing_refusals
from central.web.scanning import POLICY, policy_of
from central.web.screens.all_screens import SCREENS, table_place
from central.web.shell import refusal_page

HEADERS = {
    # Nothing inline, nothing from elsewhere: text from a scanner can never become script.
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
CACHE_CONTROL = "no-cache"
# What somebody signed in for is on no disk, and not there for whoever goes back after a sign-out.
CACHE_CONTROL_PRIVATE = "no-store"
# Not of subdomains: printers and scales below this name may speak http alone.
HSTS = {"Strict-Transport-Security": "max-age=31536000"}
GZIP_BYTES_MIN = 1024

ANSWERS: tuple[tuple[type[Exception], Callable[..., Awaitable[Response]]], ...] = (
    (problems.ProblemRaised, problems.answer_raised),
    (ContractError, problems.answer_contract),
    (RequestValidationError, problems.answer_validation),
    (HTTPException, problems.answer_http),
    (DeskRefused, problems.answer_refused),
)

Application = FastAPI  # For whoever builds one and needs no more of the framework.


def create_app(
    *,
    database: Database,
    clock: Clock,
    site: str,
    intake_connected: Callable[[], bool] | None = None,
    intake_alive: Callable[[], bool] | None = None,
    sse_clients_max: int = CLIENTS_MAX,
    poll_s: float = POLL_S,
    entrance: Entrance | None = None,
    telling: Outgoing | None = None,
    writing: WriteSide | None = None,
    epcis_base_uri: str = "",
    trust: Trust | None = None,
    access: Access | None = None,
    loopback_only: bool = False,
    refusals: Refusals | None = None,
) -> FastAPI:
    """Return the application; without an entrance, `telling` and `writing` it only reads.

    intake_connected, intake_alive: of `ReadSide`; None where no intake runs beside.
    sse_clients_max: pages that are kept current at once. poll_s: how often a page finds what
    another process wrote; what this process writes is announced by `Live.notify`. entrance: for
    batches over HTTP. telling: for what gateways are told. writing: for orders and their kin.
    epcis_base_uri: of `ReadSide`. trust: None where gateways are enrolled by hand. access: who
    may come in; None takes everybody for the administrator. loopback_only: then no request is
    answered that names another host. refusals: what counts them; None for one of its own.
    """
    counted = refusals or (access.refusals if access is not None else Refusals())
    reading = ReadSide(
        database=database,
        clock=clock,
        site=site,
        software=version("dockledger"),
        intake_connected=intake_connected,
        intake_alive=intake_alive,
        epcis_base_uri=epcis_base_uri,
        words=discrepancy_words,
    )
    live, changes = _streams(reading, clients_max=sse_clients_max, poll_s=poll_s)

    app = FastAPI(
        title="Dockledger",
        version=reading.software,
        description="The central stock ledger. Quantities are decimal text, times ISO 8601 UTC.",
        docs_url=None,  # Those pages load their script from elsewhere; /openapi.json stays.
        redoc_url=None,
        lifespan=partial(_while_served, (live, changes), counted, reading),
    )
    app.state.live, app.state.changes, app.state.loopback_only = live, changes, loopback_only
    app.state.read_side, app.state.write_side = reading, writing
    app.state.entrance, app.state.outgoing = entrance, telling
    app.state.access, app.state.trust, app.state.refusals = access, trust, counted
    _add_routes(app)
    _add_layers(app)
    return app


@asynccontextmanager
async def _while_served(
    streams: tuple[Live[StockChange, int, Update], Live[Mark, Mark, News]],
    counted: Refusals,
    reading: ReadSide,
    _app: FastAPI,
) -> AsyncIterator[None]:
    async with writing_refusals(counted, reading):
        yield
    for stream in streams:
        stream.close()


def _streams(
    reading: ReadSide, *, clients_max: int, poll_s: float
) -> tuple[Live[StockChange, int, Update], Live[Mark, Mark, News]]:
    """Return what keeps stock pages current, and what keeps all other pages current."""
    return (
        Live(
            read_change=partial(_read_change, reading),
            read_update=partial(_read_update, reading),
            since=_record_no_since,
            render=_event,
            clients_max=clients_max,
            poll_s=poll_s,
        ),
        Live(
            read_change=partial(_read_mark, reading),
            read_update=partial(_read_news, reading),
            since=_mark_since,
            render=_news_event,
            clients_max=clients_max,
            poll_s=poll_s,
        ),
    )


def live_of_app(app: FastAPI) -> Live[StockChange, int, Update]:
    """Return the open stock pages of an application that `create_app` made."""
    live = app.state.live
    assert isinstance(live, Live)
    return live


def notify_of_app(app: FastAPI) -> Callable[[], None]:
    """Return what tells the open pages of an application that something was committed."""
    streams = (app.state.live, app.state.changes)

    def notify() -> None:
        for stream in streams:
            stream.notify()

    return notify


class SafeHeaders:
    """Puts the security headers on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and complete the headers of its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                names = {name.lower() for name, _ in message["headers"]}
                known = scope.get("state", {}).get("principal")
                private = known is not None and known != OPEN_PRINCIPAL
                added = HEADERS | {
                    "Cache-Control": CACHE_CONTROL_PRIVATE if private else CACHE_CONTROL,
                    "Content-Security-Policy": policy_of(scope["path"]),
                }
                if scope["scheme"] == "https":
                    added |= HSTS
                message["headers"] = [
                    *message["headers"],
                    *(
                        (name.lower().encode(), value.encode())
                        for name, value in added.items()
                        if name.lower().encode() not in names
                    ),
                ]
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _add_routes(app: FastAPI) -> None:
    # Not `include_router`: it builds every route a second time for each application, with its
    # models, 12 MB in all. These routers ask nothing of the application that they are put into.
    for router in (
        routes.router,
        trace_routes.router,
        handling_unit_routes.router,
        epcis_routes.router,
        ingest.router,
        quarantine.router,
        outgoing.router,
        snapshots.router,
        metrics.router,
        enrol_routes.router,
        claim_routes.router,
        *ROUTERS,
        web_routes.router,
        listing_routes.router,
        *SCREENS,
    ):
        app.router.routes.extend(router.routes)
    app.openapi = partial(document_of, app)  # type: ignore[method-assign]
    for kind, answer in ANSWERS:
        app.add_exception_handler(kind, partial(_answer_person, answer))
    app.add_exception_handler(CentralError, _answer_unavailable)


def _add_layers(app: FastAPI) -> None:
    """Add what stands between the server and the routes, the innermost first."""
    app.add_middleware(Guard, refuse=refuse, is_page=wants_page, table_place=table_place)
    app.add_middleware(AddressBound)
    app.add_middleware(GZipMiddleware, minimum_size=GZIP_BYTES_MIN)
    app.add_middleware(SafeHeaders)
    app.add_middleware(BodyBound)


def _read_change(reading: ReadSide) -> StockChange:
    with reading.database.read() as connection:
        return stock_change(connection, now_ms=reading.clock.now_ms())


def _read_update(reading: ReadSide, since: int | None, within: str) -> Update:
    with reading.database.read(within=within) as connection:
        return read_update(connection, since, now_ms=reading.clock.now_ms())


def _record_no_since(before: StockChange, change: StockChange) -> int | None:
    known = before.reference_revision == change.reference_revision
    return before.record_no if known else None


def _event(update: Update, language: str) -> Event:
    return pages_in(language).event(update)


def _read_mark(reading: ReadSide) -> Mark:
    with reading.database.read() as connection:
        return read_mark(connection, now_ms=reading.clock.now_ms())


def _read_news(reading: ReadSide, before: Mark | None, _within: str) -> News:
    with reading.database.read() as connection:
        return read_news(connection, before, now_ms=reading.clock.now_ms())


def _mark_since(before: Mark, _change: Mark) -> Mark:
    return before


def _news_event(news: News, _language: str) -> Event:
    data = json.dumps({"mark": news.change.text, "kinds": news.kinds, "whole": news.whole})
    return f"data: {data}\n\n".encode()


async def _answer_person(
    answer: Callable[..., Awaitable[Response]], request: Request, error: Exception
) -> Response:
    """Answer a problem, as a page to whoever opens one."""
    told = await answer(request, error)
    if not wants_page(request):
        return told
    problem = problems.Problem.model_validate_json(bytes(told.body))
    return await run_in_threadpool(refusal_page, asking_of(request), problem)


async def refuse(request: Request, error: Exception) -> Response:
    """Answer what is refused before the routes, as they would."""
    for kind, answer in ANSWERS:
        if isinstance(error, kind):
            return await _answer_person(answer, request, error)
    return await _answer_unavailable(request, error)


async def _answer_unavailable(request: Request, error: Exception) -> Response:
    assert isinstance(error, CentralError)
    if wants_page(request):
        pages = web_routes.language_pages(request)
        words = problem_words(pages.language)
        detail, hint = str(error), error.hint
        if words is not None:
            detail, hint = words.said(detail), words.said(hint)
        page = pages.unavailable(detail=detail, hint=hint)
        return HTMLResponse(page, status_code=503, headers={"Retry-After": "5"})
    return problems.problem_response(
        problems.Problem(
            status=503, title="Ledger not available", detail=str(error), hint=error.hint
        ),
        headers={"Retry-After": "5"},
        language=problems.language_asked(request),
    )
