"""Frame of every chart: sizes, axes, marks that differ without colour, safe text. Pure."""

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Protocol

from markupsafe import Markup, escape

SERIES_MAX = 8
LABEL_CHARACTERS_MAX = 200
TICKS_MAX = 12
DASHES = ("", "7 3", "2 3", "9 3 2 3", "4 4", "12 4", "1 4", "6 2 1 2 1 2")
_SHAPES = (
    "M-3 0a3 3 0 1 0 6 0a3 3 0 1 0-6 0",
    "M-3-3h6v6h-6z",
    "M0-4l4 7h-8z",
    "M0-4l4 4-4 4-4-4z",
)
_HATCHES = (
    "",
    "M0 6L6 0",
    "M0 0L6 6",
    "M0 3H6",
    "M3 0V6",
    "M0 6L6 0M0 0L6 6",
    "M3 0V6M0 3H6",
    "M2 2h2v2h-2z",
)


class Writing(Protocol):
    """How one language writes what stands in a chart; `chart_words.chart_words` gives one."""

    def say(self, message: str) -> str:
        """Return the translation of a text."""
        ...

    def quantity(self, value: Decimal) -> str:
        """Return a number in full."""
        ...

    def short(self, value: Decimal) -> str:
        """Return a number for an axis, e.g. "12K" or "1.2万"."""
        ...

    def percent(self, share: Decimal) -> str:
        """Return a share of 1, e.g. "80%"."""
        ...

    def day(self, time_ms: int) -> str:
        """Return the day of a time, without its year."""
        ...


@dataclass(frozen=True, slots=True)
class Picture:
    """What a chart is called. key: unique in the page, letters, digits and "-" only.

    title: what it shows, in a few words; description: what one sees in it, in a sentence or two,
    for whoever does not see it. Both in the reader's language.
    """

    key: str
    title: str
    description: str


@dataclass(frozen=True, slots=True)
class Size:
    """One of the two sizes in which every chart is drawn; the style sheet shows one of them.

    left .. bottom: room for the axes, in the same units as width and height.
    """

    name: str
    width: int
    height: int
    left: int = 56
    right: int = 16
    top: int = 14
    bottom: int = 30

    @property
    def inner_width(self) -> int:
        """Return the width between the axes."""
        return self.width - self.left - self.right

    @property
    def inner_height(self) -> int:
        """Return the height between the axes."""
        return self.height - self.top - self.bottom

    @property
    def narrow(self) -> bool:
        """Return whether it is for a telephone."""
        return self.name == "narrow"


WIDE = Size("wide", 760, 300)
NARROW = Size("narrow", 350, 260, left=46, right=10)


@dataclass(frozen=True, slots=True)
class Scale:
    """Where values stand between two ends of an axis. ticks: round values, rising."""

    low: Decimal
    high: Decimal
    start: float
    end: float
    ticks: tuple[Decimal, ...]

    def at(self, value: Decimal) -> float:
        """Return the place of a value."""
        share = float((value - self.low) / (self.high - self.low))
        return self.start + share * (self.end - self.start)


def framed(
    picture: Picture,
    draw: Callable[[Size], Iterable[str]],
    *,
    sizes: Sequence[Size] = (WIDE, NARROW),
    legend: Sequence[str] = (),
    legend_mark: Callable[[int], str] | None = None,
) -> Markup:
    """Return a chart in both sizes, with the legend of its series if there are several."""
    drawn = "".join(_svg(picture, size, draw(size)) for size in sizes)
    marks = "".join(
        f'<li><svg class="swatch" width="28" height="12" viewBox="0 0 28 12" aria-hidden="true">'
        f"{(legend_mark or line_mark)(number)}</svg>{safe(label)}</li>"
        for number, label in enumerate(legend)
    )
    listed = f'<ul class="legend">{marks}</ul>' if len(legend) > 1 else ""
    # Everything in it was escaped where it came in.
    return Markup(f'<div class="chart-box">{drawn}{listed}</div>')  # noqa: S704 - ours


def value_scale(values: Iterable[Decimal], *, start: float, end: float, ticks_max: int) -> Scale:
    """Return a scale over values and zero with at most `ticks_max` ticks; whole if they are."""
    found = [Decimal(0), *values]
    low, high = min(found), max(found)
    if low == high:
        high = low + 1
    step = _round_step((high - low) / max(ticks_max - 1, 1))
    if all(value == value.to_integral_value() for value in found):
        step = max(step, Decimal(1))
    first = (low / step).to_integral_value(ROUND_FLOOR)
    last = (high / step).to_integral_value(ROUND_CEILING)
    ticks = tuple(step * number for number in range(int(first), int(last) + 1))
    return Scale(ticks[0], ticks[-1], start, end, ticks)


