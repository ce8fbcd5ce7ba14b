"""A notice of shipment says what comes in which unit, and the ledger says what did."""

import pytest

from central.contract.errors import ContractError
from central.contract.gs1 import make_sscc
from central.errors import Unusable
from central.orders.purchasing.asn import (
    HandlingUnit,
    NoticeLine,
    ShippingNotice,
    check_units,
    unit_presences,
)
from tests.central.orders.purchasing import Purchasing

PALLET, CASE, OTHER, FOREIGN = (
    make_sscc(extension_digit="0", company_prefix="0614141", serial_reference=number)
    for number in (1, 2, 3, 4)
)
BOLTS = {"item": "BOLT", "quantity": "10", "unit": "CT"}


def line(number, sscc, micro, *, item="BOLT", lot="L1"):
    return NoticeLine(number, sscc, item, lot, "", "C62", micro, 0)


NESTED = ShippingNotice(
    code="ASN-1",
    warehouse="SH1",
    supplier="ACME",
    order_code="",
    state="expected",
    own_document=True,
    expected_date="",
    note="",
    reason="",
    version=1,
    created_by="x",
    created_ms=0,
    changed_ms=0,
    units=(HandlingUnit(PALLET), HandlingUnit(CASE, PALLET), HandlingUnit(OTHER, PALLET)),
    lines=(line(1, CASE, 24), line(2, OTHER, 48)),
)
GOODS = ("BOLT", "L1")


@pytest.mark.parametrize(
    ("arrived", "presences"),
    [
        pytest.param({}, ["missing", "missing", "missing"], id="nothing"),
        pytest.param({PALLET: {GOODS: 72}}, ["received"] * 3, id="the pallet as a whole"),
        pytest.param(
            {PALLET: {GOODS: 70}}, ["differs", "missing", "missing"], id="something is missing"
        ),
        pytest.param({CASE: {GOODS: 24}}, ["differs", "received", "missing"], id="one case"),
        pytest.param({CASE: {GOODS: 24}, OTHER: {GOODS: 48}}, ["received"] * 3, id="case by case"),
        pytest.param({CASE: {GOODS: 24}, PALLET: {GOODS: 48}}, ["received"] * 3, id="a case apart"),
        pytest.param(
            {CASE: {("BOLT", "L2"): 24}}, ["differs", "differs", "missing"], id="another lot"
        ),
        pytest.param({CASE: {GOODS: 0}}, ["missing"] * 3, id="taken back"),
    ],
)
def test_a_unit_has_come_with_its_own_number_or_with_what_carries_it(arrived, presences):
    found = unit_presences(NESTED, arrived)
    assert [one.presence for one in found] == presences


@pytest.mark.parametrize(
    ("units", "named", "error"),
    [
        pytest.param([(PALLET, CASE), (CASE, PALLET)], "nested in itself", Unusable, id="cycle"),
        pytest.param([(PALLET, PALLET)], "nested in itself", Unusable, id="itself"),
        pytest.param([(PALLET, ""), (PALLET, "")], "twice", Unusable, id="twice"),
        pytest.param([(CASE, PALLET)], "not among", Unusable, id="no such parent"),
        pytest.param([("123", "")], "18 digits", Unusable, id="short"),
        pytest.param([(PALLET[:-1] + "9", "")], "check digit", ContractError, id="check digit"),
    ],
)
def test_units_that_cannot_be_are_refused(units, named, error):
    with pytest.raises(error, match=named):
        check_units([HandlingUnit(*unit) for unit in units], in_lines=[])


@pytest.fixture
def site(database):
    return Purchasing(database)


def notice(site, order=None, **fields):
    body = {
        "units": [{"sscc": PALLET}, {"sscc": CASE, "parent": PALLET}],
        "lines": [
            {"line": 1, "item": "BOLT", "quantity": "4", "unit": "CT", "sscc": CASE, "lot": "L1"}
        ],
    }
    body |= {"order": order} if order else {"warehouse": "SH1", "supplier": "ACME"}
    return site.post("/shipping-notices", body | fields, status=201)


