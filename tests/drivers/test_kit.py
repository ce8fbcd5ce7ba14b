"""The driver kit itself: what it must catch, it catches. Loop."""

from decimal import Decimal

import msgspec
import pytest

from drivers.api import Driver
from drivers.kit.captures import CaptureInvalid, Step, format_step, parse_capture
from drivers.kit.conformance import (
    NotConforming,
    check_any_bytes,
    check_bounded_memory,
    check_capture,
    check_declaration,
    protocol_of,
)
from drivers.kit.descriptions import describe
from drivers.kit.recording import Recorder
from drivers.kit.replay import CapturePlayer
from drivers.protocols.scanner_text import ScannerText, ScannerTextProtocol
from drivers.readings import BarcodeScanned, DeviceFault, InputChanged, TagRead, WeightMeasured
from drivers.registry import load_driver
from drivers.simulators.lines import VirtualSerialLine
from tests.drivers.waiting import read_until

HEAD = "# dockledger capture 1\n# driver: scanner-serial\n# source: made by hand\n"
SCANS = HEAD + '< 41 42 0d 43\n= barcode - "AB"\n< 44 0d\n= barcode - "CD"\n'


class Lines:
    """A protocol of lines; `fault` names the rule that it breaks."""

    def __init__(self, fault=""):
        self.fault = fault
        self.buffer = b""

    def receive_data(self, data):
        if self.fault == "raises" and b"\xff" in data:
            raise ValueError("a byte that it does not like")
        self.buffer += data
        *lines, rest = self.buffer.split(b"\r")
        self.buffer = b"" if self.fault == "forgets" else rest
        if self.fault != "grows":
            self.buffer = self.buffer[-1000:]
        if self.fault == "other":
            return [line.decode("latin-1") for line in lines]
        return [BarcodeScanned("", line.decode("latin-1"), line) for line in lines]

    def idle(self):
        self.buffer = b"" if self.fault != "grows" else self.buffer
        return []


@pytest.mark.parametrize(
    ("reading", "text"),
    [
        (BarcodeScanned("]C1", "10A\x1d17", b""), 'barcode ]C1 "10A\\u001d17"'),
        (BarcodeScanned("", "é", b""), 'barcode - "\\u00e9"'),
        (
            WeightMeasured(Decimal("1.50"), "KGM", "gross", True, b""),
            "weight 1.50 KGM gross stable",
        ),
        (
            WeightMeasured(Decimal(-1), "KGM", "net", False, b"", "17", Decimal(2)),
            "weight -1 KGM net moving tare 2 alibi 17",
        ),
        (DeviceFault("overload", "any"), "fault overload"),
        (InputChanged("door", True, "CMD-OK"), "input door on CMD-OK"),
        (InputChanged("door", False), "input door off"),
        (TagRead(epc="E200"), "tag E200 count 1"),
        (
            TagRead(
                epc="30",
                antenna=2,
                rssi_cdbm=-5500,
                phase=0,
                reads_count=3,
                first_seen_us=1,
                last_seen_us=2,
                held=True,
            ),
            "tag 30 antenna 2 rssi -5500 phase 0 count 3 first 1 last 2 held",
        ),
    ],
    ids=str,
)
def test_a_reading_has_one_line_of_text(reading, text):
    assert describe(reading) == text


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", "line 1"),
        ("# dockledger capture 2\n", "line 1"),
        ("# dockledger capture 1\n< 41\n", "driver"),
        (HEAD + "# setting: unit =\n", "setting"),
        (HEAD + "< 4\n", "line 4"),
        (HEAD + "? 41\n", "line 4"),
        (HEAD + ". NaN\n", "line 4"),
        (HEAD + ". -1\n", "line 4"),
        (HEAD + ". soon\n", "line 4"),
    ],
    ids=repr,
)
def test_a_capture_that_cannot_be_read_names_the_place(text, place):
    with pytest.raises(CaptureInvalid, match=place):
        parse_capture(text)


def test_a_capture_holds_settings_and_steps_and_is_written_as_it_is_read():
    text = (
        HEAD + '# setting: line_end = "cr"\n# for people\n\n> 05\n. 0.6\n< 41 0d\n= barcode - "A"\n'
    )
    capture = parse_capture(text)
    assert capture.driver == "scanner-serial"
    assert capture.source == "made by hand"
    assert capture.settings == {"line_end": "cr"}
    assert [step.kind for step in capture.steps] == ["sent", "pause", "received", "expected"]
    assert "\n".join(format_step(step) for step in capture.steps) in text.replace("\n\n", "\n")


