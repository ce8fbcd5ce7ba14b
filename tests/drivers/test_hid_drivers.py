"""HID scanners and scales as the gateway uses them, against virtual devices. Loop."""

import os
import struct
import time
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.api import DeviceCommand
from drivers.candidates import Candidate
from drivers.errors import DeviceLost, DeviceSilent
from drivers.protocols.hid_records import pack_record
from drivers.protocols.scale_hid import ScaleHidProtocol
from drivers.readings import WeightMeasured
from drivers.registry import load_driver
from drivers.simulators.hid import (
    SCALE_DESCRIPTOR,
    SCANNER_DESCRIPTOR,
    STATUS_OVER,
    VirtualHidDevice,
    VirtualHidScale,
    VirtualHidScanner,
    scan_reports,
)
from tests.drivers.waiting import DEADLINE_S, read_until, read_until_raises

GS1 = "010950110153000310ABC123\x1d17271231"
UHID = Path("/dev/uhid")


def open_driver(name, far, **settings):
    driver = load_driver(name)
    device = driver.open_device(driver.parse_settings({"path": str(far.path)} | settings))
    assert far.wait_for_driver(DEADLINE_S)
    return device


@pytest.fixture
def scanner(tmp_path):
    with VirtualHidScanner(tmp_path / "scanner") as far:
        yield far


@pytest.fixture
def scale(tmp_path):
    with VirtualHidScale(tmp_path / "scale") as far:
        yield far


def test_codes_arrive_whole_with_identifier_and_separators(scanner):
    device = open_driver("scanner-hidraw", scanner)
    long_code = GS1 + "\x1d21" + "9" * 150
    assert scanner.scan(GS1)
    assert scanner.scan(long_code, "]d2")
    assert scanner.scan("4006381333931\r", "]E0")
    scans = read_until(device, 3)
    assert [(one.symbology, one.data) for one in scans] == [
        ("]C1", GS1),
        ("]d2", long_code),
        ("]E0", "4006381333931"),
    ]
    assert scans[1].raw == b"".join(scan_reports(long_code, "]d2"))
    device.close()


def test_half_a_code_is_a_fault_and_is_never_joined_with_the_next(scanner):
    device = open_driver("scanner-hidraw", scanner, idle_s=0.05)
    scanner.send(scan_reports("1" * 60, "]C1")[0])
    (half,) = read_until(device, 1)
    assert half.code == "scan_again"
    scanner.scan("2" * 60)
    assert [one.data for one in read_until(device, 1)] == ["2" * 60]
    device.close()


def test_an_endless_code_costs_one_fault_and_bounded_memory(scanner):
    device = open_driver("scanner-hidraw", scanner)
    faults = []
    for _ in range(200):
        assert scanner.send(scan_reports("1" * 60, "]C1")[0])
        faults += device.read(0.0)
    (fault,) = faults
    assert fault.code == "unreadable"
    assert len(fault.raw) < 20_000
    scanner.scan("the end of the endless one")
    scanner.scan("4711")
    assert [one.data for one in read_until(device, 1)] == ["4711"]
    device.close()


def test_two_identical_scanners_keep_their_codes_apart(tmp_path):
    with VirtualHidScanner(tmp_path / "a") as one, VirtualHidScanner(tmp_path / "b") as other:
        devices = [open_driver("scanner-hidraw", far) for far in (one, other)]
        parts = [scan_reports(letter * 60, "]C1") for letter in "AB"]
        for number in (0, 1):
            one.send(parts[0][number])
            other.send(parts[1][number])
        codes = [read_until(device, 1)[0].data for device in devices]
        assert codes == ["A" * 60, "B" * 60]
        with pytest.raises(DeviceLost):
            open_driver("scanner-hidraw", one)
        for device in devices:
            device.close()


def test_an_unplugged_scanner_is_lost_and_scans_again_when_it_is_back(scanner):
    device = open_driver("scanner-hidraw", scanner)
    scanner.unplug()
    assert read_until_raises(device, DeviceLost).hint
    device.close()
    assert scanner.scan(GS1) is False
    scanner.plug_in()
    device = open_driver("scanner-hidraw", scanner)
    assert scanner.scan(GS1)
    assert [scan.data for scan in read_until(device, 1)] == [GS1]
    device.close()


