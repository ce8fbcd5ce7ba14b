"""What is wrong about a transfer or an in-transit place is found, and named."""

from contextlib import suppress

import pytest
from sqlalchemy import delete, update

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
ELSEWHERE = {("transit", "TR-000009/BOLT///C62"), ("transit", "TR-000009/NUT///C62")}
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
