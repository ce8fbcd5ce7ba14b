"""A button with a code is a scan of that code; anything else of an input means nothing. Pure."""

import pytest

from drivers.readings import BarcodeScanned, DeviceFault, InputChanged, TagRead
from gateway.station.observations import scanned_text

TEA = "6901234567892"


def press(bench, code: str, *, active: bool = True, step: bool = True):
    bench.put(InputChanged("green", active, code, b"\x01\x07"), device="dock-1-buttons")
    return bench.step() if step else None


def test_a_button_confirms_as_a_scanned_command_does(bench):
    bench.scan("CMD-WEIGH", TEA)
    bench.weigh("0.4")
    bench.scan("CMD-TARE")
    bench.clock.elapsed_ns += 1_000_000_000
    bench.weigh("12.9")
    seen = press(bench, "CMD-CONFIRM")
    assert [type(fact).__name__ for fact in seen.facts] == ["Weighing", "Movement"]


def test_what_a_button_recorded_names_the_button_as_evidence(bench):
    bench.scan("CMD-RECEIVE")
    seen = press(bench, TEA)
    (evidence,) = seen.facts[0].evidence
    assert (evidence.device, evidence.kind, evidence.raw) == (
        "dock-1-buttons",
        "button",
        b"\x01\x07",
    )
    assert bench.board.state().scans[0].outcome.code == TEA
    assert bench.board.state().scans[0].outcome.device == "dock-1-buttons"


@pytest.mark.parametrize(
    ("code", "active"),
    [
        pytest.param("CMD-RECEIVE", False, id="released"),
        pytest.param("", True, id="without a code"),
        pytest.param("", False, id="neither"),
    ],
)
def test_a_release_or_an_input_without_code_is_ignored(bench, code, active):
    seen = press(bench, code, active=active)
    assert (seen.kind, seen.facts) == ("", ())
    assert bench.board.state().scans == ()


def test_a_button_before_any_command_is_told_like_a_scan(bench):
    seen = press(bench, TEA)
    assert seen.kind == "error"
    assert TEA in seen.text


def test_a_button_with_a_code_that_is_none_is_an_error_that_names_it(bench):
    seen = press(bench, "CMD-FLY")
    assert (seen.kind, "CMD-FLY" in seen.text) == ("error", True)


@pytest.mark.parametrize(
    ("reading", "text"),
    [
        (BarcodeScanned("", "", b""), ""),
        (InputChanged("green", active=True, code="CMD-DONE"), "CMD-DONE"),
        (InputChanged("green", active=False, code="CMD-DONE"), None),
        (InputChanged("door", active=True), None),
        (TagRead(epc="30"), None),
        (DeviceFault("unreadable", ""), None),
    ],
)
def test_the_text_of_a_scan_is_that_of_codes_and_pressed_buttons_alone(reading, text):
    assert scanned_text(reading) == text
