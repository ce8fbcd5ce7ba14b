"""Keeps and checks passwords. Edge of argon2.

argon2id with 19 MiB, 2 passes, 1 lane (OWASP Password Storage Cheat Sheet); a check takes some 50
ms and 19 MiB, so only a few run at once. Length is asked for, not kinds of characters (NIST SP
800-63B, section 5.1.1.2).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from central.access.guessed_passwords import is_guessed
from central.errors import SignInRefused, Unusable

CHECKS_AT_ONCE_MAX = 4
WAIT_S = 5
CHARACTERS_MIN, CHARACTERS_MAX = 12, 128  # OWASP ASVS 4.0.3, 2.1.1 and 2.1.2.
GIVEN_CHARACTERS_MAX = 200  # Of one that is checked: longer ones were allowed once.

_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, type=Type.ID)
_PLACES = BoundedSemaphore(CHECKS_AT_ONCE_MAX)
# Of a password that nobody has: who is not known costs as much time as who is. It is written down,
# salt and result all zeros: to compute one would cost every start of a program a check.
_NOBODY = (
    f"$argon2id$v=19$m={_HASHER.memory_cost},t={_HASHER.time_cost},p={_HASHER.parallelism}"
    f"${'A' * 22}${'A' * 43}"
)


def new_hash(password: str, *, name: str) -> str:
    """Return what is kept of a new password. Raises Unusable with what is wrong with it, and
    SignInRefused where too many are checked."""
    if not CHARACTERS_MIN <= len(password) <= CHARACTERS_MAX:
        raise Unusable(
            f"a password has {CHARACTERS_MIN} to {CHARACTERS_MAX} characters",
            hint="Take a longer one, for instance four words that do not belong together.",
        )
    if is_guessed(password, name=name):
        raise Unusable(
            "this password is among the first that are guessed",
            hint="Take four words that do not belong together.",
        )
    return hash_password(password)


def hash_password(password: str) -> str:
    """Return what is kept of a password, whatever it is. Raises SignInRefused as above."""
    with _place():
        return _HASHER.hash(password)


def password_matches(kept: str, password: str) -> bool:
    """Return whether a password is the one that was kept; "" for nobody's, which takes as long.

    Raises SignInRefused where too many are checked at once.
    """
    with _place():
        try:
            _HASHER.verify(kept or _NOBODY, password[: GIVEN_CHARACTERS_MAX + 1])
        except (VerificationError, InvalidHashError):
            return False
        return bool(kept)


def outdated(kept: str) -> bool:
    """Return whether a password that was just given should be kept anew, in today's strength."""
    return _HASHER.check_needs_rehash(kept)


@contextmanager
def _place() -> Iterator[None]:
    if not _PLACES.acquire(timeout=WAIT_S):
        raise SignInRefused(
            "too many people sign in at this moment",
            hint="Try again in some seconds.",
            wait_s=WAIT_S,
        )
    try:
        yield
    finally:
        _PLACES.release()
