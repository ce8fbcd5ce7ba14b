"""What the pages of people share: plain forms, cookies, who comes from where. Edge of HTTP."""

from collections.abc import Mapping
from urllib.parse import parse_qsl, quote

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from central.access.access import Browser, SignedIn
from central.api.body_bound import read_whole
from central.api.guard import FORM, FORM_BYTES_MAX, foreign, safe_next, session_cookie
from central.api.problems import ProblemRaised
from central.web.asking import Asking
from central.web.drawing import LANGUAGE_NAMES
from central.web.languages import LANGUAGES

FIELDS_MAX = 64
# A form that is sent without a script says whose page it is on only under this policy
# (Fetch standard, "append a request Origin header").
OWN_REFERRER = {"Referrer-Policy": "same-origin", "Cache-Control": "no-store"}


def browser_of(request: Request) -> Browser:
    """Return where somebody comes from."""
    address = request.client.host if request.client is not None else ""
    return Browser(address, request.headers.get("user-agent", ""))


async def form_of(request: Request) -> Mapping[str, str]:
    """Return the fields of a plain form. Raises ProblemRaised if it is none, or not ours."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    if kind != FORM or foreign(request):
        raise ProblemRaised(
            status=403,
            title="Not from this page",
            detail="The form does not come from a page of this site.",
            hint="Load the page again and fill it in there.",
        )
    body, _ = await read_whole(request.receive, bytes_max=FORM_BYTES_MAX)
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, max_num_fields=FIELDS_MAX, errors="strict"
        )
    except ValueError as error:
        raise ProblemRaised(
            status=422,
            title="Unusable text",
            detail="The form cannot be read.",
            hint="Load the page again and fill it in there.",
        ) from error
    return dict(pairs)


def plain_page(
    asking: Asking, template: str, content: Mapping[str, object], *, status: int = 200
) -> HTMLResponse:
    """Return a page without menu, for whoever has not signed in yet."""
    languages = [(code, *LANGUAGE_NAMES[code], f"?lang={code}") for code in LANGUAGES]
    frame: dict[str, object] = {"site": asking.reading.site, "languages": languages}
    text = asking.drawing.template(template, frame | dict(content))
    return HTMLResponse(text, status, headers=OWN_REFERRER)


def enter(request: Request, signed_in: SignedIn, *, next_path: str) -> Response:
    """Return where to go on, with the cookie of a session."""
    whole = signed_in.stage == "whole"
    target = safe_next(next_path) if whole else "/login/code"
    if whole and signed_in.has_news:
        target = "/account"  # It is told before anything else.
    if target != safe_next(next_path) != "/":
        target += f"?next={quote(safe_next(next_path))}"
    answer = RedirectResponse(target, 303, headers=OWN_REFERRER)
    answer.set_cookie(
        session_cookie(request),
        signed_in.secret,
        path="/",
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return answer


def leave(request: Request) -> Response:
    """Return the page of signing in, with no session any more."""
    answer = RedirectResponse("/login", 303, headers=OWN_REFERRER)
    answer.delete_cookie(
        session_cookie(request),
        path="/",
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return answer
