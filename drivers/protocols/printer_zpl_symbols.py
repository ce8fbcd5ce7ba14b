"""Field data and exact sizes of the bar codes on a ZPL label. Pure.

Code 128 is written in ZPL mode N, that is, we choose the subsets (`code_128`); modes A and D choose
by themselves and differ from one renderer to the next. In mode N `>` begins an invocation code:

    >;  start in subset C (pairs of digits)      >8  FNC1
    >:  start in subset B (printable ASCII)      >0  the character ">"
    >6  go to subset B, where we then stay

Letters after `>;` without `>6` would vanish without a trace: the symbol scans, with less in it.
We never go back to C: `>8>5` is read differently by different renderers.

Sources: Zebra ZPL II programming guide, ^BC (table "Code 128 invocation characters") and ^BX;
ISO/IEC 16022 table 7 (Data Matrix sizes).
"""

import re
from dataclasses import dataclass

from drivers.code_128 import (
    CODE_B,
    CODE_FNC1,
    START_B,
    START_C,
    code_128_symbols,
    gs1_code_128_symbols,
    width_modules,
)
from drivers.errors import LabelInvalid
from drivers.gs1_elements import FNC1, gs1_tokens

DATA_MATRIX_QUIET_ZONE_MODULES = 1  # All around.


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
    return _written(code_128_symbols(data))


def encode_gs1_code_128(elements: tuple[tuple[str, str], ...]) -> Symbol:
    """Return the elements as GS1-128. Raises LabelInvalid, see `check_gs1_elements`."""
    return _written(gs1_code_128_symbols(elements))


def encode_gs1_data_matrix(elements: tuple[tuple[str, str], ...]) -> Symbol:
    """Return the elements as GS1 DataMatrix, escape character `_` (the seventh field of ^BX).

    Raises LabelInvalid, see `check_gs1_elements`.
    """
    tokens = (FNC1, *gs1_tokens(elements))
    field_data = "".join(_DATA_MATRIX_ESCAPES.get(token, token) for token in tokens)
    codewords_count = len(re.sub(r"\d\d", "d", "".join(tokens)))
    for capacity_codewords, side_modules in _DATA_MATRIX_SQUARES:
        if codewords_count <= capacity_codewords:
            return Symbol(field_data, side_modules)
    raise LabelInvalid(
        f"a Data Matrix of {codewords_count} codewords",
        hint="Put fewer GS1 elements into one Data Matrix.",
    )


_DATA_MATRIX_ESCAPES = {FNC1: "_1", "_": "__"}
# (data codewords, side in modules) of the square symbols of ISO/IEC 16022.
_DATA_MATRIX_SQUARES = (
    *((3, 10), (5, 12), (8, 14), (12, 16), (18, 18), (22, 20), (30, 22), (36, 24), (44, 26)),
    *((62, 32), (86, 36), (114, 40), (144, 44), (174, 48), (204, 52), (280, 64), (368, 72)),
    *((456, 80), (576, 88), (696, 96), (816, 104), (1050, 120), (1304, 132), (1558, 144)),
)
_STARTS = {START_B: ">:", START_C: ">;"}


def _written(symbols: tuple[int, ...]) -> Symbol:
    written = _STARTS[symbols[0]]
    pairs = symbols[0] == START_C
    for value in symbols[1:]:
        if value == CODE_FNC1:
            written += ">8"
        elif pairs and value == CODE_B:
            written += ">6"
            pairs = False
        elif pairs:
            written += f"{value:02d}"
        else:
            written += ">0" if value == ord(">") - 32 else chr(value + 32)
    return Symbol(written, width_modules(symbols))
