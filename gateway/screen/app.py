"""The HTTP interface of a station: page, events, state, health, metrics, sheet, touch. Edge."""

import asyncio
import queue
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import msgspec
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from drivers.readings import BarcodeScanned
from gateway.clock import Clock
from gateway.health import Health
from gateway.screen.claim_routes import claim_routes
from gateway.screen.device_routes import DeviceActions, device_routes, limited_body, refusal
from gateway.screen.feed import Feed
from gateway.screen.label_routes import label_routes
from gateway.screen.metrics import metrics_text
from gateway.screen.page_state import page_words
from gateway.screen.sheet import sheet_html
from gateway.screen.translation import Language, language_of, translator
from gateway.station.catalogue import Catalogue
from gateway.station.claiming import Claims
from gateway.station.observations import Observation

STATIC_FOLDER = Path(__file__).parent / "static"
CLIENTS_MAX = 16
COALESCE_S = 0.1
HEARTBEAT_S = 10.0
SCREEN_DEVICE = "screen"
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


class TouchedCode(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a touch on the page stands for: the text of a bar code."""

    code: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]


@dataclass(frozen=True, slots=True)
class ScreenParts:
    """What the page shows and where its touches go.

    catalogue: called for each sheet, so that new reference data shows. open_streams: a
    token for each event stream. stopping: ends them. devices, claims: None where there are none.
    labels_folder: of the user's own label templates.
    """

    feed: Feed
    health: Health
    catalogue: Callable[[], Catalogue]
    observations: queue.Queue[Observation]
    clock: Clock
    station: str
    language: Language
    devices: DeviceActions | None = None
    claims: Claims | None = None
    labels_folder: Path | None = None
    open_streams: set[object] = field(default_factory=set)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)


def create_app(parts: ScreenParts) -> Starlette:
    """Return the application; it answers only to names that cannot be rebound to this machine."""
    app = Starlette(
        routes=[
            Route("/", _page),
            Route("/events", _events),
            Route("/sheet", _sheet),
            *label_routes(parts.labels_folder, default=parts.language),
            Route("/health", _health),
            Route("/metrics", _metrics),
            Route("/api/v1/state", _state),
            Route("/api/v1/words", _words),
            Route("/api/v1/scan", _scan, methods=["POST"]),
            *(device_routes(parts.devices) if parts.devices else ()),
            *(claim_routes(parts.claims, _language) if parts.claims else ()),
            Mount("/static", StaticFiles(directory=STATIC_FOLDER)),
        ],
        middleware=[Middleware(_Guard)],
    )
    app.state.parts = parts
    return app


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


def _language(request: Request) -> Language:
    return language_of(request.query_params.get("lang", ""), default=_parts(request).language)


async def _page(request: Request) -> Response:
    del request
    return Response((STATIC_FOLDER / "station.html").read_bytes(), media_type="text/html")


async def _state(request: Request) -> Response:
    data = await _parts(request).feed.data(_language(request))
    return Response(data, media_type="application/json")


async def _words(request: Request) -> Response:
    parts, language = _parts(request), _language(request)
    words = page_words(translator(language)) | {"station": parts.station, "language": language}
    return JSONResponse(words)


async def _sheet(request: Request) -> Response:
    language = _language(request)
    catalogue = _parts(request).catalogue()
    html = sheet_html(catalogue, language=language, translate=translator(language))
    return Response(html, media_type="text/html")


async def _health(request: Request) -> Response:
    sources = await _parts(request).feed.sources()
    body = {
        "status": "failing" if sources.journal_problem else "ok",
        "problem": sources.journal_problem,
        "central_connected": sources.link.connected,
        "unsent_count": sources.unsent_count,
        "devices": {device.name: device.state for device in sources.devices},
    }
    return JSONResponse(body, status_code=503 if sources.journal_problem else 200)


async def _metrics(request: Request) -> Response:
    parts = _parts(request)
    health = parts.health
    text = metrics_text(
        await parts.feed.sources(),
        health.counters(),
        storage=health.storage(),
        device_counts=health.device_counts(),
        last_readings_ns=health.last_readings_ns(),
        now_ns=parts.clock.monotonic_ns(),
    )
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")


async def _events(request: Request) -> Response:
    parts = _parts(request)
    if len(parts.open_streams) >= CLIENTS_MAX:
        return PlainTextResponse(
            "Too many pages are open: close one.", status_code=503, headers={"retry-after": "5"}
        )
    return StreamingResponse(
        _event_stream(parts, _language(request)), media_type="text/event-stream"
    )


async def _event_stream(parts: ScreenParts, language: Language) -> AsyncIterator[bytes]:
    """Yield the full state at once and after each change, else a comment now and then."""
    token = object()
    parts.open_streams.add(token)
    try:
        yield b"retry: 1000\n\n"
        sent, quiet_s = b"", 0.0
        while not parts.stopping.is_set():
            data = await parts.feed.data(language)
            quiet_s += COALESCE_S
            if data is not sent and data != sent:
                sent, quiet_s = data, 0.0
                yield b"data: " + data + b"\n\n"
            elif quiet_s >= HEARTBEAT_S:
                quiet_s = 0.0
                yield b": still here\n\n"
            await asyncio.sleep(COALESCE_S)
    finally:
        parts.open_streams.discard(token)


async def _scan(request: Request) -> Response:
    """Take a touch as an observation of the device "screen"; same origin only."""
    parts = _parts(request)
    refused = refusal(request)
    if refused is not None:
        return refused
    body = await limited_body(request)
    if body is None:
        return PlainTextResponse("Send one code.", status_code=413)
    try:
        code = msgspec.json.decode(body, type=TouchedCode).code
    except msgspec.DecodeError:
        return PlainTextResponse('Send {"code": "..."}.', status_code=400)
    reading = BarcodeScanned(symbology="", data=code, raw=code.encode("utf-8"))
    observation = Observation(
        device=SCREEN_DEVICE,
        reading=reading,
        event_time_ms=parts.clock.now_ms(),
        clock_synced=parts.clock.synced(),
        boot_id=parts.clock.boot_id,
        monotonic_ns=parts.clock.monotonic_ns(),
    )
    try:
        parts.observations.put_nowait(observation)
    except queue.Full:
        return PlainTextResponse("The station is busy: try again.", status_code=503)
    return Response(status_code=202)
