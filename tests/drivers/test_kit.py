"""The driver kit itself: what it must catch, it catches. Loop."""

from contextlib import closing, nullcontext
from decimal import Decimal

import msgspec
import pytest

from drivers.api import Driver
from drivers.builtin.stream import Polling, StreamDevice
from drivers.kit.captures import CaptureInvalid, Step, format_step, parse_capture
from drivers.kit.conformance import (
    NotConforming,
    check_any_bytes,
    check_bounded_memory,
    check_capture,
    check_damage,
    check_declaration,
    protocol_of,
)
from drivers.kit.descriptions import describe
from drivers.kit.device_checks import SerialEnd, check_device, check_device_silent
from drivers.kit.recording import Recorder
from drivers.kit.replay import CapturePlayer
from drivers.protocols.scanner_text import ScannerText, ScannerTextProtocol
from drivers.readings import BarcodeScanned, DeviceFault, InputChanged, TagRead, WeightMeasured
from drivers.registry import load_driver
from drivers.simulators.lines import VirtualSerialLine
from drivers.transports.serial_line import open_serial
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
        (HEAD + "# idle: soon\n", "idle"),
        (HEAD + "# idle: 0\n", "idle"),
        (HEAD + "# idle: 1\n# idle: 2\n", "idle"),
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


class Framed:
    """A protocol of STX code ETX; `fault` names the rule that it breaks."""

    def __init__(self, fault=""):
        self.fault = fault
        self.frame = None
        self.kept = []

    def receive_data(self, data):
        readings = []
        for byte in data:
            if self.fault == "raises" and self.frame == b"A" and byte == 0x40:
                raise ValueError("only behind an A")
            if byte == 2 and self.fault != "joins":
                self.frame = b""
            elif byte == 2:
                self.frame = self.frame or b""
            elif byte == 3 and self.frame is not None:
                readings.append(BarcodeScanned("", self.frame.decode("latin-1"), self.frame))
                self.frame = None
            elif self.frame is not None:
                self.frame += bytes([byte])
                if len(self.frame) > 100 and self.fault != "grows":
                    self.frame = None
            elif self.fault == "floods":
                readings.append(DeviceFault("unreadable", "", bytes([byte])))
        if self.fault == "keeps":
            self.kept += readings
        elif self.fault == "repeats":
            self.kept = readings or self.kept
        return readings

    def idle(self):
        self.frame = self.frame if self.fault == "joins" else None
        return self.kept if self.fault == "repeats" else []


FRAMES = HEAD + '< 02 41 42 03\n= barcode - "AB"\n< 02 43 03\n= barcode - "C"\n'


def check_framed(fault, text=FRAMES):
    capture = parse_capture(text)
    assert check_capture(lambda: Framed(fault), capture) == 2
    check_any_bytes(lambda: Framed(fault), [b"\x02A", b"\xff\x03"])
    check_bounded_memory(lambda: Framed(fault))
    check_damage(lambda: Framed(fault), capture)
    check_bounded_memory(lambda: Framed(fault), capture)


def test_a_protocol_of_frames_that_keeps_the_rules_conforms():
    check_framed("")


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [
        ("joins", "and a pause, "),
        ("repeats", "told twice"),
        ("grows", "bytes behind"),
        ("keeps", "bytes behind"),
        ("floods", "faults"),
    ],
)
def test_what_noise_alone_does_not_show_is_found_with_the_capture(fault, complaint):
    with pytest.raises(NotConforming, match=complaint):
        check_framed(fault)


def test_a_protocol_that_raises_within_a_frame_is_found_with_the_capture():
    with pytest.raises(ValueError, match="only behind an A"):
        check_framed("raises")


@pytest.mark.parametrize(
    "reading",
    [
        WeightMeasured(1.5, "KGM", "gross", True, b"1"),
        WeightMeasured(Decimal("NaN"), "KGM", "gross", True, b"1"),
        WeightMeasured(Decimal(1), "kg", "gross", True, b"1"),
        WeightMeasured(Decimal(1), "KGM", "brutto", True, b"1"),
        WeightMeasured(Decimal(1), "KGM", "gross", True, b""),
        BarcodeScanned("", "A", b""),
        DeviceFault("overlaod", ""),
        "A",
    ],
    ids=repr,
)
def test_a_reading_that_the_vocabulary_does_not_know_is_found(reading):
    class Says(Lines):
        def receive_data(self, data):
            return [reading]

    with pytest.raises(NotConforming, match="is no reading"):
        check_any_bytes(Says, [b"A"])


