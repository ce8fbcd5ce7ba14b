"""Picking: the prompt leads from place to place; what is not there is told, and seen by central."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from central.contract.facts import Count, Movement
from central.contract.reference import DocumentLine
from gateway.journal.reading import open_reader
from gateway.journal.verify import verify_journal
from tests.gateway.station.bench import SETUP, Bench, bench_at
from tests.gateway.station.conftest import MEMORY_FOLDER

TEA, CASE, MILK_L1 = "6901234567892", "16901234567899", "010950110153000310L1"
MILK_L2 = "010950110153000310L2"
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
    assert stocked.scan("CMD-SHORT").prompt == "Not enough here: choose the reason"
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
    assert (seen.kind, "SO-1 is not complete" in seen.text) == ("warning", True)


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


def test_picked_goods_are_shipped_from_where_they_stand_without_a_scan_of_the_place(stocked):
    stocked.scan("CMD-PICK", "DOC-SO-1", "LOC-A-01-03", CASE, CASE, "CMD-DONE")
    opened = stocked.scan("CMD-SHIP", "DOC-SO-1")
    assert "take 24 pcs Green tea 250 g (TEA-250) at STAGE-1" in opened.prompt
    places = [line.place for line in stocked.board.state().step.lines]
    assert places == ["STAGE-1", "A-01-04", ""]
    seen = [stocked.scan(CASE), stocked.scan(CASE)]
    assert [one.facts[0].from_location for one in seen] == ["STAGE-1", "STAGE-1"]
    assert [one.facts[0].flags for one in seen] == [(), ()]
    assert stocked.stock() == {("A-01-03", "TEA-250"): "16", ("A-01-04", "MILK-1"): "9"}


def test_what_was_not_picked_is_shipped_from_the_line_s_place(stocked):
    stocked.scan("CMD-PICK", "DOC-SO-1", "LOC-A-01-03", CASE, "CMD-SHIP", "DOC-SO-1", CASE)
    opened = stocked.scan("CMD-SHIP", "DOC-SO-1")
    assert "take 12 pcs Green tea 250 g (TEA-250) at A-01-03" in opened.prompt
    assert stocked.scan(CASE).facts[0].from_location == "A-01-03"


def test_an_undone_shipment_stands_ready_again(stocked):
    stocked.scan("CMD-PICK", "DOC-SO-1", "LOC-A-01-03", CASE, "CMD-SHIP", "DOC-SO-1", CASE)
    assert "at STAGE-1" in stocked.scan("CMD-UNDO").prompt
    assert stocked.scan(CASE).facts[0].from_location == "STAGE-1"


@pytest.mark.parametrize(
    ("reason", "kind"), [("MISSING", Count), ("DAMAGED", Movement)], ids=["counted", "held"]
)
def test_a_short_pick_is_of_the_place_that_was_asked_for_wherever_people_stand(
    stocked, reason, kind
):
    stocked.scan("CMD-MOVE", "LOC-A-01-03", "CMD-QTY-9", TEA, "LOC-DOCK-1")
    stocked.scan("CMD-PICK", "DOC-SO-1", "LOC-DOCK-1", "CMD-SHORT", "CMD-REASON-OTHER")
    assert "go to A-01-03" in stocked.scan("LOC-DOCK-1").prompt
    (fact,) = stocked.scan("CMD-SHORT", f"CMD-REASON-{reason}").facts
    assert isinstance(fact, kind)
    assert getattr(fact, "location", getattr(fact, "from_location", "")) == "A-01-03"


def test_a_quantity_that_was_said_does_not_outlive_a_short_pick(stocked):
    stocked.scan("CMD-PICK", "DOC-SO-1", "LOC-A-01-03", "CMD-QTY-5")
    assert stocked.scan("CMD-SHORT").prompt == "Not enough here: choose the reason"
    stocked.scan("CMD-QTY-5", "CMD-REASON-BLOCKED")
    assert stocked.scan(CASE).facts[0].quantity == "12"


def test_a_hold_of_a_short_pick_that_is_undone_later_opens_its_line_again(stocked):
    stocked.scan("CMD-PICK", "DOC-SO-1", "CMD-SHORT", "CMD-REASON-DAMAGED", "CMD-QTY-2", MILK_L1)
    assert "go to A-01-04" in stocked.scan("CMD-UNDO").prompt
    assert "go to A-01-03 and scan it; 24 pcs" in stocked.scan("CMD-UNDO").prompt


# What was picked here before central said that the tea stands ready; then what picking says of it.
READY = [
    pytest.param([], "go to A-01-04", "SO-1 is not complete: Milk", id="by another"),
    pytest.param(
        [CASE],
        "go to A-01-03 and scan it; 12 pcs Green tea 250 g (TEA-250)",
        "SO-1 is not complete: Green tea",
        id="a part of it here",
    ),
    pytest.param([CASE, CASE], "go to A-01-04", "SO-1 is not complete: Milk", id="all of it here"),
]


@pytest.mark.parametrize(("picked", "prompt", "closed"), READY)
def test_a_line_that_stands_ready_by_central_s_word_is_neither_asked_for_nor_missed(
    stocked, picked, prompt, closed
):
    stocked.scan("CMD-PICK", "DOC-SO-1", "LOC-A-01-03", *picked, "CMD-DONE")
    tea, milk = line(1, "TEA-250", "24", "STAGE-1"), line(2, "MILK-1", "2", "A-01-04", lot="L1")
    stocked.tell_lines("SO-1", tea, milk)
    assert prompt in stocked.scan("CMD-PICK", "DOC-SO-1").prompt
    assert closed in stocked.scan("CMD-DONE").text


def line(number, item, quantity, place, **fields):
    return DocumentLine(line=number, item=item, quantity=quantity, location=place, **fields)


def test_what_is_taken_at_one_place_for_two_is_not_fetched_again_at_the_other(stocked):
    places = [line(1, "TEA-250", "12", "A-01-03"), line(2, "TEA-250", "12", "A-01-04")]
    stocked.tell_lines("SO-1", *places, line(3, "TEA-250", "12", "A-01-04", sscc=PALLET[2:]))
    seen = stocked.scan("CMD-PICK", "DOC-SO-1", "LOC-A-01-03", "CMD-QTY-3", CASE)
    assert (seen.facts[0].document_line, seen.facts[0].flags) == (1, ())
    # A pallet that is asked for is another matter.
    assert "go to A-01-04 and scan it; 12 pcs" in seen.prompt
    assert [(one.done, one.next) for one in stocked.board.state().step.lines] == [
        ("0", True),
        ("24", False),
        ("12", False),
    ]
    assert f"{PALLET[2:]}, 0 pcs of 12 pcs." in stocked.scan("CMD-DONE").text
    seen = stocked.scan("CMD-UNDO", "CMD-PICK", "DOC-SO-1")
    assert "go to A-01-03 and scan it; 12 pcs" in seen.prompt


def test_a_surplus_counts_for_no_other_lot(stocked):
    first = line(1, "MILK-1", "2", "A-01-04", lot="L1")
    stocked.tell_lines("SO-1", first, line(2, "MILK-1", "2", "A-01-04", lot="L2"))
    seen = stocked.scan("CMD-PICK", "DOC-SO-1", "LOC-A-01-04", "CMD-QTY-4", MILK_L1)
    assert seen.facts[0].flags == ("over_expected",)
    assert "take 2 pcs Milk (MILK-1) L2 at A-01-04" in seen.prompt


def test_a_pallet_s_goods_each_answer_a_line_of_their_own(stocked):
    stocked.scan("CMD-RECEIVE", PALLET, "CMD-QTY-2", MILK_L1, "CMD-QTY-2", MILK_L2)
    stocked.tell_lines("SO-1", *(line(one, "MILK-1", "2", "") for one in (1, 2)))
    facts = stocked.scan("CMD-PICK", "DOC-SO-1", PALLET).facts
    assert [(one.lot, one.document_line, one.flags) for one in facts] == [
        ("L1", 1, ()),
        ("L2", 2, ()),
    ]
