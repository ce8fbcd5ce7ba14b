"""The second factor: codes of an authenticator, each once, and codes for when it is lost. Pure.

Source: RFC 6238, TOTP: HMAC-SHA-1, six digits, steps of 30 seconds, one step before and after.
"""

import base64
import hmac

from pyotp import TOTP

STEP_MS = 30_000
STEPS_ASIDE = 1
SECRET_BYTES = 20  # As long as the hash (RFC 4226, section 4).
RECOVERY_CODES_COUNT = 10
RECOVERY_DIGITS = 30  # 120 bits: their digest needs no salt (OWASP ASVS 4.0.3, 2.6.2).
CODE_CHARACTERS_MAX = 64
ISSUER = "Dockledger"


def secret_of(random_hex: str) -> str:
    """Return a secret as authenticators take it, from 256 random bits."""
    return base64.b32encode(bytes.fromhex(random_hex)[:SECRET_BYTES]).decode()


def address_of(secret: str, *, name: str, site: str) -> str:
    """Return the otpauth:// address that an authenticator reads from a QR code."""
    return str(TOTP(secret).provisioning_uri(name=f"{name}@{site}", issuer_name=ISSUER))


def step_of_code(secret: str, code: str, *, now_ms: int, after_step: int) -> int | None:
    """Return the time step that a code is of, None for one that is wrong, old or was used.

    after_step: the last one that was used; its code and those before are worth nothing.
    """
    code = "".join(code.split())
    if not secret or len(code) != 6 or not code.isascii() or not code.isdecimal():
        return None
    present = now_ms // STEP_MS
    found = None
    for step in range(present - STEPS_ASIDE, present + STEPS_ASIDE + 1):
        # Each is compared, so that the time tells nothing.
        same = hmac.compare_digest(TOTP(secret).generate_otp(step), code)
        if same and step > after_step:
            found = step
    return found


def recovery_code_of(random_hex: str) -> str:
    """Return a code to write down, from 256 random bits: 120 of them."""
    digits = random_hex[:RECOVERY_DIGITS]
    return "-".join(digits[place : place + 5] for place in range(0, RECOVERY_DIGITS, 5))


def plain_recovery_code(text: str) -> str:
    """Return a recovery code as it was given out, whatever case and blanks it is typed with."""
    digits = "".join(one for one in text[:CODE_CHARACTERS_MAX].lower() if one in "0123456789abcdef")
    return "-".join(digits[place : place + 5] for place in range(0, len(digits), 5))
