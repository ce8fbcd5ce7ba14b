"""AIM symbology identifiers: which kind of bar code a scanner read. Pure.

    ] C 1
    | | `-- modifier: options of that symbology
    | `-- code character: which symbology
    `-- flag character

Source: ISO/IEC 15424; GS1 General Specifications, section 5.1.2 (symbology identifiers).
"""

import re

GS = "\x1d"

# Symbologies whose message is a GS1 element string; FNC1 in first place is what makes them so.
GS1_IDENTIFIERS = frozenset({"]C1", "]e0", "]e1", "]e2", "]d2", "]Q3", "]J1"})

IDENTIFIER_CHARACTERS_COUNT = 3

_IDENTIFIER = re.compile(r"\][A-Za-z][0-9A-Za-z]")


def split_identifier(text: str) -> tuple[str, str]:
    """Return (AIM identifier, message); the identifier is "" if `text` does not begin with one.

    A GS right after the identifier of a GS1 symbology is the FNC1 of the first place, which some
    scanners transmit; it separates nothing and is taken away. Any other character stays.
    """
    if not _IDENTIFIER.match(text):
        return "", text
    identifier = text[:IDENTIFIER_CHARACTERS_COUNT]
    message = text[IDENTIFIER_CHARACTERS_COUNT:]
    if identifier in GS1_IDENTIFIERS:
        message = message.removeprefix(GS)
    return identifier, message
