"""Code 128 and GS1-128 as symbol values and as widths of bars and spaces. Pure.

    quiet zone | start B or C | data ... | check symbol | stop | quiet zone
                 11 modules     11 each    11             13

Leading pairs of digits are written in subset C, all from the first other character on in B, where
we then stay: one change of subset at most, which every printer and reader agrees on.

Sources: ISO/IEC 15417 table 1 (element widths), annex A (check character); GS1 General
Specifications 5.4 (48 characters, quiet zone 10 X).
"""

import re

from drivers.errors import LabelInvalid
from drivers.gs1_elements import FNC1, gs1_tokens

CODE_128_CHARACTERS_MAX = 80  # Our own limit; more does not fit a label of this trade.
GS1_CODE_128_CHARACTERS_MAX = 48
CODE_128_QUIET_ZONE_MODULES = 10  # On either side.
SYMBOL_MODULES, STOP_MODULES = 11, 13
CODE_B, CODE_FNC1, START_B, START_C, STOP = 100, 102, 104, 105, 106


def code_128_symbols(data: str) -> tuple[int, ...]:
    """Return start and data as symbol values. Raises LabelInvalid but for 1 to 80 of ASCII."""
    if not 1 <= len(data) <= CODE_128_CHARACTERS_MAX or not _PRINTABLE_ASCII.fullmatch(data):
        raise LabelInvalid(
            f"Code 128 cannot hold {data!r}",
            hint=f"Use 1 to {CODE_128_CHARACTERS_MAX} letters, digits and signs of ASCII.",
        )
    if re.match(r"[0-9]{4}", data):
        return _symbols_from_digits(tuple(data))
    return (START_B, *_subset_b(tuple(data)))


def gs1_code_128_symbols(elements: tuple[tuple[str, str], ...]) -> tuple[int, ...]:
    """Return start, FNC1 and the elements as symbol values.

    Raises LabelInvalid, see `gs1_elements.check_gs1_elements`.
    """
    tokens = gs1_tokens(elements)
    if len(tokens) > GS1_CODE_128_CHARACTERS_MAX:
        raise LabelInvalid(
            f"a GS1-128 of {len(tokens)} characters",
            hint=f"Keep a GS1-128 within {GS1_CODE_128_CHARACTERS_MAX} characters; use two.",
        )
    return _symbols_from_digits((FNC1, *tokens))


def width_modules(symbols: tuple[int, ...]) -> int:
    """Return the width of start, data, check symbol and stop, without quiet zones."""
    return (len(symbols) + 1) * SYMBOL_MODULES + STOP_MODULES


def bar_widths(symbols: tuple[int, ...]) -> tuple[int, ...]:
    """Return the modules of bar, space, bar ... of the whole symbol, check symbol and stop too."""
    total = symbols[0] + sum(place * value for place, value in enumerate(symbols))
    values = (*symbols, total % 103, STOP)
    return tuple(int(width) for value in values for width in _WIDTHS[value])


def _symbols_from_digits(tokens: tuple[str, ...]) -> tuple[int, ...]:
    symbols = [START_C]
    position = 0
    while position < len(tokens):
        if tokens[position] == FNC1:
            symbols.append(CODE_FNC1)
            position += 1
        elif _is_pair(tokens[position : position + 2]):
            symbols.append(int("".join(tokens[position : position + 2])))
            position += 2
        else:
            break
    rest = tokens[position:]
    if rest:
        symbols += [CODE_B, *_subset_b(rest)]
    return tuple(symbols)


def _is_pair(tokens: tuple[str, ...]) -> bool:
    return len(tokens) == 2 and "".join(tokens).isdecimal()


def _subset_b(tokens: tuple[str, ...]) -> list[int]:
    return [CODE_FNC1 if token == FNC1 else ord(token) - 32 for token in tokens]


_PRINTABLE_ASCII = re.compile(r"[ -~]+")
_WIDTHS_TEXT = (
    "212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 "
    "112232 122132 122231 113222 123122 123221 223211 221132 221231 213212 223112 312131 "
    "311222 321122 321221 312212 322112 322211 212123 212321 232121 111323 131123 131321 "
    "112313 132113 132311 211313 231113 231311 112133 112331 132131 113123 113321 133121 "
    "313121 211331 231131 213113 213311 213131 311123 311321 331121 312113 312311 332111 "
    "314111 221411 431111 111224 111422 121124 121421 141122 141221 112214 112412 122114 "
    "122411 142112 142211 241211 221114 413111 241112 134111 111242 121142 121241 114212 "
    "124112 124211 411212 421112 421211 212141 214121 412121 111143 111341 131141 114113 "
    "114311 411113 411311 113141 114131 311141 411131 211412 211214 211232 2331112"
)
_WIDTHS = tuple(_WIDTHS_TEXT.split())
