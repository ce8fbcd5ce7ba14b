"""The code that turns a Pi into a gateway: typed, scanned, checked before anything is sent. Pure.

    7K3D-9XQM-2TBW-P4HC      16 characters of Crockford's base 32 (no I, L, O, U)
    `--' `-----------'|
     name    secret   check  4 characters (20 bits), 11 characters (55 bits), Luhn modulo 32

The check character finds every single wrong character and nearly every pair that changed places,
so that a slip of the finger costs none of the claim's few attempts. I and L are read as 1, O as 0;
case, blanks and hyphens mean nothing.
"""

from dataclasses import dataclass

from central.errors import Unusable

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
READ_AS = str.maketrans({"I": "1", "L": "1", "O": "0"})
NAME_CHARACTERS, SECRET_CHARACTERS = 4, 11
CODE_CHARACTERS = NAME_CHARACTERS + SECRET_CHARACTERS + 1
GROUP_CHARACTERS = 4
TYPED_CHARACTERS_MAX = 64
RANDOM_BITS = 5 * (NAME_CHARACTERS + SECRET_CHARACTERS)


@dataclass(frozen=True, slots=True)
class ClaimCode:
    """A code in its parts. The secret is shown to nobody by accident."""

    name: str
    secret: str

    @property
    def text(self) -> str:
        """Return the code as people see it, in groups of four."""
        body = self.name + self.secret
        code = body + _check_character(body)
        return "-".join(
            code[start : start + GROUP_CHARACTERS]
            for start in range(0, CODE_CHARACTERS, GROUP_CHARACTERS)
        )

    def __repr__(self) -> str:
        return f"ClaimCode({self.name}-...)"


def make_code(bits: int) -> ClaimCode:
    """Return the code made of RANDOM_BITS random bits."""
    assert 0 <= bits < 1 << RANDOM_BITS
    count = NAME_CHARACTERS + SECRET_CHARACTERS
    body = "".join(ALPHABET[bits >> 5 * place & 31] for place in range(count))
    return ClaimCode(body[:NAME_CHARACTERS], body[NAME_CHARACTERS:])


def parse_claim(text: str) -> ClaimCode:
    """Return the parts of a code as somebody typed or scanned it. Raises Unusable."""
    hint = "Type the code again as the claim shows it, or scan its QR code."
    if len(text) > TYPED_CHARACTERS_MAX:
        raise Unusable("the claim code is too long", hint=hint)
    code = text.upper().translate(READ_AS)
    code = "".join(character for character in code if character not in " -\t\r\n")
    if len(code) != CODE_CHARACTERS or any(one not in ALPHABET for one in code):
        raise Unusable(
            "a claim code has 16 letters and digits, without I, L, O and U",
            hint=hint,
        )
    if _check_character(code[:-1]) != code[-1]:
        raise Unusable("a character of the claim code is wrong", hint=hint)
    return ClaimCode(code[:NAME_CHARACTERS], code[NAME_CHARACTERS:-1])


def _check_character(body: str) -> str:
    """Luhn's sum modulo 32 (ISO/IEC 7812-1, annex B, with another base)."""
    total = 0
    for place, character in enumerate(reversed(body)):
        value = ALPHABET.index(character) * (2 - place % 2)
        total += value // 32 + value % 32
    return ALPHABET[-total % 32]
