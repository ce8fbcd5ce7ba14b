"""What an edit has changed is in the history, before and after; money for whoever may see it."""

import json

import pytest
from sqlalchemy import select

from central.access.permissions import Grant, Role
from central.orders.spreadsheets.workbook_reading import read_workbook
from central.storage.tables import object_events
from tests.central.clients import ANY

LINE = {"line": 1, "item": "BOLT", "quantity": "5", "unit_price": "96.5"}


def _noted(people, kind, action):
    """The fields of the last event of a kind."""
    table = object_events.c
    with people.database.read() as connection:
        rows = connection.execute(
            select(table.fields_json)
            .where(table.kind == kind, table.action == action)
            .order_by(table.event_no)
        ).scalars()
        return json.loads(list(rows)[-1])


def _done(answer, status=200):
    assert answer.status_code == status, answer.text
    return answer.json()


@pytest.fixture
def boss(people):
    browser = people.browser("administrator")
    _done(browser.change("POST", "/api/v1/partners", {"code": "ACME", "name": "Acme"}), 201)
    customer = {"code": "SHOP", "name": "Shop", "kind": "customer"}
    _done(browser.change("POST", "/api/v1/partners", customer), 201)
    return browser


def _order(browser, warehouse="SH1"):
    body = {"supplier": "ACME", "warehouse": warehouse, "currency": "CNY", "lines": [LINE]}
    return _done(browser.change("POST", "/api/v1/purchase-orders", body), 201)["code"]


def _edited_order(browser, warehouse="SH1"):
    code = _order(browser, warehouse)
    lines = [LINE | {"quantity": "50", "unit_price": "9.5"}, {"line": 2, "item": "NUT"}]
    lines[1]["quantity"] = "3"
    body = {"lines": lines, "note": "urgent"}
    _done(browser.change("PATCH", f"/api/v1/purchase-orders/{code}", body, **ANY))
    return code


def test_a_purchase_order_tells_which_lines_were_changed_and_their_prices(people, boss):
    _edited_order(boss)
    changes = _noted(people, "purchase_order", "changed")["changes"]
    assert changes["note"] == ["", "urgent"]
    assert changes["lines.1.quantity"] == ["5", "50"]
    assert changes["lines.1.price"] == ["96.5", "9.5"]
    assert changes["lines.2.item"] == [None, "NUT"]
    assert changes["lines.2.quantity"] == [None, "3"]
    assert not [name for name in changes if "version" in name or "changed_ms" in name]


def test_a_transfer_tells_which_lines_were_changed(people, boss):
    ends = {"source_warehouse": "SH1", "destination_warehouse": "BJ1"}
    lines = [{"item": "BOLT", "quantity": "4"}, {"item": "NUT", "quantity": "1"}]
    made = _done(boss.change("POST", "/api/v1/transfers", ends | {"lines": lines}), 201)
    body = {"lines": [{"item": "BOLT", "quantity": "9"}]}
    _done(boss.change("PATCH", f"/api/v1/transfers/{made['code']}", body, **ANY))
    changes = _noted(people, "transfer", "edited")["changes"]
    assert changes["lines.1.quantity"] == ["4", "9"]
    assert changes["lines.2.item"] == ["NUT", None]


def test_a_sales_order_and_a_plan_of_counts_tell_what_was_changed(people, boss):
    body = {"warehouse": "SH1", "customer": "SHOP", "lines": [LINE | {"quantity": "2"}]}
    body["lines"][0].pop("unit_price")
    code = _done(boss.change("POST", "/api/v1/sales-orders", body), 201)["code"]
    body["lines"][0] = body["lines"][0] | {"quantity": "7"}
    _done(boss.change("PUT", f"/api/v1/sales-orders/{code}", body, **ANY))
    changes = _noted(people, "sales_order", "edited")["changes"]
    assert changes["lines.1.quantity"] == ["2", "7"]
    plan = {"warehouse": "SH1", "a_days": 7}
    boss.change("PUT", "/api/v1/count-plans/WEEKLY", plan)
    boss.change("PUT", "/api/v1/count-plans/WEEKLY", plan | {"a_days": 14}, **ANY)
    assert _noted(people, "count_plan", "changed")["changes"]["a_days"] == [7, 14]


def test_an_edit_is_read_on_the_page_of_its_order_and_in_the_audit(people, boss):
    code = _edited_order(boss)
    for path in (f"/purchase-orders/{code}", "/audit"):
        text = boss.ask("GET", f"{path}?lang=en", page=True).text
        assert "Line 1, Quantity: 5 → 50" in text
        assert "Line 1, Unit price: 96.5 → 9.5" in text
    sheet = read_workbook(boss.ask("GET", "/api/v1/audit/export.xlsx").content)
    assert "lines.1.price: 96.5 → 9.5" in str(sheet)
    keeper = people.browser("keeper").ask("GET", f"/purchase-orders/{code}?lang=en", page=True).text
    assert "Line 1, Quantity: 5 → 50" in keeper
    assert "96.5" not in keeper


def test_whoever_has_money_in_one_warehouse_sees_that_of_no_other(people, boss):
    people.add("mixed", Grant(Role.KEEPER, "SH1"), Grant(Role.FINANCE, "BJ1"))
    people.add("reader", Grant(Role.VIEWER), Grant(Role.FINANCE, "BJ1"))
    codes = {place: _order(boss, place) for place in ("SH1", "BJ1")}
    for name in ("mixed", "reader"):
        browser = people.browser(name)
        for place, price in (("SH1", None), ("BJ1", "96.5000")):
            path = f"purchase-orders/{codes[place]}"
            told = _done(browser.ask("GET", f"/api/v1/{path}"))
            assert told["lines"][0]["unit_price"] == price, (name, place)
            page = browser.ask("GET", f"/{path}", page=True)
            assert ("96.5" in page.text) == (price is not None), (name, place)
    mixed = people.browser("mixed")
    for place, seen in (("SH1", False), ("BJ1", True)):
        for path in ("/purchase-orders", "/tables/purchase_order"):
            page = mixed.ask("GET", f"{path}?warehouse={place}", page=True)
            assert page.status_code == 200
            assert ("482.5" in page.text) == seen, (path, place)
    # A list of all warehouses tells nothing of money to whoever may not see all of it.
    assert "482.5" not in people.browser("reader").ask("GET", "/purchase-orders", page=True).text


def test_who_tells_other_programs_of_what_is_in_the_audit_without_its_secret_address(people, boss):
    body = {"url": "https://hooks.example.com/secret-path", "kinds": ["transfer"]}
    code = _done(boss.change("POST", "/api/v1/webhooks", body), 201)["code"]
    wanted = {"url": "https://elsewhere.example.com/x", "kinds": ["transfer", "count"]}
    _done(boss.change("PATCH", f"/api/v1/webhooks/{code}", wanted, **ANY))
    _done(boss.change("DELETE", f"/api/v1/webhooks/{code}", **ANY))
    assert people.events("webhook") == [
        (code, action, "administrator") for action in ("made", "changed", "deleted")
    ]
    changed = _noted(people, "webhook", "changed")
    assert changed["changes"] == {
        "to": ["https://hooks.example.com", "https://elsewhere.example.com"],
        "kinds": [["transfer"], ["count", "transfer"]],
    }
    assert "secret-path" not in json.dumps(_noted(people, "webhook", "made"))
