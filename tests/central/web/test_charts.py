"""Charts: well-formed, told to whoever does not see them, safe and bounded with any labels."""

from decimal import Decimal
from xml.etree import ElementTree as ET

import pytest

from central.web.chart_words import chart_words
from central.web.charts import (
    SERIES_MAX,
    Bar,
    Flow,
    Picture,
    Series,
    Stack,
    bar_chart,
    flow_chart,
    heat_map,
    line_chart,
    pareto_chart,
    stacked_chart,
)
from central.web.charts_frame import clipped, value_scale

DAY_MS = 86_400_000
HOSTILE = '"><script>alert(1)</script>\u202e\x00' + "长" * 4000
PICTURE = Picture(key="one", title=HOSTILE, description=HOSTILE)


def number(value):
    return Decimal(value)


def lines(writing, labels, *, steps=True):
    points = tuple((day * DAY_MS, number(day % 7 - 2)) for day in range(40))
    return line_chart([Series(label, points) for label in labels], PICTURE, writing, steps=steps)


CHARTS = {
    "lines": lines,
    "bars": lambda w, labels: bar_chart([Bar(x, number(-3)) for x in labels], PICTURE, w),
    "stacked": lambda w, labels: stacked_chart(
        labels, [Stack(x, (number(1),) * len(labels)) for x in labels], PICTURE, w
    ),
    "pareto": lambda w, labels: pareto_chart(
        [Bar(x, number(5), "A") for x in labels], number(5 * len(labels)), PICTURE, w
    ),
    "heat": lambda w, labels: heat_map(
        labels, labels, [[number(2), None, *[number(0)] * 98]] * len(labels), PICTURE, w
    ),
    "flow": lambda w, labels: flow_chart([Flow(x, x, number(2)) for x in labels], PICTURE, w),
}


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("labels_count", [0, 1, 3, 100])
@pytest.mark.parametrize("draw", CHARTS.values(), ids=CHARTS)
def test_a_chart_is_well_formed_and_told_with_any_labels(draw, labels_count, language):
    labels = [f"{number_}{HOSTILE}" for number_ in range(labels_count)]
    markup = str(draw(chart_words(language), labels))
    tree = ET.fromstring(markup)
    for svg in (one for one in tree.iter("svg") if one.get("role") == "img"):
        named = svg.get("aria-labelledby").split()
        assert [one.get("id") for one in svg if one.tag in {"title", "desc"}] == named
        assert all(one.text for one in svg if one.tag in {"title", "desc"})
    assert {one.tag for one in tree.iter()} & {"script", "style", "img", "foreignObject"} == set()
    assert not any(name.startswith(("on", "style")) for one in tree.iter() for name in one.attrib)
    assert len(markup) < 4_000_000
    if not labels_count:
        assert chart_words(language).say("There is nothing to show yet.") in markup


def test_series_differ_without_colour():
    tree = ET.fromstring(str(lines(chart_words("en"), "abcdefgh")))
    wide = next(one for one in tree.iter("svg") if "wide" in one.get("class", ""))
    drawn = [one for one in wide.iter("path") if "line" in one.get("class", "")]
    assert len({one.get("stroke-dasharray") for one in drawn}) == SERIES_MAX
    stacks = [Stack(x, (number(1),)) for x in "abcdefgh"]
    chart = stacked_chart(["x"], stacks, PICTURE, chart_words("en"))
    tree = ET.fromstring(str(chart))
    wide = next(one for one in tree.iter("svg") if "wide" in one.get("class", ""))
    hatches = [one.find("path").get("d") for one in wide.iter("pattern")]
    assert len(set(hatches)) == len(hatches) == SERIES_MAX


SCALES = [
    pytest.param([0], ["0", "1"], id="nothing"),
    pytest.param([3], ["0", "1", "2", "3"], id="small whole numbers"),
    pytest.param([97], ["0", "20", "40", "60", "80", "100"], id="round steps"),
    pytest.param([-30, 70], ["-40", "-20", "0", "20", "40", "60", "80"], id="below zero"),
    pytest.param(["0.5"], ["0.0", "0.1", "0.2", "0.3", "0.4", "0.5"], id="parts"),
]


@pytest.mark.parametrize(("values", "ticks"), SCALES)
def test_an_axis_has_round_ticks_over_its_values(values, ticks):
    scale = value_scale(map(Decimal, values), start=100, end=0, ticks_max=6)
    assert [Decimal(tick) for tick in ticks] == list(scale.ticks)
    assert scale.at(scale.low) == 100 and scale.at(scale.high) == 0


def test_numbers_and_days_are_those_of_the_language():
    english, chinese = chart_words("en"), chart_words("zh")
    assert (english.short(Decimal(120_000)), chinese.short(Decimal(120_000))) == ("120K", "12万")
    assert (english.day(0), chinese.day(0)) == ("Jan 1", "1月1日")
    assert english.percent(Decimal("0.8")) == "80%"


def test_a_label_is_cut_by_what_is_seen():
    assert clipped("上海一仓", 8) == "上海一仓"
    assert clipped("上海一仓库", 8) == "上海一…"
    assert clipped("abcdef", 4) == "abc…"
