"""What goes from where to where, as bands whose width is the amount. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from markupsafe import Markup

from central.web.charts_frame import (
    NARROW,
    SERIES_MAX,
    WIDE,
    Picture,
    Size,
    Writing,
    box,
    clipped,
    framed,
    number,
    safe,
    text,
)

FLOWS_MAX = 60
_GAP = 10
_NODE_WIDTH = 12
_BAND_LABEL_MIN = 13


@dataclass(frozen=True, slots=True)
class Flow:
    """How much went from one place to another; more than zero."""

    origin: str
    target: str
    value: Decimal


@dataclass(frozen=True, slots=True)
class _Node:
    label: str
    value: Decimal
    top: float
    height: float


def flow_chart(flows: Sequence[Flow], picture: Picture, writing: Writing) -> Markup:
    """Return origins at the left, targets at the right, and a band for each flow between them.

    The FLOWS_MAX largest are drawn. A place that both sends and gets stands on both sides.
    """
    largest = sorted((flow for flow in flows if flow.value > 0), key=lambda flow: -flow.value)
    shown = largest[:FLOWS_MAX]
    count = max(len({flow.origin for flow in shown}), len({flow.target for flow in shown}), 1)
    height = max(140, 30 + count * 46)
    sizes = (
        Size(WIDE.name, WIDE.width, height, left=170, right=170, top=14, bottom=10),
        Size(NARROW.name, NARROW.width, height, left=92, right=92, top=14, bottom=10),
    )

    def draw(size: Size) -> Iterator[str]:
        if not shown:
            words = writing.say("There is nothing to show yet.")
            yield text(words, size.width / 2, size.height / 2 + 4, "none", anchor="middle")
            return
        total = sum((flow.value for flow in shown), Decimal(0))
        scale = (size.inner_height - (count - 1) * _GAP) / float(total)
        origins = _nodes([(flow.origin, flow.value) for flow in shown], size, scale)
        targets = _nodes([(flow.target, flow.value) for flow in shown], size, scale)
        yield from _bands(shown, size, writing, origins=origins, targets=targets, scale=scale)
        for index, node in enumerate(origins.values()):
            yield from _side(node, size, index, writing, left=True)
        for node in targets.values():
            yield from _side(node, size, SERIES_MAX - 2, writing, left=False)

    return framed(picture, draw, sizes=sizes)


def _nodes(ends: Sequence[tuple[str, Decimal]], size: Size, scale: float) -> dict[str, _Node]:
    sums: dict[str, Decimal] = {}
    for label, value in ends:
        sums[label] = sums.get(label, Decimal(0)) + value
    found, top = {}, float(size.top)
    for label, value in sorted(sums.items(), key=lambda one: (-one[1], one[0])):
        height = max(float(value) * scale, 1.0)
        found[label] = _Node(label, value, top, height)
        top += height + _GAP
    return found


def _bands(
    flows: Sequence[Flow],
    size: Size,
    writing: Writing,
    *,
    origins: dict[str, _Node],
    targets: dict[str, _Node],
    scale: float,
) -> Iterator[str]:
    left, right = size.left + _NODE_WIDTH, size.width - size.right - _NODE_WIDTH
    middle = number((left + right) / 2)
    used_left = {label: node.top for label, node in origins.items()}
    used_right = {label: node.top for label, node in targets.items()}
    order = list(origins)
    ranks = {label: rank for rank, label in enumerate(targets)}
    for flow in sorted(flows, key=lambda flow: (order.index(flow.origin), ranks[flow.target])):
        height = max(float(flow.value) * scale, 0.8)
        y1, y2 = used_left[flow.origin], used_right[flow.target]
        used_left[flow.origin] += height
        used_right[flow.target] += height
        hint = f"{flow.origin} → {flow.target}: {writing.quantity(flow.value)}"
        upper = f"M{left} {number(y1)}C{middle} {number(y1)} {middle} {number(y2)} {right}"
        lower = f"V{number(y2 + height)}C{middle} {number(y2 + height)} {middle}"
        drawn = f"{upper} {number(y2)}{lower} {number(y1 + height)} {left} {number(y1 + height)}Z"
        index = order.index(flow.origin) % SERIES_MAX
        yield f'<path class="band f{index}" d="{drawn}"><title>{safe(hint)}</title></path>'
        if height >= _BAND_LABEL_MIN:
            words = writing.short(flow.value)
            yield text(words, left + 6, y1 + height / 2 + 4, "amount")


def _side(node: _Node, size: Size, index: int, writing: Writing, *, left: bool) -> Iterator[str]:
    x = size.left if left else size.width - size.right - _NODE_WIDTH
    hint = f"{node.label}: {writing.quantity(node.value)}"
    yield box(f"f{index % SERIES_MAX}", x, node.top, _NODE_WIDTH, node.height, hint=hint)
    middle = node.top + node.height / 2
    label = clipped(node.label, 12 if size.narrow else 22)
    place, anchor = (x - 6, "end") if left else (x + _NODE_WIDTH + 6, "start")
    yield text(label, place, middle, "name", anchor=anchor)
    yield text(writing.short(node.value), place, middle + 14, "tick", anchor=anchor)
