"""How requests change things: once, as somebody, against a version. Edge of HTTP.

    POST /api/v1/transfers/TR-1/approve
    Idempotency-Key: 0b9f...  the same request again gets the same answer; another body: 422
    If-Match: "3"             the version that the caller has seen; another one: 412
                              whoever edits must say one, or * for whatever stands there: else 428
    Dockledger-Actor: li.na   for whom, where the caller may act for others; else it is themselves

Each request is one change at the desk: durable with its answer, or not done at all. A route is

    @router.post("/transfers/{code}/approve", responses=REFUSALS)
    def approve(writing: Writing, call: Call, code: TransferCode) -> Response:
        return writing.answer(call, lambda change: transfer_answer(
            approve_transfer(change, code, version=call.version)))

and one that edits (PUT, PATCH, DELETE of what has an ETag) asks for `Edit` in place of `Call`, with
`responses=EDIT_REFUSALS`.

Sources: draft-ietf-httpapi-idempotency-key-header-07; RFC 9110, 8.8.3 (ETag), 13.1.1 (If-Match);
RFC 6585, 3 (428 Precondition Required).
"""

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel
from sqlalchemy import delete

from central.access.permissions import Permission, Principal, may
from central.api.at_once import at_once
from central.api.problems import PROBLEM, ProblemRaised
from central.contract.identifiers import parse_code
from central.ledger.desk import Change, Desk
from central.storage import bulk, tables

KEY_CHARACTERS_MAX = 128
KEPT_MS = 7 * 24 * 3600 * 1000  # So long a repeated request gets its answer again.
KEY = r"^[\x20-\x7e]+$"
# U+0000 as JSON writes it; an even number of backslashes before it are backslashes themselves.
NUL_IN_JSON = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
ETAG = re.compile(r'(?:W/)?"(\d{1,18})"')
# For `responses=` of every route that changes something.
REFUSALS: dict[int | str, dict[str, Any]] = dict.fromkeys((404, 409, 412, 422, 503), PROBLEM)
# For those of a route that edits.
EDIT_REFUSALS = REFUSALS | {428: PROBLEM}


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks for what. version: of the object that the caller has seen, None for any.

    key: what the request must not be done twice under, "" if unsaid. digest: of the whole request.
    principal: what the answer may show. matched: the caller has said which version, be it any
    (If-Match: *).
    """

    actor: str
    version: int | None
    key: str
    digest: bytes
    principal: Principal
    matched: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request is answered with. version: of the object now, for its ETag.

    repeated: what is kept for the same request again, where the body shows what is shown once.
    """

    body: BaseModel
    status: int = 200
    version: int | None = None
    location: str = ""
    repeated: BaseModel | None = None


@dataclass(frozen=True, slots=True)
class WriteSide:
    """Everything that changing something needs."""

    desk: Desk
    # Further parts of the application that routes ask for by name, e.g. a client of another system.
    parts: dict[str, object] = field(default_factory=dict)

    def answer(self, asked: Asked, work: Callable[[Change], Answer]) -> Response:
        """Do a piece of work once and answer with what it returns.

        Raises what the work raises; then nothing is done.
        """
        with self.desk.change(actor=asked.actor) as change:
            if asked.key:
                known = _known_answer(change, asked)
                if known is not None:
                    return known
            answer = work(change)
            headers = _headers(answer)
            body = _json(answer.body)
            if asked.key:
                kept = body if answer.repeated is None else _json(answer.repeated)
                _keep(change, asked, answer.status, headers, kept)
        return Response(body, answer.status, headers, media_type="application/json")


async def asked_of(
    request: Request,
    idempotency_key: Annotated[
        str | None, Header(max_length=KEY_CHARACTERS_MAX, pattern=KEY)
    ] = None,
    if_match: Annotated[str | None, Header(max_length=64)] = None,
    dockledger_actor: Annotated[str | None, Header(max_length=64)] = None,
) -> Asked:
    """Return who asks for what. Raises ProblemRaised, ContractError for an unusable actor."""
    body = await request.body()
    if "json" in request.headers.get("content-type", "json") and NUL_IN_JSON.search(body):
        raise ProblemRaised(
            status=422,
            title="Unusable text",
            detail=f"{_place_of_nul(body)}: holds the character U+0000, which is in no text.",
            hint="Leave the character out.",
        )
    text = f"{request.method} {request.url.path}?{request.url.query}\0".encode()
    return Asked(
        actor=_actor(request.state.principal, dockledger_actor),
        version=_version(if_match),
        key=idempotency_key or "",
        digest=hashlib.sha256(text + body).digest(),
        principal=request.state.principal,
        matched=if_match is not None,
    )


