"""A bundle holds what support needs, and nothing that must not leave the gateway. Pure."""

import io
import json
import zipfile
from dataclasses import replace
from decimal import Decimal

import msgspec
import pytest

from drivers.api import Driver
from drivers.protocols.keyboard_layouts import LAYOUTS
from drivers.protocols.scanner_keyboard import KeyboardDecoder
from drivers.protocols.scanner_text import ScannerText
from drivers.readings import (
    BarcodeScanned,
    DeviceFault,
    InputChanged,
    PrinterStatus,
    TagRead,
    WeightMeasured,
)
from gateway.config_sections import DeviceSection
from gateway.devices.check import ConfiguredDevice
from gateway.devices.diagnostics import DeviceFindings, diagnostics_bundle
from gateway.devices.frames import FRAMES_MAX, Frame, Frames
from gateway.devices.kernel_node import describe_node
from gateway.devices.lifecycle import Transition
from gateway.devices.redaction import Redaction, shape
from gateway.health import DeviceCount, DeviceHealth
from tests.drivers.keystrokes import ENTER, type_text

SECRETS = {
    "password": "hunter2-pw",
    "api_token": 'to"ken\\7788',
    "tls": {"key": "PRIVATE-KEY-42", "file": "/etc/reader.pem"},
    "headers": {"Authorization": "Bearer abcdef0123"},
    "username": "root-at-reader",
    "url": "https://bob:swordfish@reader.example:8443/stream?token=q-secret-1&zone=7",
}
PLANTED = ("hunter2", "ken\\7788", "ken\\\\7788", "PRIVATE-KEY", "abcdef0123", "root-at-reader")
PLANTED_ANYWHERE = (*PLANTED, "bob:", "swordfish", "q-secret-1", "marylouise", "joe")
KEPT = {"host": "reader.example", "port": 8443, "baud": 9600, "keyboard_layout": "de"}
TIME_MS = 1_795_000_000_000


class Settings(msgspec.Struct, frozen=True):
    path: str = ""


def device(name: str = "gate-1", node: str = "/dev/null", **settings) -> ConfiguredDevice:
    driver = Driver(
        name="scanner-serial",
        device_class="scanner",
        summary="A reader of a test.",
        settings_type=Settings,
        open_device=lambda _: pytest.fail("a bundle opens nothing"),
        node_setting="path",
    )
    section = DeviceSection(name=name, driver=driver.name, settings=settings)
    return ConfiguredDevice(section, driver, Settings(path=node))


def frame(content) -> Frame:
    return Frame(TIME_MS, content)


FRAMES = (
    frame(BarcodeScanned("]C1", "OPR-marylouise", b"]C1OPR-marylouise\r")),
    frame(BarcodeScanned("]C1", "ABC-1234567", b"]C1ABC-1234567\r\n")),
    frame(BarcodeScanned("", "ABC-1234567", b"ABC-1234567\r\n")),
    frame(WeightMeasured(Decimal("12.50"), "KGM", "gross", stable=True, raw=b"S S 12.50 kg\r\n")),
    frame(TagRead(epc="3034257BF7194E4000001A85", antenna=2, raw=b"\x30\x34")),
    frame(InputChanged("badge-button", active=True, code="OPR-joe", raw=b"\x01OPR-joe")),
    frame(DeviceFault("unreadable", "not a frame: 'OPR-marylouise'", b"\x02OPR-marylouise")),
    frame(DeviceFault("unreadable", "hunter2-pw refused", b"login hunter2-pw\r")),
    frame(PrinterStatus(("paper_out",), raw=b"030,1,0")),
)
FINDINGS = DeviceFindings(
    device(**SECRETS, **KEPT),
    health=DeviceHealth("gate-1", "scanner", "offline", "lost", "login hunter2-pw refused"),
    history=(
        Transition(
            TIME_MS, "ready", "offline", "lost", "lost", 'to"ken\\7788 refused by OPR-marylouise'
        ),
        Transition(
            TIME_MS, "offline", "ready", "opened", "", "https://bob:swordfish@reader.example"
        ),
    ),
    frames=FRAMES,
    counts=(DeviceCount("gate-1", "reopens", "", 3),),
    reading_age_s=1.5,
)


