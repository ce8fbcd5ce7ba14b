"""A handling unit that is announced again has come only if it came again."""

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


def noted(site, *, expect=True, **fields):
    body = {
        "units": [{"sscc": PALLET}, {"sscc": CASE, "parent": PALLET}],
        "lines": [{"line": 1, "item": "BOLT", "quantity": "5", "sscc": CASE}],
    }
    body |= {} if "order" in fields else {"warehouse": "SH1", "supplier": "ACME"}
    code = site.post("/shipping-notices", body | fields, status=201)["code"]
    if expect:
        site.post(f"/shipping-notices/{code}/expect")
    return code


def came(site, code):
    """Presences of pallet and case, and what came on the line."""
    found = site.get(f"/shipping-notices/{code}")
    return [one["presence"] for one in found["units"]], found["lines"][0]["received"]


def closed(site, code, reason=""):
    site.post(f"/shipping-notices/{code}/close", {"reason": reason})


ALL, NONE = (["received", "received"], "5"), (["missing", "missing"], "0")


def test_what_came_with_a_closed_notice_did_not_come_with_the_next(site):
    first = noted(site)
    site.receive("5", document=first, line=1, sscc=CASE)
    assert came(site, first) == ALL
    closed(site, first)
    second = noted(site)
    assert (came(site, first), came(site, second)) == (ALL, NONE)
    site.receive("5", document=second, line=1, sscc=CASE)
    assert (came(site, first), came(site, second)) == (ALL, ALL)


def test_notices_for_information_share_what_came_under_their_order(site):
    order = site.order({"item": "BOLT", "quantity": "100"})
    notices = []
    for _ in range(3):
        notices.append(noted(site, order=order, own_document=False))
        assert [came(site, code) for code in notices] == [ALL] * (len(notices) - 1) + [NONE]
        site.receive("5", document=order, line=1, sscc=CASE)
        site.clock.time_ms += 1000
        assert [came(site, code) for code in notices] == [ALL] * len(notices)
        closed(site, notices[-1])
    assert [came(site, code) for code in notices] == [ALL] * 3


def test_a_unit_under_its_orders_code_is_of_the_notice_that_named_it_first(site):
    order = site.order({"item": "BOLT", "quantity": "100"})
    first = noted(site, order=order)
    site.receive("5", document=order, line=1, sscc=CASE)
    assert came(site, first) == (["received", "received"], "0")
    closed(site, first, "came under the order")
    assert came(site, noted(site, order=order)) == NONE


def test_a_unit_of_another_document_counts_if_it_came_since_and_nobody_named_it_there(site):
    site.receive("5", document="OLD-1", line=1, sscc=CASE)
    site.clock.time_ms += 60_000
    code = noted(site)
    assert came(site, code) == NONE
    site.receive("5", document="ASN-X", line=1, sscc=CASE, event_time_ms=site.clock.time_ms)
    assert came(site, code) == (["received", "received"], "0")
    site.post(f"/shipping-notices/{code}/cancel", {"reason": "noted by mistake"})
    assert came(site, code) == NONE


def test_what_comes_after_the_end_of_a_notice_is_not_in_it(site):
    code = noted(site)
    closed(site, code, "it does not come")
    site.clock.time_ms += 60_000
    site.receive("5", document="ASN-X", line=1, sscc=CASE, event_time_ms=site.clock.time_ms)
    assert came(site, code) == NONE
