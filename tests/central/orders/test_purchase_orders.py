"""A purchase order lives as its state table says, and what came is what the ledger counted."""

import pytest

from tests.central.orders.purchasing import LATER, Purchasing
from tests.central.scenery import NOW_MS

BOLTS = {"item": "BOLT", "quantity": "10", "unit": "CT"}
NUTS = {"item": "NUT", "quantity": "50"}


@pytest.fixture
def site(database):
    return Purchasing(database)


def lines_of(order, *names):
    return [tuple(line[name] for name in names) for line in order["lines"]]


def test_a_draft_says_what_it_orders_in_both_units_and_what_it_is_worth(site):
    body = {
        "warehouse": "SH1",
        "supplier": "ACME",
        "currency": "CNY",
        "promised_date": LATER,
        "lines": [
            {"line": 1, **BOLTS, "unit_price": "96.5005"},
            {"line": 2, **NUTS, "unit_price": "0.1", "over_tolerance_percent": "0"},
        ],
    }
    answer = site.ask("POST", "/purchase-orders", body)
    assert answer.status_code == 201
    assert answer.headers["ETag"] == '"1"'
    order = answer.json()
    assert answer.headers["Location"] == f"/api/v1/purchase-orders/{order['code']}"
    assert (order["state"], order["supplier_name"], order["value"]) == (
        "draft",
        "Acme Ltd",
        "970.00",
    )
    names = ("item", "quantity", "unit", "expected", "base_unit", "unit_price", "value")
    assert lines_of(order, *names) == [
        ("BOLT", "10", "CT", "240", "C62", "96.5005", "965.00"),
        ("NUT", "50", "C62", "50", "C62", "0.1000", "5.00"),
    ]
    assert lines_of(order, "over_tolerance_percent", "under_tolerance_percent") == [
        ("5", "2"),
        ("0", "0"),
    ]
    assert order["actions"] == ["submit", "cancel"]
    again = site.ask("GET", f"/purchase-orders/{order['code']}")
    assert (again.json(), again.headers["ETag"]) == (order, '"1"')


# Name: what is different in the order, the answer's status, a word of its detail.
IMPOSSIBLE_ORDERS = {
    "unknown supplier": ({"supplier": "NOBODY"}, 422, "NOBODY"),
    "retired supplier": ({"supplier": "GONE"}, 409, "retired"),
    "customer": ({"supplier": "SHOP"}, 409, "customer"),
    "unknown warehouse": ({"warehouse": "XX9"}, 422, "XX9"),
    "taken code": ({"code": "PO-1"}, 409, "PO-1"),
    "impossible code": ({"code": "no code"}, 422, "code"),
    "no such day": ({"promised_date": "2026-02-30"}, 422, "date"),
    "unknown field": ({"surprise": 1}, 422, "surprise"),
    "line twice": ({"lines": [{"line": 1, **NUTS}] * 2}, 422, "twice"),
    "price without currency": ({"lines": [{"line": 1, **NUTS, "unit_price": "1"}]}, 422, "curr"),
}


def test_an_order_that_cannot_be_is_refused_whole(site):
    body = {"warehouse": "SH1", "supplier": "ACME", "lines": [{"line": 1, **BOLTS}]}
    for name, (change, status, named) in IMPOSSIBLE_ORDERS.items():
        answer = site.ask("POST", "/purchase-orders", body | change)
        assert answer.status_code == status, name
        assert named in answer.json()["detail"], name
    assert site.get("/purchase-orders")["purchase_orders"] == []


