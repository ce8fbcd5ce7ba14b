"""Each driver as the gateway uses it, by name, against a virtual device on a real line. Loop."""

import re
import time
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from drivers.errors import DeviceLost, DeviceSilent, SettingsInvalid
from drivers.readings import BarcodeScanned, DeviceFault, WeightMeasured
from drivers.registry import driver_names, load_driver
from drivers.simulators.lines import VirtualSerialLine, VirtualTcpPort
from drivers.simulators.scale_mt_sics import VirtualMtSicsScale
from drivers.simulators.scanner import VirtualScanner
from drivers.transports.tcp_client import open_tcp
from tests.drivers.waiting import (
    DEADLINE_S,
    read_until,
    read_until_raises,
    read_until_true,
)

MINE = [
    "scanner-serial",
    "scanner-tcp",
    "scanner-tcp-server",
    "scanner-evdev",
    "scanner-hidraw",
    "mt-sics-serial",
    "mt-sics-tcp",
    "scale-hidraw",
    "gpio-lines",
]
README = Path(__file__).parents[2] / "drivers" / "README.md"
FAMILIES = sorted((README.parent / "builtin").glob("*.md"))
GS1 = "010950110153000310ABC123\x1d17271231"


class Place:
    """A line with a driver's name and settings at its near end."""

    def __init__(self, kind, line_kind, folder):
        self.driver = load_driver(f"{kind}-{line_kind}")
        self.is_serial = line_kind == "serial"
        self.far = VirtualSerialLine(folder / "by-id") if self.is_serial else VirtualTcpPort()
        self.cut = self.far.unplug if self.is_serial else self.far.refuse
        self.mend = self.far.plug_in if self.is_serial else self.far.listen
        self.settings = (
            {"port": str(self.far.path)}
            if self.is_serial
            else {"host": "127.0.0.1", "port": self.far.port}
        )
        self.opened = []

    def open(self, **settings):
        device = self.driver.open_device(self.driver.parse_settings(self.settings | settings))
        self.opened.append(device)
        assert self.is_serial or self.far.wait_for_client(DEADLINE_S)
        return device

    def close(self):
        for device in self.opened:
            device.close()
        self.far.close()


@pytest.fixture(params=["serial", "tcp"])
def scanner_place(request, tmp_path):
    place = Place("scanner", request.param, tmp_path)
    yield place
    place.close()


@pytest.fixture(params=["serial", "tcp"])
def scale_place(request, tmp_path):
    place = Place("mt-sics", request.param, tmp_path)
    yield place
    place.close()


@pytest.fixture
def scale(scale_place):
    with VirtualMtSicsScale(scale_place.far) as virtual:
        yield virtual


def test_scans_arrive_in_order_with_identifier_and_separators(scanner_place):
    device = scanner_place.open()
    scanner = VirtualScanner(scanner_place.far)
    assert scanner.scan(GS1)
    assert scanner.scan("\x1d" + GS1, "]d2")
    assert scanner.scan("4006381333931", "")
    assert read_until(device, 3) == [
        BarcodeScanned("]C1", GS1, b"]C1" + GS1.encode()),
        BarcodeScanned("]d2", GS1, b"]d2\x1d" + GS1.encode()),
        BarcodeScanned("", "4006381333931", b"4006381333931"),
    ]


@pytest.mark.parametrize(
    ("settings", "sent", "expected"),
    [
        pytest.param({"no_read_texts": ["ERROR"]}, b"ERROR\r\n", "scan_again", id="no read"),
        pytest.param({"gs_substitute": "|"}, b"]C110A|21B\r\n", "10A\x1d21B", id="substitute"),
        pytest.param({"identifier": "none"}, b"]C110A\r\n", "]C110A", id="identifier"),
        pytest.param({"encoding": "latin-1"}, "ü\r\n".encode(), "Ã¼", id="encoding"),
        pytest.param({"line_end": "crlf"}, b"a\rb\r\n", "a\rb", id="line end"),
    ],
)
def test_the_scanner_is_read_as_configured(scanner_place, settings, sent, expected):
    device = scanner_place.open(**settings)
    scanner_place.far.write(sent)
    (reading,) = read_until(device, 1)
    assert getattr(reading, "data", getattr(reading, "code", "")) == expected


