"""Only what is accepted becomes available, and everything that came is accounted for."""

import pytest
from sqlalchemy import select

from central.storage import catalogue_tables, tables
from tests.central.orders.purchasing import Purchasing

RICE = {"item": "RICE", "quantity": "100"}


@pytest.fixture
def site(database):
    return Purchasing(database)


@pytest.fixture
def order(site):
    return site.order(RICE)


def kilograms(site):
    return {key: micro // 10**6 for key, micro in site.stock("RICE").items()}


def decide(site, code, *decisions, status=200, **options):
    body = {"decisions": list(decisions)}
    return site.post(f"/inspections/{code}/decisions", body, status=status, **options)


def one(decision, quantity, **fields):
    return {"decision": decision, "quantity": quantity, **fields}


def only_inspection(site):
    (found,) = site.get("/inspections")["inspections"]
    return found


def test_goods_that_have_to_be_inspected_are_not_available_before(site, order):
    site.receive("60", item="RICE", document=order, line=1, lot="L1")
    site.receive("40", item="RICE", document=order, line=1, lot="L2")
    site.receive("5", item="BOLT")
    assert kilograms(site) == {("BIN-1", "inspection"): 100}
    assert site.stock("BOLT") == {("BIN-1", "available"): 5_000_000}
    first, second = site.get("/inspections", open="true")["inspections"]
    names = ("document", "document_line", "lot", "arrived", "in_inspection")
    assert [first[name] for name in names] == [order, 1, "L1", "60", "60"]
    assert [second[name] for name in names] == [order, 1, "L2", "40", "40"]
    # The order is fulfilled all the same: what came, came.
    assert site.get(f"/purchase-orders/{order}")["state"] == "received"
    assert site.faults() == []


def test_half_a_lot_is_accepted_and_the_rest_decided_later(site, order):
    site.receive("100", item="RICE", document=order, line=1, lot="L1")
    code = only_inspection(site)["code"]
    half = decide(site, code, one("accept", "50"), version=1)
    assert (half["accepted"], half["in_inspection"], half["open"]) == ("50", "50", True)
    assert kilograms(site) == {("BIN-1", "available"): 50, ("BIN-1", "inspection"): 50}
    rest = decide(
        site,
        code,
        one("reject", "20", reason="wet", to_location="STAGE-1"),
        one("hold", "30", reason="laboratory"),
    )
    assert (rest["rejected"], rest["held"], rest["in_inspection"]) == ("20", "30", "0")
    assert rest["open"] is True
    done = decide(site, code, one("accept", "30", source="held"))
    assert (done["held"], done["accepted"], done["open"]) == ("0", "80", False)
    assert kilograms(site) == {("BIN-1", "available"): 80, ("STAGE-1", "rejected"): 20}
    assert [step["decision"] for step in done["decisions"]] == [
        "accept",
        "reject",
        "hold",
        "accept",
    ]
    assert all(step["fact"].startswith("central/") for step in done["decisions"])
    assert site.faults() == []


def test_a_sample_is_noted_with_its_result_and_what_it_used_up(site, order):
    site.receive("100", item="RICE", document=order, line=1, lot="L1")
    code = only_inspection(site)["code"]
    found = decide(
        site,
        code,
        one("sample", "10", result="passed"),
        one("sample_used", "1", result="passed"),
        one("accept", "99"),
    )
    assert (found["accepted"], found["scrapped"], found["open"]) == ("99", "1", False)
    assert [step["result"] for step in found["decisions"]] == ["passed", "passed", ""]
    assert kilograms(site) == {("BIN-1", "available"): 99}
    assert site.faults() == []


def test_goods_are_found_wherever_they_were_put_meanwhile(site, order):
    site.receive("100", item="RICE", document=order, line=1, lot="L1")
    for target, quantity in (("BIN-2", "30"), ("BIN-3", "20")):
        fields = {"unit": "KGM", "lot": "L1", "business_step": "storing"}
        site.gateway.move("RICE", quantity, source="BIN-1", target=target, **fields)
    site.send()
    code = only_inspection(site)["code"]
    decide(site, code, one("accept", "30", location="BIN-2"))
    decided = decide(site, code, one("accept", "60"))
    assert [step["location"] for step in decided["decisions"]] == ["BIN-2", "BIN-1", "BIN-3"]
    assert kilograms(site) == {
        ("BIN-1", "available"): 50,
        ("BIN-2", "available"): 30,
        ("BIN-3", "available"): 10,
        ("BIN-3", "inspection"): 10,
    }
    assert site.faults() == []


# Each is tried after 10 of 100 were accepted in the same request.
IMPOSSIBLE_DECISIONS = {
    "more than came": (one("accept", "91"), 409, "more than the 90"),
    "nothing": (one("accept", "0"), 422, "greater than zero"),
    "no reason": (one("reject", "1"), 422, "reason"),
    "not rejected yet": (one("scrap", "1", reason="x"), 409, "inspection"),
    "nothing held": (one("accept", "1", source="held"), 409, "held"),
    "no such place": (one("accept", "1", to_location="X-9"), 422, "X-9"),
    "not there": (one("accept", "1", location="BIN-3"), 409, "only 0 of 1"),
    "sampled elsewhere": (one("sample", "1", location="BIN-3"), 409, "only 0 of 1"),
    "sampled nowhere": (one("sample", "1", location="NOWHERE"), 409, "only 0 of 1"),
    "sampled of another": (one("sample", "1", serial="S9"), 409, "only 0 of 1"),
    "not gone": (one("gone", "1", reason="x"), 409, "still stand"),
}


def test_a_decision_that_cannot_be_leaves_everything_as_it_was(site, order):
    site.receive("100", item="RICE", document=order, line=1, lot="L1")
    before = only_inspection(site)
    for name, (decision, status, named) in IMPOSSIBLE_DECISIONS.items():
        refused = decide(site, before["code"], one("accept", "10"), decision, status=status)
        assert named in refused["detail"], name
    assert only_inspection(site) == before
    assert kilograms(site) == {("BIN-1", "inspection"): 100}


def test_two_inspectors_do_not_decide_on_the_same_goods(site, order):
    site.receive("100", item="RICE", document=order, line=1, lot="L1")
    code = only_inspection(site)["code"]
    decide(site, code, one("accept", "100"), version=1, actor="li.na")
    refused = decide(
        site, code, one("reject", "100", reason="x"), version=1, actor="wu", status=412
    )
    assert refused["fields"] == {"version": 2}
    assert kilograms(site) == {("BIN-1", "available"): 100}


def test_a_receipt_that_is_taken_back_has_nothing_to_inspect(site, order):
    seq = site.receive("100", item="RICE", document=order, line=1, lot="L1")
    site.gateway.reverse(seq)
    site.send()
    found = only_inspection(site)
    assert (found["arrived"], found["in_inspection"], found["open"]) == ("0", "0", False)
    assert kilograms(site) == {}
    assert site.faults() == []


def test_goods_without_a_document_are_inspected_too_and_what_left_is_gone(site):
    site.receive("10", item="RICE", lot="L1")
    code = only_inspection(site)["code"]
    fields = {"unit": "KGM", "lot": "L1", "business_step": "shipping"}
    site.gateway.move("RICE", "4", source="BIN-1", target="customer", **fields)
    site.send()
    assert [found[0] for found in site.discrepancies()] == ["moved_unavailable"]
    refused = decide(site, code, one("accept", "10"), status=409)
    assert "only 6 of 10" in refused["detail"]
    found = decide(site, code, one("gone", "4", reason="shipped by mistake"), one("accept", "6"))
    assert (found["gone"], found["accepted"], found["open"]) == ("4", "6", False)
    assert kilograms(site) == {("BIN-1", "available"): 6}


def test_what_was_weighed_beside_being_counted_takes_its_weight_along(site):
    site.put(
        catalogue_tables.item_policies,
        {"item": "NUT", "inspected": True, "weight_unit": "KGM", "rotation": "fefo"},
    )
    site.receive("10", item="NUT", net_weight="33.333333", weight_unit="KGM")
    code = only_inspection(site)["code"]
    decide(site, code, one("accept", "3"), one("reject", "7", reason="rust"))
    with site.database.read() as connection:
        found = connection.execute(
            select(tables.balances.c.status, tables.balances.c.weight_micro).where(
                tables.balances.c.item == "NUT", tables.balances.c.location == "BIN-1"
            )
        )
        weights = {row.status: row.weight_micro for row in found}
    assert weights == {"available": 9_999_999, "inspection": 0, "rejected": 23_333_334}
    assert site.faults() == []


def test_goods_that_go_back_before_anybody_looked_are_not_to_be_inspected(site):
    site.receive("10", item="RICE", lot="L1")
    fields = {"unit": "KGM", "lot": "L1", "business_step": "shipping"}
    site.gateway.move("RICE", "10", source="BIN-1", target="supplier", **fields)
    site.send()
    found = only_inspection(site)
    assert (found["arrived"], found["open"]) == ("0", False)
    assert site.faults() == []


def test_a_sample_of_serial_numbers_is_one_of_each_that_is_there(site):
    site.put(
        catalogue_tables.item_policies,
        {"item": "NUT", "inspected": True, "serial_tracked": True, "rotation": "fefo"},
    )
    for serial in ("S1", "S2"):
        site.receive("1", item="NUT", serial=serial)
    code = only_inspection(site)["code"]
    for asked, there in (
        (one("sample", "2", serial="S1"), 1),
        (one("sample", "1", serial="S9"), 0),
    ):
        refused = decide(site, code, asked, status=409)
        assert refused["detail"].endswith(f"only {there} of {asked['quantity']} is there")
        assert refused["fields"] == {"on_hand": str(there)}
    found = decide(
        site, code, one("sample", "1", serial="S1"), one("sample", "2", location="BIN-1")
    )
    assert [(step["quantity"], step["serial"]) for step in found["decisions"]] == [
        ("1", "S1"),
        ("2", ""),
    ]
