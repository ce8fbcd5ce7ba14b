"""Holds a request to what somebody may do, and to the warehouses where they may. Edge of HTTP.

Whoever may everywhere passes. Others pass where the address, the object or the body belongs to one
of their warehouses: lists are narrowed to it, objects of others are not there (404), and what
shows all warehouses at once is refused.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from urllib.parse import parse_qsl, urlencode

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive

from central.access.permissions import Permission, Principal, warehouses_of
from central.access.whereabouts import object_warehouses
from central.api.access_rules import READING, Fit, Way, Where
from central.api.access_table import rule_of
from central.api.body_bound import BODY_BYTES_MAX, read_whole
from central.api.problems import ProblemRaised
from central.storage.database import Database

TablePlace = Callable[[str], tuple[str, bool] | None]
# What a body names a warehouse by. A transfer has two: whoever may at one end may ask for it, but
# goods are set aside by whoever may where they are: the answer tells what there is.
BODY_NAMES = ("warehouse", "source_warehouse", "destination_warehouse")
SOURCE_KIND = "transfer_source"  # Of `object_warehouses`.


async def bind(
    database: Database,
    request: Request,
    receive: Receive,
    principal: Principal,
    fit: Fit,
    *,
    narrows: bool,
    is_page: bool,
) -> tuple[Receive, Response | None]:
    """Return what is left to be read of a request that may pass, or what it is answered.

    narrows: "?warehouse=" is understood there. What a list is narrowed to is `within` of the
    request's state. Raises ProblemRaised.
    """
    permission = fit.rule.asks(request.method)
    if permission is None:
        raise refused(None)
    places = _places(principal, permission, fit.rule.also)
    where = fit.rule.place(request.method)
    if places is None or where is Where.ANY:
        return receive, None
    if where is Where.PATH and fit.warehouse not in places:
        raise _not_there()
    if where is Where.OBJECT:
        await run_in_threadpool(_require_object, database, fit, places)
        if request.method not in READING:
            return await _of_body(receive, places, has_object=True), None
    if where is Where.SOURCE:
        return await _of_source(database, receive, fit, places), None
    if where is Where.BODY:
        return await _of_body(receive, places, has_object=False), None
    lists = where in {Where.QUERY, Where.OWN}
    if where is Where.ALL or (lists and not narrows):
        raise everywhere()
    if lists:
        return receive, _narrow(request, places, is_page=is_page)
    return receive, None


def concerned_by(database: Database, fit: Fit) -> frozenset[str]:
    """Return the warehouses of the object that an address names, nothing if it is not there."""
    with database.read() as connection:
        return object_warehouses(connection, fit.rule.kind, fit.code)


def may_open(principal: Principal, path: str) -> bool:
    """Return whether somebody may open a page, as far as its address tells."""
    fit = rule_of(path)
    return fit is not None and fit.rule.way is Way.PEOPLE and may_ask(principal, "GET", path)


def may_ask(principal: Principal, method: str, path: str, warehouse: str = "") -> bool:
    """Return whether somebody may send this to an address, as far as the address tells.

    warehouse: where it has to be allowed, "" for any.
    """
    fit = rule_of(path.partition("?")[0])
    if fit is None or fit.rule.way is not Way.PEOPLE:
        return fit is not None  # What is one's own asks for no permission.
    permission = fit.rule.asks(method)
    try:
        places = None if permission is None else _places(principal, permission, fit.rule.also)
    except ProblemRaised:
        return False
    if permission is None or places is None:
        return permission is not None
    return fit.rule.place(method) is not Where.ALL and (not warehouse or warehouse in places)


def refused(permission: Permission | None) -> ProblemRaised:
    """Return the refusal of whoever lacks a permission."""
    return ProblemRaised(
        status=403,
        title="Not allowed",
        detail=f"You may not do this here: it needs {permission}."
        if permission is not None
        else "Nobody may do this here.",
        hint="Ask an administrator for a role that may.",
    )


def everywhere() -> ProblemRaised:
    """Return the refusal of whoever works in some warehouses, by what shows all of them."""
    return ProblemRaised(
        status=403,
        title="Not allowed",
        detail="This concerns every warehouse, and you work in some of them.",
        hint="Choose a list of your own warehouse, or ask an administrator for a role everywhere.",
    )


def _places(
    principal: Principal, permission: Permission, also: frozenset[Permission]
) -> frozenset[str] | None:
    """Return where somebody has all of these, None for everywhere. Raises ProblemRaised."""
    places: frozenset[str] | None = None
    for one in (permission, *sorted(also)):
        held = warehouses_of(principal, one)
        if held is not None:
            places = held if places is None else places & held
        if places == frozenset():
            raise refused(one)
    return places


def _narrow(request: Request, places: frozenset[str], *, is_page: bool) -> Response | None:
    """Have a list show somebody's warehouse only; return where to go if they have several."""
    query = parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)
    # Each one counts, also an empty one: of several, readers take the last.
    named = {value for name, value in query if name == "warehouse"}
    state = request.scope.setdefault("state", {})
    if len(named) == 1 and named <= places:
        state["within"] = next(iter(named))
        return None
    if named - {""}:
        raise _not_there()
    plain = [(name, value) for name, value in query if name != "warehouse"]
    chosen = urlencode([*plain, ("warehouse", min(places))])
    if len(places) > 1:
        if is_page:
            return RedirectResponse(f"{request.url.path}?{chosen}", 303)
        raise ProblemRaised(
            status=422,
            title="Unusable parameter",
            detail="warehouse: you work in several, and this list shows one at a time",
            hint="Name one of your warehouses as ?warehouse=.",
        )
    request.scope["query_string"] = chosen.encode("latin-1")
    state["within"] = min(places)
    return None


