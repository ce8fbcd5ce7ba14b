"""Draws the stock page and its pieces in the reader's language. Edge of the template files."""

import json
from functools import cache

from central.stock.rows import (
    DiscrepancyRow,
    MatrixQuery,
    MovementRow,
    StockRow,
)
from central.stock.updates import PageContent, Update
from central.web.drawing import drawing_in
from central.web.feed_views import EvidenceView, FeedView
from central.web.state_views import DiscrepancyView, GatewayView, unserved_views
from central.web.stock_words import item_url
from central.web.table_views import PlaceView, TableView, row_key, table_view


class Pages:
    """Everything that is drawn in one language; get it from `pages_in`. Any thread."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._drawing = drawing_in(language)
        self._texts = self._drawing.texts

    def stock_content(
        self, content: PageContent, wanted: MatrixQuery, *, as_of: str, known: str, within: str
    ) -> dict[str, object]:
        """Return what the template of the stock page names, beside its frame.

        within: the only warehouse that it shows, "" for all.
        """
        update = content.update
        return {
            "since": update.change.record_no,
            "table": table_view(
                content.matrix,
                content.warehouses,
                wanted,
                self._texts,
                as_of=as_of,
                known=known,
                within=within,
            ),
            "within": within,
            "feed": [FeedView.of(row, self._texts) for row in update.movements],
            "gateways": self._gateways(update),
            "discrepancies_open": update.change.discrepancies_open,
        }

    def table(self, view: TableView) -> str:
        """Return the table with its pager."""
        return self._part("table", view)

    def places(self, rows: list[StockRow], *, item: str, limit: int) -> str:
        """Return where an item stands; `rows` may be longer than the `limit` that is shown."""
        views = [PlaceView.of(row, self._texts) for row in rows[:limit]]
        return self._part("places", views, len(rows) > limit, item_url(item))

    def evidence(self, row: MovementRow) -> str:
        """Return what a fact was made from."""
        return self._part("evidence", EvidenceView.of(row, self._texts))

    def discrepancies(self, rows: list[DiscrepancyRow]) -> str:
        """Return a list of discrepancies."""
        return self._part("discrepancies", [DiscrepancyView.of(row, self._texts) for row in rows])

    def unavailable(self, *, detail: str, hint: str) -> str:
        """Return the page that says that the database does not answer."""
        return self._drawing.template("unavailable.html", {"detail": detail, "hint": hint})

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

    def _gateways(self, update: Update) -> list[GatewayView]:
        views = [GatewayView.of(row, self._texts, now_ms=update.now_ms) for row in update.gateways]
        return unserved_views(update.workers, self._texts) + views

    def _part(self, name: str, *arguments: object) -> str:
        return self._drawing.part("parts.html", name, *arguments)


@cache
def pages_in(language: str) -> Pages:
    """Return what draws in a language of LANGUAGES."""
    return Pages(language)
