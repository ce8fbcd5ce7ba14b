"""GS1 keys and element strings: check digits, application identifiers, dates, weights. Pure.

An element string is the data of a GS1-128, GS1 DataMatrix or GS1 QR symbol: application
identifiers (AI) each followed by a value; values of variable length end at GS (FNC1, 0x1D) or at
the end of the message. Source: GS1 General Specifications, release 24: section 3 (AI definitions),
7.8.5 (predefined lengths), 7.9 (check digits), 7.12 (dates).
"""

import calendar
import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache

from central.contract.errors import ContractError

GS = "\x1d"
MESSAGE_CHARACTERS_MAX = 512
ELEMENTS_MAX = 64
MESSAGES_REMEMBERED_MAX = 512  # Cartons of one lot carry the same message, one after another.
KEY_LENGTHS = frozenset({8, 12, 13, 14, 18})
# GS1 AI encodable character set 82, figure 7.11-1.
CHARSET_82 = re.compile(r"[!\"%&'()*+,\-./0-9:;<=>?A-Z_a-z]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Format:
    """Value of an AI: digits only or character set 82, and its length range."""

    numeric: bool
    length_min: int
    length_max: int
    has_check_digit: bool = False
    is_date: bool = False


_KEY_14 = _Format(True, 14, 14, has_check_digit=True)
_KEY_13 = _Format(True, 13, 13, has_check_digit=True)
_TEXT_20, _TEXT_30 = _Format(False, 1, 20), _Format(False, 1, 30)
FORMATS = {
    "00": _Format(True, 18, 18, has_check_digit=True),
    "01": _KEY_14,
    "02": _KEY_14,
    "03": _KEY_14,
    "10": _TEXT_20,
    "20": _Format(True, 2, 2),
    "21": _TEXT_20,
    "22": _TEXT_20,
    "30": _Format(True, 1, 8),
    "37": _Format(True, 1, 8),
    "235": _Format(False, 1, 28),
    "240": _TEXT_30,
    "241": _TEXT_30,
    "242": _Format(True, 1, 6),
    "243": _TEXT_20,
    "250": _TEXT_30,
    "251": _TEXT_30,
    "253": _Format(False, 13, 30),
    "254": _TEXT_20,
    "255": _Format(True, 13, 25),
    "400": _TEXT_30,
    "401": _TEXT_30,
    "402": _Format(True, 17, 17, has_check_digit=True),
    "403": _TEXT_30,
    "420": _TEXT_20,
    "421": _Format(False, 4, 12),
    "422": _Format(True, 3, 3),
    "423": _Format(True, 3, 15),
    "424": _Format(True, 3, 3),
    "425": _Format(True, 3, 15),
    "426": _Format(True, 3, 3),
    "427": _Format(False, 1, 3),
    "7001": _Format(True, 13, 13),
    "7002": _TEXT_30,
    "7003": _Format(True, 10, 10),
    "7004": _Format(True, 1, 4),
    "7005": _Format(False, 1, 12),
    "7020": _TEXT_20,
    "7021": _TEXT_20,
    "8001": _Format(True, 14, 14),
    "8002": _TEXT_20,
    "8003": _Format(False, 14, 30),
    "8004": _TEXT_30,
    "8005": _Format(True, 6, 6),
    "8006": _Format(True, 18, 18),
    "8007": _Format(False, 1, 34),
    "8008": _Format(True, 8, 12),
    "8010": _TEXT_30,
    "8011": _Format(True, 1, 12),
    "8012": _TEXT_20,
    "8013": _TEXT_30,
    "8017": _Format(True, 18, 18, has_check_digit=True),
    "8018": _Format(True, 18, 18, has_check_digit=True),
    "8019": _Format(True, 1, 10),
    "8020": _Format(False, 1, 25),
    "8110": _Format(False, 1, 70),
    "8200": _Format(False, 1, 70),
    "90": _TEXT_30,
}
FORMATS |= {ai: _Format(True, 6, 6, is_date=True) for ai in ("11", "12", "13", "15", "16", "17")}
FORMATS |= {f"41{digit}": _KEY_13 for digit in range(8)}
FORMATS |= {f"9{digit}": _Format(False, 1, 90) for digit in range(1, 10)}
# Trade and logistic measures; the fourth digit of the AI is the number of decimal places.
for ai in [*range(310, 317), *range(320, 338), *range(340, 358), *range(360, 370)]:
    FORMATS |= {f"{ai}{decimals}": _Format(True, 6, 6) for decimals in range(6)}
for ai in (390, 392):  # Amounts: variable length.
    FORMATS |= {f"{ai}{decimals}": _Format(True, 1, 15) for decimals in range(10)}
for ai in (391, 393):
    FORMATS |= {f"{ai}{decimals}": _Format(True, 4, 18) for decimals in range(10)}
# Figure 7.8.5-2: elements that begin so have a predefined length and need no separator.
PREDEFINED_PREFIXES = frozenset(
    {"00", "01", "02", "03", "04", "11", "12", "13", "14", "15", "16", "17", "18", "19", "20"}
    | {"31", "32", "33", "34", "35", "36", "41"}
)
MASS_UNIT_BY_AI = {
    "310": "KGM",
    "320": "LBR",
    "330": "KGM",
    "340": "LBR",
    "356": "APZ",  # The troy ounce; 357 is the ounce of a sixteenth pound.
    "357": "ONZ",
}


@dataclass(frozen=True, slots=True)
class Element:
    """One application identifier with its value, as encoded."""

    ai: str
    value: str


def check_digit(digits: str) -> str:
    """Return the check digit for the digits before it (modulo 10, weights 3, 1 from the right)."""
    values = [int(digit) for digit in reversed(digits)]
    return str(-(3 * sum(values[::2]) + sum(values[1::2])) % 10)


def check_key(key: str, *, what: str) -> str:
    """Return a GTIN-8/12/13/14, SSCC or GLN whose length and check digit are right.

    Raises ContractError that names the right digit.
    """
    if not (key.isascii() and key.isdigit()) or len(key) not in KEY_LENGTHS:
        raise ContractError(f"{what} {key[:40]!r} is not 8, 12, 13, 14 or 18 digits")
    expected = check_digit(key[:-1])
    if key[-1] != expected:
        raise ContractError(
            f"{what} {key} ends in {key[-1]}, its check digit is {expected}",
            hint="Scan it again; if it stays wrong, the label is printed wrong: relabel.",
        )
    return key


def to_gtin14(gtin: str) -> str:
    """Return a GTIN of any length as 14 digits, zeros in front."""
    return gtin.rjust(14, "0")


def make_sscc(*, extension_digit: str, company_prefix: str, serial_reference: int) -> str:
    """Return an SSCC-18. Raises ContractError if the serial reference does not fit the prefix."""
    width = 16 - len(company_prefix)
    body = f"{serial_reference:0{width}d}"
    if not company_prefix.isdigit() or width < 1 or len(body) != width:
        raise ContractError(f"serial reference {serial_reference} does not fit {company_prefix}")
    digits = extension_digit + company_prefix + body
    return digits + check_digit(digits)


@lru_cache(maxsize=MESSAGES_REMEMBERED_MAX)
def parse_elements(message: str) -> tuple[Element, ...]:
    """Return the elements of an element string, in order; leading and doubled GS are accepted.

    Raises ContractError for an unknown AI, a wrong length, character, check digit or date, an AI
    that occurs twice with other content, or a value that can only come from a missing separator.
    """
    if len(message) > MESSAGE_CHARACTERS_MAX:
        raise ContractError(f"element string of {len(message)} characters")
    elements: list[Element] = []
    position = 0
    while position < len(message):
        if message[position] == GS:
            position += 1
            continue
        element, position = _element_at(message, position)
        elements.append(element)
    if not elements or len(elements) > ELEMENTS_MAX:
        raise ContractError("no element string", hint="Scan the GS1 bar code of the label.")
    _refuse_contradictions(elements)
    return tuple(elements)


def encode_elements(elements: tuple[Element, ...]) -> str:
    """Return the element string of `elements`, GS only where needed.

    Raises ContractError like the parser.
    """
    text, needs_separator = "", False
    for element in elements:
        check_element(element)
        text += (GS if needs_separator else "") + element.ai + element.value
        needs_separator = element.ai[:2] not in PREDEFINED_PREFIXES
    return text


def check_element(element: Element) -> None:
    """Raise ContractError if the value of an element does not fit its application identifier."""
    rule = FORMATS.get(element.ai)
    if rule is None:
        raise ContractError(f"application identifier ({element.ai}) is not known")
    value = element.value
    if not rule.length_min <= len(value) <= rule.length_max:
        raise ContractError(
            f"({element.ai}) takes {rule.length_min} to {rule.length_max} characters,"
            f" not {len(value)}",
            hint="Scan again; if it stays, the label lacks a separator (FNC1): relabel.",
        )
    if rule.numeric and not (value.isascii() and value.isdigit()):
        raise ContractError(f"({element.ai}) takes digits only, not {value[:40]!r}")
    if not rule.numeric and not CHARSET_82.fullmatch(value):
        raise ContractError(f"({element.ai}) has a character outside the GS1 set in {value[:40]!r}")
    if rule.has_check_digit and value[-1] != check_digit(value[:-1]):
        raise ContractError(
            f"({element.ai}) {value} ends in {value[-1]},"
            f" its check digit is {check_digit(value[:-1])}",
            hint="Scan it again; if it stays wrong, the label is printed wrong: relabel.",
        )
    if rule.is_date:
        parse_date(value, today=None)


def parse_date(value: str, *, today: date | None) -> date:
    """Return the date in six digits YYMMDD; day 00 means the last day of the month.

    today: fixes the century, at most 49 years back to 50 ahead (section 7.12); None takes 20YY and
    serves only to check the form. Raises ContractError.
    """
    year, month, day = int(value[:2]), int(value[2:4]), int(value[4:6])
    century = 2000
    if today is not None:
        difference = year - today.year % 100
        century = today.year - today.year % 100
        if difference >= 51:
            century -= 100
        elif difference <= -50:
            century += 100
    try:
        if day == 0:
            day = calendar.monthrange(century + year, month)[1]
        return date(century + year, month, day)
    except (ValueError, calendar.IllegalMonthError) as error:
        raise ContractError(f"{value[:6]!r} is not a date YYMMDD") from error


def parse_measure(element: Element) -> Decimal:
    """Return the value of a trade measure (AI 310n to 369n): six digits with n decimal places."""
    return Decimal(int(element.value)).scaleb(-int(element.ai[3]))


def mass_unit(element: Element) -> str | None:
    """Return the UN/CEFACT unit of a mass element (310n net kilograms ...), None for any other."""
    return MASS_UNIT_BY_AI.get(element.ai[:3]) if len(element.ai) == 4 else None


def _element_at(message: str, position: int) -> tuple[Element, int]:
    for length in (2, 3, 4):
        ai = message[position : position + length]
        rule = FORMATS.get(ai)
        if rule is not None:
            break
    else:
        raise ContractError(
            f"no application identifier at {message[position : position + 4]!r}",
            hint="Scan the GS1 bar code of the label; this one follows another scheme.",
        )
    begin = position + length
    if ai[:2] in PREDEFINED_PREFIXES:
        end = begin + rule.length_max
    else:
        end = message.find(GS, begin)
        end = len(message) if end == -1 else end
    element = Element(ai=ai, value=message[begin:end])
    check_element(element)
    return element, end


def _refuse_contradictions(elements: list[Element]) -> None:
    values: dict[str, str] = {}
    for element in elements:
        if values.setdefault(element.ai, element.value) != element.value:
            raise ContractError(f"({element.ai}) occurs twice with different content")