def _require_object(database: Database, fit: Fit, places: frozenset[str]) -> None:
    if not concerned_by(database, fit) & places:
        raise _not_there()


async def _of_body(receive: Receive, places: frozenset[str], *, has_object: bool) -> Receive:
    """Return what is left to be read. has_object: one of theirs, so the body need name no
    warehouse; but it moves nothing into those of others."""
    named, again = await _named(receive, BODY_NAMES)
    if has_object and all(one is None for one in named):
        return again
    if not any(isinstance(one, str) and one in places for one in named):
        raise ProblemRaised(
            status=403,
            title="Not allowed",
            detail="You may do this in your own warehouse only, and the request names none of it.",
            hint="Name one of your warehouses.",
        )
    return again


async def _of_source(
    database: Database, receive: Receive, fit: Fit, places: frozenset[str]
) -> Receive:
    """Return what is left to be read, if goods are taken from a warehouse of theirs."""
    if fit.code:
        await run_in_threadpool(_require_object, database, fit, places)
        source = replace(fit, rule=replace(fit.rule, kind=SOURCE_KIND))
        if await run_in_threadpool(concerned_by, database, source) & places:
            return await _of_body(receive, places, has_object=True)
    else:
        named, again = await _named(receive, ("source_warehouse",))
        if any(isinstance(one, str) and one in places for one in named):
            return again
    raise ProblemRaised(
        status=403,
        title="Not allowed",
        detail="You may take goods from your own warehouses only, and these are in none of them.",
        hint="Ask somebody of the warehouse that they are taken from.",
    )


async def _named(receive: Receive, names: Iterable[str]) -> tuple[list[object], Receive]:
    """Return what a body names by these, None for what it does not, and what is left to be read."""
    body, again = await read_whole(receive, bytes_max=BODY_BYTES_MAX)
    try:
        said = json.loads(body) if body else None
    except (ValueError, RecursionError):
        said = None
    return [said.get(name) for name in names] if isinstance(said, dict) else [], again


def _not_there() -> ProblemRaised:
    return ProblemRaised(
        status=404,
        title="Not there",
        detail="There is nothing of this name in your warehouses.",
        hint="Look the code up in the list.",
    )
