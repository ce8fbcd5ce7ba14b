"""The HTTP interface of a machine that is no gateway yet: code, QR code, claim. Edge.

What it asks central with is on none of these addresses; the QR code opens a page, no more.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from gateway.screen.device_routes import limited_body, refusal
from gateway.screen.enrolment_page import SHOWN_STATES, enrolment_page
from gateway.screen.translation import Language, translator
from gateway.station.enrolment import CLAIM_CODE, Enrolment
from gateway.station.messages import render

PAGE_FILE = Path(__file__).parent / "static" / "enrolment.html"
WORK = "work"  # In the address of who wants the station's page although nobody has let it in.


class TypedClaim(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a claim that was typed."""

    claim: Annotated[str, msgspec.Meta(max_length=64)]

    def __repr__(self) -> str:
        return "TypedClaim()"


def stands_first(request: Request, enrolment: Enrolment | None) -> bool:
    """Return whether the page of the code stands where the station's page will."""
    if enrolment is None or WORK in request.query_params:
        return False
    return enrolment.shown().state in SHOWN_STATES


def enrolment_html() -> Response:
    """Return the page."""
    return Response(PAGE_FILE.read_bytes(), media_type="text/html")


def enrolment_routes(
    enrolment: Enrolment, language: Callable[[Request], Language], *, has_station: bool
) -> list[Route]:
    """Return the routes. language: the one that a request wants. has_station: one can work."""

    async def state(request: Request) -> Response:
        wanted = language(request)
        shown = enrolment_page(enrolment.shown(), language=wanted, translate=translator(wanted))
        body = msgspec.to_builtins(shown) | {"has_station": has_station}
        return JSONResponse(body)

    async def picture(request: Request) -> Response:
        del request
        svg = enrolment.shown().qr_svg
        if not svg:
            return PlainTextResponse("No code is shown.", status_code=404)
        return Response(svg, media_type="image/svg+xml")

    async def another(request: Request) -> Response:
        refused = refusal(request)
        if refused is not None:
            return refused
        await asyncio.to_thread(enrolment.show_code)
        return Response(status_code=204)

    async def claim(request: Request) -> Response:
        refused = refusal(request)
        if refused is not None:
            return refused
        try:
            typed = msgspec.json.decode(await limited_body(request) or b"", type=TypedClaim)
        except msgspec.DecodeError:
            return PlainTextResponse('Send {"claim": "..."}.', status_code=400)
        wanted = language(request)
        code = typed.claim.strip().upper()
        if CLAIM_CODE.fullmatch(code) is None:
            return PlainTextResponse("A claim has 16 letters and digits.", status_code=422)
        told = await asyncio.to_thread(enrolment.scanned, code)
        if told is None:
            return Response(status_code=204)
        text = render(told.message, language=wanted, translate=translator(wanted))
        return JSONResponse({"kind": told.kind, "text": text})

    return [
        Route("/api/v1/enrolment", state),
        Route("/api/v1/enrolment/code", another, methods=["POST"]),
        Route("/api/v1/enrolment/claim", claim, methods=["POST"]),
        Route("/enrolment.svg", picture),
    ]
