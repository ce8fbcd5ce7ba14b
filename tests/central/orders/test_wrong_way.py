"""What went another way than its document is about stays open until somebody settles it."""

import pytest

from central.contract.reference import DocumentLine, ExpectedDocument
from central.ledger.reference_desk import put_document
from tests.central.orders.settling import Settling


@pytest.fixture
def site(database):
    return Settling(database)


def put(site, kind="shipment", *items, code="D-1"):
    lines = tuple(
        DocumentLine(line=number, item=item, quantity="5")
        for number, item in enumerate(items or ("BOLT",), start=1)
    )
    document = ExpectedDocument(code=code, warehouse="SH1", partner="Acme", kind=kind, lines=lines)
    with site.desk.change(actor="x") as change:
        put_document(change, document)


def under(site, source, target, quantity="3", item="BOLT", line=1):
    fields = {"source": source, "target": target, "document": "D-1", "document_line": line}
    site.dock.move(item, quantity, **fields)
    site.send()


def test_an_order_told_anew_does_not_expect_what_came_from_a_supplier(site):
    put(site)
    under(site, "supplier", "BIN-2")
    put(site)
    put(site, "shipment", "BOLT", "NUT")
    assert site.found("unexpected")["subject"] == "D-1/BOLT"
    # Taken back nothing is left that it could not expect.
    site.dock.reverse(1)
    site.send()
    why = "record 1 was taken back, and nothing else is behind it"
    assert site.found("unexpected", "settled")["settlement"] == why
    site.proved()


@pytest.mark.parametrize("line", [0, 2])
def test_an_item_that_an_order_expects_by_now_is_expected_whoever_asks(site, line):
    put(site)
    under(site, "BIN-1", "customer", item="NUT", line=line)
    put(site)
    assert site.found("unexpected")["subject"] == "D-1/NUT"
    put(site, "shipment", "BOLT", "NUT")
    assert site.found("unexpected", "settled")["settlement"] == "document D-1 expects NUT now"
    site.proved()


def test_an_item_that_went_on_the_line_of_another_is_still_not_expected_there(site):
    put(site, "shipment", "BOLT")
    under(site, "BIN-1", "customer", item="NUT", line=1)
    put(site, "shipment", "BOLT", "NUT")
    assert site.found("unexpected")["subject"] == "D-1/NUT"


def test_what_settles_it_leaves_what_the_order_expected_where_it_is(site):
    put(site)
    under(site, "supplier", "BIN-2")
    under(site, "BIN-2", "customer", "2")
    row = site.found("unexpected")
    assert len(row["facts"]) == 1
    assert row["proposals"][0]["body"] == {
        "action": "reassign",
        "document": "PO-1",
        "document_line": 1,
    }
    assert site.settle("unexpected").json()["state"] == "settled"
    assert (site.received("D-1"), site.received("PO-1")) == ({1: 2}, {1: 3})
    assert site.on_hand() == {("BIN-2", ""): 1, ("supplier", ""): -3, ("customer", ""): 2}
    site.proved()


BACK = [
    ("shipment", "customer", "BIN-2"),
    ("receipt", "BIN-2", "supplier"),
    ("supplier_return", "supplier", "BIN-2"),
    ("customer_return", "BIN-2", "customer"),
    ("transfer_out", "in_transit", "BIN-2"),
]


@pytest.mark.parametrize(("kind", "source", "target"), BACK)
@pytest.mark.parametrize("line", [1, 0])
def test_more_that_went_back_than_was_counted_is_told_and_settled(site, kind, source, target, line):
    site.dock.move(quantity="9", target="BIN-2")
    put(site, kind)
    under(site, target, source, "2", line=line)
    under(site, source, target, "2")
    assert site.get("/discrepancies?kind=unexpected&state=open")["discrepancies"] == []
    under(site, source, target, "3", line=line)
    row = site.found("unexpected")
    assert row["detail"] == "3 more went back than the document had counted"
    assert len(row["facts"]) == 1
    put(site, kind)
    assert [one["body"] for one in site.found("unexpected")["proposals"][-2:]] == [
        {"action": "accept"},
        {"action": "reverse"},
    ]
    assert site.settle("unexpected", {"action": "reverse"}).json()["state"] == "settled"
    assert sum(site.received("D-1").values()) == 0
    assert site.get("/discrepancies?kind=unexpected&state=open")["discrepancies"] == []
    site.proved()


def test_what_a_customer_brought_under_an_order_is_given_to_its_return(site):
    put(site)
    put(site, "customer_return", code="R-1")
    under(site, "customer", "BIN-2")
    row = site.found("unexpected")
    assert row["proposals"][0]["body"] == {
        "action": "reassign",
        "document": "R-1",
        "document_line": 1,
    }
    assert site.settle("unexpected").json()["state"] == "settled"
    assert (site.received("D-1"), site.received("R-1")) == ({}, {1: 3})
    site.proved()


def test_what_takes_a_departure_back_after_its_return_is_told(site):
    put(site)
    under(site, "BIN-2", "customer", "3")
    under(site, "customer", "BIN-2", "3")
    site.dock.reverse(1)
    site.send()
    assert site.found("unexpected")["detail"].startswith("3 more went back")
    site.proved()
