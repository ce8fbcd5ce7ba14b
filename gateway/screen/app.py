"""The HTTP interface of a gateway's stations: pages, events, state, health, metrics. Edge."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.clock import Clock
from gateway.health import Health
from gateway.release import RUN, release_version
from gateway.screen.claim_routes import claim_routes
from gateway.screen.device_routes import DeviceActions, device_routes
from gateway.screen.documents import Received, documents_page
from gateway.screen.enrolment_routes import enrolment_html, enrolment_routes, stands_first
from gateway.screen.feed import Feed, Feeds
from gateway.screen.label_routes import label_routes
from gateway.screen.metrics import metrics_text
from gateway.screen.page_words import page_words
from gateway.screen.sheet_routes import sheet_routes
from gateway.screen.stations import no_such_station, stations_html
from gateway.screen.touch_routes import Touches
from gateway.screen.translation import Language, language_of, translator
from gateway.station.catalogue import Catalogue
from gateway.station.claiming import Claims
from gateway.station.enrolment import Enrolment

STATIC_FOLDER = Path(__file__).parent / "static"
VERSION = release_version()  # Once: a package that is replaced while we run is not ours.
CLIENTS_MAX = 16
COALESCE_S = 0.1
HEARTBEAT_S = 5.0
BOOT = b'<script id="boot" type="application/json">null</script>'  # In station.html.
HEADERS = (
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
        b" img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-cache"),
)


@dataclass(frozen=True, slots=True)
class ScreenParts:
    """What the pages show and where their touches go.

    catalogue: called for each sheet, so that new reference data shows. language: of what belongs to
    no station. received: as `Book.received`, called from threads. open_streams: a token for each
    event stream. stopping: ends them. devices, claims, enrolment: None where there are none.
    labels_folder: of the user's own label templates.
    """

    feeds: Feeds
    health: Health
    catalogue: Callable[[], Catalogue]
    clock: Clock
    language: Language
    received: Received = lambda _: {}
    devices: DeviceActions | None = None
    claims: Claims | None = None
    enrolment: Enrolment | None = None
    labels_folder: Path | None = None
    open_streams: set[object] = field(default_factory=set)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)


def create_app(parts: ScreenParts) -> Starlette:
    """Return the application; it answers only to names that cannot be rebound to this machine."""
    app = Starlette(
        routes=[
            Route("/", _first_page),
            Route("/s/{station}", _page),
            Route("/events", _events),
            *sheet_routes(parts.catalogue, default=parts.language),
            *label_routes(parts.labels_folder, default=parts.language),
            Route("/health", _health),
            Route("/metrics", _metrics),
            Route("/api/v1/state", _state),
            Route("/api/v1/words", _words),
            Route("/api/v1/documents", _documents),
            *Touches(parts.feeds, parts.clock).routes(),
            *(device_routes(parts.devices) if parts.devices else ()),
            *(claim_routes(parts.claims, _language) if parts.claims else ()),
            *(
                enrolment_routes(parts.enrolment, _language, has_station=True)
                if parts.enrolment
                else ()
            ),
            Mount("/static", StaticFiles(directory=STATIC_FOLDER)),
        ],
        middleware=[Middleware(_Guard)],
    )
    app.state.parts = parts
    return app


def create_waiting_app(enrolment: Enrolment, *, default: Language) -> Starlette:
    """Return the application of a machine that is no gateway yet: its code is all it shows."""

    def language(request: Request) -> Language:
        return language_of(request.query_params.get("lang", ""), default=default)

    async def page(request: Request) -> Response:
        del request
        return enrolment_html()

    return Starlette(
        routes=[
            Route("/", page),
            *enrolment_routes(enrolment, language, has_station=False),
            Mount("/static", StaticFiles(directory=STATIC_FOLDER)),
        ],
        middleware=[Middleware(_Guard)],
    )


def local_name(host: str) -> bool:
    """Return True for a Host that no foreign name server decides: address, bare or .local name.

    A page elsewhere could otherwise rebind its own name to this machine and read or touch.
    """
    name = urlsplit(f"//{host}").hostname or ""
    try:
        ip_address(name)
    except ValueError:
        return bool(name) and ("." not in name or name.endswith(".local"))
    return True


class _Guard:
    """Refuses foreign Host names; adds the security headers to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name for name, _ in message["headers"]}
                extra = [pair for pair in HEADERS if pair[0] not in present]
                message["headers"] = [*message["headers"], *extra]
            await send(message)

        app = self._app
        try:
            allowed = local_name(Request(scope).headers.get("host", ""))
        except ValueError:
            allowed = False
        if not allowed:
            app = PlainTextResponse("Open this page by the gateway's address.", status_code=421)
        await app(scope, receive, send_with_headers)


def _parts(request: Request) -> ScreenParts:
    parts = request.app.state.parts
    assert isinstance(parts, ScreenParts)
    return parts


def _feed(request: Request, station: str = "") -> Feed | None:
    return _parts(request).feeds.feed(station or request.query_params.get("station", ""))