def bundle(
    findings: DeviceFindings = FINDINGS, *, with_data: bool = False, salt: bytes = b"salt"
) -> dict[str, str]:
    data = diagnostics_bundle(findings, time_ms=TIME_MS, salt=salt, with_data=with_data)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


@pytest.mark.parametrize("with_data", [False, True])
@pytest.mark.parametrize("planted", PLANTED_ANYWHERE)
def test_no_planted_secret_or_name_is_anywhere_in_a_bundle(planted, with_data) -> None:
    for name, text in bundle(with_data=with_data).items():
        assert planted not in text, name
        assert planted.encode().hex(" ") not in text, name


def test_hosts_ports_and_paths_stay() -> None:
    settings = json.loads(bundle()["gate-1/device.json"])["settings"]
    assert (
        settings["url"] == "https://(redacted)@reader.example:8443/stream?token=(redacted)&zone=7"
    )
    assert settings["tls"] == {"key": "(redacted)", "file": "/etc/reader.pem"}
    assert {key: settings[key] for key in KEPT} == KEPT


def test_a_bundle_holds_state_history_counters_frames_and_versions() -> None:
    files = {name.removeprefix("gate-1/"): text for name, text in bundle().items()}
    shown = json.loads(files["device.json"])
    assert (shown["driver"], shown["tier"], shown["running"]) == ("scanner-serial", "bronze", True)
    assert shown["package"].startswith("dockledger ")
    assert shown["health"]["problem"] == "lost"
    history = [json.loads(line) for line in files["history.jsonl"].splitlines()]
    assert [(one["from_state"], one["to_state"], one["cause"]) for one in history] == [
        ("ready", "offline", "lost"),
        ("offline", "ready", "opened"),
    ]
    counters = json.loads(files["counters.json"])
    assert counters["counts"] == [{"device": "gate-1", "name": "reopens", "kind": "", "count": 3}]
    assert counters["last_reading_age_s"] == 1.5
    versions = json.loads(files["versions.json"])
    assert any(package.startswith("msgspec-") for package in versions["packages"])
    assert versions["system"].startswith("Linux ")
    assert "badges of people" in files["README.txt"]


def test_weights_and_status_are_shown_as_received() -> None:
    text = bundle()["gate-1/frames.txt"]
    assert "weight 12.50 KGM gross stable\n    53 20 53 20 31 32" in text
    assert "status paper_out\n    " + b"030,1,0".hex(" ") in text


def test_of_scanned_data_only_length_shape_and_equality_are_shown() -> None:
    text = bundle()["gate-1/frames.txt"]
    assert "1234567" not in text and b"1234567".hex(" ") not in text and "3034257B" not in text
    lines = [line for line in text.splitlines() if "barcode" in line and "11 bytes" in line]
    assert len({line.rpartition(" ")[2] for line in lines}) == 1
    assert b"]A9AAA-9999999\r\n".hex(" ") in text
    other = bundle(salt=b"other")["gate-1/frames.txt"]
    assert lines[0].rpartition(" ")[2] not in other


def test_with_data_bar_codes_are_shown_but_badges_never() -> None:
    text = bundle(with_data=True)["gate-1/frames.txt"]
    assert "barcode ]C1 'ABC-1234567'" in text and b"ABC-1234567".hex(" ") in text
    assert "tag 3034257BF7194E4000001A85" in text
    assert "OPR-(redacted)" in text and b"OPR-****".hex(" ") in text


@pytest.mark.parametrize(
    ("data", "raw", "rest"),
    [
        pytest.param(
            "OPR-\u5f20\u4e09", "OPR-\u5f20\u4e09".encode("gb18030"), "d5 c5", id="Chinese"
        ),
        pytest.param('OPR-a"bob', b'OPR-a"bob', "bob", id="a quote in it"),
        pytest.param(
            "OPR-" + "x" * 60,
            b"\x02OPR-" + b"x" * 52 + b"\0\x02" + b"x" * 8,
            "78 78",
            id="over two reports",
        ),
    ],
)
@pytest.mark.parametrize("with_data", [False, True])
def test_no_part_of_a_badge_is_shown_however_it_is_written(data, raw, rest, with_data) -> None:
    found = replace(FINDINGS, frames=(frame(BarcodeScanned("", data, raw)),))
    text = bundle(found, with_data=with_data)["gate-1/frames.txt"]
    assert rest not in text and "\\u5f20" not in text


