"""What a scanned or typed text may be: a GTIN, an SSCC, GS1 elements, or just text. Pure."""

import re
from dataclasses import dataclass
from urllib.parse import unquote

from central.contract.errors import ContractError
from central.contract.gs1 import Element, check_element, parse_elements, to_gtin14

GROUP_SEPARATOR = "\x1d"
GTIN_LENGTHS = (8, 12, 13, 14)
SSCC_LENGTH = 18
LOT_CHARACTERS_MAX = 20  # AI 10 and 21.
_SYMBOLOGY = re.compile(r"^\][A-Za-z][0-9A-Za-z]")
_BRACKETED = re.compile(r"\((\d{2,4})\)([^(]+)")
_LINKED = re.compile(r"/(\d{2,4})/([^/?#]+)")


@dataclass(frozen=True, slots=True)
class Meant:
    """What a text may be. text: what is left of it to be searched as text, "" for nothing.

    gtins: as they may be kept. certain: it is an element string, so it is nothing else.
    """

    text: str
    gtins: tuple[str, ...] = ()
    sscc: str = ""
    lot: str = ""
    serial: str = ""
    gln: str = ""
    certain: bool = False


def meant_by(typed: str) -> Meant:
    """Return what a text may be; any text will do."""
    plain = _SYMBOLOGY.sub("", typed.strip())
    elements = _elements(plain)
    if elements:
        return _of_elements(plain, elements)
    text = "".join(sign for sign in plain if sign.isprintable()).strip()
    if not (text.isascii() and text.isdigit()):
        short = len(text) <= LOT_CHARACTERS_MAX and " " not in text
        return Meant(text, lot=text if short else "", serial=text if short else "")
    gtins = tuple(sorted({text, to_gtin14(text)})) if len(text) in GTIN_LENGTHS else ()
    short = len(text) <= LOT_CHARACTERS_MAX
    return Meant(
        text,
        gtins=gtins,
        sscc=text if len(text) == SSCC_LENGTH else "",
        lot=text if short else "",
        serial=text if short else "",
        gln=text if len(text) == 13 else "",
    )


def _elements(text: str) -> tuple[Element, ...]:
    """Return the elements of an element string in any of its ways of writing, () if it is none."""
    if text.startswith("("):
        pairs = _BRACKETED.findall(text)
    elif text.startswith(("http://", "https://")):
        pairs = [(ai, unquote(value)) for ai, value in _LINKED.findall(text)]
    else:
        try:
            return parse_elements(text)
        except ContractError:
            return ()
    elements = tuple(Element(ai, value.strip()) for ai, value in pairs)
    try:
        for element in elements:
            check_element(element)
    except ContractError:
        return ()
    return elements


def _of_elements(text: str, elements: tuple[Element, ...]) -> Meant:
    values = {element.ai: element.value for element in elements}
    gtin = values.get("01", "") or values.get("02", "")
    return Meant(
        "".join(sign for sign in text if sign.isprintable()),
        gtins=(gtin,) if gtin else (),
        sscc=values.get("00", ""),
        lot=values.get("10", ""),
        serial=values.get("21", ""),
        gln=values.get("414", "") or values.get("410", ""),
        certain=True,
    )