def upright_axis(size: Size, scale: Scale, write: Callable[[Decimal], str]) -> Iterator[str]:
    """Yield the lines and texts of the axis of values at the left, and the line of zero."""
    for tick in scale.ticks:
        y = scale.at(tick)
        kind = "zero" if tick == 0 else "grid"
        yield line(kind, size.left, y, size.width - size.right, y)
        yield text(write(tick), size.left - 6, y + 4, "tick", anchor="end")


def text(words: str, x: float, y: float, kind: str = "", *, anchor: str = "start") -> str:
    """Return words at a place."""
    return (
        f'<text class="{kind}" x="{number(x)}" y="{number(y)}" text-anchor="{anchor}">'
        f"{safe(words)}</text>"
    )


def line(kind: str, x1: float, y1: float, x2: float, y2: float) -> str:
    """Return a straight line."""
    ends = zip(("x1", "y1", "x2", "y2"), (x1, y1, x2, y2), strict=True)
    places = " ".join(f'{name}="{number(value)}"' for name, value in ends)
    return f'<line class="{kind}" {places}/>'


def box(
    kind: str, x: float, y: float, width: float, height: float, *, hint: str, fill: str = ""
) -> str:
    """Return a rectangle with the words that appear over it. fill: of a hatch, "" for none."""
    places = f'x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{number(height)}"'
    filled = f' fill="{fill}"' if fill else ""
    return f'<rect class="{kind}" {places}{filled}><title>{safe(hint)}</title></rect>'


def hatches(prefix: str, count: int) -> str:
    """Return the patterns that tell filled areas apart without colour; see `hatch`."""
    patterns = "".join(
        f'<pattern id="{prefix}-h{index}" width="6" height="6" patternUnits="userSpaceOnUse">'
        f'<rect class="f{index}" width="6" height="6"/>'
        f'<path class="hatch" d="{_HATCHES[index]}"/></pattern>'
        for index in range(count)
    )
    return f"<defs>{patterns}</defs>"


def hatch(prefix: str, index: int) -> str:
    """Return what fills an area of a series."""
    return f"url(#{prefix}-h{index})"


def line_mark(index: int) -> str:
    """Return the line of a series for a legend."""
    stroke = f'<path class="line s{index}" d="M0 6H28"{dash(index)}/>'
    return stroke + marker(index, 14, 6)


def area_mark(index: int) -> str:
    """Return the area of a series for a legend."""
    drawn = f'<rect class="f{index}" x="4" width="20" height="12"/>'
    return drawn + f'<path class="hatch" d="{_HATCHES[index]}" transform="translate(10 3)"/>'


def marker(index: int, x: float, y: float) -> str:
    """Return the mark of a series at a place."""
    shape = _SHAPES[index % len(_SHAPES)]
    return f'<path class="f{index}" transform="translate({number(x)} {number(y)})" d="{shape}"/>'


def dash(index: int) -> str:
    """Return the attribute that breaks the line of a series."""
    return f' stroke-dasharray="{DASHES[index]}"' if DASHES[index] else ""


def safe(words: str) -> str:
    """Return text for markup, without signs that cannot be seen, of bounded length."""
    shown = "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in words)
    if len(shown) > LABEL_CHARACTERS_MAX:
        shown = shown[: LABEL_CHARACTERS_MAX - 1] + "…"
    return str(escape(shown))


def clipped(words: str, width_max: int) -> str:
    """Return text of at most so many columns; a Chinese character takes two."""
    width, kept = 0, []
    for sign in words[: LABEL_CHARACTERS_MAX + 1]:
        width += 2 if unicodedata.east_asian_width(sign) in "WF" else 1
        kept.append(sign)
        if width > width_max:
            while kept and width > width_max - 1:
                width -= 2 if unicodedata.east_asian_width(kept.pop()) in "WF" else 1
            return "".join(kept) + "…"
    return "".join(kept)


def number(value: float) -> str:
    """Return a place with one digit behind the point."""
    return f"{value:.1f}".removesuffix(".0")


def _svg(picture: Picture, size: Size, parts: Iterable[str]) -> str:
    name = f"{picture.key}-{size.name}"
    return (
        f'<svg class="chart {size.name}" role="img" viewBox="0 0 {size.width} {size.height}" '
        f'aria-labelledby="{name}-title {name}-desc">'
        f'<title id="{name}-title">{safe(picture.title)}</title>'
        f'<desc id="{name}-desc">{_whole(picture.description)}</desc>{"".join(parts)}</svg>'
    )


def _whole(words: str) -> str:
    return "".join(safe(words[at : at + 100]) for at in range(0, min(len(words), 2000), 100))


def _round_step(raw: Decimal) -> Decimal:
    power = Decimal(1).scaleb(raw.adjusted())
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw)
