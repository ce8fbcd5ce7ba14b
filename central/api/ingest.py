"""Takes a batch over HTTP as the broker's worker takes it: same bytes, same answer. Edge of HTTP.

A fallback where no broker is, a way to load much at once, and an oracle for tests. Who calls is of
no matter: the batch is signed by its gateway, the answer by the ledger.
"""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from central.api.context import INGESTS_AT_ONCE_MAX, Entering, Entrance
from central.api.parameters import PREFIX, GatewayCode
from central.api.problems import PROBLEM, ProblemRaised
from central.contract.acks import encode_ack, sign_ack
from central.contract.envelope import BATCH_BYTES_MAX
from central.inbox.inbox import Outcome

MEDIA_TYPE = "application/octet-stream"
RETRY_AFTER_S = 1

router = APIRouter(prefix=PREFIX, tags=["intake"])


@router.post(
    "/ingest",
    response_class=Response,
    responses={
        200: {"content": {MEDIA_TYPE: {}}, "description": "The ledger's signed acknowledgement."},
        **dict.fromkeys((404, 413, 415, 422, 503), PROBLEM),
    },
)
async def ingest(
    request: Request,
    entrance: Entering,
    gateway: Annotated[GatewayCode | None, Query()] = None,
) -> Response:
    """Take one batch; the body is its bytes. Answer with the acknowledgement, signed.

    200 also where the batch is quarantined: the acknowledgement says why. gateway: in whose name it
    comes, if not in that of the gateway which it names.
    """
    if entrance is None:
        raise ProblemRaised(
            status=404,
            title="Nothing is taken here",
            detail="This server only reads the ledger.",
            hint="Send batches to a server that `dockledger-central serve` runs.",
        )
    payload = await _body(request)
    if not entrance.places.acquire(blocking=False):
        raise ProblemRaised(
            status=503,
            title="Too many batches at once",
            detail=f"{INGESTS_AT_ONCE_MAX} batches are being taken already.",
            hint="Send the batch again after the time in Retry-After.",
            headers={"Retry-After": str(RETRY_AFTER_S)},
        )
    try:
        return await run_in_threadpool(_taken, entrance, gateway, payload)
    finally:
        entrance.places.release()


def _taken(entrance: Entrance, gateway: str | None, payload: bytes) -> Response:
    (outcome,) = entrance.inbox.accept([(gateway, payload)])
    if outcome.ack is None:
        raise _no_answer(outcome)
    answer = encode_ack(sign_ack(outcome.ack, entrance.sign))
    return Response(answer, media_type=MEDIA_TYPE)


def _no_answer(outcome: Outcome) -> ProblemRaised:
    return ProblemRaised(
        status=422,
        title="No batch of this gateway",
        detail=f"{outcome.detail}; it lies in quarantine.",
        hint="Send the bytes of one batch, under the name of the gateway that made it.",
    )


async def _body(request: Request) -> bytes:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != MEDIA_TYPE:
        raise ProblemRaised(
            status=415,
            title="Not a batch",
            detail=f"The body has the type {media_type[:80]!r}.",
            hint=f"Send the bytes of the batch as {MEDIA_TYPE}.",
        )
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and len(announced) < 20 and int(announced) > BATCH_BYTES_MAX:
        raise _too_large()
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BATCH_BYTES_MAX:
            raise _too_large()
    return bytes(body)


def _too_large() -> ProblemRaised:
    return ProblemRaised(
        status=413,
        title="Batch too large",
        detail=f"A batch has at most {BATCH_BYTES_MAX} bytes.",
        hint="Send fewer facts in each batch.",
    )
