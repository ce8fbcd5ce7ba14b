"""GS1 element strings for bar codes: checked, and with FNC1 where one is needed. Pure.

    (01)09501101530003 (10)AB-12c (21)77   ->   0109501101530003 10AB-12c FNC1 2177

FNC1 ends each element that is not of predefined length and not the last one.

Sources: GS1 General Specifications 7.8.5 figure 7.8.5-2 (elements of predefined length), 7.11
(character set 82).
"""

import re

from drivers.errors import LabelInvalid

GS1_ELEMENTS_MAX = 16
FNC1 = "\x1d"  # Among our tokens only: never a legal character of the data.


def check_gs1_elements(elements: tuple[tuple[str, str], ...]) -> None:
    """Raise LabelInvalid if a scanner would not give back exactly these elements.

    Checks AI form, character set and the predefined lengths, on which the parsing of all that
    follows depends. Does not check check digits and dates: they are the caller's knowledge.
    """
    if not 1 <= len(elements) <= GS1_ELEMENTS_MAX:
        raise LabelInvalid(
            f"{len(elements)} GS1 elements in one symbol",
            hint=f"Put 1 to {GS1_ELEMENTS_MAX} elements into a symbol.",
        )
    for identifier, value in elements:
        if not _IDENTIFIER.fullmatch(identifier) or not _VALUE.fullmatch(value):
            raise LabelInvalid(
                f"GS1 element ({identifier}){value!r}",
                hint="Use a GS1 application identifier and 1 to 90 characters of GS1 set 82.",
            )
        lengths = _PREDEFINED_LENGTHS.get(identifier[:2])
        if lengths is None:
            continue
        if lengths != (len(identifier), len(value)) or not value.isdecimal():
            raise LabelInvalid(
                f"GS1 element ({identifier}){value!r}: {identifier[:2]} begins an identifier of "
                f"{lengths[0]} digits with a value of {lengths[1]} digits",
                hint=f"Give all digits of ({identifier}), with leading zeros.",
            )


def gs1_tokens(elements: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    """Return the characters to encode, without the FNC1 of the first place.

    Raises LabelInvalid, see `check_gs1_elements`.
    """
    check_gs1_elements(elements)
    message = ""
    for index, (identifier, value) in enumerate(elements):
        message += identifier + value
        if identifier[:2] not in _PREDEFINED_LENGTHS and index < len(elements) - 1:
            message += FNC1
    return tuple(message)


_IDENTIFIER = re.compile(r"[0-9]{2,4}")
_VALUE = re.compile(r"""[!"#%&'()*+,\-./0-9:;<=>?A-Z_a-z]{1,90}""")
# First two digits of an AI to the digits of (AI, value). No other is predefined, for all time,
# so FNC1 is needed after every other element that is not the last.
_PREDEFINED_LENGTHS = {
    "00": (2, 18),
    **dict.fromkeys(("01", "02", "03"), (2, 14)),
    "04": (2, 16),
    **{str(prefix): (2, 6) for prefix in range(11, 20)},
    "20": (2, 2),
    **{str(prefix): (4, 6) for prefix in range(31, 37)},
    "41": (3, 13),
}
