"""Goods that were picked loose beside pallets and cartons are taken out of one of those."""

import pytest

from central.storage import tables
from central.web.drawing import drawing_in
from central.web.settlement_words import sentence
from tests.central.clients import call
from tests.central.orders.settling import Settling
from tests.central.scenery import REFERENCE, rows, set_policy, sscc

HAM = b'[[items]]\ncode = "HAM"\nname = "Ham"\nname_zh = "h"\nunit = "C62"\n'
CASE, OTHER = sscc(1), sscc(2)
FOUND = ("location", "lot", "sscc", "on_hand_micro", "weight_micro")


@pytest.fixture
def site(database):
    made = Settling(database, REFERENCE.replace(b"[[documents]]", HAM + b"[[documents]]", 1))
    set_policy(database, "HAM", weight_unit="KGM")
    yield made
    made.proved()


def there(site, item="BOLT"):
    """What the warehouse has at its places: (place, lot, unit, quantity, weight in thousandths)."""
    found = rows(site.database, tables.balances, "item", *FOUND)
    return sorted(
        (place, lot, unit, quantity / 10**6, weight / 10**6)
        for code, place, lot, unit, quantity, weight in found
        if code == item and (quantity or weight) and place.startswith("BIN")
    )


def picked_loose(site, *, lot="", case_lot=""):
    """Two cases of 10 in BIN-1, of which 3 left that no case is said of; BIN-2 has 30 loose."""
    site.dock.move(quantity="10", target="BIN-1", sscc=CASE, lot=case_lot)
    site.dock.move(quantity="10", target="BIN-1", sscc=OTHER, lot=case_lot)
    site.dock.move(quantity="30", target="BIN-2", lot=case_lot)
    site.dock.move(quantity="3", source="BIN-1", target="customer", lot=lot)
    site.send()


def test_loose_goods_that_are_missing_are_taken_out_of_a_case_at_the_place(site):
    picked_loose(site)
    proposals = site.found("negative_balance")["proposals"]
    case = {"action": "reassign", "location": "BIN-1", "quantity": "3"}
    assert [one["body"] for one in proposals] == [
        case | {"sscc": CASE},
        case | {"sscc": OTHER},
        case | {"location": "BIN-2"},
        {"action": "adjust", "counted": "0"},
    ]
    assert proposals[0]["why"] == (
        f"BIN-1 has 10 C62 in unit {CASE}: they may have been taken out of that."
    )
    told = sentence(proposals[0]["why"], drawing_in("zh").texts)
    assert told == f"BIN-1 的装运单元 {CASE} 里有 10 件：可能是从其中取出的。"
    answer = site.settle("negative_balance")
    assert (answer.status_code, answer.json()["state"]) == (200, "settled"), answer.text
    assert there(site) == [
        ("BIN-1", "", CASE, 7, 0),
        ("BIN-1", "", OTHER, 10, 0),
        ("BIN-2", "", "", 30, 0),
    ]
    path = f"/discrepancies/{answer.json()['id']}/reopen"
    assert site.ask("POST", path, {"reason": "no", "take_back": True}).status_code == 200
    assert [one[3] for one in there(site)] == [-3, 10, 10, 30]


def test_the_case_is_named_at_the_desk_and_has_to_have_them(site):
    picked_loose(site)
    body = {"action": "reassign", "sscc": OTHER}
    assert site.settle("negative_balance", body | {"location": "BIN-2"}).json()["fields"] == {
        "sscc": OTHER,
        "there": "0",
        "asked": "3",
    }
    assert site.settle("negative_balance", body | {"sscc": ""}).status_code == 422
    assert site.settle("negative_balance", body | {"sscc": "12"}).status_code == 422
    assert site.settle("negative_balance", body).json()["state"] == "settled"
    assert ("BIN-1", "", OTHER, 7, 0) in there(site)


