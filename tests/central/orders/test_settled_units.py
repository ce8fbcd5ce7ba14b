"""Codes that nobody knew and that moved in several units are settled unit by unit."""

import pytest

from central.contract.reference import Barcode, Item
from central.ledger.reference_desk import put_item
from tests.central.orders.settling import Settling
from tests.central.scenery import set_packs

CODE = "4006381333931"


@pytest.fixture
def site(database):
    made = Settling(database)
    yield made
    made.proved()


def added(site, code, unit, **packs):
    set_packs(site.database, code, **packs)
    with site.desk.change(actor="x") as change:
        put_item(change, Item(code=code, name="F", name_zh="F", unit=unit))


def given_bar_code(site, unit, quantity="12"):
    barcodes = (Barcode(gtin=CODE.zfill(14), quantity=quantity),)
    with site.desk.change(actor="x") as change:
        put_item(change, Item(code="NEW", name="N", name_zh="N", unit=unit, barcodes=barcodes))


def test_what_converts_is_posted_in_the_item_s_unit_and_the_rest_is_asked_for(site):
    site.dock.move("FLOUR", "2000", unit="GRM")
    site.dock.move("FLOUR", "3", unit="KGM")
    site.dock.move("FLOUR", "4", unit="XSA")
    site.dock.move("FLOUR", "1", unit="XPX")
    site.dock.move("FLOUR", "500", unit="GRM")
    site.send()
    added(site, "FLOUR", "KGM", XSA=(25, 1))
    row = site.found("unknown_item")
    assert [one["body"] for one in row["proposals"]] == [{"action": "reassign", "item": "FLOUR"}]
    (asked,) = row["advice"]
    assert asked["text"].startswith("Say how much one XPX of FLOUR is")
    answer = site.settle("unknown_item")
    assert answer.status_code == 200, answer.text
    # What was right stays, what nobody can convert waits.
    assert len(answer.json()["settlements"][0]["facts"]) == 6
    assert answer.json()["state"] == "open"
    added(site, "FLOUR", "KGM", XPX=(500, 1))
    answer = site.settle("unknown_item")
    assert answer.status_code == 200, answer.text
    assert site.on_hand("FLOUR") == {("supplier", ""): -605.5, ("BIN-1", ""): 605.5}


def test_of_several_units_a_bar_code_is_about_what_was_scanned(site):
    site.dock.move(CODE, "2")
    site.dock.move(CODE, "3", unit="XCT")
    site.send()
    given_bar_code(site, "C62")
    (proposal,) = site.found("unknown_item")["proposals"]
    assert proposal["body"] == {"action": "reassign", "item": "NEW", "factor": "12"}
    answer = site.settle("unknown_item")
    assert (answer.status_code, answer.json()["state"]) == (200, "open"), answer.text
    assert site.on_hand("NEW") == {("supplier", ""): -24, ("BIN-1", ""): 24}
    assert site.on_hand(CODE) == {("supplier", ""): -3, ("BIN-1", ""): 3}


def test_what_nobody_scanned_converts_by_its_own_unit(site):
    site.dock.move(CODE, "2000", unit="GRM")
    site.dock.move(CODE, "3", unit="KGM")
    site.send()
    given_bar_code(site, "KGM", "1")
    (proposal,) = site.found("unknown_item")["proposals"]
    assert proposal["body"] == {"action": "reassign", "item": "NEW"}
    answer = site.settle("unknown_item")
    assert (answer.status_code, answer.json()["state"]) == (200, "settled"), answer.text
    assert site.on_hand("NEW") == {("supplier", ""): -5, ("BIN-1", ""): 5}


def test_of_several_units_none_of_which_converts_nothing_is_proposed(site):
    site.dock.move("FLOUR", "4", unit="XSA")
    site.dock.move("FLOUR", "1", unit="XPX")
    site.send()
    added(site, "FLOUR", "KGM")
    row = site.found("unknown_item")
    assert (row["proposals"], len(row["advice"])) == ([], 2)
    refused = site.settle("unknown_item", {"action": "reassign", "item": "FLOUR"})
    assert refused.status_code == 422
    assert "none converts to KGM" in refused.json()["detail"]


