"""The commands `dockledger-central user` and `token`: people from the console. Root.

A password is typed, or read from a file; it never stands on the command line, where any process of
the machine can read it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from central.access import recovery, users
from central.access.access import grants_of_words
from central.access.passwords import new_hash
from central.access.permissions import Permission, Principal, allowed_by
from central.access.tokens import add_token, end_token, list_tokens
from central.clock import SystemClock, random_key_hex
from central.command_line import CONFIG_FILE, AsJson, ConfigFile, errors_named, opened, say
from central.config import load_config
from central.errors import Unusable
from central.ledger.desk import Change, Desk
from central.stock.times import utc_text
from central.storage.database import Database

ACTOR = "console"
PASSWORD_FILE_BYTES_MAX = 4096
TOKENS_SHOWN_MAX = 1000

user_app = typer.Typer(help="People: who may sign in, and as what.", no_args_is_help=True)
token_app = typer.Typer(help="Keys of programs.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="The name, e.g. li.na.")]
Roles = Annotated[
    list[str], typer.Option("--role", help="e.g. administrator, or keeper@SH1; several times.")
]
PasswordFile = Annotated[
    Path | None, typer.Option(help="Whose first line is the password; typed if not given.")
]

ToBeChanged = Annotated[
    bool,
    typer.Option(
        "--to-be-changed",
        help=f"They choose their own with it, within {users.GIVEN_PASSWORD_DAYS} days.",
    ),
]


@user_app.command("add")
def user_add(
    *,
    name: Name,
    role: Roles,
    display_name: Annotated[str, typer.Option(help="As people call them.")] = "",
    password_file: PasswordFile = None,
    external: Annotated[
        str, typer.Option(help='"ISSUER SUBJECT" of the identity provider; then no password.')
    ] = "",
    to_be_changed: ToBeChanged = False,
    config: ConfigFile = CONFIG_FILE,
    as_json: AsJson = False,
) -> None:
    """Add somebody."""
    with errors_named(), opened(load_config(config)) as database:
        grants = grants_of_words(role)
        users.checked_name(name)
        kept = "" if external else new_hash(_password(password_file), name=name)
        with _desk(database).change(actor=ACTOR) as change:
            user = users.add_user(
                change,
                name,
                display_name=display_name,
                password_hash=kept,
                external=external,
                grants=grants,
                is_given=to_be_changed,
            )
    say(f"{name} may sign in.", _told(user), as_json=as_json)


@user_app.command("list")
def user_list(*, config: ConfigFile = CONFIG_FILE, as_json: AsJson = False) -> None:
    """List everybody with their roles."""
    with errors_named(), opened(load_config(config)) as database, database.read() as connection:
        found = [_told(user) for user in users.list_users(connection)]
    lines = [
        f"{one['name']}{' (disabled)' if one['disabled'] else ''}: {', '.join(one['roles'])}"
        for one in found
    ]
    say("\n".join(lines), {"users": found}, as_json=as_json)


@user_app.command("disable")
def user_disable(*, name: Name, config: ConfigFile = CONFIG_FILE, as_json: AsJson = False) -> None:
    """Let somebody in no more; their sessions and tokens end at once."""
    _disabled(name, config, as_json=as_json, disabled=True)


@user_app.command("enable")
def user_enable(*, name: Name, config: ConfigFile = CONFIG_FILE, as_json: AsJson = False) -> None:
    """Let somebody in again."""
    _disabled(name, config, as_json=as_json, disabled=False)


@user_app.command("grant")
def user_grant(
    *, name: Name, role: Roles, config: ConfigFile = CONFIG_FILE, as_json: AsJson = False
) -> None:
    """Make these all roles that somebody has."""
    with errors_named(), opened(load_config(config)) as database:
        grants = grants_of_words(role)
        with _desk(database).change(actor=ACTOR) as change:
            user = users.set_grants(change, name, grants)
    say(f"{name}: {', '.join(_told(user)['roles'])}", _told(user), as_json=as_json)


@user_app.command("password")
def user_password(
    *,
    name: Name,
    password_file: PasswordFile = None,
    to_be_changed: ToBeChanged = False,
    config: ConfigFile = CONFIG_FILE,
    as_json: AsJson = False,
) -> None:
    """Give somebody another password; their sessions end."""
    with errors_named(), opened(load_config(config)) as database:
        kept = new_hash(_password(password_file), name=name)
        with _desk(database).change(actor=ACTOR) as change:
            users.set_password(change, name, password_hash=kept, is_given=to_be_changed)
    say(f"{name} has another password.", {"name": name}, as_json=as_json)


@user_app.command("forget-second-factor")
def user_forget_second_factor(
    *, name: Name, config: ConfigFile = CONFIG_FILE, as_json: AsJson = False
) -> None:
    """Take away the second factor of whoever has lost it."""
    with _change(config) as change:
        recovery.remove_second_factor(change, name)
    say(f"{name} signs in with the password alone.", {"name": name}, as_json=as_json)


@token_app.command("add")
def token_add(
    *,
    owner: Annotated[str, typer.Argument(help="Whose name stands beside what the program does.")],
    label: Annotated[str, typer.Option(help="Which program it is for.")],
    permission: Annotated[
        list[str], typer.Option("--permission", help="e.g. stock.read; several times.")
    ],
    warehouse: Annotated[
        str, typer.Option(help="The only one; all of the owner's if not given.")
    ] = "",
    days: Annotated[int, typer.Option(help="So long it lasts, at most 365.")] = 90,
    config: ConfigFile = CONFIG_FILE,
    as_json: AsJson = False,
) -> None:
    """Make a key for a program, and show it this one time."""
    with errors_named(), opened(load_config(config)) as database:
        wanted = permissions_of_words(permission)
        with _desk(database).change(actor=ACTOR) as change:
            user = users.required_user(change.connection, owner)
            _, text = add_token(
                change,
                Principal(owner, allowed_by(user.grants)),
                label=label,
                permissions=wanted,
                warehouse=warehouse,
                days=days,
                random_hex=random_key_hex() + random_key_hex(),
            )
    say(text, {"token": text}, as_json=as_json)


@token_app.command("list")
def token_list(*, config: ConfigFile = CONFIG_FILE, as_json: AsJson = False) -> None:
    """List keys of programs, the newest first; never the keys themselves."""
    with errors_named(), opened(load_config(config)) as database, database.read() as connection:
        found = [
            {
                "token": one.token,
                "owner": one.name,
                "label": one.label,
                "permissions": sorted(one.permissions),
                "warehouse": one.warehouse,
                "expires": utc_text(one.expires_ms),
                "ended": bool(one.ended_ms),
            }
            for one in list_tokens(connection, limit=TOKENS_SHOWN_MAX)
        ]
    lines = [f"{one['token']} {one['owner']}: {one['label']}, {one['expires']}" for one in found]
    say("\n".join(lines), {"tokens": found}, as_json=as_json)


@token_app.command("end")
def token_end(
    *,
    token: Annotated[str, typer.Argument(help="Its 16 digits, as `token list` shows them.")],
    config: ConfigFile = CONFIG_FILE,
    as_json: AsJson = False,
) -> None:
    """Take a key back at once."""
    with _change(config) as change:
        end_token(change, token)
    say(f"{token} is worth nothing now.", {"token": token}, as_json=as_json)


def permissions_of_words(words: list[str]) -> frozenset[Permission]:
    """Return permissions by their names. Raises Unusable."""
    try:
        return frozenset(Permission(word) for word in words)
    except ValueError as error:
        raise Unusable(str(error), hint=f"Take of: {', '.join(Permission)}.") from error


def _disabled(name: str, config: Path, *, as_json: bool, disabled: bool) -> None:
    with _change(config) as change:
        user = users.set_disabled(change, name, disabled=disabled)
    text = f"{name} may sign in no more." if disabled else f"{name} may sign in."
    say(text, _told(user), as_json=as_json)


@contextmanager
def _change(config: Path) -> Iterator[Change]:
    with (
        errors_named(),
        opened(load_config(config)) as database,
        _desk(database).change(actor=ACTOR) as change,
    ):
        yield change


def _desk(database: Database) -> Desk:
    return Desk(database, clock=SystemClock())


def _password(file: Path | None) -> str:
    if file is None:
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    try:
        with file.open("rb") as opened_file:
            text = opened_file.read(PASSWORD_FILE_BYTES_MAX).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise Unusable(
            f"cannot read a password from {file}", hint="Name a readable text file."
        ) from error
    return (text.splitlines() or [""])[0]


def _told(user: users.User) -> dict[str, Any]:
    return {
        "name": user.name,
        "display_name": user.display_name,
        "roles": sorted(users.grant_text(grant) for grant in user.grants),
        "disabled": bool(user.disabled_ms),
    }
