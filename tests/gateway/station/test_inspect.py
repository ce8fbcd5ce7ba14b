"""Inspection: what was decided becomes a movement from status to status, with its reason."""

import pytest

from central.contract.facts import Movement, Reversal

MILK_L1, MILK = "010950110153000310L1", "0109501101530003"
PALLET = "00006141411234567890"
START = ["CMD-INSPECT", "LOC-DOCK-1"]


@pytest.fixture
def stocked(bench):
    bench.scan("CMD-RECEIVE", "CMD-QTY-10", MILK_L1)
    return bench


def told(fact):
    places = (fact.from_location, fact.to_location)
    return (*places, fact.from_status, fact.to_status, fact.quantity, fact.lot)


# What is scanned after the place, and what the movement says then: the ledger knows what the goods
# were, unless the operator said it.
DECISIONS = [
    pytest.param(
        ["CMD-QTY-4", MILK_L1, "CMD-ACCEPT"],
        ("DOCK-1", "DOCK-1", "", "available", "4", "L1"),
        (),
        id="accept",
    ),
    pytest.param(
        [MILK_L1, "CMD-REJECT", "CMD-REASON-DAMAGED"],
        ("DOCK-1", "DOCK-1", "", "rejected", "1", "L1"),
        ("reason_damaged",),
        id="reject",
    ),
    pytest.param(
        [MILK_L1, "CMD-REJECT", "LOC-STAGE-1", "CMD-REASON-EXPIRED"],
        ("DOCK-1", "STAGE-1", "", "rejected", "1", "L1"),
        ("reason_expired",),
        id="reject to another place",
    ),
    pytest.param(
        [MILK_L1, "CMD-HOLD", "CMD-REASON-PAPERS"],
        ("DOCK-1", "DOCK-1", "", "held", "1", "L1"),
        ("reason_papers",),
        id="hold",
    ),
    pytest.param(
        ["CMD-HOLD", MILK_L1, "CMD-ACCEPT"],
        ("DOCK-1", "DOCK-1", "held", "available", "1", "L1"),
        (),
        id="accept what is held",
    ),
    pytest.param(
        [MILK_L1, "CMD-SAMPLE"],
        ("DOCK-1", "scrap", "", "inspection", "1", "L1"),
        (),
        id="a sample is used up",
    ),
    pytest.param(
        [MILK, "CMD-ACCEPT"],
        ("DOCK-1", "DOCK-1", "", "available", "1", "L1"),
        ("lot_assumed",),
        id="the only lot there is",
    ),
    pytest.param(
        ["LOC-A-01-03", MILK_L1, "CMD-ACCEPT"],
        ("A-01-03", "A-01-03", "", "available", "1", "L1"),
        ("negative_stock",),
        id="where the book has none",
    ),
]


@pytest.mark.parametrize(("codes", "expected", "flags"), DECISIONS)
def test_a_decision_is_a_movement_from_status_to_status(stocked, codes, expected, flags):
    seen = stocked.scan(*START, *codes)
    (fact,) = seen.facts
    assert isinstance(fact, Movement)
    assert (told(fact), fact.flags, fact.business_step) == (expected, flags, "inspecting")
    assert "Inspection at" in seen.prompt or "Held goods at" in seen.prompt


def test_all_goods_of_a_pallet_are_decided_on_together(bench):
    bench.scan("DOC-TI-1", PALLET)
    seen = bench.scan(*START, PALLET, "CMD-REJECT", "CMD-REASON-QUALITY")
    assert [(one.item, one.quantity) for one in seen.facts] == [("MILK-1", "3"), ("TEA-250", "12")]
    assert seen.text == "Rejected: 12 pcs Green tea 250 g (TEA-250) (2 in all)"


# What cannot be yet, and why.
TOO_EARLY = [
    pytest.param(["CMD-INSPECT", MILK_L1], "Scan the place first", id="no place"),
    pytest.param([*START, "CMD-ACCEPT"], "does not fit here", id="no goods"),
    pytest.param([*START, MILK_L1, "CMD-DONE"], "Nothing is decided", id="done, undecided"),
    pytest.param([*START, MILK_L1, "LOC-STAGE-1"], "Nothing is decided", id="place, undecided"),
    pytest.param([*START, MILK_L1, "CMD-REJECT", MILK], "Scan the reason", id="goods, no reason"),
    pytest.param(
        [*START, MILK_L1, "CMD-REJECT", "CMD-REASON-UNWANTED"], "does not fit", id="no such reason"
    ),
    pytest.param([*START, "CMD-HOLD", MILK_L1, "CMD-HOLD"], "held already", id="held twice"),
    pytest.param([*START, PALLET], "Nothing is known on pallet", id="unknown pallet"),
]


@pytest.mark.parametrize(("codes", "why"), TOO_EARLY)
def test_what_cannot_be_yet_is_told_and_changes_nothing(stocked, codes, why):
    before = stocked.fact_count()
    seen = stocked.scan(*codes)
    assert (seen.kind, why in seen.text) == ("error", True)
    assert stocked.fact_count() == before


def test_each_cancel_goes_one_step_back(stocked):
    stocked.scan(*START, MILK_L1, "CMD-REJECT", "LOC-STAGE-1")
    texts = [stocked.scan("CMD-CANCEL").text for _ in range(5)]
    assert texts == [
        "The goods stay where they are.",
        "Decide again.",
        "The last goods are taken off the list.",
        "Scan another place.",
        "Back to the start.",
    ]


def test_a_decision_is_undone_by_a_reversal(stocked):
    seen = stocked.scan(*START, MILK_L1, "CMD-ACCEPT", "CMD-UNDO")
    (fact,) = seen.facts
    assert isinstance(fact, Reversal)
    assert "as it was before the decision" in seen.text
    assert stocked.stock() == {("DOCK-1", "MILK-1"): "10"}


def test_another_workflow_drops_what_is_not_decided_and_says_so(stocked):
    seen = stocked.scan(*START, MILK_L1, "CMD-RECEIVE")
    assert (seen.kind, seen.text) == ("warning", "Not decided and not recorded: 1 goods.")
