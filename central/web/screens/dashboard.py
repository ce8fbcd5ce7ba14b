"""The dashboard: key figures with how they are made, their alarms and their rows. Edge of HTTP."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import HTMLResponse, Response
from markupsafe import Markup

from central.api.problems import Problem
from central.contract.quantities import from_micro
from central.orders.settling.discrepancy_views import count_open
from central.stock.count_kpis import ALARM_BELOW
from central.stock.deliveries import end_of_day
from central.stock.key_figures import DAYS_CHOICES, KeyFigures
from central.stock.kpis import ON_TIME_ALARM_BELOW
from central.stock.kpis_docks import HOUR_MS, HOURS
from central.stock.times import utc_text
from central.web.asking import Asked, Asking, Table
from central.web.chart_words import chart_words
from central.web.charts import Bar, Picture, Series, Stack, bar_chart, line_chart, stacked_chart
from central.web.kpi_cells import DAYS_LABELS, days_of, warehouse_choices
from central.web.kpi_words import CAUSES, FIGURES, age_words, open_words, percent_words, times_words
from central.web.listing import Tone, shown
from central.web.screens.kpi_order_tables import ORDER_TABLES
from central.web.screens.kpi_tables import STOCK_TABLES
from central.web.shell import listing_of, page, refusal_page
from central.web.words import UNITS

router = APIRouter(include_in_schema=False)
KPI_TABLES: tuple[Table, ...] = (*STOCK_TABLES, *ORDER_TABLES)
_BY_PATH = {table.path: table for table in KPI_TABLES}
_FORMULAS = {words.path: words.formula for words in reversed(FIGURES.values())}


@dataclass(frozen=True, slots=True)
class Card:
    """One figure on the dashboard. word: of its state, with tone and icon; "" for none.

    lines: (label, figure) below it. href: the rows behind it.
    """

    key: str
    title: str
    figure: str
    formula: str
    period: str
    href: str
    tone: Tone = ""
    word: str = ""
    lines: tuple[tuple[str, str], ...] = ()
    chart: Markup | str = ""

    @property
    def icon(self) -> str:
        """Return the icon of its state."""
        return {"good": "good", "warn": "warn", "bad": "bad"}.get(self.tone, "idle")


@router.get("/dashboard")
def dashboard(asking: Asked) -> HTMLResponse:
    """Draw all key figures."""
    days = days_of(asking.parameters.get("days", ""))
    warehouse = asking.within or shown(asking.parameters.get("warehouse", ""))
    choices = warehouse_choices(asking)
    if not asking.within and warehouse not in dict(choices):
        warehouse = ""
    figures = asking.reading.figures.read(
        asking.reading.database, asking.reading.clock, days=days, warehouse=warehouse
    )
    drawing = _Drawing(asking, figures, days=days, warehouse=warehouse)
    content = {
        "cards": drawing.cards(),
        "days": days,
        "days_choices": [(one, asking.texts.say(DAYS_LABELS[one])) for one in DAYS_CHOICES],
        "warehouse": warehouse,
        "warehouses": choices,
        "read_time": utc_text(figures.span.to_ms),
    }
    title = asking.texts.say("Dashboard")
    return page(asking, "oversight/dashboard.html", title=title, content=content)


@router.get("/dashboard/{name}")
def figure_rows(asking: Asked, name: Annotated[str, Path(max_length=40)]) -> Response:
    """Draw the rows behind a key figure, with how it is made."""
    table = _BY_PATH.get(f"/dashboard/{name}")
    if table is None:
        problem = Problem(
            status=404,
            title=asking.texts.say("No such figure"),
            detail=asking.texts.say("There is no key figure of this name."),
            hint=asking.texts.say("Choose one on the dashboard."),
        )
        return refusal_page(asking, problem)
    content = {
        "listing": listing_of(asking, table),
        "formula": asking.texts.say(_FORMULAS[table.path]),
    }
    title = asking.texts.say(table.title)
    return page(asking, "oversight/figure.html", title=title, kinds=table.kinds, content=content)


class _Drawing:
    """Turns figures into cards in the reader's language."""

    def __init__(self, asking: Asking, figures: KeyFigures, *, days: int, warehouse: str) -> None:
        self._asking = asking
        self._texts = asking.texts
        self._figures = figures
        self._period = self._texts.say("Last %(days)s days") % {"days": days}
        self._days = days
        self._warehouse = warehouse

    def cards(self) -> list[Card]:
        """Return all cards in their order."""
        figures = self._figures
        return [
            self._deliveries(),
            self._docks(),
            self._ages(),
            self._turnover(),
            self._discrepancies(),
            self._transit(),
            self._share("accuracy", figures.counted_right, ALARM_BELOW),
            self._share("suppliers", figures.supplied_on_time, ON_TIME_ALARM_BELOW),
            self._share("passed", figures.passed, None),
            self._movers("best"),
            self._movers("worst"),
            self._dead(),
        ]

    def _card(self, name: str, figure: str, *, period: str = "", **more: object) -> Card:
        words = FIGURES[name]
        values: dict[str, object] = {
            "key": name,
            "title": self._texts.say(words.title),
            "figure": figure,
            "formula": self._texts.say(words.formula),
            "period": period or self._period,
            "href": self._href(words.path),
        }
        return Card(**(values | more))  # type: ignore[arg-type]

    def _href(self, path: str, more: str = "") -> str:
        query = [f"days={self._days}"] if path.startswith("/dashboard") else []
        query += [f"warehouse={self._warehouse}"] if self._warehouse else []
        query += [more] if more else []
        return path + ("?" + "&".join(query) if query else "")

    def _turnover(self) -> Card:
        found = [one for one in self._figures.turnover if one.warehouse == self._warehouse]
        main = max(found, key=lambda one: one.average_micro, default=None)
        if main is None or main.a_year is None:
            return self._card("turnover", "–", tone="quiet", word=self._texts.say("no stock"))
        tone, word = "good", self._texts.say("as usual")
        if main.early:
            tone, word = "quiet", self._texts.say("too early to judge")
        elif main.dropped:
            tone, word = "bad", self._texts.say("sudden drop")
        elif main.below_norm or main.above_norm:
            said = "too slow" if main.below_norm else "very fast"
            tone, word = "warn", self._texts.say(said)
        lines = [
            (self._texts.word(UNITS, one.unit), times_words(one.a_year, self._texts))
            for one in found
        ]
        before = (self._texts.say("Period before"), times_words(main.before_a_year, self._texts))
        return self._card(
            "turnover",
            times_words(main.a_year, self._texts),
            tone=tone,
            word=word,
            lines=(before, *(lines if len(lines) > 1 else ())),
        )

    def _deliveries(self) -> Card:
        figures, texts = self._figures, self._texts
        rated = [one for one in figures.weeks if one.on_time is not None]
        words = chart_words(texts.language)
        chart: Markup | str = ""
        if len(rated) > 1:
            points = tuple(
                (_day_ms(one.begins), Decimal(int((one.on_time or 0) * 1000)).scaleb(-1))
                for one in rated
            )
            title = texts.say("On-time delivery by week")
            described = ", ".join(
                f"{one.begins}: {percent_words(one.on_time, texts)}" for one in rated
            )
            picture = Picture(key="weeks", title=title, description=described)
            chart = line_chart([Series(texts.say("On time, %"), points)], picture, words)
        return self._card(
            "deliveries",
            percent_words(figures.on_time, texts),
            period=texts.say("Last 8 weeks"),
            tone=_tone(figures.on_time, ON_TIME_ALARM_BELOW),
            word=self._said(figures.on_time, ON_TIME_ALARM_BELOW),
            lines=tuple(
                (texts.say(CAUSES[cause]), texts.quantity(Decimal(count)))
                for cause, count in figures.causes
            ),
            chart=chart,
            href=self._href(FIGURES["deliveries"].path, "late=1"),
        )

    def _share(self, name: str, share: Fraction | None, alarm: Fraction | None) -> Card:
        tone: Tone = _tone(share, alarm) if alarm is not None else ""
        word = self._said(share, alarm) if alarm is not None else ""
        return self._card(name, percent_words(share, self._texts), tone=tone, word=word)

    def _said(self, share: Fraction | None, alarm: Fraction) -> str:
        if share is None:
            return self._texts.say("nothing to judge")
        return self._texts.say("alarm") if share < alarm else self._texts.say("in order")

    def _discrepancies(self) -> Card:
        texts = self._texts
        with self._asking.read() as connection:
            found = count_open(connection, now_ms=self._asking.now_ms, warehouse=self._warehouse)
        counts = (
            (texts.say("up to a day"), sum(one.within_day_count for one in found)),
            (texts.say("up to a week"), sum(one.within_week_count for one in found)),
            (texts.say("over a week"), sum(one.older_count for one in found)),
            (texts.say("of nobody"), sum(one.unowned_count for one in found)),
        )
        old = counts[2][1]
        total = sum(one.open_count for one in found)
        return self._card(
            "discrepancies",
            texts.quantity(Decimal(total)),
            period=texts.say("Now"),
            tone="bad" if old else "warn" if total else "good",
            word=open_words(old, total, texts),
            lines=tuple((label, texts.quantity(Decimal(count))) for label, count in counts),
        )

    def _transit(self) -> Card:
        classes, texts = self._figures.transit, self._texts
        old = sum(one.amount_micro for one in classes if one.from_days >= 3)
        return self._card(
            "transit",
            texts.quantity(Decimal(sum(one.amount_micro for one in classes))),
            period=texts.say("Now"),
            tone="warn" if old else "good",
            word=texts.say("some are late") if old else texts.say("in order"),
            lines=tuple(
                (age_words(one, texts), texts.quantity(Decimal(one.amount_micro)))
                for one in classes
            ),
        )

    def _dead(self) -> Card:
        figures, texts = self._figures, self._texts
        lines = tuple(
            (
                one.item,
                f"{texts.quantity(from_micro(one.on_hand_micro))} {texts.word(UNITS, one.unit)}",
            )
            for one in figures.dead[:5]
        )
        return self._card(
            "dead",
            texts.quantity(Decimal(figures.dead_count)),
            period=texts.say("Now"),
            tone="warn" if figures.dead_count else "good",
            word=texts.say("items") if figures.dead_count else texts.say("none"),
            lines=lines,
        )

    def _docks(self) -> Card:
        figures, texts = self._figures, self._texts
        end_ms = figures.span.to_ms - figures.span.to_ms % HOUR_MS
        hours = [end_ms - number * HOUR_MS for number in range(HOURS - 1, -1, -1)]
        sums = dict.fromkeys(hours, 0)
        for one in figures.throughput:
            if one.hour_ms in sums:
                sums[one.hour_ms] += one.facts_count
        total = sum(sums.values())
        picture = Picture(
            key="docks",
            title=texts.say("Facts by hour (UTC)"),
            description=texts.say("%(num)s facts in 24 hours, at most %(most)s in one.")
            % {"num": total, "most": max(sums.values())},
        )
        chart = stacked_chart(
            [(utc_text(hour) or "")[11:13] for hour in hours],
            [Stack(texts.say("Facts"), tuple(Decimal(sums[hour]) for hour in hours))],
            picture,
            chart_words(texts.language),
        )
        figure = texts.quantity(Decimal(total))
        return self._card("docks", figure, period=texts.say("Last 24 hours"), chart=chart)

    def _ages(self) -> Card:
        texts = self._texts
        found = [one for one in self._figures.ages if one.warehouse == self._warehouse]
        main = max(
            found, key=lambda one: sum(two.amount_micro for two in one.classes), default=None
        )
        if main is None:
            return self._card("ages", "–", period=texts.say("Now"))
        bars = [Bar(age_words(one, texts), from_micro(one.amount_micro)) for one in main.classes]
        unit = texts.word(UNITS, main.unit)
        picture = Picture(
            key="ages",
            title=texts.say("Stock by age, %(unit)s") % {"unit": unit},
            description=", ".join(f"{one.label}: {texts.quantity(one.value)}" for one in bars),
        )
        total = from_micro(sum(one.amount_micro for one in main.classes))
        return self._card(
            "ages",
            f"{texts.quantity(total)} {unit}",
            period=texts.say("Now"),
            chart=bar_chart(bars, picture, chart_words(texts.language)),
        )

    def _movers(self, which: str) -> Card:
        figures, texts = self._figures, self._texts
        found = figures.best if which == "best" else figures.worst
        lines = tuple(
            (
                f"{one.item} {texts.name(english=one.name, chinese=one.name_zh)}".strip(),
                f"{texts.quantity(from_micro(one.shipped_micro))} {texts.word(UNITS, one.unit)}",
            )
            for one in found[:5]
        )
        title = texts.say("Best sellers") if which == "best" else texts.say("Worst sellers")
        sort = "sort=-shipped" if which == "best" else "sort=shipped"
        return self._card(
            "movers",
            texts.quantity(Decimal(figures.sold_count)) if which == "best" else "",
            title=title,
            key=which,
            word=texts.say("items were sold") if which == "best" else "",
            lines=lines,
            href=self._href(FIGURES["movers"].path, sort),
        )


def _tone(share: Fraction | None, alarm_below: Fraction) -> Tone:
    if share is None:
        return "quiet"
    return "bad" if share < alarm_below else "good"


def _day_ms(day: str) -> int:
    return end_of_day(day) or 0