IMPOSSIBLE_LINES = {
    "unknown item": ({"item": "WHAT", "quantity": "1"}, "WHAT"),
    "nothing": ({"item": "BOLT", "quantity": "0"}, "greater than zero"),
    "negative": ({"item": "BOLT", "quantity": "-5"}, "greater than zero"),
    "other unit": ({"item": "BOLT", "quantity": "1", "unit": "KGM"}, "KGM"),
    "too fine": ({"item": "BOLT", "quantity": "0.0000001"}, "6 decimal"),
    "not exact": ({"item": "RICE", "quantity": "1", "unit": "ONZ"}, "exact"),
    "exponent": ({"item": "BOLT", "quantity": "1e3"}, "quantity"),
    "tolerance": ({"item": "BOLT", "quantity": "1", "over_tolerance_percent": "-1"}, "percent"),
}


def test_a_line_that_cannot_be_is_refused(site):
    for name, (line, named) in IMPOSSIBLE_LINES.items():
        body = {"warehouse": "SH1", "supplier": "ACME", "lines": [{"line": 1, **line}]}
        answer = site.ask("POST", "/purchase-orders", body)
        assert answer.status_code == 422, name
        assert named in answer.json()["detail"], name


def test_stations_work_on_an_order_from_when_it_is_sent_until_it_ends(site):
    code = site.order(BOLTS, NUTS, sent=False)
    path = f"/purchase-orders/{code}"
    for action, told in (("submit", False), ("approve", False), ("send", True)):
        site.post(f"{path}/{action}")
        assert (code in site.documents()) is told
    assert site.documents()[code] == {1: 240_000_000, 2: 50_000_000}
    confirmed = site.post(f"{path}/confirm", {"promised_date": LATER}, version=4)
    assert (confirmed["state"], confirmed["promised_date"]) == ("confirmed", LATER)
    site.post(f"{path}/lines/2/close", {"reason": "sold out"})
    assert site.documents()[code] == {1: 240_000_000}
    site.post(f"{path}/cancel", {"reason": "too late"})
    assert code not in site.documents()
    assert site.ask("POST", f"{path}/send", {}).status_code == 409


def test_what_a_state_forbids_is_refused_with_what_is_possible(site):
    code = site.order(sent=False)
    for action, body in (("send", {}), ("confirm", {}), ("close", {"reason": "x"})):
        answer = site.ask("POST", f"/purchase-orders/{code}/{action}", body, version=1)
        assert answer.status_code == 409
        assert answer.json()["fields"] == {"state": "draft", "possible": ["submit", "cancel"]}


def test_a_rejected_order_is_revised_and_handed_in_again(site):
    code = site.order(sent=False)
    path = f"/purchase-orders/{code}"
    site.post(f"{path}/submit")
    assert site.ask("POST", f"{path}/reject", {"reason": " "}).status_code == 422
    assert site.post(f"{path}/reject", {"reason": "too dear"})["reason"] == "too dear"
    site.post(f"{path}/revise")
    patched = site.ask("PATCH", path, {"lines": [{"line": 7, **NUTS}]}, version=4).json()
    assert lines_of(patched, "line", "item") == [(7, "NUT")]
    assert site.post(f"{path}/submit")["state"] == "submitted"
    refused = site.ask("PATCH", path, {"lines": []}, version="*")
    assert refused.status_code == 409
    noted = site.ask("PATCH", path, {"note": "by lorry"}, version="*").json()
    assert noted["note"] == "by lorry"


def test_two_people_editing_one_order_do_not_overwrite_each_other(site):
    code = site.order(sent=False)
    path = f"/purchase-orders/{code}"
    first = site.ask("PATCH", path, {"note": "first"}, version=1, actor="li.na")
    assert (first.status_code, first.headers["ETag"]) == (200, '"2"')
    second = site.ask("PATCH", path, {"note": "second"}, version=1, actor="wang.wei")
    assert (second.status_code, second.json()["fields"]) == (412, {"version": 2})
    assert site.ask("POST", f"{path}/submit", {}, version=1).status_code == 412
    assert site.get(path)["note"] == "first"