def test_noise_an_endless_line_and_half_a_scan_cost_only_themselves(scanner_place):
    device = scanner_place.open(frame_bytes_max=64, idle_s=0.1)
    scanner = VirtualScanner(scanner_place.far, terminator=b"\r")
    scanner.scan(b"\x00\xff\x80", "")
    scanner.scan(b"8" * 500, "]C1")
    scanner.scan(GS1)
    readings = read_until(device, 3)
    scanner_place.far.write(b"]C10109501")
    readings += read_until(device, 1)
    scanner.scan(GS1)
    readings += read_until(device, 1)
    codes = [one.code if isinstance(one, DeviceFault) else one.data for one in readings]
    assert codes == ["unreadable", "unreadable", GS1, "scan_again", GS1]
    assert all(one.detail for one in readings if isinstance(one, DeviceFault))


def test_an_unplugged_scanner_is_lost_and_scans_again_when_it_is_back(scanner_place):
    device = scanner_place.open()
    scanner = VirtualScanner(scanner_place.far)
    scanner_place.cut()
    assert read_until_raises(device, DeviceLost).hint
    device.close()
    with pytest.raises(DeviceLost):
        scanner_place.open()
    assert scanner.scan(GS1) is False
    scanner_place.mend()
    device = scanner_place.open()
    assert scanner.scan(GS1)
    assert [scan.data for scan in read_until(device, 1)] == [GS1]


def test_a_load_is_weighed_first_in_motion_then_stable(scale_place, scale):
    device = scale_place.open(poll_interval_s=0.05, unit="kg")
    empty = read_until_true(device, lambda reading: isinstance(reading, WeightMeasured))
    assert (str(empty.value), empty.unit, empty.stable) == ("0.000", "KGM", True)
    scale.put(Decimal("12.5"), stable=False)
    moving = read_until_true(device, lambda reading: reading.value != 0)
    assert (moving.value, moving.stable) == (Decimal("12.500"), False)
    scale.put(Decimal("12.5"))
    stable = read_until_true(device, lambda reading: reading.stable)
    assert stable == WeightMeasured(
        Decimal("12.500"), "KGM", "gross", stable=True, raw=b"S S     12.500 kg"
    )
    assert str(stable.value) == "12.500"


@pytest.mark.parametrize("fault", ["overload", "underload", "not_ready"])
def test_a_scale_that_fails_gives_no_weight_until_it_recovers(scale_place, scale, fault):
    device = scale_place.open(poll_interval_s=0.05)
    scale.put(Decimal("12.5"))
    read_until_true(device, lambda reading: isinstance(reading, WeightMeasured))
    getattr(scale, fault)()
    read_until_true(device, lambda reading: isinstance(reading, DeviceFault))
    assert [reading.code for reading in read_until(device, 3)] == [fault] * 3
    scale.put(Decimal(1))
    weight = read_until_true(device, lambda reading: isinstance(reading, WeightMeasured))
    assert weight.value == 1


@pytest.mark.parametrize("settings", [{"unit": "g"}, {"weight_columns": 11}])
def test_a_weight_that_does_not_look_as_configured_is_a_fault(scale_place, scale, settings):
    (fault,) = read_until(scale_place.open(poll_interval_s=0.05, **settings), 1)
    assert isinstance(fault, DeviceFault) and fault.code == "unreadable"


def test_a_mute_scale_is_silent_and_weighs_again_when_it_speaks(scale_place, scale):
    device = scale_place.open(poll_interval_s=0.05, polls_unanswered_max=3)
    read_until(device, 1)
    scale.mute()
    assert "MT-SICS" in read_until_raises(device, DeviceSilent).hint
    device.close()
    scale.mute(muted=False)
    assert read_until(scale_place.open(), 1)


def test_an_unplugged_scale_is_lost_and_weighs_again_when_it_is_back(scale_place, scale):
    device = scale_place.open(poll_interval_s=0.05)
    read_until(device, 1)
    scale_place.cut()
    assert read_until_raises(device, DeviceLost).hint
    device.close()
    scale_place.mend()
    assert read_until(scale_place.open(), 1)


@pytest.mark.parametrize(
    ("commands", "replies"),
    [
        pytest.param(b"S\r\n", [b"S S      2.500 kg"], id="stable weight"),
        pytest.param(b"SI\r\nSI\r\n", [b"S S      2.500 kg"] * 2, id="two at once"),
        pytest.param(b"T\r\nSI\r\n", [b"T S      2.500 kg", b"S S      0.000 kg"], id="tare"),
        pytest.param(b"Z\r\nSI\r\n", [b"Z A", b"S S      0.000 kg"], id="zero"),
        pytest.param(b"@\r\nI4\r\n", [b'I4 A "B123456789"'] * 2, id="reset and serial number"),
        pytest.param(b"si\r\nHELLO\r\n", [b"ES", b"ES"], id="unknown"),
    ],
)
def test_the_virtual_scale_answers_as_the_manual_says(commands, replies):
    with VirtualTcpPort() as port, VirtualMtSicsScale(port) as scale:
        scale.put(Decimal("2.5"))
        line = open_tcp("127.0.0.1", port.port, connect_timeout_s=DEADLINE_S)
        line.write(commands)
        assert read_lines(line, len(replies)) == replies
        line.close()