def test_a_protocol_that_keeps_the_rules_conforms():
    assert check_capture(Lines, parse_capture(SCANS)) == 2
    check_any_bytes(Lines, [b"A\xff", b"\r"])
    check_bounded_memory(Lines)


@pytest.mark.parametrize(
    "check",
    [
        pytest.param(
            lambda: check_capture(lambda: Lines("forgets"), parse_capture(SCANS)), id="cut"
        ),
        pytest.param(
            lambda: check_capture(Lines, parse_capture(SCANS.replace('"CD"', '"CE"'))), id="reading"
        ),
        pytest.param(
            lambda: check_capture(Lines, parse_capture(SCANS + "< 45 0d\n")), id="one more reading"
        ),
        pytest.param(lambda: check_capture(Lines, parse_capture(HEAD)), id="empty"),
        pytest.param(lambda: check_any_bytes(lambda: Lines("other"), [b"A\r"]), id="no reading"),
        pytest.param(lambda: check_bounded_memory(lambda: Lines("grows")), id="memory"),
    ],
)
def test_a_broken_rule_is_found(check):
    with pytest.raises(NotConforming):
        check()


def test_a_protocol_that_raises_is_found():
    with pytest.raises(ValueError, match="does not like"):
        check_any_bytes(lambda: Lines("raises"), [b"A\xff"])


def test_idle_is_told_at_long_pauses_alone():
    def new():
        return ScannerTextProtocol(ScannerText())

    short = HEAD + '< 41\n. 0.499\n< 42 0d\n= barcode - "AB"\n'
    long = HEAD + '< 41\n. 0.5\n< 42 0d\n= fault scan_again\n= barcode - "B"\n'
    assert check_capture(new, parse_capture(short)) == 1
    assert check_capture(new, parse_capture(long)) == 2


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """port: where it is."""

    port: str


class LooseSettings(msgspec.Struct):
    """Nothing is said of it."""

    port: str = ""


@pytest.mark.parametrize(
    ("settings_type", "changes", "complaint"),
    [
        (LooseSettings, {}, "not frozen"),
        (Settings, {"summary": "a scale"}, "no sentence"),
        (Settings, {"node_setting": "path"}, "node_setting"),
    ],
    ids=str,
)
def test_a_declaration_that_misleads_is_found(settings_type, changes, complaint):
    declared = {
        "name": "x",
        "device_class": "scale",
        "summary": "A scale.",
        "settings_type": settings_type,
        "open_device": lambda settings: None,
    }
    with pytest.raises(NotConforming, match=complaint):
        check_declaration(Driver(**(declared | changes)))


def test_what_a_player_plays_over_a_real_line_can_be_recorded_and_replayed(tmp_path):
    driver = load_driver("scanner-serial")
    capture = parse_capture(SCANS)
    with VirtualSerialLine(tmp_path / "scanner") as line:
        device = driver.open_device(driver.parse_settings({"port": str(line.path)}))
        try:
            with CapturePlayer(line, capture) as player:
                readings = read_until(device, 2)
                assert player.wait(5.0)
        finally:
            device.close()
    path = tmp_path / "again.capture"
    with Recorder(path, driver="scanner-serial", source="this test\nin one line") as recorder:
        recorder.sent(b"\x05", 1.0)
        recorder.received(b"AB\r", 1.7)
        recorder.readings(readings[:1])
    again = parse_capture(path.read_text())
    assert again.source == "this test in one line"
    assert again.steps == (
        Step("sent", data=b"\x05"),
        Step("pause", pause_s=Decimal("0.700")),
        Step("received", data=b"AB\r"),
        Step("expected", text='barcode - "AB"'),
    )


def test_the_settings_of_a_capture_reach_the_protocol():
    driver = load_driver("scanner-serial")
    text = HEAD + '# setting: line_end = "lf"\n< 41 0a\n= barcode - "A"\n'
    if driver.new_protocol is None:
        with pytest.raises(NotConforming, match="new_protocol"):
            protocol_of(driver, parse_capture(text))
    else:
        assert check_capture(protocol_of(driver, parse_capture(text)), parse_capture(text)) == 1
