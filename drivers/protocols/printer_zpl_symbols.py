"""Field data and exact sizes of the bar codes on a ZPL label. Pure.

Code 128 is written in ZPL mode N, that is, we choose the subsets; modes A and D choose by
themselves and differ from one renderer to the next. In mode N `>` begins an invocation code:

    >;  start in subset C (pairs of digits)      >8  FNC1
    >:  start in subset B (printable ASCII)      >0  the character ">"
    >6  go to subset B, where we then stay

Letters after `>;` without `>6` would vanish without a trace: the symbol scans, with less in it.

Sources: Zebra ZPL II programming guide, ^BC (table "Code 128 invocation characters") and ^BX;
ISO/IEC 15417 (Code 128); ISO/IEC 16022 table 7 (Data Matrix sizes); GS1 General Specifications
5.4 (48 characters, quiet zone 10 X), 7.8.5 figure 7.8.5-2 (elements of predefined length),
7.11 (character set 82).
"""

import re
from dataclasses import dataclass

from drivers.errors import LabelInvalid

CODE_128_CHARACTERS_MAX = 80  # Our own limit; more does not fit a label of this trade.
GS1_CODE_128_CHARACTERS_MAX = 48
CODE_128_QUIET_ZONE_MODULES = 10  # On either side.
DATA_MATRIX_QUIET_ZONE_MODULES = 1  # All around.
GS1_ELEMENTS_MAX = 16


@dataclass(frozen=True, slots=True)
class Symbol:
    """What to write after ^FD, before escaping, and how many modules wide the symbol becomes.

    `width_modules` is without quiet zones. For a Data Matrix it is an upper limit: a printer
    that compresses better than plain ASCII encodation may print a smaller square.
    """

    field_data: str
    width_modules: int


def encode_code_128(data: str) -> Symbol:
    """Return `data` as Code 128. Raises LabelInvalid for all but 1 to 80 printable ASCII."""
    if not 1 <= len(data) <= CODE_128_CHARACTERS_MAX or not _PRINTABLE_ASCII.fullmatch(data):
        raise LabelInvalid(
            f"Code 128 cannot hold {data!r}",
            hint=f"Use 1 to {CODE_128_CHARACTERS_MAX} letters, digits and signs of ASCII.",
        )
    if re.match(r"\d{4}", data):
        return _code_128_from_digits(tuple(data))
    return Symbol(">:" + _subset_b(data), _code_128_width_modules(len(data)))


def encode_gs1_code_128(elements: tuple[tuple[str, str], ...]) -> Symbol:
    """Return the elements as GS1-128. Raises LabelInvalid, see `check_gs1_elements`."""
    tokens = _gs1_tokens(elements)
    if len(tokens) > GS1_CODE_128_CHARACTERS_MAX:
        raise LabelInvalid(
            f"a GS1-128 of {len(tokens)} characters",
            hint=f"Keep a GS1-128 within {GS1_CODE_128_CHARACTERS_MAX} characters; use two.",
        )
    return _code_128_from_digits((_FNC1, *tokens))


def encode_gs1_data_matrix(elements: tuple[tuple[str, str], ...]) -> Symbol:
    """Return the elements as GS1 DataMatrix, escape character `_` (the seventh field of ^BX).

    Raises LabelInvalid, see `check_gs1_elements`.
    """
    tokens = (_FNC1, *_gs1_tokens(elements))
    field_data = "".join(_DATA_MATRIX_ESCAPES.get(token, token) for token in tokens)
    codewords_count = len(re.sub(r"\d\d", "d", "".join(tokens)))
    for capacity_codewords, side_modules in _DATA_MATRIX_SQUARES:
        if codewords_count <= capacity_codewords:
            return Symbol(field_data, side_modules)
    raise LabelInvalid(
        f"a Data Matrix of {codewords_count} codewords",
        hint="Put fewer GS1 elements into one Data Matrix.",
    )


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
        if not _GS1_IDENTIFIER.fullmatch(identifier) or not _GS1_VALUE.fullmatch(value):
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


_FNC1 = "\x1d"  # Inside this module only: never a legal character of the data.
_PRINTABLE_ASCII = re.compile(r"[ -~]+")
_GS1_IDENTIFIER = re.compile(r"[0-9]{2,4}")
_GS1_VALUE = re.compile(r"""[!"#%&'()*+,\-./0-9:;<=>?A-Z_a-z]{1,90}""")
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
_DATA_MATRIX_ESCAPES = {_FNC1: "_1", "_": "__"}
# (data codewords, side in modules) of the square symbols of ISO/IEC 16022.
_DATA_MATRIX_SQUARES = (
    *((3, 10), (5, 12), (8, 14), (12, 16), (18, 18), (22, 20), (30, 22), (36, 24), (44, 26)),
    *((62, 32), (86, 36), (114, 40), (144, 44), (174, 48), (204, 52), (280, 64), (368, 72)),
    *((456, 80), (576, 88), (696, 96), (816, 104), (1050, 120), (1304, 132), (1558, 144)),
)


def _gs1_tokens(elements: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    check_gs1_elements(elements)
    message = ""
    for index, (identifier, value) in enumerate(elements):
        message += identifier + value
        if identifier[:2] not in _PREDEFINED_LENGTHS and index < len(elements) - 1:
            message += _FNC1
    return tuple(message)


def _code_128_from_digits(tokens: tuple[str, ...]) -> Symbol:
    """Write the leading pairs of digits in subset C and all from the first odd one on in B.

    Never goes back to C: `>8>5` is read differently by different renderers.
    """
    written = ">;"
    symbols_count = 0
    position = 0
    while position < len(tokens):
        if tokens[position] == _FNC1:
            written += ">8"
            position += 1
        elif _is_pair(tokens[position : position + 2]):
            written += "".join(tokens[position : position + 2])
            position += 2
        else:
            break
        symbols_count += 1
    rest = "".join(tokens[position:])
    if rest:
        written += ">6" + _subset_b(rest)
        symbols_count += 1 + len(rest)
    return Symbol(written, _code_128_width_modules(symbols_count))


def _is_pair(tokens: tuple[str, ...]) -> bool:
    return len(tokens) == 2 and "".join(tokens).isdecimal()


def _subset_b(text: str) -> str:
    return text.replace(">", ">0").replace(_FNC1, ">8")


def _code_128_width_modules(symbols_count: int) -> int:
    """Return start, symbols and check character at 11 modules each, and the stop at 13."""
    return (1 + symbols_count + 1) * 11 + 13
