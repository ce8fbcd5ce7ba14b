"""Reads no more of a request than anything here can use. Edge of HTTP."""

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY_BYTES_MAX = 512 * 1024  # A batch, or a label template written with escapes.


class BodyBound:
    """Ends a request whose body is larger with 413, before it is in memory."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, counting what is read of it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        read_count = 0

        async def receive_bounded() -> Message:
            nonlocal read_count
            message = await receive()
            read_count += len(message.get("body", b""))
            if read_count > BODY_BYTES_MAX:
                raise HTTPException(413, "Request too large")
            return message

        await self._app(scope, receive_bounded, send)
