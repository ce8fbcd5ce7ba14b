"""Signing in and out, with plain forms that need no script. Edge of HTTP."""

from functools import partial
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from central.access.sessions import JOURNEY_MS
from central.api.access_side import access_of
from central.api.guard import safe_next, session_cookie
from central.api.problems import ProblemRaised
from central.errors import SignInRefused
from central.web.asking import Asked, Asking
from central.web.people.frame import (
    OWN_REFERRER,
    browser_of,
    enter,
    form_of,
    leave,
    plain_page,
)
from central.web.words import marked

if TYPE_CHECKING:  # Its libraries take 6 MB, and most installations have no identity provider.
    from central.access.oidc import Provider

router = APIRouter(include_in_schema=False)
JOURNEY_COOKIE = "dockledger-journey"
TITLE, CODE_TITLE = marked("Sign in"), marked("Second factor")


@router.get("/login")
def login(request: Request, asking: Asked) -> Response:
    """Show the form; whoever is signed in goes on at once."""
    if request.app.state.access is None or asking.principal.session:
        return leave_for(asking)  # Where nobody signs in, everybody is.
    return _form(request, asking, "access/login.html")


@router.post("/login")
async def give_password(request: Request, asking: Asked) -> Response:
    """Take name and password."""
    access, form = access_of(request), await form_of(request)
    try:
        signed_in = await run_in_threadpool(
            partial(
                access.sign_in,
                form.get("name", ""),
                form.get("password", ""),
                browser=browser_of(request),
            )
        )
    except SignInRefused as error:
        return _form(request, asking, "access/login.html", error=error, name=form.get("name", ""))
    return enter(request, signed_in, next_path=asking.parameters.get("next", ""))


@router.get("/login/code")
def code(request: Request, asking: Asked) -> Response:
    """Show the form of the second factor."""
    if request.app.state.access is None:
        return leave_for(asking)
    return _form(request, asking, "access/code.html")


@router.post("/login/code")
async def give_code(request: Request, asking: Asked) -> Response:
    """Take a code of the authenticator, or a recovery code."""
    access, form = access_of(request), await form_of(request)
    secret = request.cookies.get(session_cookie(request), "")
    try:
        signed_in = await run_in_threadpool(
            partial(access.give_code, secret, form.get("code", ""), browser=browser_of(request))
        )
    except SignInRefused as error:
        return _form(request, asking, "access/code.html", error=error)
    return enter(request, signed_in, next_path=asking.parameters.get("next", ""))


@router.get("/login/oidc")
def oidc(request: Request, asking: Asked) -> Response:
    """Send a browser to the identity provider."""
    if request.app.state.access is None:
        return leave_for(asking)
    try:
        begun = _provider(request).begin(next_path=safe_next(asking.parameters.get("next", "")))
    except SignInRefused as error:
        return _form(request, asking, "access/login.html", error=error)
    answer = Response(status_code=303, headers={"Location": begun.url, **OWN_REFERRER})
    answer.set_cookie(
        JOURNEY_COOKIE,
        begun.state,
        max_age=JOURNEY_MS // 1000,
        path="/login/oidc",
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return answer


@router.get("/login/oidc/back")
def oidc_back(request: Request, asking: Asked) -> Response:
    """Take whoever comes back from the identity provider."""
    if request.app.state.access is None:
        return leave_for(asking)
    try:
        signed_in, next_path = _provider(request).finish(
            state=asking.parameters.get("state", ""),
            kept_state=request.cookies.get(JOURNEY_COOKIE, ""),
            code=asking.parameters.get("code", ""),
            browser=browser_of(request),
        )
    except SignInRefused as error:
        return _form(request, asking, "access/login.html", error=error)
    answer = enter(request, signed_in, next_path=next_path)
    answer.delete_cookie(JOURNEY_COOKIE, path="/login/oidc")
    return answer


@router.post("/logout")
async def logout(request: Request, asking: Asked) -> Response:
    """End the session that this browser has."""
    access = access_of(request)
    await run_in_threadpool(access.sign_out, asking.principal)
    return leave(request)


def leave_for(asking: Asking) -> Response:
    """Return where somebody wanted to go before they had to sign in."""
    return Response(
        status_code=303, headers={"Location": safe_next(asking.parameters.get("next", ""))}
    )


def _provider(request: Request) -> "Provider":
    from central.access.oidc import Provider  # noqa: PLC0415 - see above

    access = access_of(request)
    if not access.section.oidc.issuer:
        raise ProblemRaised(
            status=404,
            title="Not there",
            detail="No identity provider is set up here.",
            hint="Sign in with name and password.",
        )
    if not isinstance(access.provider, Provider):
        access.provider = Provider(access)
    return access.provider


def _form(
    request: Request,
    asking: Asking,
    template: str,
    *,
    error: SignInRefused | None = None,
    name: str = "",
) -> Response:
    texts = asking.texts
    oidc = access_of(request).section.oidc
    refusal = []
    status = 200
    if error is not None:
        refusal = [texts.sentence(str(error)), texts.sentence(error.hint)]
        status = 429 if error.wait_s else 401
    answer = plain_page(
        asking,
        template,
        {
            "title": texts.say(CODE_TITLE if template.endswith("code.html") else TITLE),
            "refusal": refusal,
            "name": name[:60],
            "next": safe_next(asking.parameters.get("next", "")),
            "provider": oidc.label if oidc.issuer else "",
        },
        status=status,
    )
    if error is not None and error.wait_s:
        answer.headers["Retry-After"] = str(error.wait_s)
    return answer
