"""Goods go back to their supplier for a reason, and what left is what the ledger counted."""

import pytest

from tests.central.orders.purchasing import Purchasing

BOLTS = {"line": 1, "item": "BOLT", "quantity": "1", "unit": "CT"}


@pytest.fixture
def site(database):
    return Purchasing(database)


def asked(*lines, **fields):
    body = {"warehouse": "SH1", "supplier": "ACME", "reason": "damaged"}
    return body | {"lines": list(lines or [BOLTS])} | fields


def send_back(site, code, quantity, *, item="BOLT", source="BIN-1", **fields):
    fields = {"unit": {"RICE": "KGM"}.get(item, "C62"), "business_step": "shipping"} | fields
    site.gateway.move(
        item, quantity, source=source, target="supplier", document=code, document_line=1, **fields
    )
    site.send()


def test_rejected_goods_go_back_and_the_claim_is_kept(site):
    order = site.order({"item": "RICE", "quantity": "100"})
    site.receive("100", item="RICE", document=order, line=1, lot="L1")
    (inspection,) = site.get("/inspections")["inspections"]
    decisions = [
        {"decision": "reject", "quantity": "40", "reason": "wet", "to_location": "STAGE-1"},
        {"decision": "accept", "quantity": "60"},
    ]
    site.post(f"/inspections/{inspection['code']}/decisions", {"decisions": decisions})
    line = {"line": 1, "item": "RICE", "quantity": "40", "lot": "L1", "location": "STAGE-1"}
    line["inspection"] = inspection["code"]
    returned = site.post("/supplier-returns", asked(line, order=order), status=201)
    path = f"/supplier-returns/{returned['code']}"
    site.post(f"{path}/claims", {"kind": "credit", "amount": "120.50", "currency": "CNY"})
    site.post(f"{path}/approve")
    assert returned["code"] not in site.documents()
    site.post(f"{path}/release")
    assert site.documents()[returned["code"]] == {1: 40_000_000}
    send_back(site, returned["code"], "15", item="RICE", source="STAGE-1", lot="L1")
    part = site.get(path)
    assert (part["state"], part["lines"][0]["shipped"]) == ("part_shipped", "15")
    assert site.ask("POST", f"{path}/cancel", {"reason": "x"}).status_code == 409
    send_back(site, returned["code"], "25", item="RICE", source="STAGE-1", lot="L1")
    assert site.get(path)["state"] == "shipped"
    refused = site.ask("POST", f"{path}/close", {})
    assert refused.json()["fields"] == {"claims": [1]}
    granted = site.post(f"{path}/claims/1/decide", {"state": "granted"})
    assert [(one["state"], one["amount"]) for one in granted["claims"]] == [("granted", "120.50")]
    assert site.post(f"{path}/close")["state"] == "closed"
    assert site.stock("RICE") == {("BIN-1", "available"): 60_000_000}
    assert site.documents() == {order: {1: 100_000_000}}
    # What goes back under a return does not make the order incomplete again.
    assert site.get(f"/purchase-orders/{order}")["lines"][0]["received"] == "100"
    assert site.faults() == []
    assert site.discrepancies() == []


IMPOSSIBLE_RETURNS = {
    "unknown reason": ({"reason": "because"}, 422),
    "a customer": ({"supplier": "SHOP"}, 422),
    "no such order": ({"order": "PO-77"}, 404),
    "nothing": ({"lines": []}, 422),
    "no such inspection": ({"lines": [BOLTS | {"inspection": "QI-1"}]}, 404),
    "line twice": ({"lines": [BOLTS, BOLTS]}, 422),
}


def test_a_return_that_cannot_be_is_refused_whole(site):
    for name, (fields, status) in IMPOSSIBLE_RETURNS.items():
        body = asked() | fields
        assert site.ask("POST", "/supplier-returns", body).status_code == status, name
    assert site.get("/supplier-returns")["supplier_returns"] == []


