"""A part of goods that were weighed as a whole takes its share of the weight, or what is said."""

import pytest

from central.contract.reference import DocumentLine, ExpectedDocument
from central.ledger.reference_desk import put_document
from central.storage import tables
from tests.central.orders.settling import Settling
from tests.central.scenery import REFERENCE, rows, set_policy

HAM = b'[[items]]\ncode = "HAM"\nname = "Ham"\nname_zh = "h"\nunit = "C62"\n'
MICRO = 10**6


@pytest.fixture
def site(database):
    """7 hams of 28 kg came for an order of 6; another order expects one."""
    made = Settling(database, REFERENCE.replace(b"[[documents]]", HAM + b"[[documents]]", 1))
    set_policy(database, "HAM", weight_unit="KGM")
    with made.desk.change(actor="x") as change:
        for code, quantity in (("PO-6", "6"), ("PO-7", "1")):
            lines = (DocumentLine(line=1, item="HAM", quantity=quantity),)
            document = ExpectedDocument(code=code, warehouse="SH1", partner="Acme", lines=lines)
            put_document(change, document)
    came(made, "7", net_weight="28", weight_unit="KGM")
    yield made
    made.proved()


def came(site, quantity, **fields):
    site.dock.move("HAM", quantity, target="BIN-1", document="PO-6", document_line=1, **fields)
    site.send()


def there(site):
    """Hams and their kilograms in BIN-1."""
    figures = rows(
        site.database, tables.balances, "location", "item", "on_hand_micro", "weight_micro"
    )
    return [(n / MICRO, kg / MICRO) for place, item, n, kg in figures if place == "BIN-1"]


def weights(site):
    """What each posted part was said to weigh."""
    (settlement,) = site.found("over_received", "settled")["settlements"]
    facts = [site.get(f"/movements/{name}") for name in settlement["facts"]]
    return sorted((one["document"], one["quantity"], one["net_weight"]) for one in facts)


def test_what_goes_back_takes_its_share_of_the_weight(site):
    assert site.settle("over_received", {"action": "reverse"}).status_code == 200
    assert there(site) == [(6, 24)]
    assert site.get("/discrepancies?state=open")["discrepancies"] == []
    body = {"reason": "no", "take_back": True}
    identity = site.found("over_received", "settled")["id"]
    assert site.ask("POST", f"/discrepancies/{identity}/reopen", body).status_code == 200
    assert there(site) == [(7, 28)]


def test_what_goes_back_weighs_what_somebody_says(site):
    answer = site.settle("over_received", {"action": "reverse", "weight": "5.5"})
    assert answer.status_code == 200, answer.text
    assert there(site) == [(6, 22.5)]


def test_a_part_does_not_weigh_as_much_as_all_of_them(site):
    answer = site.settle("over_received", {"action": "reverse", "weight": "28"})
    assert answer.status_code == 422
    assert answer.json()["fields"] == {"weighed": "28", "asked": "28"}
    came(site, "1", net_weight="4", weight_unit="KGM")
    answer = site.settle("over_received", {"action": "reverse", "quantity": "2", "weight": "7"})
    assert answer.status_code == 422
    assert there(site) == [(8, 32)]


def test_what_was_meant_for_another_order_brings_its_share(site):
    assert site.settle("over_received").status_code == 200
    assert there(site) == [(7, 28)]
    assert weights(site) == [("PO-6", "6", "24"), ("PO-6", "7", "28"), ("PO-7", "1", "4")]


def test_what_was_not_weighed_has_no_weight_to_part(site):
    came(site, "1")
    assert site.settle("over_received", {"action": "reverse", "quantity": "1"}).status_code == 200
    assert there(site) == [(7, 28)]