def _language(request: Request) -> Language:
    return language_of(request.query_params.get("lang", ""), default=_parts(request).language)


async def _station_language(request: Request, feed: Feed) -> Language:
    """Return the language that was asked for, else that of whoever stands at the station."""
    return language_of(request.query_params.get("lang", ""), default=await feed.language())


async def _first_page(request: Request) -> Response:
    if stands_first(request, _parts(request).enrolment):
        return enrolment_html()
    codes = _parts(request).feeds.codes
    if len(codes) == 1:
        return await _page(request)
    language = _language(request)
    html = stations_html(codes, language=language, translate=translator(language))
    return Response(html, media_type="text/html")


async def _page(request: Request) -> Response:
    feed = _feed(request, request.path_params.get("station", ""))
    if feed is None:
        return no_such_station()
    if stands_first(request, _parts(request).enrolment):
        return enrolment_html()
    language = await _station_language(request, feed)
    words = msgspec.json.encode(_page_words(request, feed, language))
    boot = b'{"words":%b,"state":%b}' % (words, await feed.data(language))
    page = (STATIC_FOLDER / "station.html").read_bytes()
    # Nothing in it can end the element that it stands in.
    page = page.replace(BOOT, BOOT.replace(b"null", boot.replace(b"<", b"\\u003c")), 1)
    return Response(page, media_type="text/html")


async def _state(request: Request) -> Response:
    feed = _feed(request)
    if feed is None:
        return no_such_station()
    data = await feed.data(await _station_language(request, feed))
    return Response(data, media_type="application/json")


async def _words(request: Request) -> Response:
    feed = _feed(request)
    if feed is None:
        return no_such_station()
    return JSONResponse(_page_words(request, feed, await _station_language(request, feed)))


def _page_words(request: Request, feed: Feed, language: Language) -> dict[str, str]:
    several = str(len(_parts(request).feeds.codes) > 1).lower()
    told = {"station": feed.station.code, "language": language, "several": several}
    return page_words(translator(language)) | told


async def _documents(request: Request) -> Response:
    feed = _feed(request)
    if feed is None:
        return no_such_station()
    language = await _station_language(request, feed)
    parts = _parts(request)
    listed = await asyncio.to_thread(  # The journal is read, some rows for each document.
        documents_page,
        parts.catalogue(),
        translate=translator(language),
        received=parts.received,
    )
    return Response(msgspec.json.encode(listed), media_type="application/json")


async def _health(request: Request) -> Response:
    sources = await _first(request).sources()
    body = {
        "status": "failing" if sources.journal_problem else "ok",
        "problem": sources.journal_problem,
        "version": VERSION,
        "run": RUN,
        "central_connected": sources.link.connected,
        "central_version": sources.link.central_software,
        "unsent_count": sources.unsent.count,
        "devices": {one.name: one.state for one in _parts(request).health.devices()},
    }
    return JSONResponse(body, status_code=503 if sources.journal_problem else 200)


async def _metrics(request: Request) -> Response:
    parts = _parts(request)
    health = parts.health
    text = metrics_text(
        await _first(request).sources(),
        health.counters(),
        storage=health.storage(),
        device_counts=health.device_counts(),
        last_readings_ns=health.last_readings_ns(),
        now_ns=parts.clock.monotonic_ns(),
    )
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")


def _first(request: Request) -> Feed:
    feed = _parts(request).feeds.feed()
    assert feed is not None
    return feed


async def _events(request: Request) -> Response:
    parts, feed = _parts(request), _feed(request)
    if feed is None:
        return no_such_station()
    if len(parts.open_streams) >= CLIENTS_MAX:
        return PlainTextResponse(
            "Too many pages are open: close one.", status_code=503, headers={"retry-after": "5"}
        )
    forced = request.query_params.get("lang", "")
    return StreamingResponse(_event_stream(parts, feed, forced), media_type="text/event-stream")


async def _event_stream(parts: ScreenParts, feed: Feed, forced: str) -> AsyncIterator[bytes]:
    """Yield the full state at once and after each change, else a comment now and then.

    What changes after a pause is told at once; what changes on and on, COALESCE_S after the last.
    """
    loop = asyncio.get_running_loop()
    token = object()
    parts.open_streams.add(token)
    try:
        yield b"retry: 1000\n\n"
        sent, sent_s, quiet_s = b"", float("-inf"), loop.time()
        while not parts.stopping.is_set():
            seen = feed.changes
            language = language_of(forced, default=await feed.language())
            data = await feed.data(language)
            if data is not sent and data != sent:
                sent, sent_s, quiet_s = data, loop.time(), loop.time()
                yield b"data: " + data + b"\n\n"
            elif loop.time() - quiet_s >= HEARTBEAT_S:
                quiet_s = loop.time()
                yield b"event: beat\ndata:\n\n"  # A comment would not reach the script.
            await feed.wait(seen, COALESCE_S)
            await asyncio.sleep(max(0.0, sent_s + COALESCE_S - loop.time()))
    finally:
        parts.open_streams.discard(token)
