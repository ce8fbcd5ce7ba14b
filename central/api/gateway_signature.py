"""Lets a gateway ask for what is its own: a signature over method, path and time. Edge of HTTP.

Only where the installation has authorities: elsewhere gateways that sign nothing are served, too.
The server hands no client certificate to the application, so the journal's key speaks for it.
"""

from typing import Annotated

from fastapi import Depends, Header, Request

from central.api.problems import ProblemRaised
from central.contract.enrolment import CLOCK_APART_MS_MAX, parse_authorization, request_bytes
from central.trust.trust import Trust


def require_gateway(
    request: Request, authorization: Annotated[str, Header(max_length=512)] = ""
) -> None:
    """Return if an enrolled gateway asks. Raises ProblemRaised."""
    trust = request.app.state.trust
    if trust is None:
        return
    assert isinstance(trust, Trust)
    said = parse_authorization(authorization)
    if said is None:
        raise _refused("The request is not signed by a gateway.")
    gateway, time_ms, signature = said
    if abs(trust.clock.now_ms() - time_ms) > CLOCK_APART_MS_MAX:
        raise _refused("The request was signed more than a day from now.")
    data = request_bytes(
        method=request.method, path=request.url.path, gateway=gateway, time_ms=time_ms
    )
    address = request.client.host if request.client is not None else ""
    if not trust.is_signed(gateway, data, signature, address=address):
        raise _refused("No gateway of this name has signed the request.")


RequireGateway = Depends(require_gateway)


def _refused(detail: str) -> ProblemRaised:
    return ProblemRaised(
        status=403,
        title="Not given",
        detail=detail,
        hint="Let the gateway ask itself, with a clock that is right within a day.",
    )
