"""Words of documents: every state, action, event, choice and field has one, in both languages."""

from typing import get_args

import pytest

from central.orders.counts import counts
from central.orders.purchasing import asn, inspection, purchase_orders, supplier_returns
from central.orders.sales import customer_returns, sales_orders
from central.orders.transfers import transfers
from central.web.documents.addresses import body_at
from central.web.documents.all_tables import KINDS
from central.web.documents.board import board_view
from central.web.documents.catalogue_kinds import PLACE
from central.web.documents.cells import field_cell
from central.web.documents.field_words import FIELDS
from central.web.documents.forms import Asked, fields_of
from central.web.documents.state_words import ACTIONS, CHOICES, ENDING, EVENTS, PRIMARY, STATES
from central.web.drawing import drawing_in

EN, ZH = (drawing_in(language).texts for language in ("en", "zh"))
TABLES = {
    "transfer": (transfers.ACTIONS, transfers.ShownState),
    "purchase order": (purchase_orders.STATES, purchase_orders.State),
    "notice": (asn.STATES, asn.State),
    "supplier return": (supplier_returns.STATES, supplier_returns.State),
    "sales order": (sales_orders.STATES, sales_orders.State),
    "customer return": (customer_returns.STATES, customer_returns.State),
    "count": (counts.STATES, counts.State),
}
STAGES = (purchase_orders.Stage, supplier_returns.Stage, sales_orders.Stage, customer_returns.Stage)
BODIES = [
    (one.method, kind.api + (one.path or ("" if one.method != "POST" else f"/{one.name}")))
    for kind in (*KINDS, PLACE)
    for one in kind.actions
] + [(kind.create_method, kind.create) for kind in (*KINDS, PLACE) if kind.create]


@pytest.mark.parametrize("name", TABLES)
def test_each_state_and_each_action_of_a_state_table_has_a_word(name):
    table, states = TABLES[name]
    assert set(table) <= set(ACTIONS)
    assert set(get_args(states)) <= set(STATES)


def test_each_stage_decision_and_reason_has_a_word():
    stages = {state for stage in STAGES for part in get_args(stage) for state in _codes(part)}
    assert stages <= set(STATES)
    reasons = (supplier_returns.Reason, customer_returns.Reason, inspection.Decision)
    assert {code for one in reasons for code in get_args(one)} <= set(CHOICES)
    done = {*transfers.DONE.values(), "drafted", "picked_short", "stations_told", "lines_rejected"}
    assert done <= set(EVENTS)
    assert set(ACTIONS) >= PRIMARY | ENDING


@pytest.mark.parametrize(("method", "path"), BODIES, ids=lambda one: one)
def test_each_form_asks_in_words_for_what_its_body_takes(method, path):
    body = body_at(method, path)
    if body is None:
        return
    english, chinese = (fields_of(body, Asked({}, [("SH1", "SH1")]), texts) for texts in (EN, ZH))
    shown = [*english[0], *(one for rows in english[1] for one in rows.blank)]
    translated = [*chinese[0], *(one for rows in chinese[1] for one in rows.blank)]
    for one, other in zip(shown, translated, strict=True):
        name = one.name.rsplit(".", 1)[-1]
        if one.kind != "hidden":
            assert one.label != name, one
            assert one.label != other.label or one.label in {"SSCC", "GTIN", "GLN"}, one
        for (code, text), (_, told) in zip(one.choices, other.choices, strict=True):
            assert code in {"", "SH1", "A", "B", "C"} or text != told, (one.name, code)


def test_a_form_holds_what_is_there_and_asks_for_what_is_needed():
    body = body_at("PATCH", "/api/v1/purchase-orders/{code}")
    lines = [{"line": 7, "item": "BOLT", "quantity": "3"}]
    fields, (rows,) = fields_of(body, Asked({"note": "x", "lines": lines}, whole=True), EN)
    assert {one.name: (one.kind, one.value) for one in fields} == {
        "supplier": ("text", ""),
        "promised_date": ("date", ""),
        "currency": ("text", ""),
        "note": ("note", "x"),
    }
    assert rows.numbered
    row = {one.name: one for one in rows.rows[0]}
    assert (row["line"].kind, row["line"].value) == ("hidden", "7")
    assert row["quantity"].required
    assert (row["unit"].look_up, row["unit"].look_up_by) == ("units", "item")


@pytest.mark.parametrize(
    ("name", "values", "text", "tone"),
    [
        ("quantity", {"quantity": "1200", "unit": "C62"}, "1,200", ""),
        ("variance", {"variance": "-3"}, "-3", "bad"),
        ("backorder", {"backorder": "2"}, "2", "warn"),
        ("state", {"state": "in_transit"}, "In transit", "busy"),
        ("reason", {"reason": "<b>free text</b>"}, "<b>free text</b>", ""),
        ("reason", {"reason": "damaged"}, "Damaged", "bad"),
        ("on_time", {"on_time": False}, "No", ""),
        ("lot", {"lot": None}, "–", "quiet"),
        ("quantity", {"quantity": "no number"}, "no number", ""),
    ],
    ids=str,
)
def test_a_field_is_told_by_its_name(name, values, text, tone):
    cell = field_cell(name, values, EN)
    assert (cell.text, cell.tone) == (text, tone)


@pytest.mark.parametrize(
    ("values", "href"),
    [
        ({"order": "PO-1", "supplier": "ACME"}, "/purchase-orders/PO-1"),
        ({"order_code": "SO-1", "customer": "SHOP"}, "/sales-orders/SO-1"),
        ({"item": "A/B?"}, "/items/A%2FB%3F"),
        ({"fact": "gw/00000001-01/5"}, "/api/v1/movements/gw/00000001-01/5"),
    ],
    ids=str,
)
def test_what_has_a_page_is_a_link(values, href):
    assert field_cell(next(iter(values)), values, EN).href == href


def test_the_board_marks_what_is_under_way_for_long_and_what_does_not_add_up():
    def head(code, days, discrepancies=0):
        return {
            "code": code, "source_warehouse": "SH1", "destination_warehouse": "BJ1",
            "under_way_since": "2026-06-01T00:00:00Z" if days is not None else None,
            "under_way_days": days, "discrepancies": discrepancies,
        }  # fmt: skip

    heads = {"in_transit": [head("TR-1", 7), head("TR-2", 3), head("TR-3", 0), head("TR-4", 0, 2)]}
    columns = board_view({"in_transit": 9}, heads, EN)
    assert [column.state.text for column in columns] == [
        "Requested", "Released", "In transit", "Receiving",
    ]  # fmt: skip
    shown = columns[2]
    assert [card.tone for card in shown.cards] == ["bad", "warn", "", "bad"]
    assert [mark.text for card in shown.cards for mark in card.marks] == [
        "7 days", "3 days", "2 open discrepancies",
    ]  # fmt: skip
    assert shown.more_href == "/transfers?state=in_transit"


def test_each_fact_and_column_of_a_kind_has_a_label():
    names = {name for kind in (*KINDS, PLACE) for name in kind.facts}
    names |= {name for kind in KINDS for table in kind.tables for name in table.columns}
    assert names <= set(FIELDS)


def _codes(part):
    return get_args(part) or (part,)
