"""Values over time as lines or steps. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from markupsafe import Markup

from central.web.charts_frame import (
    SERIES_MAX,
    Picture,
    Scale,
    Size,
    Writing,
    dash,
    framed,
    line,
    marker,
    number,
    safe,
    text,
    upright_axis,
    value_scale,
)

POINTS_MAX = 1000
DAY_MS = 86_400_000
_MARKERS_MAX = 24


@dataclass(frozen=True, slots=True)
class Series:
    """One line: its label, and (time in ms, value) in the order of time."""

    label: str
    points: tuple[tuple[int, Decimal], ...]


def line_chart(
    series: Sequence[Series], picture: Picture, writing: Writing, *, steps: bool = False
) -> Markup:
    """Return values over time; zero is always on the axis.

    At most SERIES_MAX series, and of each the last POINTS_MAX points. steps: a value holds until
    the next one, as stock does. Without any point it says so.
    """
    shown = [Series(one.label, one.points[-POINTS_MAX:]) for one in series[:SERIES_MAX]]

    def draw(size: Size) -> Iterator[str]:
        times = [time_ms for one in shown for time_ms, _ in one.points]
        if not times:
            yield text(
                writing.say("There is nothing to show yet."),
                size.width / 2,
                size.height / 2,
                "none",
                anchor="middle",
            )
            return
        across = _time_scale(times, size)
        values = [value for one in shown for _, value in one.points]
        down = value_scale(
            values, start=size.height - size.bottom, end=size.top, ticks_max=5 if size.narrow else 6
        )
        yield from upright_axis(size, down, writing.short)
        yield from _days(size, across, writing)
        for index, one in enumerate(shown):
            yield from _one(index, one, across, down, writing, steps=steps)

    return framed(picture, draw, legend=[one.label for one in shown])


def _time_scale(times: Sequence[int], size: Size) -> Scale:
    low, high = min(times), max(times)
    high = max(high, low + 1)
    count = 4 if size.narrow else 8
    days = max(1, -(-(high - low) // DAY_MS))
    step = -(-days // count) * DAY_MS
    first = -(-low // DAY_MS) * DAY_MS
    ticks = tuple(Decimal(time_ms) for time_ms in range(first, high + 1, step))
    ends = (float(size.left), float(size.width - size.right))
    return Scale(Decimal(low), Decimal(high), *ends, ticks or (Decimal(low),))


def _days(size: Size, across: Scale, writing: Writing) -> Iterator[str]:
    base = size.height - size.bottom
    for tick in across.ticks:
        x = across.at(tick)
        yield line("grid", x, base, x, base + 4)
        anchor = "end" if x > size.width - size.right - 20 else "middle"
        yield text(writing.day(int(tick)), x, base + 18, "tick", anchor=anchor)


def _one(
    index: int, series: Series, across: Scale, down: Scale, writing: Writing, *, steps: bool
) -> Iterator[str]:
    places = [(across.at(Decimal(time_ms)), down.at(value)) for time_ms, value in series.points]
    if not places:
        return
    drawn = [f"M{number(places[0][0])} {number(places[0][1])}"]
    for x, y in places[1:]:
        drawn.append(f"H{number(x)}V{number(y)}" if steps else f"L{number(x)} {number(y)}")
    hint = f"{series.label}: {writing.quantity(series.points[-1][1])}"
    yield (
        f'<path class="line s{index}" d="{"".join(drawn)}"{dash(index)}>'
        f"<title>{safe(hint)}</title></path>"
    )
    every = max(1, -(-len(places) // _MARKERS_MAX))
    for x, y in places[:: -every if every else 1]:
        yield marker(index, x, y)