def test_held_goods_of_a_case_are_taken_once_somebody_gave_them_free(site):
    site.dock.move(quantity="10", target="BIN-1", sscc=CASE, to_status="held")
    site.dock.move(quantity="3", source="BIN-1", target="customer")
    site.send()
    actions = [one["body"]["action"] for one in site.found("negative_balance")["proposals"]]
    assert actions == ["adjust"]
    body = {"action": "reassign", "sscc": CASE}
    assert site.settle("negative_balance", body).json()["fields"]["there"] == "0"
    free = {"from_status": "held", "to_status": "available", "business_step": "inspecting"}
    site.dock.move(quantity="3", source="BIN-1", target="BIN-1", sscc=CASE, **free)
    site.send()
    first = site.found("negative_balance")["proposals"][0]
    assert first["body"] == body | {"location": "BIN-1", "quantity": "3"}
    assert site.settle("negative_balance").json()["state"] == "settled"
    assert there(site) == [("BIN-1", "", CASE, 7, 0)]


def test_they_may_be_of_another_lot_in_a_case(site):
    picked_loose(site, lot="L0", case_lot="LI")
    first = site.found("negative_balance")["proposals"][0]
    body = {"action": "reassign", "location": "BIN-1", "lot": "LI", "sscc": CASE, "quantity": "3"}
    assert first["body"] == body
    said = f"BIN-1 has 10 C62 of lot LI in unit {CASE}: they may have been taken out of that."
    assert first["why"] == said
    assert site.settle("negative_balance").json()["state"] == "settled"
    assert there(site)[0] == ("BIN-1", "LI", CASE, 7, 0)


def test_a_case_that_is_below_zero_is_filled_with_loose_goods_beside_it(site):
    site.dock.move(quantity="5", target="BIN-1")
    site.dock.move(quantity="7", source="BIN-1", target="customer", sscc=CASE)
    site.send()
    first = site.found("negative_balance")["proposals"][0]
    assert first["body"] == {
        "action": "reassign",
        "location": "BIN-1",
        "sscc": "",
        "quantity": "5",
    }
    assert first["why"].startswith("BIN-1 has 5 C62 outside of units: ")
    told = sentence(first["why"], drawing_in("zh").texts)
    assert told == "BIN-1 有 5 件 不在装运单元里：可能取自这些。 仍缺 2 件，此差异保持未处理。"
    assert site.settle("negative_balance").json()["state"] == "open"
    assert there(site) == [("BIN-1", "", CASE, -2, 0)]


def test_what_is_taken_out_of_a_case_brings_its_share_of_the_weight(site):
    weighed = {"weight_unit": "KGM", "business_step": "shipping"}
    site.dock.move("HAM", "10", target="BIN-1", sscc=CASE, net_weight="40", **weighed)
    site.dock.move("HAM", "3", source="BIN-1", target="customer", net_weight="12", **weighed)
    site.send()
    assert site.settle("negative_balance").json()["state"] == "settled"
    assert there(site, "HAM") == [("BIN-1", "", CASE, 7, 28)]
    assert site.get("/discrepancies?state=open")["discrepancies"] == []


def test_what_was_not_weighed_as_it_left_is_told_when_it_is_taken_out_of_a_case(site):
    site.dock.move("HAM", "10", target="BIN-1", sscc=CASE, net_weight="40", weight_unit="KGM")
    site.dock.move("HAM", "3", source="BIN-1", target="BIN-2")
    site.send()
    assert site.settle("negative_balance").json()["state"] == "settled"
    assert there(site, "HAM") == [("BIN-1", "", CASE, 7, 28), ("BIN-2", "", "", 3, 0)]
    told = site.found("weight_differs")
    assert (told["location"], told["actual"]) == ("BIN-1", "12")


def test_a_page_offers_the_case_as_a_button_and_as_a_field(site):
    picked_loose(site)
    identity = site.found("negative_balance")["id"]
    page = call(site.app, "GET", f"/discrepancies/{identity}").text
    assert f'name="sscc" value="{CASE}"' in page
    assert "Pallet or carton (SSCC) that they were in" in page
