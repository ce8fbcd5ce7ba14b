"""The addresses below /api/v1 of users, their roles, and keys of programs. Edge of HTTP."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import ConfigDict, Field

from central.access import recovery, tokens, users
from central.access.passwords import GIVEN_CHARACTERS_MAX, new_hash
from central.access.permissions import (
    Grant,
    Permission,
    Principal,
    Role,
    allowed_by,
    may,
)
from central.api.access_side import Who
from central.api.api_model import ApiModel
from central.api.context import Reading
from central.api.parameters import (
    PREFIX,
    PageParameters,
    RecordCursor,
    WholeParameters,
    read_cursor,
    write_cursor,
)
from central.api.problems import PROBLEM, ProblemRaised
from central.api.writing import REFUSALS, Answer, Call, Writing
from central.clock import random_key_hex
from central.ledger.desk import Change
from central.stock.times import utc_text

router = APIRouter(prefix=PREFIX, responses={422: PROBLEM, 503: PROBLEM}, include_in_schema=False)
Name = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9._-]{0,47}$")]
Password = Annotated[str, Field(min_length=1, max_length=GIVEN_CHARACTERS_MAX, repr=False)]
Shown = Annotated[str, Field(max_length=users.DISPLAY_CHARACTERS_MAX)]


class Strict(ApiModel):
    """A body without fields that nobody reads."""

    model_config = ConfigDict(extra="forbid")


class GrantIn(Strict):
    """A role in a warehouse, "" for all of them."""

    role: Role
    warehouse: Annotated[str, Field(max_length=64)] = ""


Roles = Annotated[list[GrantIn], Field(max_length=users.GRANTS_MAX)]


class UserIn(Strict):
    """Somebody new. password: "" for
    whoever comes from the identity provider, whose "ISSUER SUBJECT" is `external`."""

    name: Annotated[str, Field(min_length=1, max_length=48)]
    display_name: Shown = ""
    password: Annotated[str, Field(max_length=GIVEN_CHARACTERS_MAX, repr=False)] = ""
    external: Annotated[str, Field(max_length=400)] = ""
    roles: Roles = Field(default_factory=list)


class RolesIn(Strict):
    """All roles of somebody."""

    roles: Roles = Field(default_factory=list)


class PasswordIn(Strict):
    """A new password of somebody else."""

    password: Password


class UserOut(ApiModel):
    """Somebody, without secrets. password_until: of one that is to be replaced, null else."""

    name: str
    display_name: str
    roles: list[str]
    disabled: bool
    has_password: bool
    password_until: str | None
    second_factor: bool
    external: str
    made: str | None


class UserList(ApiModel):
    """Everybody by name. next_cursor: None on the last page."""

    users: list[UserOut]
    next_cursor: str | None


class TokenIn(Strict):
    """A new key. permissions: of your own. warehouse: the only one; "" for all of yours."""

    label: Annotated[str, Field(min_length=1, max_length=tokens.LABEL_CHARACTERS_MAX)]
    permissions: Annotated[list[Permission], Field(min_length=1, max_length=len(Permission))]
    warehouse: Annotated[str, Field(max_length=64)] = ""
    days: Annotated[int, Field(ge=1, le=tokens.DAYS_MAX)] = 90


class TokenOut(ApiModel):
    """A key. text: the key itself, given this one time and never again."""

    token: str
    owner: str
    label: str
    permissions: list[str]
    warehouse: str
    made: str | None
    expires: str | None
    used: str | None
    ended: bool
    text: str = ""


class TokenList(ApiModel):
    """Keys, the newest first. next_cursor: None on the last page."""

    tokens: list[TokenOut]
    next_cursor: str | None


@router.get("/users")
def list_users(reading: Reading, asked: Annotated[WholeParameters, Query()]) -> UserList:
    """List everybody by name."""
    after = read_cursor(asked.cursor, str)
    with reading.database.read() as connection:
        found = users.list_users(connection, after=after or "", limit=asked.limit + 1)
    page = found[: asked.limit]
    return UserList(
        users=[user_out(one) for one in page],
        next_cursor=write_cursor(page[-1].name) if len(found) > asked.limit else None,
    )


@router.post("/users", status_code=201, response_model=UserOut, responses=REFUSALS)
def add_user(writing: Writing, call: Call, who: Who, body: UserIn) -> Response:
    """Add somebody."""
    grants = _grants(body.roles)
    _require_own(who, grants)
    kept = new_hash(body.password, name=body.name) if body.password else ""

    def work(change: Change) -> Answer:
        user = users.add_user(
            change,
            body.name,
            display_name=body.display_name,
            password_hash=kept,
            external=body.external,
            grants=grants,
            is_given=True,
        )
        return Answer(user_out(user), status=201)

    return writing.answer(call, work)


@router.put("/users/{name}/roles", response_model=UserOut, responses=REFUSALS)
def set_roles(writing: Writing, call: Call, who: Who, name: Name, body: RolesIn) -> Response:
    """Make these all that somebody is."""
    grants = _grants(body.roles)
    _require_own(who, grants)
    return writing.answer(
        call, lambda change: Answer(user_out(users.set_grants(change, name, grants)))
    )


@router.post("/users/{name}/disable", response_model=UserOut, responses=REFUSALS)
def disable(writing: Writing, call: Call, name: Name) -> Response:
    """Let somebody in no more; sessions and tokens end at once."""
    return writing.answer(
        call, lambda change: Answer(user_out(users.set_disabled(change, name, disabled=True)))
    )


@router.post("/users/{name}/enable", response_model=UserOut, responses=REFUSALS)
def enable(writing: Writing, call: Call, who: Who, name: Name) -> Response:
    """Let somebody in again."""

    def work(change: Change) -> Answer:
        _require_own(who, users.required_user(change.connection, name).grants)
        return Answer(user_out(users.set_disabled(change, name, disabled=False)))

    return writing.answer(call, work)


@router.put("/users/{name}/password", response_model=UserOut, responses=REFUSALS)
def give_password(writing: Writing, call: Call, who: Who, name: Name, body: PasswordIn) -> Response:
    """Give somebody a new password; their sessions end, and they choose their own with it."""
    kept = new_hash(body.password, name=name)

    def work(change: Change) -> Answer:
        _require_own(who, users.required_user(change.connection, name).grants)
        users.set_password(change, name, password_hash=kept, is_given=name != who.name)
        return Answer(user_out(users.required_user(change.connection, name)))

    return writing.answer(call, work)


@router.delete("/users/{name}/second-factor", response_model=UserOut, responses=REFUSALS)
def forget_second_factor(writing: Writing, call: Call, who: Who, name: Name) -> Response:
    """Take the second factor of whoever has lost it."""

    def work(change: Change) -> Answer:
        _require_own(who, users.required_user(change.connection, name).grants)
        recovery.remove_second_factor(change, name)
        return Answer(user_out(users.required_user(change.connection, name)))

    return writing.answer(call, work)


@router.get("/tokens")
def list_tokens(reading: Reading, who: Who, asked: Annotated[PageParameters, Query()]) -> TokenList:
    """List one's own keys; those of everybody for whoever may read users."""
    owner = "" if may(who, Permission.USERS_READ) else who.name
    last = read_cursor(asked.cursor, RecordCursor)
    before = (last.record_no, last.id) if last is not None else None
    with reading.database.read() as connection:
        found = tokens.list_tokens(connection, owner=owner, before=before, limit=asked.limit + 1)
    page = found[: asked.limit]
    more = len(found) > asked.limit
    return TokenList(
        tokens=[token_out(one) for one in page],
        next_cursor=write_cursor(RecordCursor(page[-1].made_ms, page[-1].token)) if more else None,
    )


