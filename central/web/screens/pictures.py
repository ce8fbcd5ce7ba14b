"""The pictures: stock over time, work by hour, expiry, ABC, transfers. Edge of HTTP."""

from collections.abc import Sequence
from decimal import Decimal

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from central.stock.ageing import (
    EXPIRY_CLASSES,
    REST_CLASSES,
    ClassCounts,
    expiry_counts,
    rest_counts,
)
from central.stock.throughput import HOURS
from central.web.asking import Asked, Asking, Table
from central.web.chart_words import chart_words
from central.web.charts import (
    SERIES_MAX,
    Bar,
    Flow,
    Picture,
    Series,
    Stack,
    flow_chart,
    heat_map,
    line_chart,
    pareto_chart,
    stacked_chart,
)
from central.web.screens.picture_reading import (
    days_of,
    read_classes,
    read_days,
    read_flows,
    read_pareto,
    read_throughput,
)
from central.web.screens.picture_tables import (
    EXPIRY,
    FLOWS,
    LOTS,
    PARETO,
    REST,
    STOCK_DAYS,
    THROUGHPUT,
)
from central.web.shell import listing_of, page
from central.web.stock_words import EXPIRY_WORDS, REST_WORDS
from central.web.words import UNITS

BARS_SHOWN = 40

router = APIRouter(include_in_schema=False)
TABS = (STOCK_DAYS, THROUGHPUT, EXPIRY, LOTS, REST, PARETO, FLOWS)


@router.get("/pictures")
def stock_days(asking: Asked) -> HTMLResponse:
    """Draw the stock of an item over time."""
    texts, wanted = asking.texts, STOCK_DAYS.wanted(asking.parameters)
    item, found = read_days(asking, wanted)
    series = [
        Series(
            f"{one.warehouse} ({texts.word(UNITS, one.unit)})",
            tuple(zip(found.ends_ms, one.on_hand, strict=True)),
        )
        for one in sorted(found.rows, key=lambda one: -max(map(abs, one.on_hand)))[:SERIES_MAX]
    ]
    said = texts.say("Stock of %(item)s at the end of each day, a line for each warehouse.")
    chart = line_chart(
        sorted(series, key=lambda one: one.label),
        _picture(asking, STOCK_DAYS, said % {"item": item}),
        chart_words(texts.language),
        steps=True,
    )
    notes = [said % {"item": item}]
    if not found.complete:
        notes.append(texts.say("It moves so often that only these days were counted back."))
    if len(found.rows) > SERIES_MAX:
        notes.append(texts.say("The chart has the largest stocks; the table has all."))
    return _drawn(asking, STOCK_DAYS, chart, notes)


@router.get("/pictures/throughput")
def throughput(asking: Asked) -> HTMLResponse:
    """Draw what the docks do, hour by hour."""
    texts, wanted = asking.texts, THROUGHPUT.wanted(asking.parameters)
    found = read_throughput(asking, wanted)
    busiest = sorted(found.rows, key=lambda one: -sum(one.movements))
    stacks = [
        Stack(one.gateway, tuple(Decimal(count) for count in one.movements))
        for one in busiest[: SERIES_MAX - 1]
    ]
    rest = busiest[SERIES_MAX - 1 :]
    if rest:
        sums = (sum(one.movements[hour] for one in rest) for hour in range(HOURS))
        stacks.append(Stack(texts.say("others"), tuple(map(Decimal, sums))))
    said = texts.say("Movements in the last %(days)s days by hour of the day and gateway.")
    said %= {"days": days_of(wanted)}
    chart = stacked_chart(
        [f"{hour}" for hour in range(HOURS)],
        stacks,
        _picture(asking, THROUGHPUT, said),
        chart_words(texts.language),
    )
    notes = [said]
    if not found.complete:
        notes.append(texts.say("There are so many that only the newest 200,000 were counted."))
    return _drawn(asking, THROUGHPUT, chart, notes)


