"""Code 128 bar codes as SVG, for the sheet of commands and the codes of devices. Pure."""

from drivers.code_128 import (
    CODE_128_CHARACTERS_MAX,
    CODE_128_QUIET_ZONE_MODULES,
    bar_widths,
    code_128_symbols,
)


def code128_svg(data: str, *, height: int) -> str:
    """Return an SVG element of printable ASCII, one user unit a module, `height` units high.

    It has no text of its own and no script. Data that Code 128 cannot hold is our mistake.
    """
    assert 1 <= len(data) <= CODE_128_CHARACTERS_MAX
    assert all(" " <= character <= "~" for character in data)
    bars: list[str] = []
    position = CODE_128_QUIET_ZONE_MODULES
    for place, width in enumerate(bar_widths(code_128_symbols(data))):
        if place % 2 == 0:
            bars.append(f"M{position} 0h{width}v{height}h-{width}z")
        position += width
    total = position + CODE_128_QUIET_ZONE_MODULES
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {total} {height}"'
        f' width="{total * 2}" height="{height * 2}" shape-rendering="crispEdges">'
        f'<path d="{"".join(bars)}"/></svg>'
    )
