"""Where a Pi becomes a gateway, stays one, and anybody fetches the revocation list. Edge of HTTP.

Who asks proves himself by the claim or by a key; no session and no token is of any use here.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from central.api.at_once import at_once
from central.api.parameters import PREFIX
from central.api.problems import PROBLEM, ProblemRaised
from central.stock.times import utc_text
from central.trust.enrolling import EnrolmentRequest, Issued, RefusalKind, Refused
from central.trust.renewing import RenewalRequest
from central.trust.trust import Attempts, Trust

RETRY_AFTER_S = 5
STATUS: dict[RefusalKind, int] = {"unusable": 400, "forbidden": 403, "conflict": 409}
TITLES: dict[RefusalKind, str] = {
    "unusable": "Unusable request",
    "forbidden": "Not given",
    "conflict": "Given to another machine",
}

router = APIRouter(
    prefix=PREFIX,
    responses=dict.fromkeys((400, 403, 404, 409, 422, 429, 503), PROBLEM),
    tags=["trust"],
)

Pem = Annotated[str, Field(max_length=4096)]


class EnrolIn(BaseModel):
    """A claim, and the keys of the machine that has it. signing_*: hexadecimal, of Ed25519."""

    model_config = ConfigDict(extra="forbid")

    claim: Annotated[str, Field(max_length=64)]
    csr: Pem
    signing_key: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    signing_proof: Annotated[str, Field(pattern="^[0-9a-f]{128}$")]
    hardware: Annotated[str, Field(max_length=64)] = ""
    gateway: Annotated[str, Field(max_length=64)] = ""


class RenewIn(BaseModel):
    """The certificate that is renewed, a request with the new key, a signature by the old one."""

    model_config = ConfigDict(extra="forbid")

    serial: Annotated[str, Field(pattern="^[0-9a-f]{1,40}$")]
    csr: Pem
    signature: Annotated[str, Field(pattern="^([0-9a-f]{2}){8,80}$")]


class IssuedOut(BaseModel):
    """A gateway's certificate with its chain, and what it needs to know of us.

    receive_location: where its goods come in, "" if whoever let it in did not say.
    """

    gateway: str
    warehouse: str
    site: str
    certificate: str
    chain: str
    root: str
    serial: str
    expires_at: str
    ledger_public_key: str
    broker_host: str
    broker_port: int
    receive_location: str = ""


def trust_of(request: Request) -> Trust:
    """Return who is who. Raises ProblemRaised where gateways are enrolled by hand."""
    trust = request.app.state.trust
    if trust is None:
        raise ProblemRaised(
            status=404,
            title="Nobody is enrolled here",
            detail="This installation has no authority of its own.",
            hint="Make one with `dockledger-provision ca init`, or enrol gateways by hand.",
        )
    assert isinstance(trust, Trust)
    return trust


Trusting = Annotated[Trust, Depends(at_once(trust_of))]


@router.post("/enrol")
def enrol(request: Request, trust: Trusting, body: EnrolIn) -> IssuedOut:
    """Give the machine that has the claim its certificate; the same machine gets the same again."""
    asked = EnrolmentRequest(
        claim=body.claim,
        csr=body.csr,
        signing_key=bytes.fromhex(body.signing_key),
        signing_proof=bytes.fromhex(body.signing_proof),
        hardware=body.hardware,
        gateway=body.gateway,
    )
    admit(request, trust, trust.attempts)
    try:
        answer = trust.enrol(asked, address=address_of(request))
    finally:
        trust.places.release()
    return issued_out(trust, answer)


@router.post("/renew")
def renew(request: Request, trust: Trusting, body: RenewIn) -> IssuedOut:
    """Give a gateway its next certificate, if the key of the last one asks for it."""
    asked = RenewalRequest(
        serial=body.serial, csr=body.csr, signature=bytes.fromhex(body.signature)
    )
    admit(request, trust, trust.attempts)
    try:
        answer = trust.renew(asked, address=address_of(request))
    finally:
        trust.places.release()
    return issued_out(trust, answer)


@router.get(
    "/revocation-list",
    response_class=Response,
    responses={200: {"content": {"application/pkix-crl": {}}, "description": "The list, DER."}},
)
def revocation_list(trust: Trusting) -> Response:
    """Return the gateways' revocation list (RFC 5280), for brokers that fetch it."""
    return Response(trust.revocation_list(), media_type="application/pkix-crl")


def admit(request: Request, trust: Trust, attempts: Attempts) -> None:
    """Take a place among those who are served, to be released. Raises ProblemRaised."""
    now_s = trust.clock.monotonic_s()
    free = attempts.allowed(now_s, address=address_of(request)) and trust.places.acquire(
        blocking=False
    )
    if not free:
        raise ProblemRaised(
            status=429,
            title="Too many at once",
            detail="Other machines are being enrolled just now.",
            hint="Try again in some seconds; the gateway does so by itself.",
            headers={"Retry-After": str(RETRY_AFTER_S)},
        )


def address_of(request: Request) -> str:
    """Return from where somebody asks, "" if it is not known."""
    return request.client.host if request.client is not None else ""


def issued_out(trust: Trust, answer: Issued | Refused, *, receive_location: str = "") -> IssuedOut:
    """Return what a machine is told. Raises ProblemRaised if it is given nothing."""
    if isinstance(answer, Refused):
        raise refusal_of(answer)
    row = answer.certificate
    return IssuedOut(
        gateway=row.gateway,
        warehouse=answer.warehouse,
        site=trust.site,
        certificate=row.pem,
        chain=trust.authorities.gateways.pem,
        root=trust.authorities.root_pem,
        serial=row.serial,
        expires_at=utc_text(row.expires_ms) or "",
        ledger_public_key=trust.ledger_key(),
        broker_host=trust.broker_host,
        broker_port=trust.broker_port,
        receive_location=receive_location,
    )


def refusal_of(refused: Refused) -> ProblemRaised:
    """Return why nothing is issued, to be raised."""
    return ProblemRaised(
        status=STATUS[refused.kind],
        title=TITLES[refused.kind],
        detail=refused.detail,
        hint=refused.hint,
    )
