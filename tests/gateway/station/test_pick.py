"""Picking: the prompt leads from place to place; what is not there is told, and seen by central."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from central.contract.facts import Count, Movement
from gateway.journal.reading import open_reader
from gateway.journal.verify import verify_journal
from tests.gateway.station.bench import SETUP, Bench, bench_at
from tests.gateway.station.conftest import MEMORY_FOLDER

TEA, CASE, MILK_L1 = "6901234567892", "16901234567899", "010950110153000310L1"
PALLET = "00006141411234567890"
STOCK = ["CMD-RECEIVE", "CMD-QTY-40", TEA, "CMD-QTY-9", MILK_L1]
STOCK += ["CMD-PUTAWAY", "CMD-QTY-40", TEA, "LOC-A-01-03", "CMD-QTY-9", MILK_L1, "LOC-A-01-04"]


@pytest.fixture
def stocked():
    setup = replace(SETUP, ship_location="STAGE-1")
    folder = MEMORY_FOLDER if MEMORY_FOLDER.is_dir() else None
    with TemporaryDirectory(dir=folder) as path, bench_at(Path(path), setup) as bench:
        bench.path = Path(path)
        bench.scan(*STOCK)
        yield bench


def test_the_prompt_leads_from_place_to_place(stocked):
    assert "go to A-01-03 and scan it; 24 pcs" in stocked.scan("CMD-PICK", "DOC-SO-1").prompt
    assert "take 24 pcs" in stocked.scan("LOC-A-01-03").prompt
    assert "take 12 pcs" in stocked.scan(CASE).prompt
    assert "go to A-01-04 and scan it; 2 pcs" in stocked.scan(CASE).prompt
    # The last line is of a pallet that may stand anywhere.
    assert "006141411234567890; scan the place" in stocked.scan("CMD-QTY-2", MILK_L1).prompt
    seen = stocked.scan("LOC-A-01-03", CASE)
    assert seen.prompt == "Picking SO-1: everything is picked, scan DONE"
    seen = stocked.scan("CMD-DONE")
    assert seen.text == "SO-1 is picked and stands at STAGE-1: ship it from there."


def test_a_pick_puts_goods_ready_under_the_document_and_counts_once(stocked):
    seen = stocked.scan("CMD-PICK", "DOC-SO-1", "LOC-A-01-03", CASE)
    (fact,) = seen.facts
    assert (fact.from_location, fact.to_location, fact.quantity) == ("A-01-03", "STAGE-1", "12")
    told = (fact.business_step, fact.document, fact.document_line, fact.flags)
    assert told == ("picking", "SO-1", 1, ())
    assert "12 pcs of 36 pcs" in seen.text
    # What is ready has not gone out: shipping it counts for the document, and only then.
    assert stocked.journal.received("SO-1") == {}
    shipped = stocked.scan("CMD-SHIP", "DOC-SO-1", "LOC-STAGE-1", CASE)
    assert (shipped.facts[0].from_location, shipped.facts[0].flags) == ("STAGE-1", ())
    assert "12 pcs of 36 pcs" in shipped.text
    assert "12 pcs" in stocked.scan("CMD-PICK", "DOC-SO-1").prompt


def test_a_station_that_sends_at_once_picks_and_ships_in_one(stocked):
    stocked.loop.use_setup(replace(SETUP, ship_location="STAGE-1", pick_to="ship"))
    (fact,) = stocked.scan("CMD-PICK", "DOC-SO-1", "LOC-A-01-03", CASE).facts
    assert (fact.to_location, fact.business_step) == ("customer", "shipping")
    (fact,) = stocked.scan("DOC-TO-1", "LOC-A-01-03", CASE).facts
    assert (fact.to_location, fact.document) == ("in_transit", "TO-1")


def test_an_item_without_a_scanned_place_comes_from_the_line_s(stocked):
    (fact,) = stocked.scan("CMD-PICK", "DOC-SO-1", "CMD-QTY-2", MILK_L1).facts
    assert (fact.from_location, fact.document_line) == ("A-01-04", 2)


def test_a_wrong_place_is_told_and_what_is_taken_there_is_recorded_all_the_same(stocked):
    stocked.scan("DOC-TI-1", PALLET, "CMD-PICK", "DOC-SO-1", PALLET)
    seen = stocked.scan("LOC-A-01-04", "LOC-DOCK-1")
    assert (seen.kind, "takes nothing from DOCK-1" in seen.text) == ("warning", True)
    assert "nothing is asked for at DOCK-1, go to A-01-03" in seen.prompt
    (fact,) = stocked.scan(TEA).facts
    assert (fact.from_location, fact.flags) == ("DOCK-1", ("negative_stock",))


# The reason of a short pick, and what is recorded of it: kind, place, quantity, statuses.
SHORT = [
    pytest.param("MISSING", (Count, "A-01-03", "0", "", ""), id="not there"),
    pytest.param("DAMAGED", (Movement, "A-01-03", "12", "available", "held"), id="damaged"),
    pytest.param("EXPIRED", (Movement, "A-01-03", "12", "available", "held"), id="expired"),
    pytest.param("BLOCKED", None, id="unreachable"),
    pytest.param("OTHER", None, id="another reason"),
]


@pytest.mark.parametrize(("reason", "expected"), SHORT)
def test_a_short_pick_puts_the_line_off_and_says_what_was_seen(stocked, reason, expected):
    stocked.scan("CMD-PICK", "DOC-SO-1", "LOC-A-01-03", CASE)
    assert stocked.scan("CMD-SHORT").prompt == "Not enough here: scan the reason"
    seen = stocked.scan(f"CMD-REASON-{reason}")
    assert "go to A-01-04" in seen.prompt
    if expected is None:
        assert (seen.facts, seen.kind) == ((), "warning")
        assert "Put off, nothing is recorded: Green tea" in seen.text
    else:
        (fact,) = seen.facts
        place = fact.location if isinstance(fact, Count) else fact.from_location
        status = ("", "") if isinstance(fact, Count) else (fact.from_status, fact.to_status)
        assert (type(fact), place, fact.quantity, *status) == expected
        assert {"short_pick", f"reason_{reason.lower()}"} <= set(fact.flags)
    seen = stocked.scan("CMD-DONE")
    assert (seen.kind, "SO-1 closed short" in seen.text) == ("warning", True)


@pytest.mark.parametrize("reason", ["MISSING", "DAMAGED", "BLOCKED"])
def test_a_short_pick_is_undone_as_far_as_it_can_be(stocked, reason):
    stocked.scan("CMD-PICK", "DOC-SO-1", "LOC-A-01-03", CASE, "CMD-SHORT", f"CMD-REASON-{reason}")
    seen = stocked.scan("CMD-UNDO")
    assert "go to A-01-03 and scan it; 12 pcs" in seen.prompt
    assert (len(seen.facts), seen.kind) == {
        "MISSING": (0, "warning"),  # The count stays; a person is told to count.
        "DAMAGED": (1, "success"),
        "BLOCKED": (0, "success"),
    }[reason]
    assert stocked.stock()["STAGE-1", "TEA-250"] == "12"


def test_what_is_no_document_to_pick_is_told(stocked):
    for code, why in (("DOC-PO-7", "sends nothing"), ("DOC-NONE", "is unknown here")):
        seen = stocked.scan("CMD-PICK", code)
        assert (seen.kind, why in seen.text) == ("error", True)
    assert "Scan the document" in stocked.scan("CMD-PICK", TEA).text


def test_a_pallet_is_picked_whole(stocked):
    stocked.scan("DOC-TI-1", PALLET)
    seen = stocked.scan("CMD-PICK", "DOC-SO-1", PALLET)
    assert [(one.from_location, one.sscc) for one in seen.facts] == [
        ("DOCK-1", "006141411234567890"),
        ("DOCK-1", "006141411234567890"),
    ]
    assert [one.to_location for one in seen.facts] == ["STAGE-1", "STAGE-1"]
    again = stocked.scan(PALLET)
    assert (again.kind, "at STAGE-1 already" in again.text) == ("error", True)


def test_an_undone_pick_is_asked_for_again(stocked):
    seen = stocked.scan("CMD-PICK", "DOC-SO-1", "LOC-A-01-03", CASE, "CMD-UNDO")
    assert "24 pcs" in seen.prompt
    reader = open_reader(stocked.path / "journal.db")
    try:
        assert verify_journal(reader).findings == ()
    finally:
        reader.close()


def test_undo_takes_back_what_this_station_did_not_what_another_did(stocked):
    other = Bench(stocked.journal, replace(SETUP, station="dock-2"))
    other.scan("CMD-RECEIVE", TEA)
    stocked.scan("CMD-RECEIVE", CASE)
    assert other.scan("CMD-UNDO").text.startswith("Undone: 1 pcs")
    assert stocked.stock()["DOCK-1", "TEA-250"] == "12"
