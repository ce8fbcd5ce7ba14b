"""Pages of one's own account, of users, of keys of programs, of what was done. Edge of HTTP."""

from dataclasses import replace
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from central.access import sessions, tokens, users
from central.access.access import NOBODY
from central.access.audit import last_seal, list_audit
from central.access.news import News, news_of_sign_in
from central.access.permissions import Permission, Role, may
from central.access.second_factor import address_of
from central.api.access_side import access_of
from central.api.audit_routes import AuditParameters, wanted_of
from central.api.guard import safe_next
from central.api.parameters import RecordCursor, read_cursor, write_cursor
from central.api.user_routes import token_out, user_out
from central.orders.money_fields import without_money_fields
from central.printing.bar_codes import draw_qr
from central.stock.times import utc_text
from central.web.asking import Asked, Asking
from central.web.documents.tables import warehouse_choices
from central.web.people.audit_words import (
    action_choices,
    done_word,
    event_lines,
    kind_choices,
    kind_word,
    page_of_object,
    role_word,
    short_code,
)
from central.web.people.words import PERMISSIONS, ROLES
from central.web.shell import page

TOKENS_SHOWN_MAX = 500
DAYS = (7, 30, 90, 365)

router = APIRouter(include_in_schema=False)


class AuditAsked(AuditParameters):
    """As the interface for programs takes them, and the language of the page."""

    lang: Annotated[str, Query(max_length=8)] = ""


@router.get("/account", response_model=None)
def account_page(request: Request, asking: Asked) -> Response:
    """Draw one's own account; where nobody signs in there is none, and users are shown."""
    if request.app.state.access is None:
        return RedirectResponse("/users", 303)
    access, name = access_of(request), asking.principal.name
    with asking.read() as connection:
        user = users.required_user(connection, name)
        open_sessions = sessions.list_sessions(
            connection, name, now_ms=asking.now_ms, limits=access.limits
        )
        news = [_news_row(one, asking) for one in news_of_sign_in(connection, name)]
    waiting = access.seal.opened(user.totp_waiting, name=name)
    content: dict[str, object] = {
        "user": user_out(user),
        "roles": _role_texts(user, asking, whole=True),
        "waiting": waiting,
        "image": "",
        "must": users.must_first(user, second_factor=access.section.second_factor),
        "news": news,
        "next": safe_next(asking.parameters.get("next", "")),
        "sessions": [
            {
                "digest": one.digest,
                "browser": one.browser,
                "address": one.address,
                "seen": utc_text(one.seen_ms),
                "own": one.digest == asking.principal.session,
            }
            for one in open_sessions
        ],
    }
    if waiting:
        address = address_of(waiting, name=name, site=asking.reading.site)
        content["image"] = draw_qr(address).svg
    return page(
        asking, "access/account.html", title=asking.texts.say("My account"), content=content
    )


@router.get("/users")
def users_page(asking: Asked) -> HTMLResponse:
    """Draw everybody, with their roles."""
    with asking.read() as connection:
        found = users.list_users(connection)
        warehouses = warehouse_choices(connection, asking.texts)
    shown = [
        {
            "user": user_out(user),
            "roles": _role_texts(user, asking, whole=False),
            "grants": sorted((str(one.role), one.warehouse) for one in user.grants),
        }
        for user in found
    ]
    content = {
        "users": shown,
        "may_change": may(asking.principal, Permission.USERS_CHANGE),
        "roles": [(str(role), asking.texts.word(ROLES, str(role))) for role in Role],
        "warehouses": warehouses,
    }
    return page(
        asking,
        "access/users.html",
        title=asking.texts.say("Users"),
        kinds=("user",),
        content=content,
    )


@router.get("/tokens")
def tokens_page(asking: Asked) -> HTMLResponse:
    """Draw keys of programs: one's own, or everybody's."""
    owner = "" if may(asking.principal, Permission.USERS_READ) else asking.principal.name
    with asking.read() as connection:
        found = tokens.list_tokens(connection, owner=owner, limit=TOKENS_SHOWN_MAX)
        warehouses = warehouse_choices(connection, asking.texts)
    held = {str(permission) for permission, _ in asking.principal.allowed}
    content = {
        "tokens": [
            (
                token_out(one),
                [
                    asking.texts.word(PERMISSIONS, word)
                    for word in sorted(token_out(one).permissions)
                ],
                one.expires_ms <= asking.now_ms or bool(one.ended_ms),
            )
            for one in found
        ],
        "permissions": [(one, asking.texts.word(PERMISSIONS, one)) for one in sorted(held)],
        "warehouses": warehouses,
        "days": DAYS,
    }
    return page(
        asking,
        "access/tokens.html",
        title=asking.texts.say("Keys of programs"),
        kinds=("token",),
        content=content,
    )


@router.get("/audit")
def audit_page(asking: Asked, asked: Annotated[AuditAsked, Query()]) -> HTMLResponse:
    """Draw what was done, the newest first."""
    before = read_cursor(asked.cursor, RecordCursor)
    with asking.read() as connection:
        found = list_audit(
            connection,
            wanted_of(asked),
            before=before.record_no if before else None,
            limit=asked.limit + 1,
        )
        seal = last_seal(connection)
    filters = {
        name: value
        for name in ("kind", "code", "actor", "action", "since", "until")
        if (value := getattr(asked, name))
    }
    older = ""
    if len(found) > asked.limit:
        cursor = write_cursor(RecordCursor(found[asked.limit - 1].event_no))
        older = "?" + urlencode(filters | {"cursor": cursor})
    content = {
        "events": [_event(_seen(one, asking), asking) for one in found[: asked.limit]],
        "filters": filters,
        "kinds_named": kind_choices(asking.texts),
        "actions_named": action_choices(asking.texts),
        "export": "/api/v1/audit/export.xlsx?" + urlencode(filters),
        "older": older,
        "seal": seal,
        "sealed": utc_text(seal.sealed_ms) if seal else "",
    }
    return page(
        asking, "access/audit.html", title=asking.texts.say("What was done"), content=content
    )


def _news_row(one: News, asking: Asking) -> dict[str, object]:
    texts = asking.texts
    return {
        "time": utc_text(one.at_ms),
        "kind": kind_word(one.kind, texts) if one.detail else "",
        "action": done_word(one.kind, one.action, texts),
        "detail": one.detail,
        "count": one.count,
        "actor": "" if one.actor in {NOBODY, asking.principal.name} else one.actor,
    }


def _role_texts(user: users.User, asking: Asking, *, whole: bool) -> list[str]:
    """Return the roles with where they hold. whole: also what each may do."""
    texts = asking.texts
    everywhere = texts.say("All warehouses")
    return [
        role_word(one.role, texts, whole=whole) + f" · {one.warehouse or everywhere}"
        for one in sorted(user.grants, key=lambda one: (one.role, one.warehouse))
    ]


def _seen(event: Any, asking: Asking) -> Any:  # noqa: ANN401 - one of the history.
    return event if asking.money else replace(event, fields=without_money_fields(event.fields))


def _event(event: Any, asking: Asking) -> dict[str, object]:  # noqa: ANN401 - one of the history.
    texts = asking.texts
    return {
        "number": event.event_no,
        "time": utc_text(event.at_ms),
        "actor": "–" if event.actor == NOBODY else event.actor,
        "kind": kind_word(event.kind, texts),
        "code": short_code(event.code),
        "page": page_of_object(event.kind, event.code),
        "action": done_word(event.kind, event.action, texts),
        "warehouse": event.warehouse,
        "lines": event_lines(event.fields, texts),
    }
