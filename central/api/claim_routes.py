"""The addresses below /api/v1 where staff make claims and revoke gateways. Edge of HTTP.

A claim's code is in the answer that made it and nowhere else, ever after.
"""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from central.access.permissions import Permission, warehouses_of
from central.api.access_side import principal_of
from central.api.enrol_routes import Trusting
from central.api.parameters import (
    PREFIX,
    RecordCursor,
    WholeParameters,
    read_cursor,
    write_cursor,
)
from central.api.problems import PROBLEM
from central.printing.bar_codes import draw_qr
from central.stock.times import utc_text
from central.trust import registry
from central.trust.claiming import CLAIM_HOURS, CLAIM_HOURS_MAX

router = APIRouter(
    prefix=PREFIX, responses=dict.fromkeys((404, 409, 422, 503), PROBLEM), tags=["trust"]
)
Code = Annotated[str, Field(min_length=1, max_length=64)]


class ClaimIn(BaseModel):
    """Which gateway of which warehouse a Pi is to become. hours: how long the code is good."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"gateway": "sh1-dock-2", "warehouse": "SH1"}]},
    )

    gateway: Code
    warehouse: Code
    hours: Annotated[int, Field(ge=1, le=CLAIM_HOURS_MAX)] = CLAIM_HOURS


class ClaimOut(BaseModel):
    """A claim. code, qr_svg: only where it was just made. name: the code's first characters."""

    name: str
    gateway: str
    warehouse: str
    state: str
    made_by: str
    made_at: str | None
    expires_at: str | None
    used_at: str | None
    hardware: str
    code: str | None = None
    qr_svg: str | None = None


class ClaimList(BaseModel):
    """Claims, newest first. next_cursor: None on the last page."""

    claims: list[ClaimOut]
    next_cursor: str | None


class CertificateOut(BaseModel):
    """A gateway's newest certificate. revoked_at: None while it is good."""

    gateway: str
    serial: str
    how: str
    issued_at: str | None
    expires_at: str | None
    revoked_at: str | None
    reason: str
    revoked_by: str


class CertificateList(BaseModel):
    """The newest certificate of each gateway, by gateway. next_cursor: None on the last page."""

    certificates: list[CertificateOut]
    next_cursor: str | None


class RevokeIn(BaseModel):
    """Why a gateway may do nothing any more."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "lost"}]})

    reason: Literal["lost", "stolen", "replaced", "retired", "mistake"]


class RevokedOut(BaseModel):
    """How many certificates are revoked by this, none if they were already."""

    gateway: str
    revoked: int


@router.get("/claims")
def claims(
    request: Request, trust: Trusting, asked: Annotated[WholeParameters, Query()]
) -> ClaimList:
    """List claims, newest first; without their codes, which nobody keeps."""
    last = read_cursor(asked.cursor, RecordCursor)
    before = (last.record_no, last.id) if last is not None else None
    now_ms = trust.clock.now_ms()
    with trust.database.read() as connection:
        rows = registry.list_claims(
            connection, places=read_places(request), before=before, limit=asked.limit + 1
        )
    page = rows[: asked.limit]
    more = len(rows) > asked.limit
    return ClaimList(
        claims=[claim_out(row, now_ms=now_ms) for row in page],
        next_cursor=write_cursor(RecordCursor(page[-1].made_ms, page[-1].name)) if more else None,
    )


@router.post("/claims", status_code=201)
def make_claim(request: Request, trust: Trusting, body: ClaimIn) -> ClaimOut:
    """Make a claim; earlier open ones of the gateway are withdrawn."""
    made = trust.make_claim(
        gateway=body.gateway,
        warehouse=body.warehouse,
        hours=body.hours,
        by=staff_name(request),
        places=change_places(request),
    )
    shown = claim_out(made.row, now_ms=trust.clock.now_ms())
    code = made.code.text
    return shown.model_copy(update={"code": code, "qr_svg": draw_qr(code).svg})


@router.post("/claims/{name}/withdraw")
def withdraw_claim(
    request: Request, trust: Trusting, name: Annotated[str, Path(pattern="^[0-9A-Z]{4}$")]
) -> ClaimList:
    """Let nobody use a claim any more; return the claims as the list's first page has them."""
    trust.withdraw_claim(name, by=staff_name(request), places=change_places(request))
    return claims(request, trust, WholeParameters())


@router.get("/claims/certificates")
def certificates(
    request: Request, trust: Trusting, asked: Annotated[WholeParameters, Query()]
) -> CertificateList:
    """List the newest certificate of each gateway, by gateway."""
    after = read_cursor(asked.cursor, str)
    with trust.database.read() as connection:
        rows = registry.newest_certificates(
            connection, places=read_places(request), after=after or "", limit=asked.limit + 1
        )
    page = rows[: asked.limit]
    return CertificateList(
        certificates=[
            CertificateOut(
                gateway=row.gateway,
                serial=row.serial,
                how=row.how,
                issued_at=utc_text(row.issued_ms),
                expires_at=utc_text(row.expires_ms),
                revoked_at=utc_text(row.revoked_ms) if row.revoked_ms else None,
                reason=row.reason,
                revoked_by=row.revoked_by,
            )
            for row in page
        ],
        next_cursor=write_cursor(page[-1].gateway) if len(rows) > asked.limit else None,
    )


@router.post("/gateways/{code}/revoke")
def revoke(
    request: Request,
    trust: Trusting,
    code: Annotated[str, Path(min_length=1, max_length=64)],
    body: RevokeIn,
) -> RevokedOut:
    """Let a gateway do nothing any more, at the broker and here; at once and for good."""
    count = trust.revoke(code, reason=body.reason, by=staff_name(request))
    return RevokedOut(gateway=code, revoked=count)


def staff_name(request: Request) -> str:
    """Return who asks, for the record."""
    return principal_of(request).name


def read_places(request: Request) -> frozenset[str] | None:
    """Return of which warehouses somebody may see the gateways, None for all of them."""
    return warehouses_of(principal_of(request), Permission.GATEWAYS_READ)


def change_places(request: Request) -> frozenset[str] | None:
    """Return for which warehouses somebody may add gateways, None for all of them."""
    return warehouses_of(principal_of(request), Permission.GATEWAYS_CHANGE)


def claim_out(row: registry.ClaimRow, *, now_ms: int) -> ClaimOut:
    """Return a claim without its code."""
    return ClaimOut(
        name=row.name,
        gateway=row.gateway,
        warehouse=row.warehouse,
        state=row.state(now_ms=now_ms),
        made_by=row.made_by,
        made_at=utc_text(row.made_ms),
        expires_at=utc_text(row.expires_ms),
        used_at=utc_text(row.used_ms) if row.used_ms else None,
        hardware=row.hardware,
    )