@router.get("/pictures/expiry")
def expiry(asking: Asked) -> HTMLResponse:
    """Draw how many lots are how near to expiry."""
    found = read_classes(asking, EXPIRY.wanted(asking.parameters), expiry_counts)
    said = asking.texts.say("Number of lots in stock, by warehouse and days to expiry.")
    words = [EXPIRY_WORDS[one] for one in EXPIRY_CLASSES]
    chart = _heat(asking, EXPIRY, found, words, said)
    return _drawn(asking, EXPIRY, chart, [said])


@router.get("/pictures/untouched")
def untouched(asking: Asked) -> HTMLResponse:
    """Draw how long stocks have not moved."""
    found = read_classes(asking, REST.wanted(asking.parameters), rest_counts)
    said = asking.texts.say("Number of stocks, by warehouse and days since their last movement.")
    chart = _heat(asking, REST, found, [REST_WORDS[one] for one in REST_CLASSES], said)
    return _drawn(asking, REST, chart, [said])


@router.get("/pictures/lots")
def lots(asking: Asked) -> HTMLResponse:
    """Draw the lots themselves, the nearest to expiry first."""
    return _drawn(asking, LOTS, Markup(), [])


@router.get("/pictures/pareto")
def pareto(asking: Asked) -> HTMLResponse:
    """Draw which items move most, and what share of all they are."""
    texts, wanted = asking.texts, PARETO.wanted(asking.parameters)
    found = read_pareto(asking, wanted)
    bars = [
        Bar(one.item, one.quantity if wanted.values["unit"] else Decimal(one.movements), one.abc)
        for one in found.rows[:BARS_SHOWN]
    ]
    said = texts.say("What moved most in the last %(days)s days. A reaches 80%%, B 95%% of all.")
    said %= {"days": days_of(wanted)}
    picture = _picture(asking, PARETO, said)
    chart = pareto_chart(bars, found.total, picture, chart_words(texts.language))
    notes = [said]
    if not found.complete:
        notes.append(texts.say("There are so many that only the newest 200,000 were counted."))
    return _drawn(asking, PARETO, chart, notes)


@router.get("/pictures/flows")
def flows(asking: Asked) -> HTMLResponse:
    """Draw what transfers carry between warehouses, in the unit that carries most of them."""
    texts, wanted = asking.texts, FLOWS.wanted(asking.parameters)
    found = read_flows(asking, wanted)
    counts: dict[str, int] = {}
    for one in found:
        counts[one.unit] = counts.get(one.unit, 0) + one.transfers
    unit = max(counts, key=lambda unit: counts[unit], default="")
    said = texts.say("What transfers of the last %(days)s days carried, in %(unit)s.")
    said %= {"days": days_of(wanted), "unit": texts.word(UNITS, unit)}
    chart = flow_chart(
        [Flow(one.source, one.destination, one.sent) for one in found if one.unit == unit],
        _picture(asking, FLOWS, said),
        chart_words(texts.language),
    )
    notes = [said]
    if len(counts) > 1:
        notes.append(texts.say("The table has the other units, too."))
    return _drawn(asking, FLOWS, chart, notes)


def _heat(
    asking: Asking, table: Table, found: Sequence[ClassCounts], words: Sequence[str], said: str
) -> Markup:
    return heat_map(
        [one.warehouse for one in found],
        [asking.texts.say(word) for word in words],
        [[Decimal(count) for count in one.counts] for one in found],
        _picture(asking, table, said),
        chart_words(asking.texts.language),
    )


def _picture(asking: Asking, table: Table, said: str) -> Picture:
    return Picture(key=table.name, title=asking.texts.say(table.title), description=said)


def _drawn(asking: Asking, table: Table, chart: Markup, notes: Sequence[str]) -> HTMLResponse:
    tabs = [(one.path, asking.texts.say(one.title), one is table) for one in TABS]
    return page(
        asking,
        "stock/pictures.html",
        title=asking.texts.say(table.title),
        content={
            "tabs": tabs,
            "chart": chart,
            "notes": notes,
            "listing": listing_of(asking, table),
        },
    )
