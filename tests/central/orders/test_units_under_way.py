"""What is under way on pallets is told to where it goes, as long as it is under way."""

import pytest

from central.contract.reference import UNITS_MAX, UnitUnderWay
from central.ledger.state import read_state
from central.ledger.verify import verify_ledger
from central.outbox.present_reference import present_entries, present_reference
from central.stock.handling_units import read_unit
from tests.central.orders.transferring import DOCUMENT, Scene
from tests.central.scenery import load, sscc

PALLET, CARTON, OTHER = (sscc(number) for number in (1, 2, 3))


@pytest.fixture
def scene(database):
    """Two cartons of 12 bolts on a pallet at SH1."""
    made = Scene(database)
    here = made.gateways["SH1"]
    for carton in (CARTON, OTHER):
        here.move("BOLT", "12", sscc=carton)
    here.pack(PALLET, CARTON, OTHER)
    made.send()
    yield made
    assert verify_ledger(database).faults == ()
    assert made.faults() == []


def told(scene, code, warehouse="BJ1"):
    """What stations of a warehouse are told of a transfer, and the revision."""
    with scene.database.read() as connection:
        revision = read_state(connection).reference_revision
        entries = present_entries(connection, revision, warehouse, [("document", warehouse, code)])
        whole = present_reference(connection, revision)
    (document,) = entries.documents
    assert document in whole.documents
    return document.units, revision


def carton(number, quantity="12", **fields):
    values = {"item": "BOLT", "unit": "C62", "carried_by": (PALLET,)}
    return UnitUnderWay(sscc=number, quantity=quantity, **(values | fields))


def shipped(scene):
    code = scene.released(("BOLT", 24))
    for number in (CARTON, OTHER):
        scene.ship(code, 12, sscc=number)
    scene.send()
    return code


def test_what_left_on_units_is_told_with_what_it_stands_on_until_it_came(scene):
    code = scene.released(("BOLT", 24))
    assert told(scene, code)[0] == ()
    before = told(scene, code)[1]
    scene.ship(code, 12, sscc=CARTON)
    scene.ship(code, 12, sscc=OTHER)
    scene.send()
    units, revision = told(scene, code)
    assert units == (carton(CARTON), carton(OTHER))
    assert revision > before
    assert told(scene, code, "SH1")[0] == ()
    scene.receive(code, 12, sscc=CARTON)
    scene.receive(code, 5, sscc=OTHER)
    scene.send()
    assert told(scene, code)[0] == (carton(OTHER, "7"),)
    assert told(scene, code)[1] > revision


def test_a_carton_that_is_taken_out_on_the_way_is_not_told_on_its_pallet(scene):
    code = shipped(scene)
    revision = told(scene, code)[1]
    scene.gateways["SH1"].pack(PALLET, CARTON, action="unpack")
    scene.send()
    units, after = told(scene, code)
    assert units == (carton(CARTON, carried_by=()), carton(OTHER))
    assert after > revision


def test_what_holds_the_units_is_packed_on_the_way_too(scene):
    code = shipped(scene)
    scene.gateways["SH1"].pack(sscc(9), PALLET)
    scene.send()
    assert told(scene, code)[0][0].carried_by == (PALLET, sscc(9))


def test_lines_and_packing_survive_transit(scene):
    code = shipped(scene)
    there = scene.gateways["BJ1"]
    for unit in told(scene, code)[0]:
        scene.receive(code, unit.quantity, sscc=unit.sscc)
    there.pack(PALLET, CARTON, OTHER)
    scene.send()
    with scene.database.read() as connection:
        seen = read_unit(connection, "BJ1", PALLET)
    assert [(one.sscc, one.goods[0].location) for one in seen.inner] == [
        (CARTON, "BIN-1"),
        (OTHER, "BIN-1"),
    ]
    assert scene.under_way(code) == {}


def test_a_receipt_of_a_pallet_that_is_taken_back_is_under_way_on_it_again(scene):
    code = shipped(scene)
    there, before = scene.gateways["BJ1"], told(scene, code)[0]
    for unit in before:
        scene.receive(code, unit.quantity, sscc=unit.sscc)
    there.pack(PALLET, CARTON, OTHER)
    for seq, unit in enumerate((CARTON, OTHER), 1):
        there.reverse(seq)
        there.pack(PALLET, unit, action="unpack")
    scene.send()
    assert told(scene, code)[0] == before
    with scene.database.read() as connection:
        assert read_unit(connection, "BJ1", PALLET) is None  # Nothing is on it there.


def test_loose_goods_and_other_packings_tell_nothing_anew(scene):
    code = scene.released(("BOLT", 24))
    revision = told(scene, code)[1]
    scene.gateways["SH1"].move("BOLT", "5")
    scene.ship(code, 5)
    scene.gateways["SH1"].pack(PALLET, CARTON, action="unpack")
    scene.send()
    assert told(scene, code) == ((), revision)


def test_more_units_than_a_document_can_name_are_not_told(scene):
    code = scene.released(("BOLT", 24))
    for number in range(UNITS_MAX + 1):
        scene.gateways["SH1"].move("BOLT", "1", sscc=sscc(100 + number))
        scene.ship(code, 1, sscc=sscc(100 + number))
    scene.send()
    assert told(scene, code)[0] == ()
    scene.receive(code, 1, sscc=sscc(100))
    scene.send()
    assert len(told(scene, code)[0]) == UNITS_MAX


def test_of_a_document_of_a_file_no_units_are_told(scene):
    """Nobody would tell it anew when they came, and a second scan would bring them twice."""
    code = "FROM-ERP"
    line = 'lines = [{ line = 1, item = "BOLT", quantity = "12" }]'
    of_file = f"""
[[documents]]
code = "{code}"
warehouse = "BJ1"
kind = "transfer_in"
partner = ""
counterpart = "SH1"
{line}
"""
    load(scene.database, DOCUMENT.replace(b"revision = 1", b"revision = 9") + of_file.encode())
    scene.ship(code, 12, sscc=CARTON)
    scene.send()
    assert told(scene, code)[0] == ()


def test_a_finished_transfer_is_told_to_nobody(scene):
    code = shipped(scene)
    scene.close_everything(code)
    before = revision_of(scene)
    scene.receive(code, 12, sscc=CARTON)
    scene.send()
    assert revision_of(scene) == before


def revision_of(scene):
    with scene.database.read() as connection:
        return read_state(connection).reference_revision