@pytest.mark.parametrize(
    ("command", "report"),
    [
        (DeviceCommand("trigger_on"), b"\x04\x01"),
        (DeviceCommand("trigger_off"), b"\x04\x00"),
        (DeviceCommand("signal", "success"), b"\x04\x04"),
        (DeviceCommand("signal", "warning"), b"\x04\x02"),
        (DeviceCommand("signal", "error"), b"\x04\x02"),
    ],
    ids=str,
)
def test_a_scanner_is_told_through_the_report_that_its_descriptor_names(scanner, command, report):
    device = open_driver("scanner-hidraw", scanner)
    assert device.execute(command).outcome == "done"
    assert scanner.written(DEADLINE_S) == report
    device.close()


@pytest.mark.parametrize("command", [DeviceCommand("trigger_on"), DeviceCommand("signal", "error")])
def test_a_command_without_a_place_in_the_descriptor_is_refused(tmp_path, command):
    inputs_alone = SCANNER_DESCRIPTOR[: SCANNER_DESCRIPTOR.index(b"\x09\x14\xa1\x02")] + b"\xc0"
    with VirtualHidScanner(tmp_path / "scanner", inputs_alone) as far:
        device = open_driver("scanner-hidraw", far)
        assert device.execute(command).outcome == "refused"
        assert far.written(0.02) == b""
        device.close()


@pytest.mark.parametrize(
    ("name", "descriptor", "named"),
    [
        pytest.param("scanner-hidraw", SCALE_DESCRIPTOR, "usage page 8C", id="a scale"),
        pytest.param(
            "scanner-hidraw", bytes.fromhex("058c0902a101c0"), "maker's own", id="no decoded data"
        ),
        pytest.param("scanner-hidraw", b"\x05", "no report descriptor", id="no descriptor"),
        pytest.param("scale-hidraw", SCANNER_DESCRIPTOR, "usage page 8D", id="a scanner"),
        pytest.param(
            "scale-hidraw", bytes.fromhex("058d0920a101c0"), "maker's own", id="no weight"
        ),
    ],
)
def test_another_layout_is_refused_with_a_hint(tmp_path, name, descriptor, named):
    with VirtualHidDevice(tmp_path / "device", descriptor) as far:
        with pytest.raises(DeviceLost) as lost:
            open_driver(name, far)
        assert named in str(lost.value)
        assert lost.value.hint.endswith(".")


@pytest.mark.parametrize(
    ("weight", "unit", "stable", "expected"),
    [
        ("12.345", "kg", True, ("12.345", "KGM", True)),
        ("12.340", "kg", False, ("12.340", "KGM", False)),
        ("645.2", "oz", True, ("645.2", "ONZ", True)),
        ("4.8", "lb", True, ("4.8", "LBR", True)),
        ("-0.020", "kg", True, ("-0.020", "KGM", False)),
        ("0", "g", True, ("0", "GRM", True)),
        ("0.00", "kg", True, ("0.00", "KGM", True)),
    ],
)
def test_a_load_is_weighed_exactly_as_the_scale_states_it(scale, weight, unit, stable, expected):
    device = open_driver("scale-hidraw", scale)
    assert scale.put(Decimal(weight), unit, stable=stable)
    (reading,) = read_until(device, 1)
    assert (str(reading.value), reading.unit, reading.stable) == expected
    assert reading.kind == "gross"
    device.close()


def test_an_overloaded_scale_gives_no_weight_until_it_recovers(scale):
    device = open_driver("scale-hidraw", scale)
    scale.report(STATUS_OVER)
    assert [one.code for one in read_until(device, 1)] == ["overload"]
    scale.put(Decimal(1))
    assert [str(one.value) for one in read_until(device, 1)] == ["1"]
    device.close()


def test_a_scale_that_is_told_to_zero_is_done_when_it_says_so(scale):
    device = open_driver("scale-hidraw", scale, command_timeout_s=0.1)
    assert device.execute(DeviceCommand("zero")).outcome == "unknown"
    assert scale.written(DEADLINE_S) == b"\x02\x01"
    scale.put(Decimal("0.000"))
    assert device.execute(DeviceCommand("zero")).outcome == "done"
    assert [str(one.value) for one in read_until(device, 1)] == ["0.000"]
    device.close()


def test_a_scale_without_a_zero_command_refuses_it(tmp_path):
    data_alone = SCALE_DESCRIPTOR[: SCALE_DESCRIPTOR.index(b"\x09\x31\xa1\x02")] + b"\xc0"
    with VirtualHidScale(tmp_path / "scale", data_alone) as far:
        device = open_driver("scale-hidraw", far)
        assert device.execute(DeviceCommand("zero")).outcome == "refused"
        assert far.written(0.02) == b""
        device.close()


