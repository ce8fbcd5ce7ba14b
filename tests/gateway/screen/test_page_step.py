"""What the page shows of a step, of names from outside and of what waits; all of it is pure."""

import pytest

from gateway.screen.page_step import page_step
from gateway.screen.page_unsent import Moment, Unsent, unsent_at
from gateway.screen.translation import translator
from gateway.station.commands import Command
from gateway.station.effects import Message
from gateway.station.messages import VALUE_CHARACTERS_MAX, place_words, render, say
from gateway.station.screen_state import ShownWeight
from gateway.station.step import ShownStep, StepLine, WeighingAim
from tests.gateway.journal.samples import movement

BOOT, EARLIER = "boot-now", "boot-before"


def shown(step, weight=None, *, language="en"):
    translate = translator(language)
    return page_step(
        step,
        weight,
        language=language,
        text=lambda message: render(message, language=language, translate=translate),
        translate=translate,
    )


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        pytest.param("\u202egnp.exe", " gnp.exe", id="turned"),
        pytest.param("a\u2066b\u2069\u200fc", "a b  c", id="isolated"),
        pytest.param("a\nb\x07c", "a b c", id="control"),
        pytest.param("شاي أخضر", "شاي أخضر", id="a right-to-left script stays"),
        pytest.param("x" * 4000, "x" * (VALUE_CHARACTERS_MAX - 1) + "…", id="4,000"),
    ],
)
def test_a_name_from_outside_is_one_short_line_that_turns_nothing(name, wanted):
    assert render(say("{name}!", name=name), language="en", translate=str) == f"{wanted}!"
    line = StepLine(code=name, name="", name_zh="", done="1", unit="pcs", unit_zh="件")
    step = ShownStep(Message(""), (), (), Command.RECEIVE, document=name, lines=(line,))
    assert shown(step).document == wanted
    assert shown(step).lines[0].name == wanted


def test_a_place_that_is_none_is_said_in_words():
    said = say("{to_place}", place_words("supplier", name="to_place"))
    assert render(said, language="zh", translate=str) == "供应商"
    assert render(said, language="en", translate=str) == "the supplier"


def test_buttons_are_commands_in_words_and_the_usual_one_is_marked():
    step = ShownStep(Message(""), ("item",), (Command.UNDO, Command.CONFIRM), Command.COUNT)
    buttons = shown(step, language="zh").buttons
    assert [(one.code, one.word, one.go) for one in buttons] == [
        ("CMD-UNDO", "撤销", False),
        ("CMD-CONFIRM", "确认", True),
    ]


@pytest.mark.parametrize(
    ("done", "excess"), [("119.5", ""), ("120", ""), ("132", "12"), ("120.25", "0.25")]
)
def test_a_line_tells_how_much_more_than_expected_is_there(done, excess):
    line = StepLine("TEA", "", "", done=done, unit="pcs", unit_zh="件", expected="120")
    step = ShownStep(Message(""), (), (), Command.RECEIVE, lines=(line,))
    assert shown(step).lines[0].excess == excess


@pytest.mark.parametrize(
    ("value", "at", "verdict"),
    [
        pytest.param("99.99", 979, "under", id="under"),
        pytest.param("100.00", 980, "within", id="at the lower bound"),
        pytest.param("104.00", 1020, "within", id="at the upper bound"),
        pytest.param("104.01", 1020, "over", id="over"),
        pytest.param("1.00", 0, "under", id="less than the container"),
        pytest.param("9999.00", 1250, "over", id="beyond the bar"),
    ],
)
def test_the_bar_of_a_weighing_says_where_the_net_weight_stands(value, at, verdict):
    aim = WeighingAim("KGM", "2.00", "KGM", "0", "100", "98", "102")
    weight = ShownWeight("scale", value, "KGM", "gross", stable=True)
    drawn = shown(ShownStep(Message(""), (), (), Command.WEIGH, weighing=aim), weight).aim
    assert (drawn.at, drawn.verdict) == (at, verdict)
    assert (drawn.at_least, drawn.at_most) == (980, 1020)


@pytest.mark.parametrize(
    ("done", "at", "verdict"),
    [("58", 580, ""), ("99", 990, "within"), ("103", 1030, "over")],
)
def test_a_load_that_is_recorded_and_still_stands_there_is_not_counted_twice(done, at, verdict):
    aim = WeighingAim("KGM", "", "", done, "100", "98", "102", recorded=True)
    weight = ShownWeight("scale", "58.00", "KGM", "gross", stable=True)
    drawn = shown(ShownStep(Message(""), (), (), Command.WEIGH, weighing=aim), weight).aim
    assert (drawn.at, drawn.verdict) == (at, verdict)


def test_a_line_without_an_item_is_everything_there_and_a_pallet_is_said_once():
    sscc = "006141411234567890"
    lines = (StepLine("", "", "", "", "", "", place="A-1"), StepLine(sscc, sscc, sscc, "1", "", ""))
    drawn = shown(ShownStep(Message(""), (), (), lines=lines), language="zh").lines
    assert [(one.name, one.which) for one in drawn] == [("该处全部商品", ""), (sscc, "")]


@pytest.mark.parametrize("unit", ["GRM", ""])
def test_a_weight_in_another_unit_stands_nowhere_on_the_bar(unit):
    aim = WeighingAim("KGM", "", "", "0", "100", "98", "102")
    weight = ShownWeight("scale", "99", unit, "gross", stable=True)
    drawn = shown(ShownStep(Message(""), (), (), Command.WEIGH, weighing=aim), weight).aim
    assert (drawn.at, drawn.verdict) == (-1, "")


@pytest.mark.parametrize(
    ("boot", "stamped_ms", "was_synced", "now_ms", "is_synced", "age"),
    [
        pytest.param(BOOT, 0, False, 10**12, True, 3, id="this start: the even clock"),
        pytest.param(BOOT, 10**12, True, 0, False, 3, id="this start, a clock that jumped back"),
        pytest.param(EARLIER, 0, True, 600_000, True, 10, id="before: the wall clock"),
        pytest.param(EARLIER, 0, False, 10**12, True, None, id="before, stamped by no clock"),
        pytest.param(EARLIER, 10**12, True, 0, False, None, id="before, no clock now"),
        pytest.param(EARLIER, 600_000, True, 0, True, 0, id="before, and from the future"),
    ],
)
def test_the_age_of_what_waits_is_told_only_by_clocks_that_are_right(
    boot, stamped_ms, was_synced, now_ms, is_synced, age
):
    import msgspec

    oldest = msgspec.structs.replace(
        movement(),
        boot_id=boot,
        event_time_ms=stamped_ms,
        clock_synced=was_synced,
        monotonic_ns=60_000_000_000,
    )
    moment = Moment(now_ms, clock_synced=is_synced, boot_id=BOOT, monotonic_ns=240_000_000_000)
    assert unsent_at(moment, count=5, oldest=oldest) == Unsent(5, age)
