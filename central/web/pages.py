"""Draws the stock page and its pieces in the reader's language. Edge of the template files."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from central.stock.rows import (
    DiscrepancyRow,
    MatrixPage,
    MatrixQuery,
    MovementRow,
    StockRow,
    WarehouseRow,
)
from central.stock.updates import PageContent, Update
from central.web.assets import assets
from central.web.feed_views import EvidenceView, FeedView
from central.web.languages import LANGUAGES, catalogue, quantity_text
from central.web.state_views import DiscrepancyView, GatewayView, unserved_views
from central.web.table_views import PlaceView, TableView, row_key, table_url, table_view
from central.web.texts import Texts

TEMPLATES_FOLDER = Path(__file__).parent / "templates"
LANGUAGE_NAMES = {"en": ("English", "en"), "zh": ("中文", "zh-Hans")}


class Pages:
    """Everything that is drawn in one language; get it from `pages_in`. Any thread."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._templates = Environment(
            loader=FileSystemLoader(TEMPLATES_FOLDER),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.i18n"],
        )
        found = catalogue(language)
        self._texts = Texts(language, catalogue=found, quantity=quantity_text)
        # The extension adds this method to the environment; its types do not show it.
        templates: Any = self._templates
        templates.install_gettext_callables(found.gettext, found.ngettext, newstyle=True)
        self._templates.globals |= {
            "asset": _asset_url,
            "icons_url": _asset_url("icons.svg"),
            "language": language,
            "language_tag": LANGUAGE_NAMES[language][1],
        }

    def stock_page(self, content: PageContent, wanted: MatrixQuery, *, site: str) -> str:
        """Return the whole page."""
        update = content.update
        return self._templates.get_template("stock.html").render(
            site=site,
            since=update.change.record_no,
            languages=[
                (code, *LANGUAGE_NAMES[code], table_url(wanted, language=code))
                for code in LANGUAGES
            ],
            table=self._table(content.matrix, content.warehouses, wanted),
            feed=[FeedView.of(row, self._texts) for row in update.movements],
            gateways=self._gateways(update),
            discrepancies_open=update.change.discrepancies_open,
        )

    def table(
        self, matrix: MatrixPage, warehouses: tuple[WarehouseRow, ...], wanted: MatrixQuery
    ) -> str:
        """Return the table with its pager."""
        return self._part("table", self._table(matrix, warehouses, wanted))

    def places(self, rows: list[StockRow], *, limit: int) -> str:
        """Return where an item stands; `rows` may be longer than the `limit` that is shown."""
        views = [PlaceView.of(row, self._texts) for row in rows[:limit]]
        return self._part("places", views, len(rows) > limit)

    def evidence(self, row: MovementRow) -> str:
        """Return what a fact was made from."""
        return self._part("evidence", EvidenceView.of(row, self._texts))

    def discrepancies(self, rows: list[DiscrepancyRow]) -> str:
        """Return a list of discrepancies."""
        return self._part("discrepancies", [DiscrepancyView.of(row, self._texts) for row in rows])

    def unavailable(self, *, detail: str, hint: str) -> str:
        """Return the page that says that the database does not answer."""
        template = self._templates.get_template("unavailable.html")
        return template.render(detail=detail, hint=hint)

    def event(self, update: Update) -> bytes:
        """Return an update as one server-sent event; its number is the newest record number."""
        count = update.change.discrepancies_open
        feed = [FeedView.of(row, self._texts) for row in update.movements]
        data = json.dumps(
            {
                "whole": update.whole,
                "feed": self._part("feed", feed),
                "gateways": self._part("gateways", self._gateways(update)),
                "discrepancies": self._part("discrepancies_count", count),
                "discrepancies_open": count,
                "rows": [(row_key(row), row.item, self._texts.cells(row)) for row in update.rows],
            },
            ensure_ascii=False,
            separators=(",", ":"),
        )
        return f"id: {update.change.record_no}\ndata: {data}\n\n".encode()

    def _table(
        self, matrix: MatrixPage, warehouses: tuple[WarehouseRow, ...], wanted: MatrixQuery
    ) -> TableView:
        return table_view(matrix, warehouses, wanted, self._texts)

    def _gateways(self, update: Update) -> list[GatewayView]:
        views = [GatewayView.of(row, self._texts, now_ms=update.now_ms) for row in update.gateways]
        return unserved_views(update.workers, self._texts) + views

    def _part(self, name: str, *arguments: object) -> str:
        module: Any = self._templates.get_template("parts.html").module
        return str(getattr(module, name)(*arguments))


@cache
def pages_in(language: str) -> Pages:
    """Return what draws in a language of LANGUAGES."""
    return Pages(language)


def _asset_url(name: str) -> str:
    return assets()[name].url