def posted_elsewhere(site, unit, warehouse="BJ1"):
    """A fact of SH1's gateway about BJ1, given to BJ1."""
    site.dock.weigh()
    site.dock.move("NUT", "2", unit=unit, warehouse=warehouse)
    site.send()
    answer = site.settle("wrong_warehouse", {"action": "reassign", "warehouse": warehouse})
    assert answer.status_code == 200, answer.text


def open_again(site, kind):
    path = f"/discrepancies/{site.found(kind, 'settled')['id']}/reopen"
    return site.ask("POST", path, {"reason": "no"})


def test_a_unit_without_an_exact_value_is_told_in_the_warehouse_where_it_is_posted(site):
    posted_elsewhere(site, "XCT")
    row = site.found("unit_differs")
    assert (row["warehouse"], row["unit"], row["facts_count"]) == ("BJ1", "XCT", 1)
    assert site.on_hand("NUT", "BJ1") == {("supplier", ""): -2, ("BIN-1", ""): 2}
    answer = site.settle("unit_differs", {"action": "reassign", "factor": "40"})
    assert answer.json()["state"] == "settled", answer.text
    assert site.on_hand("NUT", "BJ1") == {("supplier", ""): -80, ("BIN-1", ""): 80}
    # What is settled there stands there until that is opened again.
    refused = open_again(site, "wrong_warehouse")
    assert (refused.status_code, row["id"] in refused.json()["detail"]) == (409, True)
    assert open_again(site, "unit_differs").status_code == 200
    assert open_again(site, "wrong_warehouse").status_code == 200
    assert site.on_hand("NUT", "BJ1") == {}
    # What was posted there is taken back: nothing is left to convert.
    why = site.found("unit_differs", "settled")["settlement"]
    assert why.startswith("record 3 was taken back as wrong_warehouse sh1-dock-1/")


def test_a_unit_that_converts_is_no_question_in_another_warehouse(site):
    set_packs(site.database, "NUT", XCT=(40, 1))
    posted_elsewhere(site, "XCT")
    assert site.get("/discrepancies?kind=unit_differs")["discrepancies"] == []
    assert site.on_hand("NUT", "BJ1") == {("supplier", ""): -80, ("BIN-1", ""): 80}


def test_what_no_movement_can_be_is_not_proposed(site):
    """A quantity that was mistyped is in range in cartons, and in pieces is not."""
    added(site, "TACK", "C62")
    site.dock.move("TACK", "9999999999", unit="XCT")
    site.dock.move("GLUE", "9999999999", unit="XCT")
    site.dock.move(CODE, "9999999999")
    site.send()
    for code in ("TACK", "GLUE"):
        added(site, code, "C62", XCT=(1000, 1))
    given_bar_code(site, "C62")
    found = {}
    for one in site.get("/discrepancies?state=open")["discrepancies"]:
        row = site.get(f"/discrepancies/{one['id']}")
        found[row["subject"]] = row["proposals"], [said["text"] for said in row["advice"]]
    said = (
        "So many {} cannot be: undo them at the station, or settle it with how much one of them"
        " was."
    )
    assert found == {
        "TACK/XCT": ([], [said.format("XCT of TACK")]),
        "GLUE": ([], [said.format("XCT of GLUE")]),
        CODE: ([], [said.format(f"C62 of {CODE}")]),
    }
    answer = site.settle("unit_differs", {"action": "reassign", "factor": "1000"})
    assert (answer.status_code, "is out of range" in answer.json()["detail"]) == (422, True)
    answer = site.settle("unit_differs", {"action": "reassign", "factor": "1"})
    assert (answer.status_code, answer.json()["state"]) == (200, "settled"), answer.text
    assert site.on_hand("TACK")["BIN-1", ""] == 9999999999
