"""The HTTP interface of one device: commands, lock, diagnostics. Edge.

Commands come from the station's own page or from this machine; the lock and the diagnostics bundle
from this machine alone: there are no accounts, so the administrator is whoever has a shell here.
"""

import asyncio
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from typing import Annotated, Protocol
from urllib.parse import urlsplit

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from gateway.errors import DeviceCommandFailed

BODY_BYTES_MAX = 1024
HERE_ONLY = "Only a program on the gateway itself may do this."


class DeviceActions(Protocol):
    """Who does it; all may wait some seconds and raise DeviceCommandFailed."""

    def command(self, name: str, command: str, signal: str = "off") -> tuple[str, str]:
        """Return outcome and detail."""
        ...

    def lock(self, name: str) -> None:
        """Close a device and keep it closed."""
        ...

    def unlock(self, name: str) -> None:
        """Let a device be opened again."""
        ...

    def diagnostics(self, name: str, *, with_data: bool) -> bytes:
        """Return a zip file."""
        ...


class OrderedCommand(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a command."""

    command: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    signal: Annotated[str, msgspec.Meta(max_length=64)] = "off"


def device_routes(actions: DeviceActions) -> list[Route]:
    """Return the routes below /api/v1/devices/."""

    async def command(request: Request) -> Response:
        refused = refusal(request)
        if refused is not None:
            return refused
        try:
            ordered = msgspec.json.decode(await limited_body(request) or b"", type=OrderedCommand)
        except msgspec.DecodeError:
            return PlainTextResponse('Send {"command": "zero"}.', status_code=400)
        outcome, detail = await asyncio.to_thread(
            actions.command, _name(request), ordered.command, ordered.signal
        )
        return JSONResponse({"outcome": outcome, "detail": detail})

    async def lock(request: Request) -> Response:
        await asyncio.to_thread(actions.lock, _name(request))
        return Response(status_code=204)

    async def unlock(request: Request) -> Response:
        await asyncio.to_thread(actions.unlock, _name(request))
        return Response(status_code=204)

    async def diagnostics(request: Request) -> Response:
        with_data = request.query_params.get("with_data") == "true"
        data = await asyncio.to_thread(
            lambda: actions.diagnostics(_name(request), with_data=with_data)
        )
        return Response(data, media_type="application/zip")

    return [
        Route("/api/v1/devices/{name}/command", _told(command), methods=["POST"]),
        Route("/api/v1/devices/{name}/lock", _told(_here(lock)), methods=["POST"]),
        Route("/api/v1/devices/{name}/unlock", _told(_here(unlock)), methods=["POST"]),
        Route("/api/v1/devices/{name}/diagnostics", _told(_here(diagnostics))),
    ]


def refusal(request: Request) -> Response | None:
    """Return why a request that changes something is not taken, None if it is.

    A page elsewhere can send neither our origin nor, unasked, this content type.
    """
    origin = request.headers.get("origin", "")
    if origin and urlsplit(origin).netloc != request.headers.get("host", ""):
        return PlainTextResponse("Only the station's own page may do this.", status_code=403)
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        return PlainTextResponse("Send application/json.", status_code=415)
    return None


async def limited_body(request: Request) -> bytes | None:
    """Return the body, None if it exceeds BODY_BYTES_MAX."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            return None
    return body


def from_here(request: Request) -> bool:
    """Return True if the request comes from a program on this machine, not from a page."""
    server = request.scope.get("server")
    client = request.client
    if client is None or server is None or "origin" in request.headers:
        return False
    # Who connects to an address of this machine from itself has that address on both ends.
    return client.host == server[0] or ip_address(client.host).is_loopback


def _name(request: Request) -> str:
    return str(request.path_params["name"])


Endpoint = Callable[[Request], Awaitable[Response]]


def _here(endpoint: Endpoint) -> Endpoint:
    async def guarded(request: Request) -> Response:
        if not from_here(request):
            return PlainTextResponse(HERE_ONLY, status_code=403)
        refused = refusal(request) if request.method == "POST" else None
        return refused or await endpoint(request)

    return guarded


def _told(endpoint: Endpoint) -> Endpoint:
    async def answered(request: Request) -> Response:
        try:
            return await endpoint(request)
        except DeviceCommandFailed as error:
            return JSONResponse({"error": str(error), "hint": error.hint}, status_code=409)

    return answered
