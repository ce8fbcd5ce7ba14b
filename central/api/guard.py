"""Lets a request in, or says why not: who asks, whether they may, and where. Edge of HTTP.

    request -> rule of its address -> session or token -> our own page? -> permission, warehouse
                  none: closed          none: 401, /login     no: 403            no: 403, 404

It stands before the routes, so that nothing of a request is read, and nothing of an answer built,
for whoever may not ask. Where nobody signs in ("open") everybody is the administrator.
"""

import hmac
import json
from collections.abc import Awaitable, Callable
from logging import getLogger
from urllib.parse import parse_qsl, quote, urlsplit

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from central.access.access import Access, Known
from central.access.permissions import (
    OPEN_PRINCIPAL,
    Permission,
    Principal,
    may_see_money,
    warehouses_of,
)
from central.api import warehouse_bound
from central.api.access_rules import READING, Fit, Way, Where
from central.api.access_table import API, rule_of
from central.api.body_bound import read_whole
from central.api.money_bound import without_money
from central.api.problems import ProblemRaised
from central.config_access import is_loopback
from central.errors import CentralError
from central.storage.database import Database

CSRF_HEADER = "dockledger-csrf"
FORM = "application/x-www-form-urlencoded"
FORM_BYTES_MAX = 64 * 1024
LOOPBACK = frozenset({"127.0.0.1", "::1"})
NEXT_CHARACTERS_MAX = 1000
PATH_CHARACTERS_MAX = 200

logger = getLogger(__name__)

Refuse = Callable[[Request, Exception], Awaitable[Response]]