def test_idle_is_told_at_long_pauses_alone():
    def new():
        return ScannerTextProtocol(ScannerText())

    short = HEAD + '< 41\n. 0.499\n< 42 0d\n= barcode - "AB"\n'
    long = HEAD + '< 41\n. 0.5\n< 42 0d\n= fault scan_again\n= barcode - "B"\n'
    assert check_capture(new, parse_capture(short)) == 1
    assert check_capture(new, parse_capture(long)) == 2
    sooner = short.replace("made by hand\n", "made by hand\n# idle: 0.4\n")
    with pytest.raises(NotConforming, match="scan_again"):
        check_capture(new, parse_capture(sooner))


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
        (Settings, {"name": "My scale"}, "name is not"),
        (Settings, {"device_class": "scales"}, "device_class"),
        (Settings, {"tier": "best"}, "tier"),
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
                assert player.wait(60)
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


@pytest.mark.parametrize("idle_s", ["0.5", "0.1"])
def test_what_is_recorded_of_a_device_is_a_capture_that_conforms(tmp_path, idle_s):
    path = tmp_path / "recorded.capture"
    with (
        VirtualSerialLine(tmp_path / "scanner") as far,
        Recorder(
            path, driver="scanner-serial", source="this test", idle_s=Decimal(idle_s)
        ) as recorder,
    ):
        line = open_serial(str(far.path), baud_rate=9600, data_bits=8, parity="none", stop_bits=1)
        polling = Polling(b"?", 0.07, 1000, "Switch it on.")
        protocol = ScannerTextProtocol(ScannerText())
        device = StreamDevice(line, protocol, idle_s=float(idle_s), polling=polling)
        device.tap(recorder)
        assert device.idle_s == float(idle_s)
        with closing(device):
            far.write(b"AB\rCD\r")
            read_until(device, 2)
            far.write(b"half")
            assert describe(read_until(device, 1)[0]) == "fault scan_again"
            far.write(b"EF\r")
            read_until(device, 1)
    capture = parse_capture(path.read_text())
    assert capture.idle_s == Decimal(idle_s)
    assert Step("sent", data=b"?") in capture.steps
    assert check_capture(lambda: ScannerTextProtocol(ScannerText()), capture) == 4


def test_the_settings_of_a_capture_reach_the_protocol():
    driver = load_driver("scanner-serial")
    text = HEAD + '# setting: line_end = "lf"\n< 41 0a\n= barcode - "A"\n'
    if driver.new_protocol is None:
        with pytest.raises(NotConforming, match="new_protocol"):
            protocol_of(driver, parse_capture(text))
    else:
        assert check_capture(protocol_of(driver, parse_capture(text)), parse_capture(text)) == 1


class Quark:
    """A scale of six bytes, the last the exclusive or of the others: two halves may look whole."""

    def __init__(self):
        self.frame = b""

    def receive_data(self, data):
        self.frame += data
        frame, self.frame = (self.frame, b"") if len(self.frame) >= 6 else (b"", self.frame)
        if not frame:
            return []
        value = Decimal(int.from_bytes(frame[1:4], "big"))
        return [WeightMeasured(value, "KGM", "gross", True, frame)]

    def idle(self):
        self.frame = b""
        return []


class Repeating(StreamDevice):
    """Says the last weight again when nothing comes."""

    last = ()

    def read(self, timeout_s):
        self.last = super().read(timeout_s) or self.last
        return self.last


WEIGHT = HEAD + "> 05\n< 00 00 30 39 00 09\n= weight 12345 KGM gross stable\n"


def quark(device_type=StreamDevice, *, polled=True, idle_s=0.1, unanswered_max=10):
    def open_device(settings):
        line = open_serial(settings.port, baud_rate=9600, data_bits=8, parity="none", stop_bits=1)
        polling = Polling(b"\x05", 0.2, unanswered_max, "Switch it on.") if polled else None
        return device_type(line, Quark(), idle_s=idle_s, polling=polling)

    return Driver(
        name="quark",
        device_class="scale",
        summary="A scale.",
        settings_type=Settings,
        open_device=open_device,
    )


@pytest.mark.parametrize("polled", [True, False])
@pytest.mark.parametrize(
    ("device_type", "idle_s", "complaint"),
    [(StreamDevice, 0.1, ""), (StreamDevice, 60.0, "a pause and"), (Repeating, 0.1, "again")],
)
def test_a_device_that_joins_halves_or_repeats_itself_is_found(
    tmp_path, polled, device_type, idle_s, complaint
):
    text = WEIGHT if polled else WEIGHT.replace("> 05\n", "")
    driver = quark(device_type, polled=polled, idle_s=idle_s)
    with pytest.raises(NotConforming, match=complaint) if complaint else nullcontext():
        check_device(driver, parse_capture(text), SerialEnd, folder=tmp_path)


@pytest.mark.parametrize(("unanswered_max", "is_found"), [(2, False), (10_000, True)])
def test_a_device_that_never_answers_must_be_silent_in_time(tmp_path, unanswered_max, is_found):
    with pytest.raises(NotConforming, match="not DeviceSilent") if is_found else nullcontext():
        check_device_silent(
            quark(unanswered_max=unanswered_max),
            parse_capture(WEIGHT),
            SerialEnd,
            folder=tmp_path,
            within_s=1.0,
        )
