"""What a line has too much of is taken of the facts that made it so, and of no others."""

import pytest

from central.contract.reference import DocumentLine, ExpectedDocument
from central.ledger.reference_desk import put_document
from central.storage import tables
from tests.central.orders.settling import Settling
from tests.central.scenery import REFERENCE, rows

SHIPMENT = b"""
[[documents]]
code = "D-1"
warehouse = "SH1"
partner = "Shop"
kind = "shipment"
lines = [ { line = 1, item = "BOLT", quantity = "5" } ]
"""


@pytest.fixture
def site(database):
    made = Settling(database)
    yield made
    made.proved()


def put(site, kind, quantity, *, code="D-1"):
    """Stations are told of a document with one line of bolts."""
    line = DocumentLine(line=1, item="BOLT", quantity=quantity)
    document = ExpectedDocument(code=code, warehouse="SH1", partner="", kind=kind, lines=(line,))
    with site.desk.change(actor="x") as change:
        put_document(change, document)


def move(site, source, target, quantity, *, line=1, code="D-1", **fields):
    named = {"document": code, "document_line": line}
    site.dock.move(quantity=quantity, source=source, target=target, **(named | fields))


def counted(site):
    """Pieces that count for the line of D-1."""
    names = ("document", "line", "unit", "received_micro")
    found = rows(site.database, tables.document_progress, *names)
    (micro,) = [one[3] for one in found if one[:3] == ("D-1", 1, "C62")]
    return micro / 10**6


OTHERS = [
    pytest.param("receipt", ("supplier", "BIN-1"), ("BIN-1", "BIN-2", "9"), {}, id="put away"),
    pytest.param("receipt", ("supplier", "BIN-1"), ("BIN-1", "supplier", "1"), {}, id="sent back"),
    pytest.param("receipt", ("supplier", "BIN-1"), ("customer", "BIN-1", "3"), {}, id="returned"),
    pytest.param(
        "receipt", ("supplier", "BIN-1"), ("supplier", "BIN-1", "3"), {"unit": "XPX"}, id="in boxes"
    ),
    pytest.param("shipment", ("BIN-1", "customer"), ("BIN-1", "STAGE-1", "3"), {}, id="picked"),
    pytest.param("shipment", ("BIN-1", "customer"), ("BIN-1", "supplier", "3"), {}, id="sent away"),
    pytest.param(
        "transfer_out",
        ("BIN-1", "in_transit"),
        ("in_transit", "BIN-1", "3"),
        {"line": 0},
        id="back",
    ),
]


@pytest.mark.parametrize(("kind", "way", "other", "fields"), OTHERS)
def test_what_is_too_much_is_taken_of_what_counted(site, kind, way, other, fields):
    put(site, kind, "5")
    site.dock.move(quantity="20", target="BIN-1")
    move(site, *way, "9")
    move(site, *other, **fields)
    site.send()
    found = "over_received" if kind == "receipt" else "over_shipped"
    (back,) = [
        one["body"] for one in site.found(found)["proposals"] if one["body"]["action"] == "reverse"
    ]
    answer = site.settle(found, back)
    assert (answer.status_code, answer.json()["state"]) == (200, "settled")
    assert counted(site) == 5


def test_a_line_is_given_no_more_than_the_facts_behind_an_excess_moved(site):
    put(site, "transfer_out", "2")
    site.dock.move(quantity="40", target="BIN-1")
    move(site, "BIN-1", "in_transit", "3")
    move(site, "BIN-1", "in_transit", "10", code="D-0", line=0)
    site.send()
    meant = {"action": "reassign", "document": "D-1", "document_line": 1, "item": "BOLT"}
    assert site.settle("unknown_document", meant).status_code == 200
    assert counted(site) == 13
    move(site, "in_transit", "BIN-1", "7", line=0)
    put(site, "transfer_out", "9", code="D-2")
    site.send()
    # Seven of the thirteen are back, under no pick.
    given, back, _ = site.found("over_shipped")["proposals"]
    assert (given["body"]["document"], given["body"]["quantity"]) == ("D-2", "9")
    assert given["why"] == "D-2 line 1 still expects 9 C62. 2 C62 are left, and it stays open."
    assert (back["body"]["action"], back["body"]["quantity"]) == ("reverse", "11")
    answer = site.settle("over_shipped", given["body"])
    assert (answer.status_code, answer.json()["state"]) == (200, "open")
    assert (counted(site), site.received("D-2")) == (4, {1: 9})
    answer = site.settle("over_shipped")
    assert (answer.status_code, answer.json()["state"]) == (200, "settled")
    assert counted(site) == 2


def test_what_names_no_line_of_a_shipment_of_a_file_counts_for_its_lines(database):
    site = Settling(database, REFERENCE + SHIPMENT)
    site.dock.move(quantity="20")
    move(site, "BIN-1", "customer", "9", line=0)
    site.send()
    back, accepted = site.found("over_shipped")["proposals"]
    assert (back["body"]["quantity"], accepted["why"]) == (
        "4",
        "Leave it at 4 C62 more than expected.",
    )
    answer = site.settle("over_shipped", back["body"])
    assert (answer.status_code, answer.json()["state"]) == (200, "settled")
    assert site.received("D-1") == {0: 5}
    site.proved()


NONE_OF_THE_LINE = [
    pytest.param({"item": "NUT"}, [("unexpected", "D-1/NUT")], id="another item"),
    pytest.param({"unit": "XPX"}, [("unit_differs", "BOLT/XPX")], id="in boxes"),
]


@pytest.mark.parametrize(("kind", "way"), [one.values[:2] for one in OTHERS[::4]])
@pytest.mark.parametrize(("fields", "told"), NONE_OF_THE_LINE)
def test_what_counts_for_no_line_is_told_as_that_alone(site, kind, way, fields, told):
    put(site, kind, "5")
    for item in ("BOLT", "NUT"):
        site.dock.move(item, "20", target="BIN-1")
    move(site, *way, "9", **fields)
    site.send()
    found = rows(site.database, tables.discrepancies, "kind", "subject")
    assert [one for one in found if one[0] != "negative_balance"] == told
