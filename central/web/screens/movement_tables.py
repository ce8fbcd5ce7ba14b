"""Tables of movements: the feed of everything, and that of one item. Edge of HTTP."""

from central.contract.facts import Movement
from central.stock.feed_search import MovementQuery, find_movements
from central.stock.rows import FeedFilter, MovementRow
from central.web.asking import Asking, Table
from central.web.cells import link_cell, moment_cell, state_cell, text_cell
from central.web.documents.tables import warehouse_choices
from central.web.feed_views import FeedView
from central.web.listing import Cell, Column, Filter, Found, Row, Tone, Wanted
from central.web.past import time_ms_of
from central.web.stock_words import found_url, item_url
from central.web.words import marked

EVIDENCE_PATH = "/fragments/evidence/{path}"


def movement_row(row: MovementRow, asking: Asking) -> Row:
    """Return a fact as a row; opened, it shows its evidence."""
    view, fact = FeedView.of(row, asking.texts), row.fact
    moved = row.taken_back or fact
    document = moved.document if isinstance(moved, Movement) else ""
    flagged: Tone = "warn"
    amount = f"{view.quantity} {view.unit}".strip() if view.quantity else ""
    lot = " / ".join(filter(None, (getattr(moved, "lot", ""), getattr(moved, "serial", ""))))
    remarks = state_cell(" · ".join(view.flags), flagged) if view.flags else text_cell("")
    return Row(
        key=str(row.record_no),
        fragment=EVIDENCE_PATH.format(path=view.fact_path),
        cells=(
            moment_cell(row.event_time_ms),
            text_cell(view.step),
            _item_cell(view),
            Cell(text=amount or "–", value=view.quantity, tone="" if amount else "quiet"),
            text_cell(lot),
            text_cell(f"{view.origin} → {view.target}" if view.origin or view.target else ""),
            text_cell(view.warehouse),
            link_cell(view.gateway, f"/movements?gateway={view.gateway}"),
            text_cell(getattr(fact, "operator", "")),
            link_cell(document, found_url(document)) if document else text_cell(""),
            remarks,
        ),
    )


def _item_cell(view: FeedView) -> Cell:
    if not view.item:
        return text_cell("")
    return link_cell(view.item, item_url(view.item), note=view.name)


def _read(asking: Asking, wanted: Wanted) -> Found:
    values = wanted.values
    query = MovementQuery(
        feed=FeedFilter(
            warehouse=values.get("warehouse", ""),
            gateway=values.get("gateway", ""),
            item=values.get("item", ""),
            location=values.get("location", ""),
            lot=values.get("lot", ""),
        ),
        operator=values.get("operator", ""),
        document=values.get("document", ""),
        since_ms=time_ms_of(values.get("since", "")),
        until_ms=time_ms_of(values.get("until", "")),
    )
    cursor = wanted.cursor
    before_no = int(cursor) if cursor.isascii() and cursor.isdecimal() else None
    with asking.read() as connection:
        found = find_movements(connection, query, before_no=before_no, limit=wanted.limit)
        choices = {"warehouse": warehouse_choices(connection, asking.texts)}
    return Found(
        rows=tuple(movement_row(row, asking) for row in found.rows),
        total=None,
        more=bool(found.next_no),
        choices=choices,
        cursor=str(found.next_no),
    )


_COLUMNS = (
    Column("event_time", marked("Happened"), "moment"),
    Column("step", marked("What")),
    Column("item", marked("Item")),
    Column("quantity", marked("Quantity"), "number"),
    Column("lot", marked("Lot / serial"), phone=False),
    Column("way", marked("From → to"), phone=False),
    Column("warehouse", marked("Warehouse"), phone=False),
    Column("gateway", marked("Gateway"), phone=False),
    Column("operator", marked("Operator"), phone=False),
    Column("document", marked("Document"), phone=False),
    Column("remarks", marked("Remarks"), "state", phone=False),
)
MOVEMENTS = Table(
    name="movements",
    title=marked("Movements"),
    path="/movements",
    columns=_COLUMNS,
    read=_read,
    filters=(
        Filter("warehouse", marked("Warehouse"), "choice"),
        Filter("gateway", marked("Gateway")),
        Filter("operator", marked("Operator")),
        Filter("item", marked("Item code")),
        Filter("document", marked("Document")),
        Filter("since", marked("Recorded since (UTC)"), "moment"),
        Filter("until", marked("Recorded before (UTC)"), "moment"),
    ),
    kinds=("movement",),
    empty=marked("No movement matches here. There may be older ones: go on."),
    by_cursor=True,
)
ITEM_MOVEMENTS = Table(
    name="item-movements",
    title=marked("Movements of the item"),
    path="/movements",
    columns=_COLUMNS,
    read=_read,
    filters=(
        Filter("item", marked("Item code"), "fixed"),
        Filter("warehouse", marked("Warehouse"), "choice"),
        Filter("document", marked("Document")),
        Filter("operator", marked("Operator")),
    ),
    kinds=("movement",),
    empty=marked("Nothing has moved yet."),
    by_cursor=True,
)
