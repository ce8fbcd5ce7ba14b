"""The HTTP interface of finding and claiming: page, list, claim, release, bar code. Edge.

Settings may name files and hosts: only a program on the gateway itself may give them.
"""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from gateway.screen.claim_page import claim_page
from gateway.screen.code128 import code128_svg
from gateway.screen.device_routes import HERE_ONLY, from_here, limited_body, refusal
from gateway.screen.translation import Language, translator
from gateway.station.claiming import ClaimRequest, Claims
from gateway.station.effects import Signal
from gateway.station.messages import render

PAGE_FILE = Path(__file__).parent / "static" / "devices.html"
CODE_FORM = re.compile(r"BND-[0-9A-Z]{4}")
BAR_HEIGHT = 30
OUTCOME_STATUS = {"success": 200, "warning": 202, "error": 409}

Text = Annotated[str, msgspec.Meta(max_length=512)]


class WantedClaim(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a claim; see ClaimRequest."""

    key: Text
    driver: Text = ""
    name: Text = ""
    settings: dict[str, Any] = {}
    force: bool = False
    by: Annotated[str, msgspec.Meta(pattern="^(page|command)$")] = "page"


class WantedRelease(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a release."""

    name: Text


def claim_routes(claims: Claims, language: Callable[[Request], Language]) -> list[Route]:
    """Return the routes. language: the one that a request wants."""

    async def page(request: Request) -> Response:
        del request
        return Response(PAGE_FILE.read_bytes(), media_type="text/html")

    async def devices(request: Request) -> Response:
        wanted = language(request)
        listed = await asyncio.to_thread(claims.device_list)
        shown = claim_page(listed, language=wanted, translate=translator(wanted))
        return Response(msgspec.json.encode(shown), media_type="application/json")

    async def claim(request: Request) -> Response:
        refused = refusal(request)
        if refused is not None:
            return refused
        try:
            wanted = msgspec.json.decode(await limited_body(request) or b"", type=WantedClaim)
        except msgspec.DecodeError:
            return PlainTextResponse('Send {"key": "..."}.', status_code=400)
        if wanted.settings and not from_here(request):
            return PlainTextResponse(HERE_ONLY, status_code=403)
        asked = ClaimRequest(
            key=wanted.key,
            driver=wanted.driver,
            name=wanted.name,
            by=wanted.by,
            force=wanted.force,
            settings=wanted.settings,
        )
        return _outcome(await asyncio.to_thread(claims.claim, asked), language(request))

    async def release(request: Request) -> Response:
        refused = refusal(request)
        if refused is not None:
            return refused
        try:
            wanted = msgspec.json.decode(await limited_body(request) or b"", type=WantedRelease)
        except msgspec.DecodeError:
            return PlainTextResponse('Send {"name": "..."}.', status_code=400)
        return _outcome(await asyncio.to_thread(claims.release, wanted.name), language(request))

    async def barcode(request: Request) -> Response:
        code = str(request.path_params["code"])
        if CODE_FORM.fullmatch(code) is None:
            return PlainTextResponse("No such code.", status_code=404)
        return Response(code128_svg(code, height=BAR_HEIGHT), media_type="image/svg+xml")

    return [
        Route("/devices", page),
        Route("/api/v1/devices", devices),
        Route("/api/v1/claims", claim, methods=["POST"]),
        Route("/api/v1/releases", release, methods=["POST"]),
        Route("/barcode/{code}.svg", barcode),
    ]


def _outcome(signal: Signal, language: Language) -> Response:
    text = render(signal.message, language=language, translate=translator(language))
    body = {"kind": signal.kind, "text": text}
    return JSONResponse(body, status_code=OUTCOME_STATUS[signal.kind])
