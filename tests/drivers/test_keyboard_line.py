"""The input device of a scanner: real event bytes through a pipe or uinput. Edge of evdev."""

import os
import shutil
import struct
import subprocess
import time
from pathlib import Path

import pytest
from evdev.eventio import EventIO

from drivers.builtin.stream import StreamDevice
from drivers.errors import DeviceLost
from drivers.protocols.scanner_keyboard import EVENT, KeyboardDecoder
from drivers.protocols.scanner_text import ScannerText
from drivers.registry import load_driver
from drivers.simulators import keyboard as uinput
from drivers.simulators.keyboard import VirtualKeyboard
from drivers.transports.keyboard import EVIOCSCLOCKID, find_keyboard, open_keyboard
from tests.drivers.keystrokes import type_text
from tests.drivers.waiting import read_until, read_until_raises
from tests.waiting import within

INPUT_EVENT = "@llHHi"  # struct input_event of this machine: two longs of time come first.


class PipeSource(EventIO):
    """An input device behind a pipe: evdev's own reading of real struct input_event bytes."""

    name = "Pipe Scanner"

    def __init__(self, *, grab_error=None):
        self.fd, self.write_fd = os.pipe()
        os.set_blocking(self.fd, False)
        self.grabbed = False
        self.closed = False
        self._grab_error = grab_error

    def grab(self):
        if self._grab_error:
            raise self._grab_error
        self.grabbed = True

    def ungrab(self):
        if self.closed:
            raise OSError(19, "No such device")
        self.grabbed = False

    def close(self):
        if not self.closed:
            os.close(self.fd)
            os.close(self.write_fd)
        self.closed = True

    def type(self, records, *, at_ms=1000):
        for kind, code, value in EVENT.iter_unpack(records):
            seconds, rest_ms = divmod(at_ms, 1000)
            event = struct.pack(INPUT_EVENT, seconds, rest_ms * 1000, kind, code, value)
            os.write(self.write_fd, event)


@pytest.fixture
def source():
    made = PipeSource()
    yield made
    made.close()


def test_a_scan_goes_from_kernel_events_to_a_reading(source):
    line = open_keyboard("/dev/input/pipe", open_source=lambda path: source)
    decoder = KeyboardDecoder(layout="us", text=ScannerText())
    device = StreamDevice(line, decoder, idle_s=0.05)
    assert source.grabbed
    source.type(type_text("]C10109501101530003\x1d10A-1"))
    (scan,) = read_until(device, 1)
    assert (scan.symbology, scan.data) == ("]C1", "0109501101530003\x1d10A-1")
    source.type(type_text("half", end=None))
    (half,) = read_until(device, 1)
    assert half.code == "scan_again"
    device.close()
    device.close()
    assert source.closed and not source.grabbed
    with pytest.raises(DeviceLost):
        device.read(0.01)


def test_a_reader_that_was_late_still_tells_two_scans_apart(source):
    line = open_keyboard("/dev/input/pipe", pause_s=0.1, open_source=lambda path: source)
    decoder = KeyboardDecoder(layout="us", text=ScannerText(), end_by_gap=True)
    device = StreamDevice(line, decoder, idle_s=0.1)
    for number, at_ms in (("12", 1000), ("34", 1101), ("5", 1300), ("6", 1390)):
        source.type(type_text(number, end=None), at_ms=at_ms)
    assert [scan.data for scan in read_until(device, 3)] == ["12", "34", "56"]
    source.type(type_text("7", end=None), at_ms=500)  # A clock that was set back is no pause.
    assert [scan.data for scan in read_until(device, 1)] == ["7"]
    device.close()


def test_no_key_is_no_bytes_after_the_timeout(source):
    line = open_keyboard("/dev/input/pipe", open_source=lambda path: source)
    started_s = time.monotonic()
    with within(1, what="the timeout"):
        assert line.read(0.05) == b""
    assert time.monotonic() - started_s > 0.04


def test_an_unplugged_scanner_is_lost_with_a_hint_and_closes_in_peace(source):
    line = open_keyboard("/dev/input/pipe", open_source=lambda path: source)
    source.close()
    with pytest.raises(DeviceLost) as lost:
        line.read(0.05)
    assert lost.value.hint == "Plug the scanner in again."
    line.close()


