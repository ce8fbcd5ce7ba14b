"""The input device of a scanner: real event bytes through a pipe or uinput. Edge of evdev."""

import os
import select
import struct
import time
from pathlib import Path

import evdev
import pytest
from evdev.eventio import EventIO

from drivers.builtin.stream import StreamDevice
from drivers.errors import DeviceLost
from drivers.protocols.scanner_keyboard import EVENT, KeyboardDecoder
from drivers.protocols.scanner_text import ScannerText
from drivers.registry import load_driver
from drivers.transports.keyboard import find_keyboard, open_keyboard
from tests.drivers.keystrokes import type_text
from tests.drivers.waiting import DEADLINE_S, read_until, read_until_raises

INPUT_EVENT = "@llHHi"  # struct input_event of this machine: two longs of time come first.
UINPUT = Path("/dev/uinput")


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

    def type(self, records):
        for kind, code, value in EVENT.iter_unpack(records):
            os.write(self.write_fd, struct.pack(INPUT_EVENT, 1, 2, kind, code, value))


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


def test_no_key_is_no_bytes_after_the_timeout(source):
    line = open_keyboard("/dev/input/pipe", open_source=lambda path: source)
    started_s = time.monotonic()
    assert line.read(0.05) == b""
    assert 0.04 < time.monotonic() - started_s < 1


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
    not os.access(UINPUT, os.W_OK), reason="/dev/uinput is not writable: no kernel keyboard here"
)
def test_a_real_kernel_keyboard_is_grabbed_read_and_lost():
    driver = load_driver("scanner-evdev")
    name = f"Dockledger test scanner {os.getpid()}"
    keys = {evdev.ecodes.EV_KEY: list(range(1, 128))}
    with evdev.UInput(keys, name=name) as keyboard:
        path = _await_path(keyboard)
        device = driver.open_device(driver.parse_settings({"path": path}))
        with pytest.raises(DeviceLost):
            driver.open_device(driver.parse_settings({"name": name}))
        for kind, code, value in EVENT.iter_unpack(type_text("]C110A\x1d21B")):
            keyboard.write(kind, code, value)
        (scan,) = read_until(device, 1)
        assert (scan.symbology, scan.data) == ("]C1", "10A\x1d21B")
    assert read_until_raises(device, DeviceLost).hint
    device.close()


def _await_path(keyboard):
    deadline_s = time.monotonic() + DEADLINE_S
    while keyboard.device is None or not os.access(keyboard.device.path, os.R_OK):
        assert time.monotonic() < deadline_s
        select.select([], [], [], 0.01)
    return keyboard.device.path
