"""The charts of the pages: what each needs, and what it gives. Pure.

Each function returns ready markup for a template (`{{ chart }}`): a `div.chart-box` with one SVG
for desktops and one for telephones (the style sheet `charts.css` shows one of them) and a legend if
there are several series. Each SVG has role "img", a title and a description. Marks differ by shape,
dash or hatch as well as by colour. Nothing is inline style, nothing is script; it prints. A chart
always stands beside a table of the same figures, which is the way to export them.

    picture = Picture(key="stock", title=..., description=...)     # in the reader's language
    writing = chart_words("zh")                                     # of central.web.chart_words

    line_chart(series: Sequence[Series], picture, writing, *, steps=False)
        Series(label, points=((time_ms, Decimal), ...))        over time; steps=True for stock
    bar_chart(bars: Sequence[Bar], picture, writing)           lying bars with label and number
        Bar(label, value: Decimal, mark="")
    stacked_chart(columns: Sequence[str], stacks: Sequence[Stack], picture, writing)
        Stack(label, values: tuple[Decimal, ...])              one series: plain columns
    pareto_chart(bars: Sequence[Bar], total: Decimal, picture, writing)
        Bar.mark: the class, "A", "B" or "C"; a border is drawn where it changes
    heat_map(rows: Sequence[str], columns: Sequence[str],
             values: Sequence[Sequence[Decimal | None]], picture, writing)
    flow_chart(flows: Sequence[Flow], picture, writing)
        Flow(origin, target, value: Decimal)

More than the bounds below is left out, from the end; without anything to show a chart says so.
Labels may hold anything: they are escaped, cut, and rid of signs that cannot be seen.
"""

from central.web.charts_bars import (
    BARS_MAX,
    COLUMNS_MAX,
    Bar,
    Stack,
    bar_chart,
    pareto_chart,
    stacked_chart,
)
from central.web.charts_cells import ROWS_MAX, heat_map
from central.web.charts_flow import FLOWS_MAX, Flow, flow_chart
from central.web.charts_frame import SERIES_MAX, Picture, Writing
from central.web.charts_lines import POINTS_MAX, Series, line_chart

__all__ = [
    "BARS_MAX",
    "COLUMNS_MAX",
    "FLOWS_MAX",
    "POINTS_MAX",
    "ROWS_MAX",
    "SERIES_MAX",
    "Bar",
    "Flow",
    "Picture",
    "Series",
    "Stack",
    "Writing",
    "bar_chart",
    "flow_chart",
    "heat_map",
    "line_chart",
    "pareto_chart",
    "stacked_chart",
]
