"""Sets up, confirms and takes away somebody's second factor. Edge of the database."""

from collections.abc import Callable

from sqlalchemy import Connection, delete, func, select

from central.access.sealed_secrets import Seal
from central.access.second_factor import (
    RECOVERY_CODES_COUNT,
    plain_recovery_code,
    recovery_code_of,
    secret_of,
    step_of_code,
)
from central.access.sessions import digest_of
from central.access.users import forget_recovery_codes, required_user, set_second_factor
from central.errors import Conflict, Unusable
from central.ledger.desk import Change
from central.storage import bulk
from central.storage.access_tables import access_recovery_codes


def begin_second_factor(change: Change, name: str, *, random_hex: str, seal: Seal) -> str:
    """Return a new secret, which counts once a code of it was given. Raises NotThere, Conflict."""
    user = required_user(change.connection, name)
    if user.totp_secret:
        raise Conflict(
            f"{name} has a second factor already", hint="Take it away first, with a code of it."
        )
    secret = secret_of(random_hex)
    waiting = seal.closed(secret, name=name)
    set_second_factor(change, name, secret="", waiting=waiting, step=0, action="")
    return secret


def confirm_second_factor(
    change: Change, name: str, code: str, *, new_secret: Callable[[], str], seal: Seal
) -> list[str]:
    """Make the waiting secret somebody's second factor; return the recovery codes, shown once.

    Raises NotThere, Unusable for a code that is not of it.
    """
    user = required_user(change.connection, name)
    waiting = seal.opened(user.totp_waiting, name=name)
    step = step_of_code(waiting, code, now_ms=change.now_ms, after_step=0)
    if step is None:
        raise Unusable(
            "this code is not of the authenticator that was just set up",
            hint="Check the clock of the phone, and type the code that it shows now.",
        )
    set_second_factor(
        change, name, secret=user.totp_waiting, waiting="", step=step, action="second_factor_added"
    )
    forget_recovery_codes(change.connection, name)
    codes = [recovery_code_of(new_secret()) for _ in range(RECOVERY_CODES_COUNT)]
    rows = [(name, digest_of(one)) for one in codes]
    bulk.insert_rows(change.connection, access_recovery_codes, rows)
    return codes


def remove_second_factor(change: Change, name: str) -> None:
    """Take somebody's second factor away, with its recovery codes. Raises NotThere."""
    required_user(change.connection, name)
    set_second_factor(change, name, secret="", waiting="", step=0, action="second_factor_removed")
    forget_recovery_codes(change.connection, name)


def use_recovery_code(change: Change, name: str, text: str) -> bool:
    """Return whether somebody gave a recovery code, which is worth nothing from now on."""
    table, digest = access_recovery_codes, digest_of(plain_recovery_code(text))
    gone = change.connection.execute(
        delete(table).where(table.c.name == name, table.c.digest == digest)
    )
    if gone.rowcount:
        change.note("user", name, "recovery_code_used", left=_left(change.connection, name))
    return bool(gone.rowcount)


def _left(connection: Connection, name: str) -> int:
    table = access_recovery_codes
    return connection.execute(
        select(func.count()).select_from(table).where(table.c.name == name)
    ).scalar_one()
