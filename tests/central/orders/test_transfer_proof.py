"""What is wrong about a transfer or an in-transit place is found, and named."""

from contextlib import suppress

import pytest
from sqlalchemy import delete, update

from central.contract.reference import DocumentLine, ExpectedDocument
from central.ledger.reference_desk import put_document
from central.orders.transfers.transfer_proof import faults
from central.storage import tables, transfer_tables
from tests.central.orders.transferring import Scene

TRANSFERS = transfer_tables.transfers


@pytest.fixture
def scene(database):
    """TR-000001: two bolts shipped, one nut received that nobody shipped."""
    made = Scene(database)
    code = made.released(("BOLT", 10))
    made.ship(code, 2)
    made.receive(code, 1, "NUT", line=0)
    made.send()
    assert made.faults() == []
    return made


def forget_facts():
    return delete(transfer_tables.transfer_facts)


def change(**values):
    return update(TRANSFERS).values(**values)


def forget_why():
    table = tables.discrepancies
    return delete(table).where(table.c.kind == "received_before_shipped")


def another_place():
    table = tables.balances
    place = table.c.location == "in_transit/TR-000001"
    return update(table).where(place).values(location="in_transit/TR-000009")


NUT = "TR-000001/NUT///C62"
PLACES = {("transit", "TR-000001/SH1/BOLT///C62"), ("transit", "TR-000001/BJ1/NUT///C62")}
ITSELF = {("transfer", "TR-000001")}
ELSEWHERE = {
    ("transit", "TR-000009/SH1/BOLT///C62"),
    ("transit", "TR-000009/BJ1/NUT///C62"),
}
WRONG = {
    "facts are not listed": (forget_facts(), PLACES),
    "a place of no transfer": (another_place(), ELSEWHERE | PLACES | ITSELF),
    "phase": (change(phase="in_transit"), ITSELF),
    "closed too early": (change(state="closed", phase=""), ITSELF),
    "since when": (change(under_way_since_ms=0), ITSELF),
    "nothing says why": (forget_why(), {("transfer", NUT)}),
    "the transfer is gone": (delete(TRANSFERS), ITSELF | PLACES),
}


class Undone(Exception):
    """Takes back what a test made wrong."""


def found_with(scene, wrong):
    found = []
    with suppress(Undone), scene.database.write() as connection:
        connection.execute(wrong)
        found += faults(connection)
        raise Undone
    return found


def test_every_fault_is_found_and_named(scene):
    for wrong, named in WRONG.values():
        found = found_with(scene, wrong)
        assert {(fault.check, fault.subject) for fault in found} == named
        assert all(fault.detail for fault in found)
    assert scene.faults() == []


def test_a_code_that_nobody_knows_is_a_discrepancy_and_no_fault(database):
    scene = Scene(database)
    scene.ship("TR-777", 2)
    scene.send()
    assert ("unknown_document", "open") in scene.told()
    assert scene.faults() == []


BALANCES = tables.balances


@pytest.fixture
def strange(database):
    """Goods in transit under a receipt, under a code that nobody knows, and by counting."""
    made = Scene(database)
    with made.desk.change(actor="test") as change:
        line = DocumentLine(line=1, item="BOLT", quantity="9")
        put_document(
            change,
            ExpectedDocument(
                code="PO-1", kind="receipt", warehouse="SH1", partner="", lines=(line,)
            ),
        )
    made.gateways["SH1"].move("NUT", "7", document="PO-1")
    made.ship("PO-1", 3, "NUT", line=0)
    made.ship("PO-1", 2, line=0, lot="L1")
    made.ship("PO-1", 1, line=0, business_step="counting", serial="S-1")
    made.ship("TR-777", 2)
    made.ship("TR-777", 4, "NUT")
    made.ship("TR-777", 1, "NUT")
    made.send()
    made.gateways["SH1"].reverse(len(made.gateways["SH1"].bodies))
    made.send()
    assert made.faults() == []
    return made


def at(code, item):
    place = BALANCES.c.location == f"in_transit/{code}"
    return update(BALANCES).where(place, BALANCES.c.item == item)


def forget(kind, item=""):
    table = tables.discrepancies
    return delete(table).where(table.c.kind == kind, table.c.item.in_([item] if item else ["BOLT"]))


STRANGE = {
    "more than its facts, of one item": (
        at("TR-777", "NUT").values(on_hand_micro=5_000_000),
        {"TR-777/SH1/NUT///C62"},
    ),
    "under a document that tells of others": (
        at("TR-777", "BOLT").values(location="in_transit/PO-1"),
        {"PO-1/SH1/BOLT///C62"},
    ),
    "of another lot": (
        at("PO-1", "BOLT").where(BALANCES.c.lot == "L1").values(lot="L2"),
        {"PO-1/SH1/BOLT/L2//C62"},
    ),
    "one item is told of no more": (forget("unexpected", "NUT"), {"PO-1/SH1/NUT///C62"}),
    "the other, but for what was counted": (
        forget("unexpected", "BOLT"),
        {"PO-1/SH1/BOLT/L1//C62"},
    ),
}


def test_what_is_wrong_about_one_thing_is_found_whatever_is_told_of_others(strange):
    for name, (wrong, named) in STRANGE.items():
        found = found_with(strange, wrong)
        assert {(fault.check, fault.subject) for fault in found} == {
            ("transit", subject) for subject in named
        }, name
    assert strange.faults() == []