def test_the_virtual_scale_repeats_until_it_is_told_to_stop():
    with VirtualTcpPort() as port, VirtualMtSicsScale(port) as scale:
        scale.put(Decimal("2.5"), "g", stable=False)
        line = open_tcp("127.0.0.1", port.port, connect_timeout_s=DEADLINE_S)
        line.write(b"SIR\r\n")
        assert set(read_lines(line, 3)) == {b"S D      2.500 g"}
        line.write(b"@\r\n")
        while read_lines(line, 1) != [b'I4 A "B123456789"']:
            pass
        assert line.read(0.25) == b""
        line.write(b"S\r\n")
        assert read_lines(line, 1) == [b"S I"]
        line.close()


def read_lines(line, count):
    received = b""
    deadline_s = time.monotonic() + DEADLINE_S
    while received.count(b"\r\n") < count:
        assert time.monotonic() < deadline_s, received
        received += line.read(0.1)
    return received.split(b"\r\n")[:count]


def test_every_driver_is_installed_under_its_name():
    assert set(MINE) <= set(driver_names())
    for name in MINE:
        assert load_driver(name).name == name
        assert load_driver(name).summary.endswith(".")


@pytest.mark.parametrize("name", MINE)
def test_every_setting_is_documented(name):
    settings_type = load_driver(name).settings_type
    text = "".join(path.read_text(encoding="utf-8") for path in [README, *FAMILIES])
    for field in msgspec.structs.fields(settings_type):
        words = "\n".join(base.__doc__ or "" for base in settings_type.__mro__)
        before_colon = [line.partition(":")[0] for line in words.splitlines()]
        assert any(field.name in one for one in before_colon), field.name
        assert f"`{field.name}`" in text, field.name


def test_every_driver_is_in_the_table_of_the_readme_with_its_tier():
    rows = [line.split(" | ") for line in README.read_text("utf-8").splitlines() if "| `" in line]
    tiers = {
        name: row[3] for row in rows if len(row) == 6 for name in re.findall(r"`([^`]+)`", row[0])
    }
    assert tiers == {name: load_driver(name).tier for name in driver_names()}


@pytest.mark.parametrize(
    ("name", "settings", "named"),
    [
        pytest.param("scanner-serial", {}, "port", id="missing"),
        pytest.param("scanner-serial", {"port": "/p", "baudrate": 1}, "baudrate", id="unknown"),
        pytest.param("scanner-serial", {"port": "/p", "parity": "E"}, "parity", id="not a choice"),
        pytest.param("scanner-tcp", {"host": "h", "port": 70000}, "port", id="out of range"),
        pytest.param("scanner-tcp", {"host": "h", "port": "23"}, "port", id="text for a number"),
        pytest.param(
            "scanner-tcp", {"host": "h", "port": 1, "suffix": "\r"}, "end of the line", id="an end"
        ),
        pytest.param(
            "scanner-serial",
            {"port": "/p", "line_end": "tab", "no_read_texts": ["NOREAD\t"]},
            "end of the line",
            id="an end that would make a failed reading a code",
        ),
        pytest.param("scanner-evdev", {}, "exactly one", id="neither path nor name"),
        pytest.param("scanner-evdev", {"path": "/p", "name": "n"}, "exactly one", id="both"),
        pytest.param("scanner-evdev", {"path": "/p", "layout": "dk"}, "layout", id="layout"),
        pytest.param("mt-sics-serial", {"port": "/p", "unit": "st"}, "unit", id="unit"),
        pytest.param("mt-sics-tcp", {"host": "h", "port": 1, "poll_interval_s": 0}, "poll", id="0"),
    ],
)
def test_wrong_settings_are_refused_by_name_with_all_that_are_known(name, settings, named):
    driver = load_driver(name)
    with pytest.raises(SettingsInvalid) as invalid:
        driver.parse_settings(settings)
    assert named in str(invalid.value)
    assert all(field in invalid.value.hint for field in driver.settings_type.__struct_fields__)
