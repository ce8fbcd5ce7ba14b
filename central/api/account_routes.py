"""The addresses below /api/v1 of one's own account: password, codes, sessions. Edge of HTTP.

They serve the page of the account. Whatever makes it easier to come in later asks for the password
once more: a browser that was left open is not enough.
"""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from pydantic import ConfigDict, Field

from central.access import recovery, sessions, users
from central.access.access import Access, Browser
from central.access.passwords import GIVEN_CHARACTERS_MAX, new_hash
from central.access.permissions import Principal
from central.access.second_factor import CODE_CHARACTERS_MAX
from central.api.access_side import Accessing, Who
from central.api.api_model import ApiModel
from central.api.parameters import PREFIX
from central.api.problems import PROBLEM, ProblemRaised
from central.errors import SignInRefused

router = APIRouter(
    prefix=f"{PREFIX}/account", responses={422: PROBLEM, 503: PROBLEM}, include_in_schema=False
)
Password = Annotated[str, Field(min_length=1, max_length=GIVEN_CHARACTERS_MAX, repr=False)]


class Strict(ApiModel):
    """A body without fields that nobody reads."""

    model_config = ConfigDict(extra="forbid")


class PasswordIn(Strict):
    """A new password. present: the one of now. again: the new one once more."""

    present: Password
    password: Password
    again: Password


class PresentIn(Strict):
    """The password of now."""

    present: Password


class CodeIn(Strict):
    """A code that the authenticator shows."""

    code: Annotated[str, Field(min_length=6, max_length=CODE_CHARACTERS_MAX, repr=False)]


class CodesOut(ApiModel):
    """Recovery codes, shown this one time."""

    codes: list[str]


class Done(ApiModel):
    """It is done."""

    done: bool = True


@router.post("/password")
def change_password(request: Request, access: Accessing, who: Who, body: PasswordIn) -> Done:
    """Change one's own password; all other sessions end."""
    _require_password(access, request, who, body.present)
    if body.password != body.again:
        raise ProblemRaised(
            status=422,
            title="Not possible",
            detail="the two new passwords are not the same",
            hint="Type the new password twice.",
        )
    if body.password == body.present:
        raise ProblemRaised(
            status=422,
            title="Not possible",
            detail="the new password is the one of now",
            hint="Choose another password.",
        )
    kept = new_hash(body.password, name=who.name)
    with access.desk.change(actor=who.name) as change:
        users.set_password(change, who.name, password_hash=kept, keep_session=who.session)
    return Done()


@router.post("/second-factor")
def begin(request: Request, access: Accessing, who: Who, body: PresentIn) -> Done:
    """Begin to set up an authenticator; the page of the account shows its secret."""
    _require_password(access, request, who, body.present)
    with access.desk.change(actor=who.name) as change:
        recovery.begin_second_factor(
            change, who.name, random_hex=access.new_secret(), seal=access.seal
        )
    return Done()


@router.post("/second-factor/confirm")
def confirm(access: Accessing, who: Who, body: CodeIn) -> CodesOut:
    """Finish it with a code; answer with recovery codes."""
    with access.desk.change(actor=who.name) as change:
        codes = recovery.confirm_second_factor(
            change, who.name, body.code, new_secret=access.new_secret, seal=access.seal
        )
    return CodesOut(codes=codes)


@router.post("/second-factor/remove")
def remove(request: Request, access: Accessing, who: Who, body: PresentIn) -> Done:
    """Take one's own second factor away."""
    _require_password(access, request, who, body.present)
    with access.desk.change(actor=who.name) as change:
        recovery.remove_second_factor(change, who.name)
    return Done()


@router.delete("/sessions/{digest}")
def end_session(
    access: Accessing, who: Who, digest: Annotated[str, Path(pattern="^[0-9a-f]{64}$")]
) -> Response:
    """End one of one's own sessions, e.g. that of a browser that was left open."""
    with access.desk.change(actor=who.name) as change:
        if sessions.end_session(change.connection, digest, name=who.name):
            change.note("sign_in", who.name, "session_ended")
    return Response('{"done": true}', media_type="application/json")


def _require_password(access: Access, request: Request, who: Principal, password: str) -> None:
    """Raise ProblemRaised unless the password of now was given; failures count as at the door."""
    if not who.session:
        raise ProblemRaised(
            status=403,
            title="Not allowed",
            detail="A token cannot change the account that it belongs to.",
            hint="Sign in with name and password.",
        )
    address = request.client.host if request.client is not None else ""
    try:
        access.require_password(who.name, password, browser=Browser(address))
    except SignInRefused as error:
        raise ProblemRaised(
            status=429 if error.wait_s else 403,
            title="Not allowed",
            detail="This is not your password of now."
            if not error.wait_s
            else "Too many failed attempts: nobody is listened to just now.",
            hint="Type the password that you signed in with." if not error.wait_s else error.hint,
        ) from error
