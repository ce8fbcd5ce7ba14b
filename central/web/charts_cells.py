"""Amounts by two kinds of things at once: a heat map with its numbers in it. Pure."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from markupsafe import Markup

from central.web.charts_frame import (
    NARROW,
    WIDE,
    Picture,
    Size,
    Writing,
    box,
    clipped,
    framed,
    text,
)

ROWS_MAX = 60
COLUMNS_MAX = 24
LEVELS = 5
HEADING_LINES_MAX = 3
_LINE_HEIGHT = 12
_ROW_HEIGHT = 30
_NARROW_TOP = 46


def heat_map(
    rows: Sequence[str],
    columns: Sequence[str],
    values: Sequence[Sequence[Decimal | None]],
    picture: Picture,
    writing: Writing,
) -> Markup:
    """Return a field for each row and column, the darker the larger, with its number in it.

    rows, columns: labels, at most ROWS_MAX and COLUMNS_MAX. values[row][column]: zero or more,
    None for nothing known. On a telephone more than eight columns have no room for their numbers
    and stand under one another.
    """
    rows, columns = rows[:ROWS_MAX], columns[:COLUMNS_MAX]
    height = _NARROW_TOP + max(1, len(rows)) * _ROW_HEIGHT + 4
    sizes = [
        Size(WIDE.name, WIDE.width, height, left=170, right=4, top=34, bottom=4),
        Size(NARROW.name, NARROW.width, height, left=66, right=2, top=_NARROW_TOP, bottom=4),
    ]
    turned = len(columns) > 8
    if turned:
        tall = _NARROW_TOP + len(columns) * _ROW_HEIGHT + 4
        sizes[1] = Size(
            NARROW.name, NARROW.width, tall, left=66, right=2, top=_NARROW_TOP, bottom=4
        )
    largest = max((value for row in values for value in row if value is not None), default=None)

    def draw(size: Size) -> Iterator[str]:
        if largest is None or not rows:
            words = writing.say("There is nothing to show yet.")
            yield text(words, size.width / 2, size.height / 2 + 4, "none", anchor="middle")
            return
        over, beside, turn = columns, rows, size.narrow and turned
        if turn:
            over, beside = rows[:8], columns
        step = size.inner_width / len(over)
        for at, label in enumerate(over):
            yield from _heading(label, size, x=size.left + (at + 0.5) * step, step=step)
        for down, label in enumerate(beside):
            y = size.top + down * _ROW_HEIGHT
            words = clipped(label, 9 if size.narrow else 24)
            yield text(words, size.left - 8, y + 19, "name", anchor="end")
            for at in range(len(over)):
                value = values[at][down] if turn else values[down][at]
                row, column = (at, down) if turn else (down, at)
                hint = f"{rows[row]} · {columns[column]}"
                x = size.left + at * step
                yield from _field(value, writing, largest=largest, x=x, y=y, step=step, hint=hint)

    return framed(picture, draw, sizes=sizes)


def _heading(label: str, size: Size, *, x: float, step: float) -> Iterator[str]:
    """Yield the label of a column; on a telephone its words stand below each other."""
    kind, room = ("tick small", int(step / 5.3)) if size.narrow else ("tick", int(step / 6.6))
    lines = label.split()[:HEADING_LINES_MAX] if size.narrow else [label]
    for up, words in enumerate(reversed(lines)):
        y = size.top - 8 - up * _LINE_HEIGHT
        yield text(clipped(words, max(2, room)), x, y, kind, anchor="middle")


def _field(
    value: Decimal | None,
    writing: Writing,
    *,
    largest: Decimal,
    x: float,
    y: float,
    step: float,
    hint: str,
) -> Iterator[str]:
    level = 0
    if value:
        level = min(LEVELS, 1 + int(value * LEVELS / largest)) if largest > 0 else 1
    words = "–" if value is None else writing.short(value)
    full = "–" if value is None else writing.quantity(value)
    yield box(f"heat{level}", x + 1, y + 1, step - 2, _ROW_HEIGHT - 2, hint=f"{hint}: {full}")
    yield text(words, x + step / 2, y + 19, f"on-heat{level}", anchor="middle")