def test_a_return_is_rejected_cancelled_or_closed_short_for_a_reason(site):
    site.receive("48")
    first, second, third = (
        site.post("/supplier-returns", asked(), status=201)["code"] for _ in range(3)
    )
    assert site.ask("POST", f"/supplier-returns/{first}/reject", {}).status_code == 422
    rejected = site.post(f"/supplier-returns/{first}/reject", {"reason": "used up"})
    assert (rejected["state"], rejected["end_reason"]) == ("rejected", "used up")
    for code in (second, third):
        site.post(f"/supplier-returns/{code}/approve")
        site.post(f"/supplier-returns/{code}/release")
    site.post(f"/supplier-returns/{second}/cancel", {"reason": "supplier will not take it"})
    send_back(site, third, "20")
    assert site.ask("POST", f"/supplier-returns/{third}/close", {}).status_code == 409
    closed = site.post(f"/supplier-returns/{third}/close", {"reason": "4 were lost"})
    assert closed["lines"][0]["shipped"] == "20"
    assert site.documents() == {}

    def codes(**parameters):
        found = site.get("/supplier-returns", **parameters)["supplier_returns"]
        return [one["code"] for one in found]

    assert codes(state="closed") == [third]
    assert codes(item="BOLT", supplier="ACME") == [first, second, third]
    assert codes(state="part_shipped") == []
    assert site.faults() == []


def test_a_request_is_changed_against_the_version_that_was_seen(site):
    code = site.post("/supplier-returns", asked(), status=201)["code"]
    path = f"/supplier-returns/{code}"
    line = {"line": 2, "item": "NUT", "quantity": "3"}
    changed = site.ask("PATCH", path, {"lines": [line], "note": "n"}, version=1)
    assert [one["item"] for one in changed.json()["lines"]] == ["NUT"]
    assert site.ask("POST", f"{path}/approve", {}, version=1).status_code == 412
    site.post(f"{path}/approve", version=2)
    assert site.ask("PATCH", path, {"lines": [line]}, version="*").status_code == 409


def test_goods_that_leave_before_or_after_stations_know_of_it_have_left_all_the_same(site):
    site.receive("48")
    code = site.post("/supplier-returns", asked(), status=201)["code"]
    path = f"/supplier-returns/{code}"
    send_back(site, code, "4")
    assert site.get(path)["lines"][0]["shipped"] == "4"
    assert site.ask("POST", f"{path}/cancel", {"reason": "x"}).status_code == 409
    for action in ("approve", "release"):
        site.post(f"{path}/{action}")
    send_back(site, code, "10")
    assert site.post(f"{path}/close", {"reason": "enough"})["lines"][0]["shipped"] == "14"
    send_back(site, code, "10")
    assert site.get(path)["lines"][0]["shipped"] == "24"
    assert site.faults() == []


def released(site, *lines):
    """What is answered to the release of a return of these lines, which is approved."""
    code = site.post("/supplier-returns", asked(*lines), status=201)["code"]
    site.post(f"/supplier-returns/{code}/approve")
    return site.ask("POST", f"/supplier-returns/{code}/release", {})


def test_what_has_not_come_yet_at_one_place_takes_nothing_from_another(site):
    site.receive("10", lot="L1")
    site.gateway.move("BOLT", "3", source="BIN-2", target="customer", business_step="shipping")
    site.send()
    line = {"line": 1, "item": "BOLT", "lot": "L1", "location": "BIN-1"}
    assert released(site, line | {"quantity": "10"}).status_code == 200
    refused = released(site, line | {"quantity": "11"})
    assert "of BOLT 10 is free at BIN-1, not 11" in refused.json()["detail"]
    assert site.faults() == []


def test_what_lines_take_together_is_refused_of_the_warehouse(site):
    site.receive("8")
    lines = [
        {"line": 1, "item": "BOLT", "quantity": "5", "location": "BIN-1"},
        {"line": 2, "item": "BOLT", "quantity": "4"},
    ]
    refused = released(site, *lines)
    assert "of BOLT 8 is free at SH1, not 9" in refused.json()["detail"]
