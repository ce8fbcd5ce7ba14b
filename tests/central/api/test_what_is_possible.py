"""What an answer says is possible is possible: actions, methods of an address, kinds of events."""

import re

import pytest
from sqlalchemy import select

from central.storage.tables import object_events
from central.web.people import words
from central.webhooks.kinds import EVENT_KINDS
from tests.central.api.example_walk import PREFIX, WAYS
from tests.central.api.test_openapi import prepared
from tests.central.clients import call
from tests.central.orders.purchasing import Purchasing

CHANGING = ("PUT", "DELETE", "PATCH", "POST", "GET")


@pytest.fixture
def site(database):
    return Purchasing(database)


def test_no_document_of_which_goods_moved_says_that_it_can_be_cancelled(site):
    site.receive("10")
    line = {"line": 1, "item": "BOLT", "quantity": "4"}
    sold = {"warehouse": "SH1", "customer": "SHOP", "lines": [line]}
    order = site.post("/sales-orders", sold, status=201)["code"]
    for action in ("submit", "approve", "release"):
        site.post(f"/sales-orders/{order}/{action}")
    path = f"/sales-orders/{order}"
    assert {"cancel", "recall"} <= set(site.get(path)["actions"])
    assert "sign" not in site.get(path)["actions"]
    site.gateway.move(
        "BOLT", "1", source="BIN-1", target="customer", business_step="shipping", document=order
    )
    site.send()
    assert not {"cancel", "recall", "sign"} & set(site.get(path)["actions"])
    for action, body in (("cancel", {"reason": "x"}), ("recall", {}), ("sign", {"signed_by": "x"})):
        assert site.ask("POST", f"{path}/{action}", body).status_code == 409, action
    site.post(f"{path}/lines/1/give-up", {"reason": "enough"})
    assert "sign" in site.get(path)["actions"]
    site.post(f"{path}/sign", {"signed_by": "Wang"})

    bought = site.order(line)
    assert "cancel" in site.get(f"/purchase-orders/{bought}")["actions"]
    site.receive("1", document=bought, line=1)
    assert "cancel" not in site.get(f"/purchase-orders/{bought}")["actions"]
    assert "close" in site.get(f"/purchase-orders/{bought}")["actions"]

    for name, asked, source, target in (
        ("customer-returns", {"customer": "SHOP"}, "customer", "BIN-1"),
        ("supplier-returns", {"supplier": "ACME"}, "BIN-1", "supplier"),
    ):
        body = {"warehouse": "SH1", "reason": "damaged", "lines": [line]} | asked
        code = site.post(f"/{name}", body, status=201)["code"]
        for action in ("approve", "release"):
            assert "cancel" in site.post(f"/{name}/{code}/{action}")["actions"]
        step = "shipping" if source == "BIN-1" else "receiving"
        site.gateway.move(
            "BOLT", "1", source=source, target=target, business_step=step, document=code
        )
        site.send()
        assert "cancel" not in site.get(f"/{name}/{code}")["actions"], name


def test_a_wrong_method_is_told_all_methods_of_its_address(site):
    paths = call(site.app, "GET", "/openapi.json").json()["paths"]
    forms = {path: re.compile(re.sub(r"{\w+}", "[^/]+", path)) for path in paths}
    asked = 0
    for path in paths:
        address = re.sub(r"{\w+}", "X", path)
        allowed = {
            method.upper()
            for other, form in forms.items()
            if form.fullmatch(address)
            for method in paths[other]
        }
        wrong = next((method for method in CHANGING if method not in allowed), None)
        if wrong is None:
            continue
        asked += 1
        answer = call(site.app, wrong, address)
        assert answer.status_code == 405, (wrong, address, answer.text)
        assert set(answer.headers["allow"].split(", ")) == allowed, (wrong, address)
    assert asked > 100
    assert call(site.app, "PUT", f"{PREFIX}/transfers").headers["allow"] == "GET, POST"


def test_a_subscription_to_what_nothing_is_of_names_what_there_is(site):
    body = {"url": "https://erp.example.com/hooks", "kinds": ["tranfser", "transfer"]}
    refused = site.ask("POST", "/webhooks", body)
    assert refused.status_code == 422
    problem = refused.json()
    assert problem["fields"] == {"unknown": ["tranfser"], "kinds": sorted(EVENT_KINDS)}
    assert "transfer, user" in problem["hint"]
    made = site.post("/webhooks", body | {"kinds": ["transfer"]}, status=201)
    path = f"/webhooks/{made['code']}"
    assert site.ask("PATCH", path, {"kinds": ["tranfser"]}, version="*").status_code == 422
    assert site.get(path)["kinds"] == ["transfer"]


def test_the_kinds_of_events_are_those_that_happen_and_have_names(database):
    assert EVENT_KINDS - {"alert"} == set(words.KINDS)
    walk = prepared(database)
    for way in WAYS:
        way(walk)
    with database.read() as connection:
        found = set(connection.execute(select(object_events.c.kind).distinct()).scalars())
    assert {"transfer", "count", "item"} <= found <= EVENT_KINDS
