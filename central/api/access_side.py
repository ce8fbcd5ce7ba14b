"""Who asks, and what lets people in, for the routes of people. Edge of HTTP."""

from typing import Annotated

from fastapi import Depends, Request

from central.access.access import Access
from central.access.permissions import Principal
from central.api.at_once import at_once
from central.api.problems import ProblemRaised


def access_of(request: Request) -> Access:
    """Return what lets people in. Raises ProblemRaised where nobody has to sign in."""
    access = request.app.state.access
    if access is None:
        raise ProblemRaised(
            status=404,
            title="Nobody signs in here",
            detail="This server takes whoever reaches it for the administrator.",
            hint='Set mode = "people" under [access] to let people sign in.',
        )
    assert isinstance(access, Access)
    return access


def principal_of(request: Request) -> Principal:
    """Return who asks; the guard has let them in."""
    principal = request.state.principal
    assert isinstance(principal, Principal), "the guard names somebody before any route"
    return principal


Accessing = Annotated[Access, Depends(at_once(access_of))]
Who = Annotated[Principal, Depends(at_once(principal_of))]
