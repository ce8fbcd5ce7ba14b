"""Leaves money out of answers to whoever may not see it. Edge of HTTP.

By the names of fields (`money_fields`), so that a route that is added later is covered, too.
"""

import json

from starlette.types import Message, Send

from central.orders.money_fields import stripped

JSON_TYPES = (b"application/json",)


def without_money(send: Send) -> Send:
    """Return what sends an answer on, without money if it is JSON."""
    start: Message | None = None
    body = b""

    async def sent(message: Message) -> None:
        nonlocal start, body
        if message["type"] == "http.response.start":
            kind = dict(message["headers"]).get(b"content-type", b"")
            if not kind.startswith(JSON_TYPES):
                await send(message)
                return
            start = message
        elif start is None:
            await send(message)
        else:
            body += message.get("body", b"")
            if not message.get("more_body", False):
                await _send_whole(send, start, body)

    return sent


async def _send_whole(send: Send, start: Message, body: bytes) -> None:
    try:
        text = json.dumps(stripped(json.loads(body)), ensure_ascii=False, separators=(",", ":"))
        body = text.encode()
    except ValueError:
        body = b"null"  # What cannot be looked through is not sent.
    headers = [(name, value) for name, value in start["headers"] if name != b"content-length"]
    headers.append((b"content-length", str(len(body)).encode()))
    await send({**start, "headers": headers})
    await send({"type": "http.response.body", "body": body})
