"""What crosses another border than its document is about counts for nothing, and is told."""

import pytest

from central.contract.reference import DocumentLine, ExpectedDocument
from central.inbox.inbox import Inbox
from central.ledger.desk import Desk
from central.ledger.reference_desk import put_document, withdraw_document
from central.ledger.verify import verify_ledger
from central.orders.following import FOLLOWERS
from central.orders.proofs import PROOFS
from central.storage import sales_tables, tables
from tests.central.orders.transferring import MICRO, Scene
from tests.central.scenery import (
    REFERENCE,
    FixedClock,
    Gateway,
    discrepancies,
    furnished,
    load,
    rows,
)


def put(database, kind, *, code="D-1"):
    line = DocumentLine(line=1, item="BOLT", quantity="5")
    document = ExpectedDocument(
        code=code, warehouse="SH1", partner="Acme", kind=kind, lines=(line,)
    )
    with Desk(database, clock=FixedClock()).change(actor="li.na") as change:
        put_document(change, document)


def withdraw(database):
    with Desk(database, clock=FixedClock()).change(actor="li.na") as change:
        withdraw_document(change, warehouse="SH1", code="D-1")


def done(database):
    """{(line, item): what is done} of the document, zeros left out."""
    found = rows(database, tables.document_progress, "document", "line", "item", "received_micro")
    return {row[1:3]: row[3] / MICRO for row in found if row[0] == "D-1" and row[3]}


def followed(database, *gateways):
    """What takes facts, and tells whoever follows them."""
    furnished(database, *gateways)
    return Inbox(database, clock=FixedClock(), followers=FOLLOWERS)


def proved(database):
    assert verify_ledger(database).faults == ()
    with database.read() as connection:
        assert [fault for proof in PROOFS for fault in proof(connection)] == []


ELSEWHERE = [
    ("shipment", "supplier", "BIN-1"),
    ("shipment", "in_transit", "BIN-1"),
    ("receipt", "BIN-1", "customer"),
    ("supplier_return", "BIN-1", "customer"),
    ("customer_return", "supplier", "BIN-1"),
    ("transfer_out", "BIN-1", "customer"),
    ("transfer_out", "supplier", "in_transit"),
    ("transfer_in", "supplier", "BIN-1"),
]


@pytest.mark.parametrize(("kind", "source", "target"), ELSEWHERE)
@pytest.mark.parametrize("line", [1, 0])
def test_what_crosses_another_border_counts_for_nothing_and_is_told(
    database, kind, source, target, line
):
    gateway = Gateway()
    inbox = followed(database, gateway)
    put(database, kind)
    for item in ("BOLT", "NUT"):
        gateway.move(item, "3", source=source, target=target, document="D-1", document_line=line)
    gateway.move("BOLT", "3", source=source, target=target, document="D-1", document_line=line)
    gateway.reverse(3)
    inbox.accept([gateway.offer()])
    assert done(database) == {}
    told = [one for one in discrepancies(database) if one[0] == "unexpected"]
    assert told == [("unexpected", "D-1/BOLT", 2), ("unexpected", "D-1/NUT", 1)]
    proved(database)


def test_a_withdrawn_document_still_counts_what_it_was_about(database):
    gateway = Gateway()
    inbox = followed(database, gateway)
    put(database, "shipment")
    gateway.move(quantity="3", source="supplier", document="D-1", document_line=1)
    inbox.accept([gateway.offer()])
    withdraw(database)
    fields = {"document": "D-1", "document_line": 1}
    gateway.move(quantity="1", source="supplier", **fields)
    gateway.move(quantity="2", source="BIN-1", target="customer", **fields)
    inbox.accept([gateway.offer(2)])
    assert done(database) == {(1, "BOLT"): 2}
    proved(database)
    put(database, "shipment")
    assert done(database) == {(1, "BOLT"): 2}
    proved(database)


RECOUNTED = [("receipt", 7), ("customer_return", -2), ("transfer_in", -1), ("supplier_return", -7)]


@pytest.mark.parametrize(("kind", "expected"), RECOUNTED)
@pytest.mark.parametrize("by", ["desk", "file"])
def test_a_document_that_turns_out_to_be_of_another_kind_is_counted_once_more(
    database, kind, expected, by
):
    gateway = Gateway()
    inbox = followed(database, gateway)
    put(database, "shipment")
    fields = {"document": "D-1", "document_line": 1}
    gateway.move(quantity="8", source="supplier", **fields)
    gateway.move(quantity="2", source="BIN-1", target="customer", **fields)
    gateway.move(quantity="1", source="BIN-1", target="supplier", **fields)
    gateway.move(quantity="1", source="BIN-1", target="in_transit", **fields)
    gateway.move(quantity="4", source="supplier", **fields)
    gateway.reverse(5)
    inbox.accept([gateway.offer()])
    assert done(database) == {(1, "BOLT"): 2}
    if by == "desk":
        put(database, kind)
    else:
        withdraw(database)
        load(database, FILE.replace(b"KIND", kind.encode()))
    assert done(database) == {(1, "BOLT"): expected}
    proved(database)


FILE = (
    REFERENCE.replace(b"revision = 1", b"revision = 9", 1)
    + b"""
[[documents]]
code = "D-1"
warehouse = "SH1"
partner = "Acme"
kind = "KIND"
lines = [ { line = 1, item = "BOLT", quantity = "5" } ]
"""
)

ASTRAY = {
    "come from a supplier": ("SH1", "BOLT", "supplier", "BIN-1"),
    "come from a customer": ("SH1", "BOLT", "customer", "BIN-1"),
    "come from a supplier at the destination": ("BJ1", "BOLT", "supplier", "BIN-1"),
    "sold": ("SH1", "BOLT", "BIN-1", "customer"),
    "sold at the destination": ("BJ1", "BOLT", "BIN-1", "customer"),
    "another item": ("SH1", "NUT", "supplier", "BIN-1"),
}


@pytest.mark.parametrize("what", ASTRAY)
def test_what_is_not_under_way_is_no_part_of_a_transfer(database, what):
    at, item, source, target = ASTRAY[what]
    scene = Scene(database)
    scene.gateways["SH1"].move(quantity="30")
    scene.gateways["BJ1"].move(quantity="30")
    scene.send()
    code = scene.released(("BOLT", 5))
    fields = {"source": source, "target": target, "document": code, "document_line": 1}
    scene.gateways[at].move(item, "3", **fields)
    scene.send()
    assert (scene.state(code), scene.figures(code)) == ("released", {1: (0, 0)})
    assert scene.told() == [("unexpected", "open")]
    proved(database)
    scene.ship(code, 5)
    scene.send()
    assert (scene.state(code), scene.figures(code)) == ("in_transit", {1: (5, 0)})
    scene.receive(code, 5)
    scene.send()
    assert (scene.state(code), scene.figures(code)) == ("received", {1: (5, 5)})
    assert scene.told() == [("unexpected", "open")]
    proved(database)


def test_what_comes_back_of_a_transfer_that_sent_nothing_is_not_to_be_sent_once_more(database):
    scene = Scene(database)
    scene.gateways["SH1"].move(quantity="30")
    scene.send()
    code = scene.released(("BOLT", 5))
    scene.receive(code, 3, at="SH1")
    scene.send()
    assert scene.figures(code) == {1: (-3, 0)}
    scene.act(code, "reserve")
    held = rows(database, sales_tables.reservations, "holder", "quantity_micro")
    assert held == [(code, 5 * MICRO)]
    proved(database)
