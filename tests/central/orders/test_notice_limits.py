"""Notices of shipment bring no more than their order tolerates, and each unit comes with one."""

import pytest

from central.contract.gs1 import make_sscc
from tests.central.orders.purchasing import Purchasing

PALLET, CASE = (
    make_sscc(extension_digit="0", company_prefix="0614141", serial_reference=number)
    for number in (1, 2)
)


@pytest.fixture
def site(database):
    return Purchasing(database)


def ordered(site, quantity, percent):
    return site.order({"item": "BOLT", "quantity": quantity, "over_tolerance_percent": percent})


def announced(site, quantity, **fields):
    body = {"lines": [{"line": 1, "item": "BOLT", "quantity": quantity}]} | fields
    return site.post("/shipping-notices", body, status=201)["code"]


def expected(site, quantity, **fields):
    code = announced(site, quantity, **fields)
    site.post(f"/shipping-notices/{code}/expect")
    return code


def of_pallet(**fields):
    line = {"line": 1, "item": "BOLT", "quantity": "5", "sscc": PALLET}
    place = {"warehouse": "SH1", "supplier": "ACME"}
    return place | {"units": [{"sscc": PALLET}], "lines": [line]} | fields


def refused(site, code):
    answer = site.ask("POST", f"/shipping-notices/{code}/expect")
    assert answer.status_code == 409, answer.text
    assert site.get(f"/shipping-notices/{code}")["state"] == "announced"
    return answer.json()


def opened(site):
    return [(kind, subject) for kind, subject, state, _ in site.discrepancies() if state == "open"]


def test_a_notice_tolerates_what_its_order_does(site):
    order = ordered(site, "100", "10")
    code = expected(site, "100", order=order)
    site.receive("110", document=code, line=1)
    bought = site.get(f"/purchase-orders/{order}")
    assert (bought["state"], bought["lines"][0]["fulfilment"]) == ("received", "complete")
    assert opened(site) == []
    site.receive("1", document=code, line=1)
    assert site.get(f"/purchase-orders/{order}")["lines"][0]["fulfilment"] == "over"
    assert opened(site) == [("over_received", f"{code}/1/BOLT")]
    assert site.faults() == []


def test_no_notice_is_expected_above_the_most_of_its_order(site):
    order = ordered(site, "10", "10")
    first = expected(site, "8", order=order)
    second = announced(site, "8", order=order)
    problem = refused(site, second)
    assert problem["detail"].startswith(
        f"notice of shipment {second} announces 8 of BOLT, but at most 3 more may come of line 1"
    )
    assert problem["fields"] == {
        "order": order,
        "order_line": 1,
        "item": "BOLT",
        "announced": "8",
        "received": "0",
        "announced_elsewhere": "8",
        "at_most": "11",
    }
    site.receive("6", document=first, line=1)
    fields = refused(site, second)["fields"]
    assert (fields["received"], fields["announced_elsewhere"]) == ("6", "2")
    site.post(f"/shipping-notices/{first}/close", {"reason": "2 broken"})
    assert refused(site, second)["fields"]["received"] == "6"
    site.receive("1", document=order, line=1)
    assert refused(site, second)["fields"]["received"] == "7"
    assert site.faults() == []


def test_notices_that_use_the_tolerance_up_share_what_is_left_of_it(site):
    order = ordered(site, "100", "10")
    first = expected(site, "60", order=order)
    second = expected(site, "48", order=order)  # 108 of at most 110: 2 more of 108.
    assert site.faults() == []
    site.receive("62", document=first, line=1)
    assert opened(site) == [("over_received", f"{first}/1/BOLT")]
    site.post(f"/shipping-notices/{second}/cancel", {"reason": "the lorry did not leave"})
    assert opened(site) == []  # The first tolerates ten percent again.
    assert site.faults() == []
    site.receive("4", document=first, line=1)
    assert opened(site) == []
    site.receive("1", document=first, line=1)
    assert opened(site) == [("over_received", f"{first}/1/BOLT")]
    assert site.faults() == []


def test_the_last_piece_that_the_order_tolerates_is_not_too_much(site):
    order = ordered(site, "100", "10")
    code = expected(site, "105", order=order)
    site.receive("110", document=code, line=1)
    assert opened(site) == []
    site.receive("1", document=code, line=1)
    assert opened(site) == [("over_received", f"{code}/1/BOLT")]


def test_a_unit_is_expected_with_one_notice(site):
    first, second = (site.post("/shipping-notices", of_pallet(), status=201) for _ in range(2))
    site.post(f"/shipping-notices/{first['code']}/expect")
    problem = refused(site, second["code"])
    assert problem["fields"] == {"sscc": PALLET, "notice": first["code"]}
    site.post(f"/shipping-notices/{first['code']}/cancel", {"reason": "noted twice"})
    found = site.post(f"/shipping-notices/{second['code']}/expect")
    assert found["state"] == "expected"


def test_a_unit_is_expected_in_one_warehouse(site):
    elsewhere = site.post("/shipping-notices", of_pallet(warehouse="BJ1"), status=201)["code"]
    site.post(f"/shipping-notices/{elsewhere}/expect")
    code = site.post("/shipping-notices", of_pallet(), status=201)["code"]
    assert refused(site, code)["fields"] == {"sscc": PALLET, "notice": elsewhere}


def test_other_units_and_what_is_only_announced_are_no_hindrance(site):
    site.post("/shipping-notices", of_pallet(), status=201)
    expected(site, "5", warehouse="SH1", supplier="ACME", units=[{"sscc": CASE}])
    found = site.post("/shipping-notices", of_pallet(), status=201)
    assert site.post(f"/shipping-notices/{found['code']}/expect")["state"] == "expected"
