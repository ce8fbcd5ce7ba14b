"""The table of how much of each item stands in places taken together. Edge of HTTP."""

from central.orders.catalogue.items import weight_units
from central.stock.item_reading import BalanceQuery
from central.stock.stock_totals import list_totals
from central.web.asking import Asking, Table
from central.web.cells import link_cell, number_cell, quantity_cell, text_cell
from central.web.documents.tables import warehouse_choices
from central.web.listing import Column, Found, Row, Wanted
from central.web.screens.past_stock import PAST
from central.web.screens.status_cells import status_cell
from central.web.screens.stock_tables import STOCK
from central.web.screens.weight_cells import weight_cell
from central.web.stock_words import item_url
from central.web.words import marked


def _read_totals(asking: Asking, wanted: Wanted) -> Found:
    values, texts = wanted.values, asking.texts
    names = ("warehouse", "location", "within", "lot", "status")
    query = BalanceQuery(search=values["q"], **{name: values[name] for name in names})
    with asking.read() as connection:
        choices = {"warehouse": warehouse_choices(connection, texts)}
        found = list_totals(connection, query, offset=wanted.offset, limit=wanted.limit + 1)
        units = weight_units(connection, (one.key.item for one in found if one.weight))
    rows = [
        Row(
            key="/".join(one.key),
            cells=(
                link_cell(
                    one.key.item,
                    item_url(one.key.item),
                    note=texts.name(english=one.name, chinese=one.name_zh),
                ),
                text_cell(one.key.warehouse),
                status_cell(asking, one.key.status),
                number_cell(one.places_count, texts),
                quantity_cell(one.on_hand, one.key.unit, texts),
                weight_cell(one.weight, units.get(one.key.item, ""), texts),
            ),
        )
        for one in found
    ]
    more = len(rows) > wanted.limit
    return Found(tuple(rows[: wanted.limit]), None, more=more, choices=choices)


STOCK_TOTALS = Table(
    name="stock-totals",
    title=marked("Totals of places"),
    path="/stock/totals",
    columns=(
        Column("item", marked("Item")),
        Column("warehouse", marked("Warehouse"), phone=False),
        Column("status", marked("Status"), "state"),
        Column("places", marked("Places"), "number", phone=False),
        Column("on_hand", marked("On hand"), "number"),
        Column("weight", marked("Weight"), "number", phone=False),
    ),
    read=_read_totals,
    filters=tuple(one for one in STOCK.filters if one.name != "sscc" and one not in PAST),
    kinds=("movement",),
    empty=marked("Nothing stands there."),
)