def test_a_scanner_that_another_program_grabbed_is_refused():
    source = PipeSource(grab_error=OSError(16, "Device or resource busy"))
    with pytest.raises(DeviceLost) as lost:
        open_keyboard("/dev/input/pipe", open_source=lambda path: source)
    assert "other program" in lost.value.hint
    assert source.closed


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        pytest.param("/dev/input/by-id/none-event-kbd", "Plug the scanner in", id="missing"),
        pytest.param(os.devnull, "below /dev/input", id="a device, but no input device"),
        pytest.param(__file__, "below /dev/input", id="a file"),
    ],
)
def test_a_path_that_is_no_scanner_says_what_to_do(path, hint):
    with pytest.raises(DeviceLost) as lost:
        open_keyboard(path)
    assert hint in lost.value.hint


def test_permission_denied_says_which_group_helps():
    def denied(path):
        raise PermissionError(13, "Permission denied", path)

    with pytest.raises(DeviceLost) as lost:
        open_keyboard("/dev/input/event0", open_source=denied)
    assert "group input" in lost.value.hint


def test_a_name_that_no_device_has_is_a_lost_device():
    with pytest.raises(DeviceLost) as lost:
        find_keyboard("No Such Scanner 4711")
    assert "No Such Scanner 4711" in str(lost.value)


@pytest.mark.skipif(
    not VirtualKeyboard.usable(), reason="/dev/uinput is not writable: no kernel keyboard here"
)
def test_real_kernel_keyboards_are_grabbed_read_and_lost():
    driver = load_driver("scanner-evdev")
    names = [f"Dockledger test scanner {os.getpid()} {letter}" for letter in "AB"]
    with VirtualKeyboard(names[0]) as keyboard, VirtualKeyboard(names[1]) as other:
        device = driver.open_device(driver.parse_settings({"path": str(keyboard.path)}))
        second = driver.open_device(driver.parse_settings({"name": names[1]}))
        with pytest.raises(DeviceLost):
            driver.open_device(driver.parse_settings({"name": names[0]}))
        keyboard.press(type_text("]C110A\x1d", end=None))
        other.press(type_text("4711"))
        keyboard.press(type_text("21B"))
        (scan,) = read_until(device, 1)
        assert (scan.symbology, scan.data) == ("]C1", "10A\x1d21B")
        assert [one.data for one in read_until(second, 1)] == ["4711"]
        keyboard.close()
        assert read_until_raises(device, DeviceLost).hint
        device.close()
        second.close()


PROGRAM = r"""
#include <stdio.h>
#include <linux/uinput.h>
#define SAY(value) printf("%llu ", (unsigned long long)(value))
int main(void) {
    SAY(UI_DEV_CREATE);
    SAY(UI_DEV_DESTROY);
    SAY(UI_DEV_SETUP);
    SAY(UI_SET_EVBIT);
    SAY(UI_SET_KEYBIT);
    SAY(UI_GET_SYSNAME(64));
    SAY(sizeof(struct uinput_setup));
    SAY(sizeof(struct input_event));
    SAY(EVIOCSCLOCKID);
    return 0;
}
"""


@pytest.mark.skipif(
    shutil.which("gcc") is None or not Path("/usr/include/linux/uinput.h").exists(),
    reason="needs gcc and linux/uinput.h",
)
def test_the_numbers_of_the_ioctls_are_those_of_the_kernel_headers(tmp_path):
    (tmp_path / "uinput.c").write_text(PROGRAM)
    subprocess.run(["gcc", "-o", tmp_path / "uinput", tmp_path / "uinput.c"], check=True)
    shown = subprocess.run([tmp_path / "uinput"], check=True, capture_output=True, text=True)
    assert [int(number) for number in shown.stdout.split()] == [
        uinput.UI_DEV_CREATE,
        uinput.UI_DEV_DESTROY,
        uinput.UI_DEV_SETUP,
        uinput.UI_SET_EVBIT,
        uinput.UI_SET_KEYBIT,
        uinput.UI_GET_SYSNAME | 64 << 16,
        uinput.SETUP.size,
        uinput.INPUT_EVENT.size,
        EVIOCSCLOCKID,
    ]
