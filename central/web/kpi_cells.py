"""What the tables behind the key figures share: filters, pages, cells. Edge of HTTP."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import TypeVar
from urllib.parse import quote

from central.contract.quantities import from_micro
from central.stock.key_figures import DAYS_CHOICES
from central.stock.kpis import Span
from central.stock.views import list_warehouses
from central.web.asking import Asking
from central.web.cells import link_cell, quantity_cell, state_cell, text_cell
from central.web.kpi_words import percent_words
from central.web.listing import Cell, Filter, Found, Row, Tone, Wanted
from central.web.words import marked

OneT = TypeVar("OneT")
WAREHOUSE = Filter("warehouse", marked("Warehouse"), "choice")
DAYS_LABELS = {30: marked("30 days"), 90: marked("90 days"), 180: marked("180 days")}
DAYS = Filter(
    "days",
    marked("Period"),
    "choice",
    choices=tuple((str(days), DAYS_LABELS[days]) for days in DAYS_CHOICES),
)
SEARCH = Filter("q", marked("Search code or name"))


def days_of(text: str) -> int:
    """Return a period that people may choose, the shortest for anything else."""
    return int(text) if text in {str(days) for days in DAYS_CHOICES} else DAYS_CHOICES[0]


def span_of(asking: Asking, wanted: Wanted) -> Span:
    """Return the period that is asked for."""
    return Span.of_days(days_of(wanted.values.get("days", "")), now_ms=asking.now_ms)


def warehouse_choices(asking: Asking) -> tuple[tuple[str, str], ...]:
    """Return warehouses by code, with their names."""
    with asking.read() as connection:
        return tuple(
            (one.code, f"{one.code} {asking.texts.name(english=one.name, chinese=one.name_zh)}")
            for one in list_warehouses(connection)
        )


def item_url(item: str) -> str:
    """Return the page of an item."""
    return f"/items/{quote(item, safe='')}"


def share_cell(asking: Asking, share: Fraction | None, alarm_below: Fraction) -> Cell:
    """Return a share that is an alarm below something."""
    if share is None:
        return text_cell("")
    tone: Tone = "bad" if share < alarm_below else "good"
    return state_cell(percent_words(share, asking.texts), tone)


def found_page(
    asking: Asking, wanted: Wanted, found: Sequence[OneT], row: Callable[[OneT], Row]
) -> Found:
    """Return one page of what was found, and the warehouses to choose from."""
    chosen = found[wanted.offset : wanted.offset + wanted.limit]
    return Found(
        rows=tuple(row(one) for one in chosen),
        total=len(found),
        choices={"warehouse": warehouse_choices(asking)},
    )


def matching(found: Sequence[OneT], wanted: Wanted, words: Callable[[OneT], str]) -> list[OneT]:
    """Return what the search finds in the words of each."""
    search = wanted.values.get("q", "").casefold()
    return [one for one in found if search in words(one).casefold()]


def item_cell(asking: Asking, item: str, *, english: str, chinese: str) -> Cell:
    """Return an item that leads to its page."""
    return link_cell(item, item_url(item), note=asking.texts.name(english=english, chinese=chinese))


def amount(asking: Asking, micro: int, unit: str) -> Cell:
    """Return millionths as people write them."""
    return quantity_cell(from_micro(micro), unit, asking.texts)
