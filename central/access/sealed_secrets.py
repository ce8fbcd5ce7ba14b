"""Secrets that have to be read again stand sealed in the database. Edge of cryptography.

    kept:  s1:<base64 of 12 bytes nonce and ChaCha20-Poly1305 of the secret, over the name>

The key is a file that the service alone may read; it is in no database and in no backup of one.
What was kept before there was a key is plain base32, which has no colon, and stays readable.
"""

import base64
import re
from collections.abc import Callable
from logging import getLogger
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from central.clock import random_key_hex
from central.errors import ConfigInvalid

MARK = "s1:"
NONCE_BYTES = 12
KEY_FILE_BYTES_MAX = 1024
KEY_TEXT = re.compile(r"[0-9a-f]{64}")

logger = getLogger(__name__)


class Seal:
    """Seals secrets of people with one key. key_hex: "" keeps them as they are. Any thread."""

    def __init__(
        self, key_hex: str = "", *, new_random: Callable[[], str] = random_key_hex
    ) -> None:
        self._cipher = ChaCha20Poly1305(bytes.fromhex(key_hex)) if key_hex else None
        self._new_random = new_random

    def __repr__(self) -> str:
        return f"Seal({'with' if self._cipher is not None else 'without'} a key)"

    def closed(self, secret: str, *, name: str) -> str:
        """Return what is kept of somebody's secret; "" stays ""."""
        if self._cipher is None or not secret:
            return secret
        nonce = bytes.fromhex(self._new_random())[:NONCE_BYTES]
        sealed = self._cipher.encrypt(nonce, secret.encode(), name.encode())
        return MARK + base64.b64encode(nonce + sealed).decode()

    def opened(self, kept: str, *, name: str) -> str:
        """Return the secret; "" if it cannot be read, which lets nobody in by it.

        Recovery codes still count then, and `user forget-second-factor` begins anew.
        """
        if not kept.startswith(MARK):
            return kept
        if self._cipher is None:
            logger.error("a second factor is sealed and there is no access.sealing_key_file")
            return ""
        try:
            data = base64.b64decode(kept.removeprefix(MARK), validate=True)
            return self._cipher.decrypt(
                data[:NONCE_BYTES], data[NONCE_BYTES:], name.encode()
            ).decode()
        except (InvalidTag, ValueError) as error:
            logger.error(  # noqa: TRY400 - a person mends it; the trace says nothing
                "a second factor was sealed with another key, or was changed",
                extra={"error": type(error).__name__},
            )
            return ""


def read_seal(key_file: str) -> Seal:
    """Return the seal with the key of a file; without a key for "". Raises ConfigInvalid."""
    if not key_file:
        return Seal()
    hint = "Write one with `openssl rand -hex 32` and let the service alone read it."
    try:
        with Path(key_file).open("rb") as file:
            text = file.read(KEY_FILE_BYTES_MAX).decode("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigInvalid(f"access.sealing_key_file: {error}", hint=hint) from error
    if not KEY_TEXT.fullmatch(text):
        raise ConfigInvalid(
            f"access.sealing_key_file: {key_file} holds no 64 hexadecimal digits", hint=hint
        )
    return Seal(text)