@pytest.mark.parametrize("layout", sorted(LAYOUTS))
@pytest.mark.parametrize("end", [pytest.param(ENTER, id="scan"), pytest.param(None, id="half")])
def test_the_keys_of_a_scanner_in_keyboard_mode_tell_no_more_than_its_text(layout, end) -> None:
    def frames(text: str, *, with_data: bool) -> str:
        decoder = KeyboardDecoder(layout=layout, text=ScannerText())
        said = [*decoder.receive_data(type_text(text, layout=layout, end=end)), *decoder.idle()]
        assert said and said[0].raw
        found = replace(FINDINGS, frames=tuple(map(frame, said)))
        return bundle(found, with_data=with_data)["gate-1/frames.txt"].splitlines()[1]

    assert frames("ABC123456", with_data=False) == frames("XYZ987654", with_data=False)
    assert frames("ABC123456", with_data=True) != frames("XYZ987654", with_data=True)
    for badge in ("OPR-MARY", "opr-mary"):
        other = badge[:4] + badge[:3:-1]
        for with_data in (False, True):
            shown = frames(badge, with_data=with_data)
            assert shown == frames(other, with_data=with_data)


def test_a_bundle_of_a_gateway_that_does_not_run_has_the_settings_at_least() -> None:
    files = bundle(DeviceFindings(FINDINGS.device))
    assert json.loads(files["gate-1/device.json"])["running"] is False
    assert files["gate-1/history.jsonl"] == files["gate-1/frames.txt"] == ""


def test_a_huge_frame_is_cut() -> None:
    big = replace(FINDINGS, frames=(frame(DeviceFault("unreadable", "", b"\x01" * 100_000)),))
    assert len(bundle(big)["gate-1/frames.txt"]) < 5000


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("", ""),
        (None, None),
        (["a", {"secret": "x"}], ["a", {"secret": "(redacted)"}]),
        ({"a": {"b": {"c": 1}}}, {"a": {"b": {"c": 1}}}),
        (b"\x01", "b'\\x01'"),
    ],
)
def test_settings_of_any_kind_are_shown(value, shown) -> None:
    assert Redaction({}, salt=b"").settings({"x": value}) == {"x": shown}


def test_a_setting_that_is_nested_too_deep_is_not_shown() -> None:
    deep: object = "bottom"
    for _ in range(50):
        deep = {"x": deep}
    assert "bottom" not in str(Redaction({"x": deep}, salt=b"").settings({"x": deep}))


def test_the_shape_of_bytes_keeps_frame_and_separators() -> None:
    assert shape(b"\x02]d201AB\x1d9-\xff\r") == b"\x02]A99AA\x1d9-?\r".replace(b"99AA", b"999AA")


def test_the_kernel_is_asked_about_a_node_and_knows_nothing_of_hosts() -> None:
    null = describe_node("/dev/null")
    assert (null.number, null.mode) == ("1:3", "crw-rw-rw-")
    assert describe_node("/dev/no-such-scanner").problem == "No such file or directory"
    assert describe_node("192.0.2.7").problem == "not a device node of this machine"
    assert describe_node("/etc/hostname").problem == "not a character device"


def test_only_the_newest_frames_are_kept_and_a_status_that_stays_is_kept_once() -> None:
    frames = Frames()
    scans = [BarcodeScanned("", str(number), b"") for number in range(300)]
    frames.keep(scans[:100], time_ms=1)
    frames.keep(scans[100:], time_ms=2)
    assert [one.content for one in frames.last()] == scans[-FRAMES_MAX:]
    for _ in range(5):
        frames.keep_status(PrinterStatus(("ready",)), time_ms=3)
    assert sum(isinstance(one.content, PrinterStatus) for one in frames.last()) == 1
