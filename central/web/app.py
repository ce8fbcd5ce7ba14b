"""Builds the web application of central: interface for programs, page for people. Root.

app = create_app(database=database, clock=clock, site="demo", intake_connected=link.connected)
notify = live_of_app(app).notify          # for the intake: call it after each commit
uvicorn.run(app, timeout_graceful_shutdown=2)   # an open page would hold the server for ever
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from central.api import (
    epcis_routes,
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
from central.api.openapi import document_of
from central.api.writing import WriteSide
from central.clock import Clock
from central.contract.errors import ContractError
from central.errors import CentralError, DeskRefused
from central.stock.feed import stock_change
from central.stock.rows import StockChange
from central.stock.updates import Update, read_update
from central.storage.database import Database
from central.web import routes as web_routes
from central.web.live import CLIENTS_MAX, POLL_S, Event, Live
from central.web.pages import pages_in

HEADERS = {
    # Nothing inline, nothing from elsewhere: text from a scanner can never become script.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
CACHE_CONTROL = "no-cache"
GZIP_BYTES_MIN = 1024

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
) -> FastAPI:
    """Return the application; without an entrance, `telling` and `writing` it only reads.

    intake_connected: says whether the intake hears the broker; None where no intake runs beside.
    intake_alive: says whether the intake still works at all; None as above.
    sse_clients_max: pages that are kept current at once. poll_s: how often a page finds what
    another process wrote; what this process writes is announced by `Live.notify`. entrance: for
    batches over HTTP. telling: for what gateways are told. writing: for orders and their kin.
    """
    reading = ReadSide(
        database=database,
        clock=clock,
        site=site,
        software=version("dockledger"),
        intake_connected=intake_connected,
        intake_alive=intake_alive,
    )
    live = Live(
        read_change=partial(_read_change, reading),
        read_update=partial(_read_update, reading),
        render=_event,
        clients_max=sse_clients_max,
        poll_s=poll_s,
    )

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        live.close()

    app = FastAPI(
        title="Dockledger",
        version=reading.software,
        description="The central stock ledger. Quantities are decimal text, times ISO 8601 UTC.",
        docs_url=None,  # Those pages load their script from elsewhere; /openapi.json stays.
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.read_side = reading
    app.state.live = live
    app.state.entrance = entrance
    app.state.outgoing = telling
    app.state.write_side = writing
    _add_routes(app)
    _add_layers(app)
    return app


def live_of_app(app: FastAPI) -> Live:
    """Return the open pages of an application that `create_app` made."""
    live = app.state.live
    assert isinstance(live, Live)
    return live


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
                added = HEADERS | {"Cache-Control": CACHE_CONTROL}
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
    app.include_router(routes.router)
    app.include_router(trace_routes.router)
    app.include_router(epcis_routes.router)
    app.include_router(ingest.router)
    app.include_router(quarantine.router)
    app.include_router(outgoing.router)
    app.include_router(snapshots.router)
    app.include_router(metrics.router)
    for router in ROUTERS:
        app.include_router(router)
    app.include_router(web_routes.router)
    app.openapi = partial(document_of, app)  # type: ignore[method-assign]
    app.add_exception_handler(problems.ProblemRaised, problems.answer_raised)
    app.add_exception_handler(ContractError, problems.answer_contract)
    app.add_exception_handler(RequestValidationError, problems.answer_validation)
    app.add_exception_handler(HTTPException, problems.answer_http)
    app.add_exception_handler(DeskRefused, problems.answer_refused)
    app.add_exception_handler(CentralError, _answer_unavailable)


def _add_layers(app: FastAPI) -> None:
    """Add what stands between the server and the routes, the innermost first."""
    app.add_middleware(AddressBound)
    app.add_middleware(GZipMiddleware, minimum_size=GZIP_BYTES_MIN)
    app.add_middleware(SafeHeaders)
    app.add_middleware(BodyBound)


def _read_change(reading: ReadSide) -> StockChange:
    with reading.database.read() as connection:
        return stock_change(connection, now_ms=reading.clock.now_ms())


def _read_update(reading: ReadSide, since: int | None) -> Update:
    with reading.database.read() as connection:
        return read_update(connection, since, now_ms=reading.clock.now_ms())


def _event(update: Update, language: str) -> Event:
    return pages_in(language).event(update)


async def _answer_unavailable(request: Request, error: Exception) -> Response:
    assert isinstance(error, CentralError)
    if request.url.path == "/":
        pages = web_routes.language_pages(request)
        page = pages.unavailable(detail=str(error), hint=error.hint)
        return HTMLResponse(page, status_code=503, headers={"Retry-After": "5"})
    return problems.problem_response(
        problems.Problem(
            status=503, title="Ledger not available", detail=str(error), hint=error.hint
        ),
        headers={"Retry-After": "5"},
    )
