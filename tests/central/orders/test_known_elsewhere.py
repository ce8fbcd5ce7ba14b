"""Who works on another warehouse's order is told whose it is, in both languages."""

import re

import pytest
from sqlalchemy import insert, select

from central.orders.settling.discrepancy_views import read_detail
from central.storage import purchasing_tables, sales_tables, tables, transfer_tables
from central.web.proposal_words import PATTERNS
from tests.central.orders.purchasing import row
from tests.central.orders.transferring import Scene
from tests.central.scenery import NOW_MS

ENDS = {"source_warehouse": "BJ1", "destination_warehouse": "CQ1"}
PURCHASE, SALES = purchasing_tables.purchase_orders, sales_tables.sales_orders
TRANSFERS = transfer_tables.transfers


def advised(database):
    """(text, page) of what is advised about the one document that is unknown."""
    query = select(tables.discrepancies.c.id).where(
        tables.discrepancies.c.kind == "unknown_document"
    )
    with database.read() as connection:
        identity = connection.execute(query).scalar_one()
        detail = read_detail(connection, identity, now_ms=NOW_MS)
    return [(one.text, one.page) for one in detail.advice]


@pytest.mark.parametrize(
    ("table", "values", "words", "page"),
    [
        (
            PURCHASE,
            {"code": "X-1", "warehouse": "BJ1", "state": "sent"},
            "X-1 is a purchase order of BJ1, which still waits for it.",
            "/purchase-orders/X-1",
        ),
        (
            SALES,
            {"code": "X-1", "warehouse": "BJ1", "state": "released"},
            "X-1 is a sales order of BJ1, which would ship it once more.",
            "/sales-orders/X-1",
        ),
        (
            TRANSFERS,
            {"transfer": "X-1", "state": "released", **ENDS},
            "X-1 is a transfer from BJ1 to CQ1: this counts as received at another warehouse.",
            "/transfers/X-1",
        ),
    ],
)
def test_the_order_of_another_warehouse_is_named(database, table, values, words, page):
    scene = Scene(database)
    with scene.desk.change(actor="li.na") as change:
        change.connection.execute(insert(table), row(table, **values))
    scene.gateways["SH1"].move("BOLT", "5", target="BIN-1", document="X-1", document_line=1)
    scene.send()
    ((text, where),) = advised(database)
    assert text.startswith(words)
    assert where == page
    assert any(re.fullmatch(pattern, text) for pattern, _ in PATTERNS)


def test_an_order_of_the_warehouse_itself_is_not_elsewhere(database):
    scene = Scene(database)
    with scene.desk.change(actor="li.na") as change:
        values = row(PURCHASE, code="X-1", warehouse="SH1", state="approved")
        change.connection.execute(insert(PURCHASE), values)
    scene.gateways["SH1"].move("BOLT", "5", target="BIN-1", document="X-1", document_line=1)
    scene.send()
    assert [text for text, _ in advised(database) if "X-1 is" in text] == []
