"""Leaves money out of answers to whoever may not see it. Edge of HTTP.

By the names of fields, wherever they stand: a route that is added later is covered, too, and none
has to think of it. What is left out is null, as where it is not known.
"""

import json
from collections.abc import Mapping

from starlette.types import Message, Send

MONEY_FIELDS = frozenset({"unit_price", "price", "value", "amount", "cost", "currency"})
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


def stripped(value: object) -> object:
    """Return JSON without money."""
    if isinstance(value, Mapping):
        return without_money_fields(value)
    return [stripped(one) for one in value] if isinstance(value, list | tuple) else value


def without_money_fields(values: Mapping[str, object]) -> dict[str, object]:
    """Return the fields of a document without money, as `stripped` does."""
    return {name: None if name in MONEY_FIELDS else stripped(one) for name, one in values.items()}


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