def test_a_scale_that_says_nothing_is_silent_if_it_should_speak(scale):
    device = open_driver("scale-hidraw", scale, silent_after_s=0.1)
    assert "Switch the scale on" in read_until_raises(device, DeviceSilent).hint
    device.close()


def test_an_unplugged_scale_is_lost_and_weighs_again_when_it_is_back(scale):
    device = open_driver("scale-hidraw", scale)
    scale.unplug()
    assert read_until_raises(device, DeviceLost).hint
    device.close()
    scale.plug_in()
    device = open_driver("scale-hidraw", scale)
    scale.put(Decimal(2))
    assert [str(one.value) for one in read_until(device, 1)] == ["2"]
    device.close()


@given(st.binary(min_size=6, max_size=6))
def test_every_report_is_a_plain_decimal_or_a_fault(report):
    protocol = ScaleHidProtocol()
    stream = pack_record("D", SCALE_DESCRIPTOR) + pack_record("I", b"\x03" + report[1:])
    for reading in protocol.receive_data(stream):
        if isinstance(reading, WeightMeasured):
            assert "E" not in str(reading.value)
            assert not (reading.value.is_signed() and reading.value == 0)


@pytest.mark.parametrize(
    ("name", "candidate", "score"),
    [
        ("scanner-hidraw", Candidate("hidraw", "/dev/hidraw0", usages=((0x8C, 2),)), 95),
        ("scanner-hidraw", Candidate("hidraw", "/dev/hidraw0", usages=((1, 6),)), 0),
        ("scale-hidraw", Candidate("hidraw", "/dev/hidraw0", usages=((0x8D, 0x20),)), 90),
        ("scale-hidraw", Candidate("hidraw", "/dev/hidraw0", 0x0922, 0x8004), 95),
        ("scale-hidraw", Candidate("hidraw", "/dev/hidraw0", 0x0922, 0x0020), 0),
        ("scanner-evdev", Candidate("keyboard", "/dev/input/event3", product="USB Keyboard"), 10),
        ("scanner-evdev", Candidate("keyboard", "/dev/input/event3", product="BarCode X"), 80),
        ("scanner-evdev", Candidate("keyboard", "/dev/input/event3", vendor_id=0x05E0), 70),
        ("scanner-serial", Candidate("serial", "/dev/ttyUSB0"), 10),
        ("scanner-serial", Candidate("serial", "/dev/ttyACM0", product="Symbol Scanner"), 70),
        ("scanner-tcp", Candidate("network", "192.0.2.7", tcp_port=9004), 5),
        ("gpio-lines", Candidate("gpio", "/dev/gpiochip0"), 30),
    ],
)
def test_a_device_is_recognised_by_what_the_kernel_says_of_it(name, candidate, score):
    assert load_driver(name).match(candidate) == score


@pytest.mark.skipif(
    not os.access(UHID, os.W_OK), reason="/dev/uhid is not writable: no kernel HID device here"
)
def test_a_real_kernel_hid_device_is_opened_read_and_lost():
    # struct uhid_event of linux/uhid.h: u32 type, then uhid_create2_req or uhid_input2_req.
    create, destroy, send = 11, 1, 12
    uhid = os.open(UHID, os.O_RDWR)
    name = f"Dockledger test scale {os.getpid()}".encode()
    known = (len(SCALE_DESCRIPTOR), 3, 0x0922, 0x8003, 0, 0)
    head = struct.pack("<I128s64s64sHHIIII", create, name, b"", b"", *known)
    os.write(uhid, head + SCALE_DESCRIPTOR.ljust(4096, b"\0"))
    try:
        path = _await_hidraw(name.decode())
        driver = load_driver("scale-hidraw")
        device = driver.open_device(driver.parse_settings({"path": path}))
        with pytest.raises(DeviceLost):
            driver.open_device(driver.parse_settings({"path": path}))
        report = bytes((3, 4, 3, 0xFD, 0x39, 0x30))
        os.write(uhid, struct.pack("<IH", send, len(report)) + report)
        (reading,) = read_until(device, 1)
        assert (str(reading.value), reading.unit) == ("12.345", "KGM")
        os.write(uhid, struct.pack("<I", destroy))
        assert read_until_raises(device, DeviceLost).hint
        device.close()
    finally:
        os.close(uhid)


def _await_hidraw(name):
    deadline_s = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline_s:
        for folder in Path("/sys/class/hidraw").glob("hidraw*"):
            node = Path("/dev") / folder.name
            if name in (folder / "device/uevent").read_text() and os.access(node, os.R_OK):
                return str(node)
    raise AssertionError("no hidraw node came")