def test_a_request_that_is_repeated_makes_one_order(site):
    body = {"warehouse": "SH1", "supplier": "ACME", "lines": [{"line": 1, **BOLTS}]}
    answers = [site.ask("POST", "/purchase-orders", body, key="k-1") for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert len(site.get("/purchase-orders")["purchase_orders"]) == 1


def test_goods_come_in_parts_until_the_order_is_complete(site):
    code = site.order(BOLTS, NUTS, promised_date=LATER)
    path = f"/purchase-orders/{code}"
    site.receive("100", document=code, line=1)
    order = site.get(path)
    assert (order["state"], order["fulfilment"]) == ("part_received", "partial")
    assert lines_of(order, "received", "remaining", "fulfilment") == [
        ("100", "140", "partial"),
        ("0", "50", "none"),
    ]
    site.receive("136", document=code, line=1)  # 4 short of 240: within 2 percent.
    site.receive("50", item="NUT", document=code)  # The station could not tell the line.
    order = site.get(path)
    assert (order["state"], order["fulfilment"]) == ("received", "complete")
    assert lines_of(order, "received", "remaining") == [("236", "0"), ("50", "0")]
    assert order["on_time"] is True
    closed = site.post(f"{path}/close")
    assert (closed["state"], closed["reason"]) == ("closed", "")
    assert closed["lines"] == order["lines"]
    assert site.discrepancies() == []
    assert site.faults() == []


def test_more_than_ordered_is_a_difference_only_beyond_the_tolerance(site):
    code = site.order(BOLTS)
    path = f"/purchase-orders/{code}"
    site.receive("252", document=code, line=1)  # 5 percent more than 240.
    assert (site.get(path)["fulfilment"], site.discrepancies()) == ("complete", [])
    site.receive("1", document=code, line=1)
    order = site.get(path)
    assert (order["state"], order["fulfilment"]) == ("received", "over")
    assert [found[0] for found in site.discrepancies()] == ["over_received"]


def test_an_order_that_came_short_is_closed_with_a_reason_alone(site):
    code = site.order(BOLTS)
    site.receive("200", document=code, line=1)
    path = f"/purchase-orders/{code}"
    refused = site.ask("POST", f"{path}/close", {})
    assert (refused.status_code, refused.json()["fields"]) == (409, {"lines": [1]})
    closed = site.post(f"{path}/close", {"reason": "the rest is discontinued"})
    assert (closed["state"], closed["reason"]) == ("closed", "the rest is discontinued")
    assert lines_of(closed, "received", "remaining") == [("200", "40")]
    assert code not in site.documents()


def test_nothing_is_cancelled_once_something_came_and_all_is_after_it_went_back(site):
    code = site.order(BOLTS)
    path = f"/purchase-orders/{code}/cancel"
    seq = site.receive("24", document=code, line=1)
    refused = site.ask("POST", path, {"reason": "wrong supplier"})
    assert (refused.status_code, refused.json()["fields"]) == (409, {"fulfilment": "partial"})
    site.gateway.reverse(seq)
    site.send()
    assert site.post(path, {"reason": "wrong supplier"})["state"] == "cancelled"


def test_what_an_order_does_not_name_is_kept_and_shown(site):
    code = site.order(BOLTS)
    site.receive("3", item="NUT", document=code)
    order = site.get(f"/purchase-orders/{code}")
    assert order["unexpected"] == [{"line": 0, "item": "NUT", "unit": "C62", "received": "3"}]
    assert order["state"] == "sent"
    assert [found[:2] for found in site.discrepancies()] == [("unexpected", f"{code}/NUT")]
    refused = site.ask("POST", f"/purchase-orders/{code}/cancel", {"reason": "x"})
    assert refused.status_code == 409


def test_goods_before_their_order_settle_themselves_when_it_is_sent(site):
    code = site.order(BOLTS, sent=False)
    site.receive("240", document=code, line=1)
    site.receive("5", item="NUT", document=code)
    assert [found[:3] for found in site.discrepancies()] == [("unknown_document", code, "open")]
    for action in ("submit", "approve", "send"):
        site.post(f"/purchase-orders/{code}/{action}")
    unexpected, unknown = site.discrepancies()
    assert unknown[2] == "settled"
    assert f"document {code} is known now" in unknown[3]
    assert unexpected[:3] == ("unexpected", f"{code}/NUT", "open")
    assert site.get(f"/purchase-orders/{code}")["lines"][0]["received"] == "240"
    assert site.faults() == []


def test_a_list_is_narrowed_and_continued(site):
    late = site.order(BOLTS, promised_date="2026-05-01")
    part = site.order(BOLTS, promised_date="2026-05-01")
    full = site.order(NUTS, promised_date="2026-05-01")
    draft = site.order(NUTS, sent=False)
    early = site.order({**BOLTS, "promised_date": LATER}, promised_date="2026-05-01")
    site.receive("24", document=part, line=1)
    site.receive("50", item="NUT", document=full, line=1)

    def codes(**parameters):
        page = site.get("/purchase-orders", **parameters)
        return [order["code"] for order in page["purchase_orders"]]

    assert codes() == [late, part, full, draft, early]
    assert codes(state="sent") == [late, early]
    assert codes(state="part_received") == [part]
    assert codes(state="received") == [full]
    assert codes(state="draft") == [draft]
    assert codes(late="true") == [late, part]
    assert codes(item="NUT", warehouse="SH1", supplier="ACME") == [full, draft]
    assert codes(warehouse="BJ1") == []
    paged, cursor = [], {}
    while True:
        page = site.get("/purchase-orders", limit=1, late="true", **cursor)
        paged += [order["code"] for order in page["purchase_orders"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert paged == [late, part]
    assert site.get(f"/purchase-orders/{full}")["on_time"] is False


def test_expired_certificates_warn_and_do_not_stop(site):
    from central.storage import catalogue_tables

    site.put(
        catalogue_tables.partner_certificates,
        {"partner": "ACME", "kind": "food", "number": "7", "valid_until": "2026-05-27"},
        {"partner": "ACME", "kind": "iso", "number": "8", "valid_until": "2026-05-28"},
    )
    code = site.order()
    warnings = site.get(f"/purchase-orders/{code}")["warnings"]
    assert warnings == ["certificate food 7 (2026-05-27) is out of date"]


def test_a_receipt_that_is_taken_back_does_not_change_when_the_goods_came(site):
    code = site.order(BOLTS)
    path = f"/purchase-orders/{code}"
    times = {"first": NOW_MS - 90_000, "second": NOW_MS - 60_000, "wrong": NOW_MS - 30_000}
    for name in ("second", "first"):  # Two docks: what happened later was heard of sooner.
        site.receive("24", document=code, line=1, event_time_ms=times[name])
    found = site.get(path)
    assert found["first_receipt_time"] == "2026-05-28T20:25:10.000Z"
    assert found["last_receipt_time"] == "2026-05-28T20:25:40.000Z"
    seq = site.receive("1", document=code, line=1, event_time_ms=times["second"])
    site.gateway.reverse(seq, event_time_ms=times["wrong"])
    site.send()
    after = site.get(path)
    assert after["lines"][0]["received"] == "48"
    assert after["last_receipt_time"] == found["last_receipt_time"]


def test_a_pack_that_changes_later_changes_no_order(site):
    code = site.order({"item": "BOLT", "quantity": "10", "unit": "CT"})
    smaller = {"packs": [{"unit": "CT", "numerator": 12}]}
    assert site.ask("PATCH", "/items/BOLT", smaller, version="*").status_code == 200
    site.receive("10", unit="CT", document=code, line=1)
    order = site.get(f"/purchase-orders/{code}")
    assert lines_of(order, "quantity", "unit", "expected", "received", "remaining") == [
        ("10", "CT", "240", "120", "120")
    ]
    assert order["state"] == "part_received"
