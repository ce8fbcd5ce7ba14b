"""Lets nothing of a request in that nothing here can use. Edge of HTTP."""

import asyncio
from urllib.parse import parse_qsl

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from central.api.json_names import twice_named
from central.api.parameters import PREFIX
from central.api.problems import Problem, RequestRefused, problem_response
from central.orders.spreadsheets.sheets import FILE_BYTES_MAX

BODY_BYTES_MAX = 512 * 1024  # A batch, or a label template written with escapes.
BODY_WAIT_S = 20  # So long whoever has to be asked for before the routes may take to send.
IMPORTS = f"{PREFIX}/imports/"  # Whole tables, as files.


class BodyBound:
    """Ends a request whose body is larger with 413, before it is in memory.

    One of JSON that says something twice is ended with 422.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, counting what is read of it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        bytes_max = FILE_BYTES_MAX if scope["path"].startswith(IMPORTS) else BODY_BYTES_MAX
        read_count, read = 0, b""

        async def receive_bounded() -> Message:
            nonlocal read_count, read
            message = await receive()
            part = message.get("body", b"")
            read_count += len(part)
            if read_count > bytes_max:
                raise _too_large(bytes_max)
            if message["type"] == "http.request" and _says_json(scope):
                read += part
                if not message.get("more_body") and (place := twice_named(read)):
                    raise _said_twice(place)
            return message

        await self._app(scope, receive_bounded, send)


class AddressBound:
    """Answers an address that holds U+0000 with 422: PostgreSQL has no such text."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it."""
        if scope["type"] == "http":
            query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
            for name, value in (("path", scope["path"]), *query):
                if "\x00" in name or "\x00" in value:
                    await _without_nul(name)(scope, receive, send)
                    return
        await self._app(scope, receive, send)


async def read_whole(receive: Receive, *, bytes_max: int) -> tuple[bytes, Receive]:
    """Return a body, and what gives it once more. Raises RequestRefused if it is long or slow."""
    body, more = b"", True
    try:
        async with asyncio.timeout(BODY_WAIT_S):
            while more:
                message = await receive()
                body += message.get("body", b"")
                more = message["type"] == "http.request" and message.get("more_body", False)
                if len(body) > bytes_max:
                    raise _too_large(bytes_max)
    except TimeoutError as error:
        raise RequestRefused(
            status=408,
            title="Request too slow",
            detail=f"The request did not come whole within {BODY_WAIT_S} seconds.",
            hint="Send it again, whole.",
        ) from error
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return body, again


def _says_json(scope: Scope) -> bool:
    return any(
        name == b"content-type" and b"json" in value.lower() for name, value in scope["headers"]
    )


def _said_twice(place: str) -> RequestRefused:
    return RequestRefused(
        status=422,
        title="Said twice",
        detail=f"{place}: is said twice, and one of both would not count.",
        hint="Say it once.",
    )


def _too_large(bytes_max: int) -> RequestRefused:
    return RequestRefused(
        status=413,
        title="Request too large",
        detail=f"The request has more than {bytes_max} bytes, which is too much for this address.",
        hint="Send it in smaller parts, as several requests.",
    )


def _without_nul(name: str) -> Response:
    return problem_response(
        Problem(
            status=422,
            title="Unusable parameter",
            detail=f"{name!r} holds the character U+0000, which is in no text.",
            hint="Leave the character out.",
        )
    )
