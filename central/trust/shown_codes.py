"""The code that a gateway shows and a person types at central, to let it in. Pure.

    WDJB-MJHT      8 of 20 consonants: 34 bits, no words, no vowels, no digits (RFC 8628, 6.1)

Case, blanks and hyphens mean nothing. The code names a request for minutes and opens nothing by
itself: only somebody signed in, who may add gateways, can do anything with it.
"""

import hashlib

from central.errors import Unusable

ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
CODE_LETTERS, GROUP_LETTERS = 8, 4
TYPED_CHARACTERS_MAX = 64
CODES_COUNT = len(ALPHABET) ** CODE_LETTERS


def make_shown_code(number: int) -> str:
    """Return the code of a number below CODES_COUNT, as people see it."""
    assert 0 <= number < CODES_COUNT
    letters = []
    for _ in range(CODE_LETTERS):
        number, place = divmod(number, len(ALPHABET))
        letters.append(ALPHABET[place])
    return shown_text("".join(letters))


def parse_shown_code(text: str) -> str:
    """Return the letters of a code as somebody typed it. Raises Unusable."""
    hint = "Type the code as the gateway's screen shows it."
    letters = "".join(one for one in text.upper() if one not in " -\t\r\n")
    if len(text) > TYPED_CHARACTERS_MAX or len(letters) != CODE_LETTERS:
        raise Unusable("the code on a gateway's screen has eight letters", hint=hint)
    if any(one not in ALPHABET for one in letters):
        raise Unusable("the code on a gateway's screen has no vowel, no Y and no digit", hint=hint)
    return letters


def shown_text(letters: str) -> str:
    """Return letters in groups of four."""
    return "-".join(
        letters[start : start + GROUP_LETTERS] for start in range(0, CODE_LETTERS, GROUP_LETTERS)
    )


def code_digest(letters: str) -> bytes:
    """Return what is kept of a code."""
    return hashlib.sha256(b"dockledger shown code\0" + letters.encode()).digest()


def secret_digest(secret: str) -> bytes:
    """Return what is kept of the secret that a gateway asks on with."""
    return hashlib.sha256(b"dockledger newcomer\0" + secret.encode()).digest()
