"""What people do on the page: touches and typed codes, each done once; the language. Edge.

A page that hears no answer sends the touch again, with the same identity. It is answered once what
it leads to is durable and on the board; one that was done before is only answered.
"""

import asyncio
import queue
from typing import Annotated, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from drivers.readings import BarcodeScanned
from gateway.clock import Clock
from gateway.screen.device_routes import limited_body, refusal
from gateway.screen.feed import Feed, Feeds
from gateway.screen.stations import no_such_station
from gateway.screen.translation import Language
from gateway.station.observations import Observation

SCREEN_DEVICE = "screen"
ANSWER_S_MAX = 2.0
PENDING_MAX = 256

Code = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
StationCode = Annotated[str, msgspec.Meta(max_length=64)]
Identity = Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{16,64})?$")]


class TouchedCode(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a touch on the page stands for: the text of a bar code.

    id: of the touch, "" if it is never sent again. station: "" is the first. only_ask: do nothing
    if it was not done; the person has seen meanwhile that nothing happened.
    """

    code: Code
    id: Identity = ""
    station: StationCode = ""
    only_ask: bool = False


class ChosenLanguage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The language that whoever stands at a station wants to read."""

    language: Language
    station: StationCode = ""


Body = TypeVar("Body", TouchedCode, ChosenLanguage)


class Touches:
    """Takes touches of all stations. Used from the server's event loop only."""

    def __init__(self, feeds: Feeds, clock: Clock) -> None:
        self._feeds = feeds
        self._clock = clock
        self._pending: dict[str, None] = {}

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/api/v1/scan", self._scan, methods=["POST"]),
            Route("/api/v1/language", self._language, methods=["POST"]),
        ]

    async def _scan(self, request: Request) -> Response:
        touched = await _body(request, TouchedCode, example='{"code": "..."}')
        if isinstance(touched, Response):
            return touched
        feed = self._feeds.feed(touched.station)
        if feed is None:
            return no_such_station()
        board = feed.station.board
        is_new = touched.id not in self._pending and not board.answered(touched.id)
        if is_new and not touched.only_ask:
            try:
                feed.station.observations.put_nowait(self._observation(touched))
            except queue.Full:
                return PlainTextResponse("The station is busy: try again.", status_code=503)
            self._note(touched.id)
        if not touched.id:
            return Response(status_code=202)
        if not is_new or not touched.only_ask:
            await self._answered(feed, touched.id)
        done = board.answered(touched.id)
        return JSONResponse({"done": done}, status_code=200 if done or touched.only_ask else 202)

    async def _language(self, request: Request) -> Response:
        chosen = await _body(request, ChosenLanguage, example='{"language": "zh"}')
        if isinstance(chosen, Response):
            return chosen
        feed = self._feeds.feed(chosen.station)
        if feed is None:
            return no_such_station()
        await feed.choose(chosen.language)
        feed.wake()
        return Response(status_code=204)

    async def _answered(self, feed: Feed, touch: str) -> None:
        """Wait until a touch has led to what it leads to, ANSWER_S_MAX at most."""
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + ANSWER_S_MAX
        while (left_s := deadline_s - loop.time()) > 0:
            seen = feed.changes
            if feed.station.board.answered(touch):
                self._pending.pop(touch, None)
                return
            await feed.wait(seen, left_s)

    def _note(self, touch: str) -> None:
        if touch:
            self._pending[touch] = None
        while len(self._pending) > PENDING_MAX:
            del self._pending[next(iter(self._pending))]

    def _observation(self, touched: TouchedCode) -> Observation:
        code = touched.code
        return Observation(
            device=SCREEN_DEVICE,
            reading=BarcodeScanned(symbology="", data=code, raw=code.encode("utf-8")),
            event_time_ms=self._clock.now_ms(),
            clock_synced=self._clock.synced(),
            boot_id=self._clock.boot_id,
            monotonic_ns=self._clock.monotonic_ns(),
            touch=touched.id,
        )


async def _body(request: Request, body_type: type[Body], *, example: str) -> Body | Response:
    """Return what was sent, or why it is not taken; same origin only."""
    refused = refusal(request)
    if refused is not None:
        return refused
    body = await limited_body(request)
    if body is None:
        return PlainTextResponse("Send one code.", status_code=413)
    try:
        return msgspec.json.decode(body, type=body_type)
    except msgspec.DecodeError:
        return PlainTextResponse(f"Send {example}.", status_code=400)
