"""Every installed driver through the driver kit: declarations, captures, any bytes. Pure."""

from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.kit.captures import parse_capture
from drivers.kit.conformance import (
    check_any_bytes,
    check_bounded_memory,
    check_capture,
    check_damage,
    check_declaration,
    protocol_of,
)
from drivers.registry import driver_names, load_driver

CAPTURES = Path(__file__).parents[1] / "captures"
# A damaged LLRP message ends the connection; a key that is lost is no damage that could be seen.
WITHOUT_FRAMES = {"llrp-tcp", "scanner-evdev"}
FILES = sorted(CAPTURES.rglob("*.capture"))


@cache
def capture_of(path):
    return parse_capture(path.read_text(encoding="utf-8"))


def drivers_with_protocol():
    return [name for name in driver_names() if load_driver(name).new_protocol is not None]


def other_lines(name):
    """Return the drivers that speak the same protocol over another line, by their names."""
    family = name.removesuffix("-tcp").removesuffix("-serial")
    return [] if family == name else [f"{family}-serial", f"{family}-tcp"]


def settings_that_matter():
    """Return one capture for each driver and settings: noise is fed to each of them."""
    chosen = {}
    for path in FILES:
        capture = capture_of(path)
        chosen.setdefault((capture.driver, str(sorted(capture.settings.items()))), path)
    return sorted(chosen.values())


def one_of_each_driver():
    chosen = {}
    for path in FILES:
        chosen.setdefault(
            capture_of(path).driver.removesuffix("-tcp").removesuffix("-serial"), path
        )
    return sorted(chosen.values())


def one_of_each_with_frames():
    return [path for path in one_of_each_driver() if capture_of(path).driver not in WITHOUT_FRAMES]


@pytest.mark.parametrize("name", driver_names())
def test_a_driver_says_of_itself_what_is_true(name):
    check_declaration(load_driver(name))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(CAPTURES)))
def test_a_capture_gives_its_readings_however_it_is_cut(path):
    capture = capture_of(path)
    assert check_capture(protocol_of(load_driver(capture.driver), capture), capture) >= 0


@pytest.mark.parametrize("name", drivers_with_protocol())
def test_the_protocol_of_a_driver_has_a_capture(name):
    shown = {capture_of(path).driver for path in FILES}
    assert shown & {name, *other_lines(name)}


@pytest.mark.parametrize("path", settings_that_matter(), ids=lambda path: path.stem)
@settings(max_examples=30)
@given(data=st.data())
def test_any_bytes_give_readings_or_nothing(path, data):
    capture = capture_of(path)
    received = b"".join(step.data for step in capture.steps)
    mutated = st.lists(
        st.one_of(
            st.binary(max_size=64),
            st.tuples(st.integers(0, len(received)), st.integers(0, 64)).map(
                lambda place: received[place[0] : place[0] + place[1]]
            ),
        ),
        max_size=8,
    )
    check_any_bytes(protocol_of(load_driver(capture.driver), capture), data.draw(mutated))


@pytest.mark.parametrize("path", one_of_each_driver(), ids=lambda path: path.parent.name)
def test_noise_leaves_nothing_behind(path):
    capture = capture_of(path)
    check_bounded_memory(protocol_of(load_driver(capture.driver), capture), capture)


@pytest.mark.parametrize("path", one_of_each_with_frames(), ids=lambda path: path.parent.name)
def test_a_damaged_message_is_no_other_value_and_the_next_ones_are_read(path):
    capture = capture_of(path)
    check_damage(protocol_of(load_driver(capture.driver), capture), capture)