class Guard:
    """Stands before the routes. refuse: answers a problem, as a page to whoever opens one.

    is_page: says whether a person opened an address. table_place: by the name of a table, the
    address of its page and whether it can be narrowed to a warehouse; None for no table.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        refuse: Refuse,
        is_page: Callable[[Request], bool],
        table_place: warehouse_bound.TablePlace,
    ) -> None:
        self._app = app
        self._refuse = refuse
        self._is_page = is_page
        self._table_place = table_place

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with who asks, or answer it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        access = scope["app"].state.access
        request = Request(scope, receive)
        try:
            if access is None:
                receive, answer = _admit_anybody(request, receive), None
            else:
                assert isinstance(access, Access)
                receive, answer = await self._admit(access, request, receive)
        except (ProblemRaised, CentralError, HTTPException) as error:
            answer = await self._refuse(request, error)
            _log_refusal(request, answer)
        if answer is not None:
            await answer(scope, receive, send)
            return
        if not state.setdefault("money", True) and scope["path"].startswith(API):
            send = without_money(send)
        await self._app(scope, receive, send)

    async def _admit(
        self, access: Access, request: Request, receive: Receive
    ) -> tuple[Receive, Response | None]:
        """Return what is left to be read of a request that may pass, or what it is answered."""
        path, method = request.scope["path"], request.method
        fit, is_table = self._fit(path)
        way = fit.rule.way if fit is not None else Way.PEOPLE
        known = None if way is Way.GATEWAY else await run_in_threadpool(_known, access, request)
        state = request.scope["state"]
        state["principal"] = known.principal if known is not None else None
        state["csrf"] = known.csrf if known is not None else ""
        if way is Way.GATEWAY:
            return receive, None
        if method not in READING and foreign(request):
            raise _foreign()
        if way is Way.ANYBODY:
            return receive, None
        if known is None:
            if way is Way.WATCHER and _is_loopback(request):
                return receive, None
            return receive, self._to_sign_in(request)
        if method not in READING and not known.principal.token:
            receive = await _require_csrf(request, receive, known)
        if way is Way.SIGNED_IN:
            return receive, None
        if known.must:
            return receive, self._to_account(request, known.must)
        if fit is None:
            raise _closed(path)
        bound = await warehouse_bound.bind(
            access.database,
            request,
            receive,
            known.principal,
            fit,
            narrows=is_table is not False,
            is_page=self._is_page(request),
        )
        state["money"] = await _sees_money(access.database, known.principal, request, fit)
        return bound

    def _fit(self, path: str) -> tuple[Fit | None, bool | None]:
        """Return the rule of an address; for a table also whether it narrows to a warehouse."""
        if not path.startswith("/tables/"):
            return rule_of(path), None
        place = self._table_place(path.removeprefix("/tables/").removesuffix(".xlsx"))
        return (None, None) if place is None else (rule_of(place[0]), place[1])

    def _to_sign_in(self, request: Request) -> Response:
        if not self._is_page(request):
            raise ProblemRaised(
                status=401,
                title="Not signed in",
                detail="Nobody is signed in here, or the session or token has ended.",
                hint="Sign in, or send a token that has not ended.",
                headers={"WWW-Authenticate": "Bearer"},
            )
        wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/login?next={quote(wanted[:NEXT_CHARACTERS_MAX])}", 303)

    def _to_account(self, request: Request, must: str) -> Response:
        if self._is_page(request):
            return RedirectResponse("/account", 303)
        if must == "password":
            raise ProblemRaised(
                status=403,
                title="Password of your own needed",
                detail="Somebody else has given you the password that you signed in with.",
                hint="Open your account and choose a password of your own.",
            )
        raise ProblemRaised(
            status=403,
            title="Second factor needed",
            detail="Administrators work here with a second factor only.",
            hint="Open your account and set up an authenticator.",
        )


def _log_refusal(request: Request, answer: Response) -> None:
    """Tell who looks after the service what was refused, and to which address; never who it was."""
    told = {
        "status": answer.status_code,
        "method": request.method,
        "path": request.url.path[:PATH_CHARACTERS_MAX],
        "address": request.client.host if request.client is not None else "",
    }
    logger.info("access refused", extra=told)


async def _sees_money(database: Database, principal: Principal, request: Request, fit: Fit) -> bool:
    """Return whether the answer to a request may tell of money."""
    if not warehouses_of(principal, Permission.MONEY_READ):
        return may_see_money(principal, frozenset())
    within = request.scope["state"].get("within", "")
    where = fit.rule.place(request.method)
    concerned = frozenset({within} if within else {fit.warehouse} if where is Where.PATH else ())
    if where is Where.OBJECT:
        concerned = await run_in_threadpool(warehouse_bound.concerned_by, database, fit)
    return may_see_money(principal, concerned)


def session_cookie(request: Request) -> str:
    """Return the name of the cookie of sessions: over TLS one that only this host can set."""
    return "__Host-dockledger" if request.url.scheme == "https" else "dockledger"


def foreign(request: Request) -> bool:
    """Return whether the page of another site has sent a request.

    Source: Fetch standard, Origin header; Fetch Metadata, Sec-Fetch-Site. Programs send neither.
    """
    site = request.headers.get("sec-fetch-site", "")
    origin = request.headers.get("origin", "")
    if site:
        return site not in {"same-origin", "none"}
    return bool(origin) and urlsplit(origin).netloc != request.headers.get("host", "")


def safe_next(path: str) -> str:
    """Return an address of this site to go on with, "/" for anything else."""
    plain = path.startswith("/") and not path.startswith(("//", "/\\", "/login", "/logout"))
    return path if plain and path.isprintable() and "\\" not in path else "/"


def _known(access: Access, request: Request) -> Known | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme:
        address = request.client.host if request.client is not None else ""
        if scheme.lower() != "bearer":
            return None
        return access.known_by_token(token.strip(), address=address)
    secret = request.cookies.get(session_cookie(request), "")
    return access.known_by_session(secret) if secret else None


def _admit_anybody(request: Request, receive: Receive) -> Receive:
    """Take whoever asks for the administrator; but no page of another site asks in their browser,
    also none whose name was made to point to this machine (DNS rebinding).

    Raises ProblemRaised.
    """
    state = request.scope["state"]
    state["principal"], state["csrf"] = OPEN_PRINCIPAL, ""
    if request.app.state.loopback_only and not is_loopback(_host_asked(request)):
        raise _elsewhere()
    if request.method not in READING and foreign(request):
        raise _foreign()
    return receive


async def _require_csrf(request: Request, receive: Receive, known: Known) -> Receive:
    """Return what is left to be read of a request that comes from our own page."""
    sent = request.headers.get(CSRF_HEADER, "")
    if not sent and request.headers.get("content-type", "").partition(";")[0].strip() == FORM:
        body, receive = await read_whole(receive, bytes_max=FORM_BYTES_MAX)
        sent = dict(parse_qsl(body.decode("utf-8", "replace"))).get("csrf", "")
    if not hmac.compare_digest(sent.encode(), known.csrf.encode()):
        raise _foreign()
    return receive


def _host_asked(request: Request) -> str:
    """Return the host that a request names, without its port; "" for none."""
    try:
        return urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    except ValueError:
        return ""


def _is_loopback(request: Request) -> bool:
    return request.client is not None and request.client.host in LOOPBACK


def _foreign() -> ProblemRaised:
    return ProblemRaised(
        status=403,
        title="Not from this page",
        detail="The request does not come from a page of this session.",
        hint="Load the page again and repeat what you did.",
    )


def _elsewhere() -> ProblemRaised:
    return ProblemRaised(
        status=421,
        title="Not this server",
        detail="Without sign-in this server answers to localhost and 127.0.0.1 alone.",
        hint='Ask for http://127.0.0.1, or set mode = "people" under [access].',
    )


def _closed(path: str) -> ProblemRaised:
    return ProblemRaised(
        status=404,
        title="Not there",
        detail=f"There is nothing at {json.dumps(path[:80])}.",
        hint="Begin at the first page.",
    )
