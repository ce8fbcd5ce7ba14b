"""Code 128 bar codes as SVG, for the sheet of commands. Pure.

    quiet zone | start B | data ... | check symbol | stop | quiet zone

Code set B only: all of printable ASCII. Check symbol: (start + sum of position * value) mod 103.
Source: ISO/IEC 15417, table 1 (element widths) and annex A (check character).
"""

WIDTHS_TEXT = (
    "212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 "
    "122132 122231 113222 123122 123221 223211 221132 221231 213212 223112 312131 311222 321122 "
    "321221 312212 322112 322211 212123 212321 232121 111323 131123 131321 112313 132113 132311 "
    "211313 231113 231311 112133 112331 132131 113123 113321 133121 313121 211331 231131 213113 "
    "213311 213131 311123 311321 331121 312113 312311 332111 314111 221411 431111 111224 111422 "
    "121124 121421 141122 141221 112214 112412 122114 122411 142112 142211 241211 221114 413111 "
    "241112 134111 111242 121142 121241 114212 124112 124211 411212 421112 421211 212141 214121 "
    "412121 111143 111341 131141 114113 114311 411113 411311 113141 114131 311141 411131 211412 "
    "211214 211232 2331112"
)
WIDTHS = tuple(WIDTHS_TEXT.split())
START_B, STOP = 104, 106
QUIET_MODULES = 10
DATA_CHARACTERS_MAX = 80


def code128_svg(data: str, *, height: int) -> str:
    """Return an SVG element of printable ASCII, one user unit a module, `height` units high.

    It has no text of its own and no script. Data that Code 128 B cannot hold is our mistake.
    """
    widths = "".join(WIDTHS[value] for value in _symbols(data))
    bars: list[str] = []
    position = QUIET_MODULES
    for place, width in enumerate(int(digit) for digit in widths):
        if place % 2 == 0:
            bars.append(f"M{position} 0h{width}v{height}h-{width}z")
        position += width
    total = position + QUIET_MODULES
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {total} {height}"'
        f' width="{total * 2}" height="{height * 2}" shape-rendering="crispEdges">'
        f'<path d="{"".join(bars)}"/></svg>'
    )


def _symbols(data: str) -> list[int]:
    assert data and len(data) <= DATA_CHARACTERS_MAX
    assert all(" " <= character <= "~" for character in data)
    values = [ord(character) - 32 for character in data]
    total = START_B + sum(place * value for place, value in enumerate(values, start=1))
    return [START_B, *values, total % 103, STOP]
