"""What the page is given of each step: what is asked, what is left, which buttons make sense."""

import pytest

from gateway.station.commands import COMMAND_GROUPS, COMMAND_TITLES, REASONS, Command
from gateway.station.workflows.dispatch import STARTS

TEA, CASE, MILK_L1, SALT = "6901234567892", "16901234567899", "010950110153000310L1", "96385074"
PALLET = "00006141411234567890"

# What is scanned; what is expected first; a button that is there; one that is not; keypad.
STEPS = [
    pytest.param([], "command", "RECEIVE", "CONFIRM", False, id="menu"),
    pytest.param(["CMD-RECEIVE"], "item", "DONE", "CONFIRM", True, id="receive"),
    pytest.param(["CMD-PUTAWAY"], "item", "DONE", "CONFIRM", True, id="putaway"),
    pytest.param(["CMD-PUTAWAY", TEA], "place", "UNDO", "DONE", True, id="goods in hand"),
    pytest.param(["CMD-MOVE"], "place", "DONE", "SHORT", False, id="move"),
    pytest.param(["CMD-MOVE", "LOC-A-01-03"], "item", "DONE", "SHORT", True, id="move from"),
    pytest.param(["CMD-WEIGH"], "item", "DONE", "TARE", False, id="weigh nothing yet"),
    pytest.param(["CMD-WEIGH", SALT], "weight", "TARE", "EMPTY", False, id="weigh"),
    pytest.param(["CMD-PICK"], "document", "DONE", "SHORT", False, id="pick"),
    pytest.param(["CMD-PICK", "DOC-SO-1"], "place", "SHORT", "CONFIRM", True, id="pick, go"),
    pytest.param(
        ["CMD-PICK", "DOC-SO-1", "CMD-SHORT"],
        *("reason", "REASON_MISSING", "REASON_PAPERS", False),
        id="short",
    ),
    pytest.param(["CMD-INSPECT"], "place", "DONE", "ACCEPT", False, id="inspect"),
    pytest.param(
        ["CMD-INSPECT", "LOC-DOCK-1", TEA], "confirm", "ACCEPT", "DONE", True, id="decide"
    ),
    pytest.param(
        ["CMD-INSPECT", "LOC-DOCK-1", TEA, "CMD-REJECT"],
        *("reason", "REASON_DAMAGED", "ACCEPT", False),
        id="why rejected",
    ),
    pytest.param(["CMD-RETURN"], "reason", "REASON_UNWANTED", "UNDO", False, id="return"),
    pytest.param(["CMD-COUNT"], "place", "DONE", "CONFIRM", False, id="count"),
    pytest.param(["CMD-COUNT", "LOC-A-01-03"], "item", "EMPTY", "CONFIRM", True, id="count here"),
    pytest.param(
        ["CMD-COUNT", "LOC-A-01-03", TEA], "item", "CONFIRM", "DONE", True, id="count a tally"
    ),
    pytest.param(
        ["CMD-COUNT", "LOC-A-01-03", PALLET], "item", "CONFIRM", "EMPTY", True, id="count a pallet"
    ),
    pytest.param(["CMD-UNPACK"], "sscc", "DONE", "UNDO", False, id="unpack"),
    pytest.param(["CMD-PRINT-PALLET"], "item", "CONFIRM", "UNDO", True, id="print"),
    pytest.param(["CMD-RELABEL"], "place", "REPRINT", "UNDO", True, id="relabel"),
    pytest.param(["CMD-LOOKUP"], "any", "DONE", "UNDO", False, id="look up"),
]


@pytest.mark.parametrize(("codes", "expected", "button", "absent", "keypad"), STEPS)
def test_a_step_says_what_it_asks_for(bench, codes, expected, button, absent, keypad):
    bench.scan("OPR-ann", *codes)
    step = bench.board.state().step
    assert step.expects[0] == expected
    assert Command[button] in step.buttons
    assert Command[absent] not in step.buttons
    assert (step.keypad, step.operator) == (keypad, "ann")
    assert step.prompt == bench.board.state().prompt


@pytest.mark.parametrize("command", [*STARTS], ids=str)
def test_a_step_names_its_workflow(bench, command):
    bench.scan(command)
    assert bench.board.state().step.workflow is command


def test_the_lines_say_what_is_expected_done_and_left_the_next_first(bench):
    bench.scan("DOC-PO-7", CASE, CASE)
    step = bench.board.state().step
    assert (step.document, step.lines_count, step.lines_left) == ("PO-7", 2, 1)
    first, second = step.lines
    assert (first.code, first.expected, first.done, first.remaining) == ("SALT", "100", "0", "100")
    assert (first.next, first.unit, first.unit_zh) == (True, "kg", "kg")
    assert (second.code, second.remaining, second.next) == ("TEA-250", "0", False)


def test_a_pick_shows_the_lines_of_its_place_first(bench):
    bench.scan("CMD-PICK", "DOC-SO-1", "LOC-A-01-04")
    step = bench.board.state().step
    assert [line.place for line in step.lines] == ["A-01-04", "A-01-03", ""]
    assert (step.place, step.lines_left) == ("A-01-04", 3)


def test_a_count_tells_places_and_no_quantities(bench):
    bench.scan("DOC-CNT-1")
    step = bench.board.state().step
    assert [line.place for line in step.lines] == ["A-01-03", "A-01-04", "A-01-04", ""]
    assert {(line.expected, line.done, line.remaining) for line in step.lines} == {("", "", "")}


def test_what_stands_on_the_scale_and_where_somebody_counts_come_first(bench):
    bench.scan("CMD-WEIGH", "DOC-PO-7", SALT)
    assert [line.code for line in bench.board.state().step.lines] == ["SALT", "TEA-250"]
    bench.scan("CMD-COUNT", "DOC-CNT-1", "LOC-A-01-04")
    assert [line.place for line in bench.board.state().step.lines][:2] == ["A-01-04", "A-01-04"]


def test_an_inspection_without_a_place_names_none(bench):
    bench.scan("CMD-INSPECT")
    assert bench.board.state().step.place == ""


def test_what_is_in_hand_is_listed_the_last_first(bench):
    bench.scan("CMD-PUTAWAY", TEA, MILK_L1, "CMD-QTY-3")
    step = bench.board.state().step
    assert [(line.code, line.done, line.lot) for line in step.lines] == [
        ("MILK-1", "1", "L1"),
        ("TEA-250", "1", ""),
    ]
    assert (step.in_hand, step.times) == (2, "3")


def test_a_weighing_tells_what_its_bar_is_drawn_from(bench):
    bench.scan("CMD-WEIGH", "DOC-PO-7")
    bench.weigh("2.5")
    bench.scan("CMD-TARE")
    bench.weigh("42.5")
    bench.scan("CMD-CONFIRM")
    aim = bench.board.state().step.weighing
    assert (aim.unit, aim.done, aim.expected) == ("KGM", "40", "100")
    assert (aim.at_least, aim.at_most, aim.recorded) == ("98", "102", True)
    bench.scan("CMD-CANCEL", "CMD-WEIGH")
    assert bench.board.state().step.weighing.unit == ""


def test_every_command_has_its_words_and_stands_in_one_group():
    grouped = [one for group in COMMAND_GROUPS for one in group.commands]
    assert sorted(grouped) == sorted(set(Command) - {Command.QUANTITY})
    assert set(COMMAND_TITLES) == set(Command)
    assert set(REASONS) == {one for one in Command if one.name.startswith("REASON_")}