async def edit_of(asked: Annotated[Asked, Depends(asked_of)]) -> Asked:
    """Return who edits what. Raises ProblemRaised where no version is said."""
    require_match(asked)
    return asked


def require_match(asked: Asked) -> None:
    """Return if a caller has said which version they edit. Raises ProblemRaised (428)."""
    if not asked.matched:
        raise ProblemRaised(
            status=428,
            title="Version needed",
            detail="This edits something that others edit too, and If-Match says no version of it.",
            hint="Read it and send its ETag as If-Match; * overwrites whatever stands there.",
        )


def write_side_of(request: Request) -> WriteSide:
    """Return what the application was built with. Raises ProblemRaised if it only reads."""
    write_side = request.app.state.write_side
    if write_side is None:
        raise ProblemRaised(
            status=404,
            title="Nothing is written here",
            detail="This server only reads the ledger.",
            hint="Ask a server that `dockledger-central serve` runs.",
        )
    assert isinstance(write_side, WriteSide)
    return write_side


Call = Annotated[Asked, Depends(asked_of)]
Edit = Annotated[Asked, Depends(edit_of)]
Writing = Annotated[WriteSide, Depends(at_once(write_side_of))]


def etag_of(version: int) -> str:
    """Return the entity tag of a version."""
    return f'"{version}"'


def _actor(principal: Principal, named: str | None) -> str:
    """Return for whom a change is made: whoever is signed in, or whom they may act for."""
    if named is None or named == principal.name:
        return principal.name
    if not may(principal, Permission.ACT_FOR_OTHERS):
        raise ProblemRaised(
            status=403,
            title="Not allowed",
            detail="You may not act for others, and Dockledger-Actor names somebody else.",
            hint="Leave the header out: what you do stands under your own name.",
        )
    return parse_code(named, what="actor")


def _place_of_nul(body: bytes) -> str:
    """Return the first place of a body that holds U+0000, e.g. "lines.0.lot"."""
    try:
        waiting = [("", json.loads(body))]
    except (ValueError, RecursionError):
        return "body"
    while waiting:
        place, value = waiting.pop()
        parts: list[tuple[Any, Any]] = []
        if isinstance(value, dict):
            parts = list(value.items())
        elif isinstance(value, list):
            parts = list(enumerate(value))
        if "\x00" in place or (isinstance(value, str) and "\x00" in value):
            return place.replace("\x00", "\\0") or "body"
        waiting += [(f"{place}.{name}".lstrip("."), part) for name, part in reversed(parts)]
    return "body"


def _version(if_match: str | None) -> int | None:
    if if_match is None or if_match.strip() == "*":
        return None
    match = ETAG.fullmatch(if_match.strip())
    if match is None:
        raise ProblemRaised(
            status=412,
            title="Unusable version",
            detail=f"If-Match {if_match[:40]!r} is no version of this ledger.",
            hint="Send the ETag of the object as it was given.",
        )
    return int(match[1])


def _json(body: BaseModel) -> bytes:
    return body.model_dump_json().encode()


def _headers(answer: Answer) -> dict[str, str]:
    headers = {}
    if answer.version is not None:
        headers["ETag"] = etag_of(answer.version)
    if answer.location:
        headers["Location"] = answer.location
    return headers


def _known_answer(change: Change, asked: Asked) -> Response | None:
    table = tables.idempotency_keys
    rows = list(
        bulk.select_by_key(change.connection, table, [(asked.actor, asked.key)], columns_count=2)
    )
    if not rows:
        return None
    _, _, digest, status, headers_json, body, _ = rows[0]
    if bytes(digest) != asked.digest:
        raise ProblemRaised(
            status=422,
            title="Idempotency key used for something else",
            detail="This Idempotency-Key came with another request before.",
            hint="Give each request a key of its own, and repeat a request unchanged.",
        )
    headers = json.loads(headers_json) | {"Idempotency-Replayed": "true"}
    return Response(bytes(body), status, headers, media_type="application/json")


def _keep(change: Change, asked: Asked, status: int, headers: dict[str, str], body: bytes) -> None:
    table = tables.idempotency_keys
    change.connection.execute(delete(table).where(table.c.at_ms < change.now_ms - KEPT_MS))
    row = (
        asked.actor,
        asked.key,
        asked.digest,
        status,
        json.dumps(headers),
        body,
        change.now_ms,
    )
    bulk.insert_rows(change.connection, table, [row])
