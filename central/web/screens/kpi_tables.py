"""The rows behind the key figures of stock: a table each. Edge of HTTP."""

from central.contract.quantities import from_micro
from central.stock.kpis import AGE_DAYS, DEAD_DAYS, Turnover
from central.stock.kpis_age import StockAge, read_stock_age
from central.stock.kpis_turnover import (
    DeadStock,
    Mover,
    read_dead_stock,
    read_movers,
    read_turnover,
)
from central.web.asking import Asking, Table
from central.web.cells import moment_cell, number_cell, state_cell, text_cell
from central.web.kpi_cells import (
    DAYS,
    SEARCH,
    WAREHOUSE,
    amount,
    found_page,
    item_cell,
    item_url,
    matching,
    span_of,
)
from central.web.kpi_words import FIGURES, times_words
from central.web.listing import Column, Found, Row, Tone, Wanted
from central.web.words import UNITS, marked

HUNDREDTH_MICRO = 10_000


def _read_turnover(asking: Asking, wanted: Wanted) -> Found:
    texts = asking.texts

    def row(one: Turnover) -> Row:
        tone: Tone = "good"
        said = texts.say("as usual")
        if one.a_year is None:
            tone, said = "quiet", texts.say("no stock")
        elif one.early:
            tone, said = "quiet", texts.say("too early to judge")
        elif one.dropped:
            tone, said = "bad", texts.say("sudden drop")
        elif one.below_norm:
            tone, said = "warn", texts.say("too slow")
        elif one.above_norm:
            tone, said = "warn", texts.say("very fast")
        return Row(
            key=f"{one.warehouse}/{one.unit}",
            cells=(
                text_cell(one.warehouse or texts.say("all warehouses")),
                text_cell(texts.word(UNITS, one.unit)),
                text_cell(times_words(one.a_year, texts)),
                state_cell(said, tone),
                text_cell(times_words(one.before_a_year, texts)),
                amount(asking, one.shipped_micro, one.unit),
                amount(asking, _in_hundredths(one.average_micro), one.unit),
            ),
        )

    with asking.read() as connection:
        span = span_of(asking, wanted)
        found = read_turnover(connection, span, warehouse=wanted.values["warehouse"])
    return found_page(asking, wanted, found, row)


def _read_movers(asking: Asking, wanted: Wanted) -> Found:
    span = span_of(asking, wanted)
    with asking.read() as connection:
        found = read_movers(connection, span, warehouse=wanted.values["warehouse"])
    found = matching(found, wanted, lambda one: f"{one.item} {one.name} {one.name_zh}")
    if wanted.sort == "on_hand":
        found.sort(key=lambda one: one.on_hand_micro, reverse=wanted.descending)
    elif not wanted.descending:
        # What sells least is asked for: only what there is.
        found = [one for one in reversed(found) if one.on_hand_micro > 0]

    def row(one: Mover) -> Row:
        return Row(
            key=f"{one.item}/{one.unit}",
            href=item_url(one.item),
            cells=(
                item_cell(asking, one.item, english=one.name, chinese=one.name_zh),
                amount(asking, one.shipped_micro, one.unit),
                amount(asking, one.before_shipped_micro, one.unit),
                amount(asking, one.on_hand_micro, one.unit),
                number_cell(one.covered_days(span), asking.texts),
            ),
        )

    return found_page(asking, wanted, found, row)


def _read_dead(asking: Asking, wanted: Wanted) -> Found:
    with asking.read() as connection:
        found = read_dead_stock(
            connection, now_ms=asking.now_ms, days=DEAD_DAYS, warehouse=wanted.values["warehouse"]
        )
    found = matching(found, wanted, lambda one: f"{one.item} {one.name} {one.name_zh}")

    def row(one: DeadStock) -> Row:
        value = None if one.value_micro is None else from_micro(one.value_micro)
        return Row(
            key=f"{one.warehouse}/{one.item}/{one.unit}",
            href=item_url(one.item),
            cells=(
                item_cell(asking, one.item, english=one.name, chinese=one.name_zh),
                text_cell(one.warehouse),
                amount(asking, one.on_hand_micro, one.unit),
                moment_cell(one.last_ms),
                number_cell(value, asking.texts),
            ),
        )

    return found_page(asking, wanted, found, row)


def _read_ages(asking: Asking, wanted: Wanted) -> Found:
    with asking.read() as connection:
        found = read_stock_age(
            connection, now_ms=asking.now_ms, warehouse=wanted.values["warehouse"]
        )
    found = matching(found, wanted, lambda one: f"{one.item} {one.name} {one.name_zh}")

    def row(one: StockAge) -> Row:
        return Row(
            key=f"{one.warehouse}/{one.item}/{one.unit}",
            href=item_url(one.item),
            cells=(
                item_cell(asking, one.item, english=one.name, chinese=one.name_zh),
                text_cell(one.warehouse),
                *(amount(asking, two.amount_micro, one.unit) for two in one.classes),
            ),
        )

    return found_page(asking, wanted, found, row)


AGE_LABELS = (
    marked("up to 30 days"),
    marked("30–90 days"),
    marked("90–180 days"),
    marked("180–365 days"),
    marked("over 365 days"),
)
assert len(AGE_LABELS) == len(AGE_DAYS) + 1

STOCK_TABLES: tuple[Table, ...] = (
    Table(
        name="kpi-turnover",
        title=FIGURES["turnover"].title,
        path="/dashboard/turnover",
        columns=(
            Column("warehouse", marked("Warehouse")),
            Column("unit", marked("Unit")),
            Column("a_year", marked("Times a year"), "number"),
            Column("state", marked("State"), "state"),
            Column("before", marked("Period before"), "number", phone=False),
            Column("shipped", marked("Shipped"), "number", phone=False),
            Column("average", marked("Average stock"), "number", phone=False),
        ),
        filters=(DAYS, WAREHOUSE),
        read=_read_turnover,
    ),
    Table(
        name="kpi-movers",
        title=FIGURES["movers"].title,
        path="/dashboard/movers",
        columns=(
            Column("item", marked("Item")),
            Column("shipped", marked("Shipped"), "number", sortable=True),
            Column("before", marked("Period before"), "number", phone=False),
            Column("on_hand", marked("On hand"), "number", sortable=True, phone=False),
            Column("covered", marked("Lasts for days"), "number"),
        ),
        filters=(SEARCH, DAYS, WAREHOUSE),
        sort="shipped",
        descending=True,
        read=_read_movers,
    ),
    Table(
        name="kpi-dead-stock",
        title=FIGURES["dead"].title,
        path="/dashboard/dead-stock",
        columns=(
            Column("item", marked("Item")),
            Column("warehouse", marked("Warehouse")),
            Column("on_hand", marked("On hand"), "number"),
            Column("last", marked("Last moved"), "moment"),
            Column("value", marked("Value at cost"), "number", phone=False),
        ),
        filters=(SEARCH, WAREHOUSE),
        read=_read_dead,
    ),
    Table(
        name="kpi-stock-age",
        title=FIGURES["ages"].title,
        path="/dashboard/stock-age",
        columns=(
            Column("item", marked("Item")),
            Column("warehouse", marked("Warehouse")),
            *(
                Column(f"age_{number}", label, "number", phone=number > 2)
                for number, label in enumerate(AGE_LABELS)
            ),
        ),
        filters=(SEARCH, WAREHOUSE),
        read=_read_ages,
    ),
)


def _in_hundredths(micro: int) -> int:
    """Return an average as people read it: its further digits say nothing."""
    return (micro + HUNDREDTH_MICRO // 2) // HUNDREDTH_MICRO * HUNDREDTH_MICRO
