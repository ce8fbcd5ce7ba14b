"""Machines that show a code: how they ask, and how staff let them in. Edge of HTTP.

What a machine sends and is told is as in RFC 8628, 3.1 to 3.5, but in our own words: its `code` is
the user code, its `secret` the device code. Codes travel in bodies alone, never in an address.
"""

from typing import Annotated, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from central.api.claim_routes import ClaimOut, Code, change_places, claim_out, staff_name
from central.api.enrol_routes import (
    IssuedOut,
    Pem,
    Trusting,
    address_of,
    admit,
    issued_out,
    refusal_of,
)
from central.api.parameters import PREFIX
from central.api.problems import PROBLEM, ProblemRaised
from central.contract.enrolment import SHOWN_PAGE
from central.stock.times import utc_text
from central.trust.admission import Admission, Admittance, Newcomer
from central.trust.asking import Asking, Full, Polled
from central.trust.enrolling import EnrolmentRequest, Refused
from central.trust.newcomers import CODE_MS

router = APIRouter(
    prefix=PREFIX,
    responses=dict.fromkeys((400, 403, 404, 409, 422, 429, 503), PROBLEM),
    tags=["trust"],
)
Shown = Annotated[str, Field(min_length=1, max_length=64)]


class AskIn(BaseModel):
    """The keys of a machine that nobody knows. signing_*: hexadecimal, of Ed25519.

    gateway: who it is set up to be, "" if whoever lets it in says so.
    """

    model_config = ConfigDict(extra="forbid")

    csr: Pem
    signing_key: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    signing_proof: Annotated[str, Field(pattern="^[0-9a-f]{128}$")]
    hardware: Annotated[str, Field(max_length=64)] = ""
    gateway: Annotated[str, Field(pattern="^([A-Za-z0-9][A-Za-z0-9._-]{0,63})?$")] = ""


class AskedOut(BaseModel):
    """What the machine shows: code, fingerprint, page. secret: what it asks on with, and keeps.

    page: where people type the code, below our address. interval_s: between two questions.
    """

    code: str
    secret: str
    fingerprint: str
    page: str
    expires_in_s: int
    interval_s: int


class PollIn(BaseModel):
    """The secret, and a signature over it by the key that was asked for."""

    model_config = ConfigDict(extra="forbid")

    secret: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    signature: Annotated[str, Field(pattern="^([0-9a-f]{2}){8,80}$")]


class PolledOut(BaseModel):
    """What became of it. issued: with state "issued" alone."""

    state: Literal["waiting", "slow_down", "denied", "expired", "issued"]
    interval_s: int = 0
    expires_in_s: int = 0
    issued: IssuedOut | None = None


class LookIn(BaseModel):
    """A code as somebody typed it."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"code": "WDJB-MJHT"}]}
    )

    code: Shown


class NewcomerOut(BaseModel):
    """What asks. All but address and times is what the machine says of itself."""

    fingerprint: str
    address: str
    hardware: str
    gateway: str
    asked_at: str | None
    expires_at: str | None


class ApproveIn(BaseModel):
    """Which gateway the machine is to be. fingerprint: as it stands on its screen."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "code": "WDJB-MJHT",
                    "fingerprint": "3f2a 91bc 07de 44a1",
                    "gateway": "sh1-dock-2",
                    "warehouse": "SH1",
                }
            ]
        },
    )

    code: Shown
    fingerprint: Annotated[str, Field(min_length=16, max_length=32)]
    gateway: Code
    warehouse: Code
    receive_location: Annotated[str, Field(max_length=64)] = ""


@router.post("/enrol/ask")
def ask(request: Request, trust: Trusting, body: AskIn) -> AskedOut:
    """Give a machine a code to show, for staff to let it in by."""
    asked = EnrolmentRequest(
        claim="",
        csr=body.csr,
        signing_key=bytes.fromhex(body.signing_key),
        signing_proof=bytes.fromhex(body.signing_proof),
        hardware=body.hardware,
        gateway=body.gateway,
    )
    admit(request, trust, trust.attempts)
    try:
        shown = Asking(trust).ask(asked, address=address_of(request))
    finally:
        trust.places.release()
    if isinstance(shown, Full):
        raise _full(shown)
    if isinstance(shown, Refused):
        raise refusal_of(shown)
    return AskedOut(
        code=shown.code,
        secret=shown.secret,
        fingerprint=shown.fingerprint,
        page=SHOWN_PAGE,
        expires_in_s=shown.expires_in_s,
        interval_s=shown.interval_s,
    )


@router.post("/enrol/poll")
def poll(request: Request, trust: Trusting, body: PollIn) -> PolledOut:
    """Tell a machine that shows a code what became of it: its certificate, once it is let in."""
    signature = bytes.fromhex(body.signature)
    admit(request, trust, trust.polls)
    try:
        became = Asking(trust).poll(body.secret, signature=signature, address=address_of(request))
    finally:
        trust.places.release()
    if isinstance(became, Polled):
        return PolledOut(
            state=became.state, interval_s=became.interval_s, expires_in_s=became.expires_in_s
        )
    answer, receive_location = became if isinstance(became, tuple) else (became, "")
    issued = issued_out(trust, answer, receive_location=receive_location)
    return PolledOut(state="issued", issued=issued)


@router.post("/claims/shown/look")
def look(request: Request, trust: Trusting, body: LookIn) -> NewcomerOut:
    """Tell what machine shows a code, to compare it with its screen."""
    return _newcomer_out(Admission(trust).look_at(body.code, by=staff_name(request)))


@router.post("/claims/shown/approve", status_code=201)
def approve(request: Request, trust: Trusting, body: ApproveIn) -> ClaimOut:
    """Let the machine that shows a code be a gateway; the claim is for its key alone."""
    wanted = Admittance(
        fingerprint=body.fingerprint,
        gateway=body.gateway,
        warehouse=body.warehouse,
        receive_location=body.receive_location,
    )
    claim = Admission(trust).approve(
        body.code, wanted, by=staff_name(request), places=change_places(request)
    )
    return claim_out(claim, now_ms=trust.clock.now_ms())


@router.post("/claims/shown/deny")
def deny(request: Request, trust: Trusting, body: LookIn) -> NewcomerOut:
    """Let the machine that shows a code not in; it hears so, and may show another one."""
    return _newcomer_out(Admission(trust).deny(body.code, by=staff_name(request)))


def _full(full: Full) -> ProblemRaised:
    own = "Too many machines of this address show a code already."
    return ProblemRaised(
        status=429,
        title="Too many at once",
        detail=own if full.of_address else "Too many machines show a code already.",
        hint="Wait some minutes, or use a claim: type or scan its code at the station.",
        headers={"Retry-After": str(CODE_MS // 10_000)},
    )


def _newcomer_out(found: Newcomer) -> NewcomerOut:
    row = found.row
    return NewcomerOut(
        fingerprint=found.fingerprint,
        address=row.address,
        hardware=row.hardware,
        gateway=row.gateway,
        asked_at=utc_text(row.asked_ms),
        expires_at=utc_text(row.expires_ms),
    )
