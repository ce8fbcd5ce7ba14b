"""Amounts as lying bars, as stacked columns, and as a Pareto chart. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from markupsafe import Markup

from central.web.charts_frame import (
    NARROW,
    SERIES_MAX,
    WIDE,
    Picture,
    Scale,
    Size,
    Writing,
    area_mark,
    box,
    clipped,
    framed,
    hatch,
    hatches,
    line,
    marker,
    number,
    text,
    upright_axis,
    value_scale,
)

BARS_MAX = 40
COLUMNS_MAX = 62
_BAR_HEIGHT = 26


@dataclass(frozen=True, slots=True)
class Bar:
    """One amount with its label; mark: a letter or two over it in a Pareto chart, "" for none."""

    label: str
    value: Decimal
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Stack:
    """One series of a stacked chart: its label, and a value of zero or more for each column."""

    label: str
    values: tuple[Decimal, ...]


def bar_chart(bars: Sequence[Bar], picture: Picture, writing: Writing) -> Markup:
    """Return lying bars in the given order, each with its label and number; at most BARS_MAX."""
    shown = bars[:BARS_MAX]
    height = max(1, len(shown)) * _BAR_HEIGHT + 16
    sizes = (
        Size(WIDE.name, WIDE.width, height, left=190, right=90, top=8, bottom=8),
        Size(NARROW.name, NARROW.width, height, left=110, right=64, top=8, bottom=8),
    )

    def draw(size: Size) -> Iterator[str]:
        if not shown:
            yield _nothing(size, writing)
            return
        values = [bar.value for bar in shown]
        ends = (float(size.left), float(size.width - size.right))
        across = value_scale(values, start=ends[0], end=ends[1], ticks_max=6)
        zero = across.at(Decimal(0))
        for index, bar in enumerate(shown):
            y = size.top + index * _BAR_HEIGHT
            x = across.at(bar.value)
            words = writing.quantity(bar.value)
            label = clipped(bar.label, 15 if size.narrow else 28)
            yield text(label, size.left - 8, y + 16, "name", anchor="end")
            yield box("f0", min(x, zero), y + 4, abs(x - zero), 16, hint=f"{bar.label}: {words}")
            yield text(words, max(x, zero) + 5, y + 16, "amount")
        yield line("zero", zero, size.top, zero, size.height - size.bottom)

    return framed(picture, draw, sizes=sizes)


def stacked_chart(
    columns: Sequence[str], stacks: Sequence[Stack], picture: Picture, writing: Writing
) -> Markup:
    """Return columns side by side, each stacked of at most SERIES_MAX series from below.

    columns: their labels, at most COLUMNS_MAX; where they do not fit, every second or third is
    written. One series makes plain columns.
    """
    labels, shown = columns[:COLUMNS_MAX], stacks[:SERIES_MAX]

    def draw(size: Size) -> Iterator[str]:
        sums = [
            sum((one.values[at] for one in shown if at < len(one.values)), Decimal(0))
            for at in range(len(labels))
        ]
        if not any(sums):
            yield _nothing(size, writing)
            return
        prefix = f"{picture.key}-{size.name}"
        yield hatches(prefix, len(shown))
        down = value_scale(
            sums, start=size.height - size.bottom, end=size.top, ticks_max=5 if size.narrow else 6
        )
        yield from upright_axis(size, down, writing.short)
        step = size.inner_width / len(labels)
        for at, label in enumerate(labels):
            x, base = size.left + at * step, Decimal(0)
            for index, one in enumerate(shown):
                value = one.values[at] if at < len(one.values) else Decimal(0)
                if not value:
                    continue
                low, high = down.at(base), down.at(base + value)
                hint = f"{label} · {one.label}: {writing.quantity(value)}"
                fill = hatch(prefix, index)
                yield box("", x + step * 0.12, high, step * 0.76, low - high, hint=hint, fill=fill)
                base += value
        yield from _labels(labels, size)

    names = [one.label for one in shown]
    return framed(picture, draw, legend=names, legend_mark=area_mark)


def pareto_chart(bars: Sequence[Bar], total: Decimal, picture: Picture, writing: Writing) -> Markup:
    """Return columns from the largest on and, as a line, what share of `total` they reach.

    At most COLUMNS_MAX bars, 24 on a telephone. total: of all, also of what is not among the bars.
    """

    def draw(size: Size) -> Iterator[str]:
        shown = bars[: 24 if size.narrow else COLUMNS_MAX]
        if not shown or total <= 0:
            yield _nothing(size, writing)
            return
        values = [bar.value for bar in shown]
        base = float(size.height - size.bottom)
        down = value_scale(values, start=base, end=size.top, ticks_max=5)
        yield from upright_axis(size, down, writing.short)
        shares = Scale(Decimal(0), Decimal(1), base, size.top, ())
        for part in (Decimal(0), Decimal("0.5"), Decimal("0.8"), Decimal(1)):
            y = shares.at(part)
            yield text(writing.percent(part), size.width - size.right + 6, y + 4, "tick")
        yield line("limit", size.left, shares.at(Decimal("0.8")), size.width - size.right,
                   shares.at(Decimal("0.8")))  # fmt: skip
        yield from _pareto(shown, total, size, writing, down=down, shares=shares)

    sizes = (
        Size(WIDE.name, WIDE.width, WIDE.height, right=52, top=26, bottom=34),
        Size(NARROW.name, NARROW.width, NARROW.height, left=40, right=40, top=26, bottom=34),
    )
    return framed(picture, draw, sizes=sizes)


def _pareto(
    bars: Sequence[Bar], total: Decimal, size: Size, writing: Writing, *, down: Scale, shares: Scale
) -> Iterator[str]:
    step = size.inner_width / len(bars)
    reached, places = Decimal(0), []
    for at, bar in enumerate(bars):
        reached += bar.value
        share = min(reached / total, Decimal(1))
        x, y = size.left + at * step, down.at(bar.value)
        hint = f"{bar.label}: {writing.quantity(bar.value)} · {writing.percent(share)}"
        width, height = step * 0.8, size.height - size.bottom - y
        yield box("f0", x + step * 0.1, y, width, height, hint=hint)
        places.append((x + step / 2, shares.at(share)))
    drawn = "L".join(f"{number(x)} {number(y)}" for x, y in places)
    yield f'<path class="line s2" d="M{drawn}"/>'
    yield from (marker(0, x, y).replace("f0", "f2") for x, y in places)
    yield from _labels([bar.label for bar in bars], size)
    before = ""
    for at, bar in enumerate(bars):
        if bar.mark != before:
            x = size.left + at * step
            yield line("border", x, size.top, x, size.height - size.bottom)
            yield text(bar.mark, x + 4, size.top - 10, "mark")
            before = bar.mark


def _labels(labels: Sequence[str], size: Size) -> Iterator[str]:
    step = size.inner_width / len(labels)
    longest = max((len(clipped(label, 12)) for label in labels), default=1)
    every = max(1, -(-int(longest * 7.5 + 6) // max(1, int(step))))
    for at in range(0, len(labels), every):
        x = size.left + (at + 0.5) * step
        words = clipped(labels[at], 12)
        yield text(words, x, size.height - size.bottom + 18, "tick", anchor="middle")


def _nothing(size: Size, writing: Writing) -> str:
    words = writing.say("There is nothing to show yet.")
    return text(words, size.width / 2, size.height / 2 + 4, "none", anchor="middle")
