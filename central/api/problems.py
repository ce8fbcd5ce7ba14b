"""Says what went wrong in one form: problem details with a hint for a person. Edge of HTTP.

Source of the form: RFC 9457, Problem Details for HTTP APIs, section 3; `hint` is our extension.
Who reads the pages in Chinese, or asks with `Accept-Language: zh`, reads title, detail and hint in
Chinese (`problem_words`).
"""

from collections.abc import Callable, Sequence
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import Field
from starlette.exceptions import HTTPException
from starlette.routing import Match

from central.api.api_model import ApiModel
from central.api.languages import LANGUAGE_COOKIE, choose_language
from central.api.problem_translations import CHINESE, problem_words
from central.contract.errors import ContractError
from central.errors import Conflict, DeskRefused, NotThere, Outdated

PROBLEM_TYPE = "application/problem+json"
FAULTS_MAX = 8
METHODS = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
SAID = ("title", "detail", "hint")  # What people read of a problem.
REFUSALS: tuple[tuple[type[DeskRefused], int, str], ...] = (
    (NotThere, 404, "Not there"),
    (Conflict, 409, "Not possible now"),
    (Outdated, 412, "Changed meanwhile"),
)


class Problem(ApiModel):
    """The body of every answer that is no success."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    hint: str
    fields: dict[str, Any] = Field(default_factory=dict)


# For `responses=`, by status: `openapi` says its form. A model here would be built once for each
# status of each address, 3 MB in all.
PROBLEM: dict[str, Any] = {}
# For `responses=` of routes that read one object.
NOT_THERE: dict[int | str, dict[str, Any]] = {404: PROBLEM}


class RequestRefused(HTTPException):
    """Ends a request while its body is read, wherever that is. hint: what its sender can do."""

    def __init__(self, *, status: int, title: str, detail: str, hint: str) -> None:
        super().__init__(status, title)
        self.problem = Problem(status=status, title=title, detail=detail, hint=hint)


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


def problem_response(
    problem: Problem, *, headers: dict[str, str] | None = None, language: str = ""
) -> JSONResponse:
    """Return a problem as an HTTP response. language: "zh" for Chinese, English else."""
    words = problem_words(language)
    if words is not None:
        said = {name: words.said(getattr(problem, name)) for name in SAID}
        problem = problem.model_copy(update=said)
        headers = (headers or {}) | {"Content-Language": CHINESE}
    return JSONResponse(
        problem.model_dump(),
        status_code=problem.status,
        media_type=PROBLEM_TYPE,
        headers=headers,
    )


async def answer_raised(request: Request, error: Exception) -> JSONResponse:
    """Answer a ProblemRaised."""
    assert isinstance(error, ProblemRaised)
    return problem_response(error.problem, headers=error.headers, language=language_asked(request))


async def answer_contract(request: Request, error: Exception) -> JSONResponse:
    """Answer a value in the address that cannot be a code, an epoch or a number."""
    assert isinstance(error, ContractError)
    return problem_response(
        Problem(status=422, title="Unusable value", detail=str(error), hint=error.hint),
        language=language_asked(request),
    )


async def answer_refused(request: Request, error: Exception) -> JSONResponse:
    """Answer what the desk refuses; `fields` says the same to programs."""
    assert isinstance(error, DeskRefused)
    status, title = next(
        ((status, title) for kind, status, title in REFUSALS if isinstance(error, kind)),
        (422, "Not possible"),
    )
    problem = Problem(
        status=status, title=title, detail=str(error), hint=error.hint, fields=error.fields
    )
    return problem_response(problem, language=language_asked(request))


async def answer_validation(request: Request, error: Exception) -> JSONResponse:
    """Answer parameters that are unknown, missing or of the wrong form, and what is no JSON."""
    assert isinstance(error, RequestValidationError)
    language = language_asked(request)
    if isinstance(error.body, bytes):  # Which the framework leaves as it is if it is said no JSON.
        return problem_response(
            Problem(
                status=415,
                title="Wrong media type",
                detail="This address takes JSON, and Content-Type does not say that it is.",
                hint="Send JSON, with the header Content-Type: application/json.",
            ),
            language=language,
        )
    words = problem_words(language)
    said = words.said if words is not None else str
    return problem_response(
        Problem(
            status=422,
            title="Unusable parameter",
            detail="; ".join(_fault_text(fault, said) for fault in _first(error.errors())),
            hint="Correct the parameter that is named; /openapi.json lists all of them.",
        ),
        language=language,
    )


async def answer_http(request: Request, error: Exception) -> JSONResponse:
    """Answer what cannot be read, and what the framework refuses: unknown address, wrong method."""
    assert isinstance(error, HTTPException)
    problem = Problem(
        status=error.status_code,
        title=str(error.detail),
        detail=f"{error.detail}.",
        hint="Send JSON in UTF-8, nested no deeper than /openapi.json describes it."
        if error.status_code == 400
        else "Check address and method; /openapi.json lists what exists.",
    )
    if isinstance(error, RequestRefused):
        problem = error.problem
    return problem_response(
        problem,
        headers=dict(error.headers or {}) | _allowed(request, status=error.status_code),
        language=language_asked(request),
    )


def language_asked(request: Request) -> str:
    """Return the language of whoever asks: of the pages that they read, else that they prefer."""
    return choose_language(
        asked="",
        cookie=request.cookies.get(LANGUAGE_COOKIE, ""),
        accept=request.headers.get("accept-language", ""),
    )


def _allowed(request: Request, *, status: int) -> dict[str, str]:
    """Return what an address can be asked by, over all of its routes; the framework names one's.

    Source: RFC 9110, section 15.5.6: 405 names in `Allow` the methods that the target supports.
    """
    if status != 405:
        return {}
    methods = [
        method
        for method in METHODS
        if any(
            route.matches({**request.scope, "method": method})[0] is Match.FULL
            for route in request.app.router.routes
        )
    ]
    return {"Allow": ", ".join(methods)}


def _first(faults: Sequence[Any]) -> Sequence[Any]:
    return faults[:FAULTS_MAX]


def _fault_text(
    fault: Any,  # noqa: ANN401 - the framework's own untyped record.
    said: Callable[[str], str],
) -> str:
    place = ".".join(str(part) for part in fault["loc"][1:]) or "request"
    return f"{place}: {said(str(fault['msg']))}"
