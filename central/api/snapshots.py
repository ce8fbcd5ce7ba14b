"""Gives gateways the snapshots that they begin with. Edge of HTTP.

The request is signed by the gateway, the answer by the ledger. The file is a capability: who knows
its SHA-256 may load it, in pieces (RFC 9110, section 14), as often as the line breaks. Where
gateways have certificates they sign that, too.
"""

import re
from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Header, Path, Request, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from central.api.context import Outgoing, Reading, ReadSide, Telling
from central.api.gateway_signature import RequireGateway
from central.api.parameters import PREFIX
from central.api.problems import PROBLEM, ProblemRaised
from central.outbox.snapshot import PAUSE_S, REQUEST_BYTES_MAX, Refusal, find_file, read_piece

MEDIA_TYPE = "application/octet-stream"
PIECE_BYTES = 1024 * 1024
RANGE_FORM = re.compile(r"bytes=(\d{0,19})-(\d{0,19})")

router = APIRouter(
    prefix=PREFIX,
    responses=dict.fromkeys((404, 422, 503), PROBLEM),
    tags=["downlink"],
)


@router.post(
    "/snapshots",
    response_class=Response,
    responses={
        200: {"content": {MEDIA_TYPE: {}}, "description": "The sealed manifest of the file."},
        **dict.fromkeys((403, 413, 429), PROBLEM),
    },
)
async def ask_for_snapshot(request: Request, telling: Telling) -> Response:
    """Take a sealed request of a gateway; answer with the sealed manifest of its snapshot."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > REQUEST_BYTES_MAX:
            raise ProblemRaised(
                status=413,
                title="Request too large",
                detail=f"A request for a snapshot has at most {REQUEST_BYTES_MAX} bytes.",
                hint="Send the sealed request alone.",
            )
    return await run_in_threadpool(_answer, telling, bytes(body))


@router.get(
    "/snapshots/{sha256}",
    response_class=Response,
    dependencies=[RequireGateway],
    responses={
        200: {"content": {MEDIA_TYPE: {}}, "description": "The whole file."},
        206: {"content": {MEDIA_TYPE: {}}, "description": "The piece that Range names."},
        **dict.fromkeys((403, 416), PROBLEM),
    },
)
def load_snapshot(
    sha256: Annotated[str, Path(pattern="^[0-9a-f]{64}$")],
    reading: Reading,
    wanted: Annotated[str, Header(alias="Range")] = "",
    if_range: Annotated[str, Header()] = "",
) -> Response:
    """Return the file, or the one piece of it that Range names."""
    with reading.database.read() as connection:
        size = find_file(connection, sha256)
    if size is None:
        raise ProblemRaised(
            status=404,
            title="No such snapshot",
            detail="There is no snapshot of this digest any more.",
            hint="Ask for a new one with POST.",
        )
    etag = f'"{sha256}"'
    # As it is: packed already, and a piece must be one of the very bytes.
    headers = {"ETag": etag, "Accept-Ranges": "bytes", "Content-Encoding": "identity"}
    piece = wanted_piece(wanted, size=size) if if_range in {"", etag} else None
    if piece is not None and piece[0] > piece[1]:
        raise ProblemRaised(
            status=416,
            title="No such piece",
            detail=f"The file has {size} bytes.",
            hint="Ask for a piece that begins inside the file.",
            headers=headers | {"Content-Range": f"bytes */{size}"},
        )
    first, last = piece or (0, size - 1)
    headers["Content-Length"] = str(last - first + 1)
    if piece is not None:
        headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    return StreamingResponse(
        _pieces(reading, sha256, first=first, last=last),
        status_code=200 if piece is None else 206,
        media_type=MEDIA_TYPE,
        headers=headers,
    )


def wanted_piece(text: str, *, size: int) -> tuple[int, int] | None:
    """Return first and last byte of the piece that a Range header names, None for the whole file.

    First after last: there is no such piece. Several pieces, other units and what cannot be read
    mean the whole file, as RFC 9110, 14.2 has it.
    """
    match = RANGE_FORM.fullmatch(text.strip())
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        count = min(int(match[2]), size)
        return (size - count, size - 1)
    first = int(match[1])
    last = min(int(match[2]), size - 1) if match[2] else size - 1
    if match[2] and int(match[2]) < first:
        return None
    return (first, last)


def _answer(telling: Outgoing, message: bytes) -> Response:
    answer = telling.snapshots.answer(message)
    if isinstance(answer, Refusal):
        later = answer.kind == "later"
        raise ProblemRaised(
            status=429 if later else 403,
            title="Not now" if later else "Not given",
            detail=answer.detail,
            hint=answer.hint,
            headers={"Retry-After": str(PAUSE_S)} if later else None,
        )
    return Response(answer, media_type=MEDIA_TYPE)


def _pieces(reading: ReadSide, sha256: str, *, first: int, last: int) -> Iterator[bytes]:
    """A file that is gone meanwhile ends too early, which the gateway sees: it asks anew."""
    while first <= last:
        with reading.database.read() as connection:
            count = min(PIECE_BYTES, last - first + 1)
            piece = read_piece(connection, sha256, start=first, bytes_count=count)
        if not piece:
            return
        yield piece
        first += len(piece)