@router.post("/tokens", status_code=201, response_model=TokenOut, responses=REFUSALS)
def add_token(writing: Writing, call: Call, who: Who, body: TokenIn) -> Response:
    """Make a key of one's own; the answer alone has it. A key makes no further keys: those would
    outlive it, and reach further."""
    if who.token:
        raise ProblemRaised(
            status=403,
            title="Not allowed",
            detail="A token cannot make further tokens.",
            hint="Sign in with name and password.",
        )
    random_hex = random_key_hex() + random_key_hex()

    def work(change: Change) -> Answer:
        token, text = tokens.add_token(
            change,
            who,
            label=body.label,
            permissions=frozenset(body.permissions),
            warehouse=body.warehouse,
            days=body.days,
            random_hex=random_hex,
        )
        return Answer(token_out(token).model_copy(update={"text": text}), status=201)

    # An answer that is kept for whoever repeats the request would keep the key.
    return writing.answer(replace(call, key=""), work)


@router.delete("/tokens/{token}", response_model=TokenOut, responses=REFUSALS)
def end_token(
    writing: Writing, call: Call, who: Who, token: Annotated[str, Path(max_length=16)]
) -> Response:
    """Take a key back: one's own, or anybody's for whoever may change users."""
    owner = "" if may(who, Permission.USERS_CHANGE) else who.name
    return writing.answer(
        call, lambda change: Answer(token_out(tokens.end_token(change, token, owner=owner)))
    )


def user_out(user: users.User) -> UserOut:
    """Return what is said of somebody."""
    return UserOut(
        name=user.name,
        display_name=user.display_name,
        roles=sorted(users.grant_text(grant) for grant in user.grants),
        disabled=bool(user.disabled_ms),
        has_password=bool(user.password_hash),
        password_until=utc_text(user.password_until_ms) if user.password_until_ms else None,
        second_factor=bool(user.totp_secret),
        external=user.external,
        made=utc_text(user.made_ms),
    )


def token_out(token: tokens.Token) -> TokenOut:
    """Return what is said of a key."""
    return TokenOut(
        token=token.token,
        owner=token.name,
        label=token.label,
        permissions=sorted(token.permissions),
        warehouse=token.warehouse,
        made=utc_text(token.made_ms),
        expires=utc_text(token.expires_ms),
        used=utc_text(token.used_ms) if token.used_ms else None,
        ended=bool(token.ended_ms),
    )


def _grants(roles: list[GrantIn]) -> frozenset[Grant]:
    return frozenset(Grant(one.role, one.warehouse) for one in roles)


def _require_own(who: Principal, grants: frozenset[Grant]) -> None:
    """Raise ProblemRaised if somebody gives away more than they have, e.g. by a narrow token, or
    opens the account of whoever may more than they."""
    lacking = {one for one, _ in allowed_by(grants)} - {one for one, _ in who.allowed}
    if lacking:
        raise ProblemRaised(
            status=403,
            title="Not allowed",
            detail=f"You may not give away {min(lacking)}, which you do not have.",
            hint="Ask somebody who has it.",
        )
