"""Takes credentials, names of people and scanned data out of what leaves the gateway. Pure.

a setting called password, token, api_key ...   "(redacted)"; its value is taken out of
                                                everything else too, wherever it turns up
user:password@ in an address                    (redacted)@
OPR-<code>, the badge of a person               OPR-(redacted)
data of a bar code or tag                       its length, a digest that is good for comparing
                                                within one bundle, and its shape
"""

import hashlib
import hmac
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

REDACTED = "(redacted)"
SECRET_WORDS = frozenset(
    {
        "password", "passwd", "passphrase", "pass", "pwd", "secret", "token", "key", "apikey",
        "credential", "credentials", "auth", "authorization", "bearer", "cookie", "psk",
        "user", "username", "login",
    }
)  # fmt: skip
SECRET_CHARACTERS_MIN = 4  # A shorter value would take half of all words with it.
DEPTH_MAX = 8
CREDENTIALS_IN_ADDRESS = re.compile(r"(?<=://)[^/@\s]*@")
SECRET_IN_QUERY = re.compile(
    r"(?i)([?&;][\w.-]*(?:pass|secret|token|key|auth|sig)[\w.-]*=)[^&;#\s\"']*"
)
BADGE = re.compile(r"(?i)OPR-[^\s\"'\\]*")
BADGE_BYTES = re.compile(rb"(?i)OPR-[!-~]*")
# What a scanner in keyboard mode leaves is no text but keys, as the input event codes of Linux have
# them: | modifiers u8 | key u16 little endian | for each. O, P and R are where they are on every
# keyboard that a scanner imitates; what follows them may be a badge.
KEYS = re.compile(rb"(?s)(?:[\x00-\x0f].[\x00-\x02])+")
BADGE_KEYS = re.compile(rb"(?s)(.\x18\0.\x19\0.\x13\0)(.+)")
SHOWN_KEY = ord("A")
DIGEST_CHARACTERS = 12


class Redaction:
    """What must not be seen in one bundle. salt: random, and told to nobody."""

    def __init__(self, settings: Mapping[str, Any], *, salt: bytes) -> None:
        found = {secret for secret in _secrets(settings, 0) if len(secret) >= SECRET_CHARACTERS_MIN}
        # Also as they look inside JSON and inside what an error quotes.
        found |= {json.dumps(secret)[1:-1] for secret in found} | {
            ascii(secret)[1:-1] for secret in found
        }
        self._secrets = sorted(found, key=len, reverse=True)
        self._salt = salt

    def settings(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return settings whose secrets are taken out; hosts, ports and paths stay."""
        return {key: self._setting(key, value, 0) for key, value in settings.items()}

    def text(self, text: str) -> str:
        """Return a text without secrets, credentials in addresses, and badges."""
        for secret in self._secrets:
            text = text.replace(secret, REDACTED)
        text = CREDENTIALS_IN_ADDRESS.sub(f"{REDACTED}@", text)
        text = SECRET_IN_QUERY.sub(rf"\1{REDACTED}", text)
        return BADGE.sub(f"OPR-{REDACTED}", text)

    def raw(self, data: bytes) -> bytes:
        """Return bytes with every secret and badge overwritten, as long as before."""
        for secret in self._secrets:
            data = data.replace(secret.encode(), b"*" * len(secret.encode()))
        if KEYS.fullmatch(data):
            return BADGE_KEYS.sub(lambda match: match[1] + _masked_keys(match[2]), data)
        return BADGE_BYTES.sub(lambda match: b"OPR-" + b"*" * (len(match[0]) - 4), data)

    def digest(self, data: bytes) -> str:
        """Return the length and a keyed digest: equal data look equal within this bundle alone."""
        keyed = hmac.new(self._salt, data, hashlib.sha256).hexdigest()[:DIGEST_CHARACTERS]
        return f"{len(data)} bytes, digest {keyed}"

    def _setting(self, key: str, value: object, depth: int) -> object:
        return REDACTED if _is_secret(key) and value else self._value(value, depth + 1)

    def _value(self, value: object, depth: int) -> object:
        if depth > DEPTH_MAX:
            return REDACTED
        if isinstance(value, Mapping):
            return {
                self.text(str(key)): self._setting(str(key), one, depth)
                for key, one in value.items()
            }
        if isinstance(value, list | tuple | set | frozenset):
            return [self._value(one, depth + 1) for one in value]
        if value is None or isinstance(value, bool | int | float):
            return value
        return self.text(str(value))


def holds_badge(text: str) -> bool:
    """Return True if the badge of a person is in the text of a scan."""
    return BADGE.search(text) is not None


def shape(data: bytes) -> bytes:
    """Return bytes with each letter as "A" and each digit as "9": frame and separators stay.

    Of the keys of a keyboard only how many there were.
    """
    if KEYS.fullmatch(data):
        return _masked_keys(data)
    return bytes(_SHAPES[byte] for byte in data)


def _masked_keys(keys: bytes) -> bytes:
    return bytes((0, SHOWN_KEY, 0)) * (len(keys) // 3)


def _shape_of(byte: int) -> int:
    character = chr(byte)
    if not character.isascii():
        return ord("?")  # A part of a letter, most likely.
    return ord("A") if character.isalpha() else ord("9") if character.isdigit() else byte


_SHAPES = bytes(_shape_of(byte) for byte in range(256))


def _is_secret(name: str) -> bool:
    return not SECRET_WORDS.isdisjoint(re.split(r"[^a-z]+", name.lower()))


def _secrets(value: object, depth: int, *, secret: bool = False) -> Iterator[str]:
    if depth > DEPTH_MAX:
        return
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from _secrets(one, depth + 1, secret=secret or _is_secret(str(key)))
    elif isinstance(value, list | tuple | set | frozenset):
        for one in value:
            yield from _secrets(one, depth + 1, secret=secret)
    elif secret and value is not None and not isinstance(value, bool):
        yield str(value)