def test_goods_of_a_notice_come_under_its_own_code_and_count_for_its_order(site):
    order = site.order(BOLTS)
    code = notice(site, order)["code"]
    assert site.documents() == {order: {1: 240_000_000}}
    expected = site.post(f"/shipping-notices/{code}/expect")
    assert (expected["state"], expected["order"]) == ("expected", order)
    # What comes with the notice is not expected a second time under the order's own code.
    assert site.documents() == {order: {1: 144_000_000}, code: {1: 96_000_000}}
    site.receive("90", document=code, line=1, sscc=CASE, lot="L1")
    found = site.get(f"/shipping-notices/{code}")
    assert [(one["sscc"], one["presence"]) for one in found["units"]] == [
        (PALLET, "differs"),
        (CASE, "differs"),
    ]
    assert found["lines"][0]["remaining"] == "6"
    assert site.carried(code) == {CASE: (PALLET,)}
    bought = site.get(f"/purchase-orders/{order}")
    assert (bought["state"], bought["lines"][0]["received"]) == ("part_received", "90")
    assert bought["notices"] == [code]
    refused = site.ask("POST", f"/purchase-orders/{order}/close", {"reason": "x"})
    assert refused.json()["fields"] == {"notices": [code]}
    assert site.ask("POST", f"/shipping-notices/{code}/close", {}).status_code == 409
    site.post(f"/shipping-notices/{code}/close", {"reason": "6 broken on the way"})
    assert site.documents() == {order: {1: 150_000_000}}
    assert site.faults() == []
    assert site.discrepancies() == []


def test_units_that_nobody_announced_are_named(site):
    code = notice(site)["code"]
    site.post(f"/shipping-notices/{code}/expect")
    site.receive("96", document=code, line=1, sscc=CASE, lot="L1")
    site.receive("24", document=code, line=1, sscc=FOREIGN)
    found = site.get(f"/shipping-notices/{code}")
    assert found["unexpected_units"] == [FOREIGN]
    assert (found["fulfilment"], found["units"][1]["presence"]) == ("over", "received")
    assert site.ask("POST", f"/shipping-notices/{code}/cancel", {"reason": "x"}).status_code == 409


def test_a_notice_for_information_follows_what_comes_under_its_order(site):
    order = site.order(BOLTS)
    code = notice(site, order, own_document=False)["code"]
    site.post(f"/shipping-notices/{code}/expect")
    assert site.documents() == {order: {1: 240_000_000}}
    site.receive("96", document=order, line=1, sscc=CASE, lot="L1")
    found = site.get(f"/shipping-notices/{code}")
    assert {one["presence"] for one in found["units"]} == {"received"}
    assert site.post(f"/shipping-notices/{code}/close")["reason"] == ""
    assert site.get(f"/purchase-orders/{order}")["lines"][0]["received"] == "96"


IMPOSSIBLE_NOTICES = {
    "no such order": ({"order": "PO-9", "warehouse": None, "supplier": None}, 404),
    "retired supplier": ({"supplier": "GONE"}, 409),
    "no document at all": ({"own_document": False}, 422),
    "unit of a line not named": ({"units": []}, 422),
    "unknown item": ({"lines": [{"line": 1, "item": "WHAT", "quantity": "1"}]}, 422),
}


def test_a_notice_that_cannot_be_is_refused_whole(site):
    body = {
        "warehouse": "SH1",
        "supplier": "ACME",
        "units": [{"sscc": CASE}],
        "lines": [{"line": 1, "item": "BOLT", "quantity": "4", "sscc": CASE}],
    }
    for name, (fields, status) in IMPOSSIBLE_NOTICES.items():
        assert site.ask("POST", "/shipping-notices", body | fields).status_code == status, name
    assert site.get("/shipping-notices")["shipping_notices"] == []


def test_notices_are_changed_cancelled_and_listed(site):
    first = notice(site, expected_date="2026-05-01")["code"]
    second = notice(site)["code"]
    path = f"/shipping-notices/{first}"
    changed = site.ask(
        "PATCH",
        path,
        {"units": [], "lines": [{"line": 1, "item": "NUT", "quantity": "5"}]},
        version=1,
    )
    assert [one["item"] for one in changed.json()["lines"]] == ["NUT"]
    assert site.ask("PATCH", path, {"note": "x"}, version=1).status_code == 412
    site.post(f"{path}/expect")
    assert site.ask("PATCH", path, {"lines": []}, version="*").status_code == 409

    def codes(**parameters):
        found = site.get("/shipping-notices", **parameters)["shipping_notices"]
        return [one["code"] for one in found]

    assert codes(late="true") == codes(state="expected") == codes(item="NUT") == [first]
    assert codes(sscc=CASE) == [second]
    assert site.post(f"{path}/cancel", {"reason": "wrong lorry"})["state"] == "cancelled"
    assert site.documents() == {}
