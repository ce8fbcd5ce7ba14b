"""Says what went wrong in one form: problem details with a hint for a person. Edge of HTTP.

Source of the form: RFC 9457, Problem Details for HTTP APIs, section 3; `hint` is our extension.
"""

from collections.abc import Sequence
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from central.contract.errors import ContractError
from central.errors import Conflict, DeskRefused, NotThere, Outdated

PROBLEM_TYPE = "application/problem+json"
FAULTS_MAX = 8
REFUSALS: tuple[tuple[type[DeskRefused], int, str], ...] = (
    (NotThere, 404, "Not there"),
    (Conflict, 409, "Not possible now"),
    (Outdated, 412, "Changed meanwhile"),
)


class Problem(BaseModel):
    """The body of every answer that is no success."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    hint: str
    fields: dict[str, Any] = {}


# For `responses=` of routes that read one object.
NOT_THERE: dict[int | str, dict[str, Any]] = {404: {"model": Problem}}


class ProblemRaised(Exception):
    """Ends a request with a problem; `problem` is its body, `headers` go with it."""

    def __init__(
        self,
        *,
        status: int,
        title: str,
        detail: str,
        hint: str,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.headers = headers
        self.problem = Problem(status=status, title=title, detail=detail, hint=hint)


def problem_response(problem: Problem, *, headers: dict[str, str] | None = None) -> JSONResponse:
    """Return a problem as an HTTP response."""
    return JSONResponse(
        problem.model_dump(),
        status_code=problem.status,
        media_type=PROBLEM_TYPE,
        headers=headers,
    )


async def answer_raised(_request: Request, error: Exception) -> JSONResponse:
    """Answer a ProblemRaised."""
    assert isinstance(error, ProblemRaised)
    return problem_response(error.problem, headers=error.headers)


async def answer_contract(_request: Request, error: Exception) -> JSONResponse:
    """Answer a value in the address that cannot be a code, an epoch or a number."""
    assert isinstance(error, ContractError)
    return problem_response(
        Problem(status=422, title="Unusable value", detail=str(error), hint=error.hint)
    )


async def answer_refused(_request: Request, error: Exception) -> JSONResponse:
    """Answer what the desk refuses; `fields` says the same to programs."""
    assert isinstance(error, DeskRefused)
    status, title = next(
        ((status, title) for kind, status, title in REFUSALS if isinstance(error, kind)),
        (422, "Not possible"),
    )
    problem = Problem(
        status=status, title=title, detail=str(error), hint=error.hint, fields=error.fields
    )
    return problem_response(problem)


async def answer_validation(_request: Request, error: Exception) -> JSONResponse:
    """Answer parameters that are unknown, missing or of the wrong form."""
    assert isinstance(error, RequestValidationError)
    return problem_response(
        Problem(
            status=422,
            title="Unusable parameter",
            detail="; ".join(_fault_text(fault) for fault in _first(error.errors())),
            hint="Correct the parameter that is named; /openapi.json lists all of them.",
        )
    )


async def answer_http(_request: Request, error: Exception) -> JSONResponse:
    """Answer what the framework itself refuses: unknown address, wrong method."""
    assert isinstance(error, HTTPException)
    return problem_response(
        Problem(
            status=error.status_code,
            title=str(error.detail),
            detail=f"{error.detail}.",
            hint="Check address and method; /openapi.json lists what exists.",
        ),
        headers=dict(error.headers or {}),
    )


def _first(faults: Sequence[Any]) -> Sequence[Any]:
    return faults[:FAULTS_MAX]


def _fault_text(fault: Any) -> str:  # noqa: ANN401 - the framework's own untyped record.
    place = ".".join(str(part) for part in fault["loc"][1:]) or "request"
    return f"{place}: {fault['msg']}"
