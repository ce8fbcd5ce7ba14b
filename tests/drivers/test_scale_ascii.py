"""The configurable ASCII scale: which settings are refused, what lines mean, bounded time. Pure."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import SettingsInvalid
from drivers.protocols.scale_ascii import LINE_BYTES_MAX, AsciiForm, AsciiScaleProtocol
from drivers.protocols.scale_ascii_pattern import PatternInvalid, check_pattern
from drivers.protocols.scale_ascii_profiles import PROFILES
from drivers.readings import DeviceFault, WeightMeasured
from drivers.registry import load_driver
from tests.drivers.check_stream import feed

WEIGHT = r"(?P<weight>\d++\.\d{3})"
LINE = {"pattern": WEIGHT}


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        pytest.param(r"\d+ kg", "without a weight", id="no group"),
        pytest.param(rf"{WEIGHT}?", "without a weight", id="optional"),
        pytest.param(rf"(?:{WEIGHT})?", "without a weight", id="within an optional group"),
        pytest.param(rf"(?:{WEIGHT}){{0,1}}", "without a weight", id="none or one"),
        pytest.param(rf"{WEIGHT}|OL", "without a weight", id="another choice"),
        pytest.param(rf"(?:OL|{WEIGHT})x", "without a weight", id="another choice within"),
        pytest.param(r"(?P<weight>)x", "without a weight", id="empty"),
        pytest.param(r"(?P<weight>\d*)", "without a weight", id="may be empty"),
        pytest.param(r"(?P<weight>(?:\d+)+)x", "repeated group", id="nested repetition"),
        pytest.param(r"(?P<weight>(?:\d|\d\d)+)x", "repeated group", id="repeated choice"),
        pytest.param(r"(?P<weight>(?:\d?){30}\d{30})", "repeated group", id="repeated optional"),
        pytest.param(r"(?P<weight>\d*\d*\d*\d*\d*x)", "too long", id="overlapping repetitions"),
        pytest.param(r"(?P<weight>\d{1,60}\d{1,60}\d{1,60}\d{1,60})", "too long", id="bounded"),
        pytest.param(r"(?P<weight>\d)" + r"(?:a|ab|abc|b)?" * 9, "too long", id="many choices"),
        pytest.param(r"(?P<weight>\d{0,1000}\d{1,1000}\d{0,1000}x)", "too long", id="of 4 digits"),
        pytest.param(r"(?P<weight>\d)(?=x)", "only (?:", id="assertion"),
        pytest.param(r"(?i)(?P<weight>\d)", "only (?:", id="flags"),
        pytest.param(r"(?P<weight>\d)(?P=weight)", "only (?:", id="reference by name"),
        pytest.param(r"(\d)(?P<weight>\d)\1", "not known", id="reference by number"),
        pytest.param(r"(?P<weight>\d", "not a regular", id="not closed"),
        pytest.param(r"(?:.(?:a?){1})*(?P<weight>\d)", "repeated group", id="hidden in {1}"),
        pytest.param(r"[[a](?P<weight>\d)", "not a regular", id="a set within a set"),
        pytest.param(r"(?P<weigth>\d)", "unknown group", id="misspelt"),
        pytest.param(r"(?P<weight>٣)", "ASCII", id="not ASCII"),
        pytest.param("(?:" * 20 + WEIGHT + ")" * 20, "deeper", id="too deep"),
        pytest.param(WEIGHT + "x" * 600, "at most", id="too long a pattern"),
    ],
)
def test_a_pattern_that_could_hang_or_match_without_a_weight_is_refused(pattern, why):
    with pytest.raises(PatternInvalid, match=re.escape(why)):
        check_pattern(pattern, line_bytes_max=LINE_BYTES_MAX)


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param(WEIGHT, id="weight alone"),
        pytest.param(rf"ST, *{WEIGHT} +(?P<unit>kg|g)", id="two repetitions and a choice"),
        pytest.param(rf"(?:ST|US)\x2c{WEIGHT}(?:\r)?", id="escapes"),
        pytest.param(r"[]a)(]{2}(?P<weight>[\d. ]{7})[^\]]", id="brackets in classes"),
        pytest.param(rf"(?:ab){{3}}(?:{WEIGHT}){{1}}", id="repetition of what is fixed"),
        pytest.param(rf"^ *+-?+ *+{WEIGHT}$", id="possessive"),
    ],
)
def test_a_harmless_pattern_is_taken(pattern):
    check_pattern(pattern, line_bytes_max=LINE_BYTES_MAX)


def test_the_patterns_of_all_profiles_are_harmless():
    for form in PROFILES.values():
        check_pattern(form.pattern, line_bytes_max=form.line_bytes_max)


@pytest.mark.parametrize(
    "pattern",
    [
        r"(?P<weight>\d*\d*\d*x)",
        r"(?P<weight>\d{1,40}\d{1,40}\d{1,40}x)",
        r"(?P<weight>a*a*a*ab)",
    ],
)
def test_the_worst_pattern_that_is_taken_takes_milliseconds(pattern):
    check_pattern(pattern, line_bytes_max=LINE_BYTES_MAX)
    protocol = AsciiScaleProtocol(AsciiForm(pattern=pattern, poll=b"W"))
    for line in (b"1" * LINE_BYTES_MAX, b"a" * LINE_BYTES_MAX):
        started_s = time.thread_time()
        assert [fault.code for fault in feed(protocol, [line + b"\r\n"])] == ["unreadable"]
        assert time.thread_time() - started_s < 0.2


@given(
    pattern=st.text(r"\d*+?.()|{}2,[]a-^P<weight>: ", max_size=40)
    | st.lists(
        st.sampled_from([r"\d*", r"\d+", "a?", "(?:a|b)?", "[ a]{0,9}", r"(?P<weight>\d+)", "a"]),
        max_size=9,
    ).map("".join),
    line=st.sampled_from([b"1" * 64, b"a" * 64, b" " * 64, b"1a" * 32]),
)
def test_whatever_pattern_is_taken_ends_soon(pattern, line):
    try:
        check_pattern(pattern, line_bytes_max=LINE_BYTES_MAX)
    except PatternInvalid:
        return
    protocol = AsciiScaleProtocol(AsciiForm(pattern=pattern, poll=b"W"))
    started_s = time.thread_time()
    feed(protocol, [line + b"\r\n"])
    assert time.thread_time() - started_s < 0.3


@pytest.mark.parametrize(
    ("line", "value"), [(b"-  1.5", "-1.5"), (b"  -1.5", "-1.5"), (b"- -1.5", ""), (b"--1.5 ", "")]
)
def test_a_weight_has_one_sign_and_two_never_make_a_plus(line, value):
    form = AsciiForm(pattern=r"(?P<sign>[ -])(?P<weight>[- .\d]{5})", unit="kg", poll=b"W")
    (reading,) = feed(AsciiScaleProtocol(form), [line + b"\r\n"])
    assert str(getattr(reading, "value", "")) == value


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        pytest.param({}, "line", id="custom without a line"),
        pytest.param({"profile": "ohaus", "line": LINE}, "line", id="profile with a line"),
        pytest.param({"line": LINE}, "unit", id="unit neither sent nor set"),
        pytest.param({"profile": "sartorius-sbi-22"}, "unit", id="unit sometimes blank"),
        pytest.param({"line": {"pattern": "x"}, "unit": "kg"}, "without a weight", id="pattern"),
        pytest.param(
            {"line": {"pattern": WEIGHT + "(?P<stable>.)"}, "unit": "kg"}, "stable", id="no texts"
        ),
        pytest.param(
            {"line": {"pattern": WEIGHT + "(?P<mode>.)"}, "unit": "kg"}, "mode", id="no modes"
        ),
        pytest.param(
            {"line": {"pattern": WEIGHT + "(?P<error>.)"}, "unit": "kg"}, "error", id="no errors"
        ),
        pytest.param(
            {"line": {**LINE, "errors": {"OL": "on_fire"}}, "unit": "kg"}, "errors", id="code"
        ),
        pytest.param({"profile": "ohaus", "poll": "é"}, "poll", id="poll"),
        pytest.param(
            {"line": {**LINE, "line_bytes_max": 4096}, "unit": "kg"}, "line_bytes", id="size"
        ),
    ],
)
def test_settings_that_do_not_go_together_are_refused_by_name(settings, named):
    with pytest.raises(SettingsInvalid) as refused:
        load_driver("ascii-scale-serial").parse_settings({"port": "/dev/x", **settings})
    assert named in str(refused.value)


def protocol(**settings):
    driver = load_driver("ascii-scale-tcp")
    return driver.new_protocol(driver.parse_settings({"host": "h", "port": 1, **settings}))


def test_a_scale_that_says_nothing_of_stability_is_stable_only_where_the_settings_say_so():
    for stable_only in (False, True):
        one = protocol(line=LINE, unit="kg", poll="W\r", stable_only=stable_only)
        (reading,) = feed(one, [b"1.250\r"])
        assert reading.stable is stable_only


def test_the_end_of_a_line_is_never_taken_for_a_line():
    one = protocol(line=LINE, unit="kg")
    assert feed(one, [b"2.345\r", b"12.345\r"]) != []
    assert [str(reading.value) for reading in feed(one, [b"12.3"])] == []
    assert [fault.code for fault in one.idle()] == ["unreadable"]
    assert [str(reading.value) for reading in feed(one, [b"45.000\r12.345\r"])] == ["12.345"]


def test_another_unit_than_the_one_given_is_refused():
    one = protocol(profile="ohaus", unit="kg")
    weight, fault = feed(one, [b"    1.500 kg       \r\n", b"    1.500 g        \r\n"])
    assert isinstance(weight, WeightMeasured) and isinstance(fault, DeviceFault)


def test_a_question_of_ones_own_is_taken_from_the_settings():
    driver = load_driver("ascii-scale-tcp")
    settings = driver.parse_settings({"host": "h", "port": 1, "profile": "ohaus", "poll": "P\r"})
    assert settings.poll == "P\r"
    assert feed(driver.new_protocol(settings), [b"P\r"]) == []  # Our own question as an echo.


@given(chunks=st.lists(st.binary(max_size=90)), name=st.sampled_from(sorted(PROFILES)))
def test_any_bytes_give_readings_of_bounded_size(chunks, name):
    one = AsciiScaleProtocol(PROFILES[name])
    for reading in [*feed(one, chunks), *one.idle()]:
        assert isinstance(reading, WeightMeasured | DeviceFault)
        assert len(reading.raw) <= LINE_BYTES_MAX + 2
