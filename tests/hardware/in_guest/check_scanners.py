"""Scanners through the guest's kernel and the drivers under test: keyboard, HID POS, CDC."""

import errno
import time
from statistics import median

import evdev
import pytest
from evdev import UInput, ecodes

from drivers.readings import BarcodeScanned, DeviceFault
from tests.hardware.in_guest.conftest import meanwhile
from tests.hardware.in_guest.gadget import wait_until
from tests.hardware.in_guest.hid_gadgets import (
    ALT_GR,
    ENTER,
    SHIFT,
    KeyboardScanner,
    PosScanner,
)
from tests.hardware.in_guest.line_gadgets import AcmScanner

EAN = "4006381333931"
GS1 = "]C1010950110153000310ABC123\x1d17271231"
# Keys as a scanner presses them that was set to the country; usage page 07 by position.
LAYOUTS = {
    "us": ("Az-1/Y", [(SHIFT, 0x04), (0, 0x1D), (0, 0x2D), (0, 0x1E), (0, 0x38), (SHIFT, 0x1C)]),
    "de": (
        "Az-1/Y",
        [(SHIFT, 0x04), (0, 0x1C), (0, 0x38), (0, 0x1E), (SHIFT, 0x24), (SHIFT, 0x1D)],
    ),
    "uk": ('A"@#', [(SHIFT, 0x04), (SHIFT, 0x1F), (SHIFT, 0x34), (0, 0x32)]),
    "fr": (
        "Az-1/Y",
        [(SHIFT, 0x14), (0, 0x1A), (0, 0x23), (SHIFT, 0x1E), (SHIFT, 0x37), (SHIFT, 0x1C)],
    ),
    "de-altgr": ("{[]}", [(ALT_GR, 0x24), (ALT_GR, 0x25), (ALT_GR, 0x26), (ALT_GR, 0x27)]),
}
CHARACTERS_A_SECOND = 1000
# The emulated scanner is a program, which a busy machine may hold up in the middle of a code where
# a real one types on. The driver sees that pause in the kernel's time and takes it for two codes.
UNHURRIED_S = 20.0
EVENTS_KEPT = 64  # By the kernel for each reader, linux/drivers/input/evdev.c.


def keyboard(opened, path, **settings):
    return opened("scanner-evdev", path=path, idle_s=UNHURRIED_S, **settings)


@pytest.mark.drivers("scanner-evdev")
def test_a_keyboard_scanner_is_read_alone_and_types_for_nobody_else(opened):
    with KeyboardScanner() as scanner:
        path = scanner.node("event")
        device = keyboard(opened, path)
        with meanwhile(scanner.type, f"{EAN}\n"):
            assert device.scans(1) == [EAN]
        with pytest.raises(OSError, match="busy") as raised:
            evdev.InputDevice(path).grab()
        assert raised.value.errno == errno.EBUSY


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_layout_of_the_country_is_undone(opened, name):
    text, keys = LAYOUTS[name]
    with KeyboardScanner() as scanner:
        device = keyboard(opened, scanner.node("event"), layout=name[:2])
        with meanwhile(scanner.press, [*keys, (0, ENTER)]):
            assert device.scans(1) == [text]


def test_separators_of_gs1_arrive(opened):
    with KeyboardScanner() as scanner:
        device = keyboard(opened, scanner.node("event"))
        with meanwhile(scanner.type, f"{GS1}\n"):
            assert device.scans(1) == [GS1[3:]]
        assert device.readings[0].symbology == "]C1"


def test_two_scanners_of_one_kind_type_at_once_and_stay_apart(opened):
    with KeyboardScanner("SAME", port=1) as left, KeyboardScanner("SAME", port=2) as right:
        devices = [keyboard(opened, one.node("event")) for one in (left, right)]
        for number in range(10):
            codes = [f"{side}{number:04d}" for side in "12"]
            with meanwhile(left.type, f"{codes[0]}\n"), meanwhile(right.type, f"{codes[1]}\n"):
                assert [device.scans(number + 1)[-1] for device in devices] == codes


def test_codes_typed_at_a_thousand_characters_a_second_are_all_there(opened):
    """Each code in one go; the next when it was read: the kernel keeps 64 events, 16 keys."""
    codes = [f"{number:012d}" for number in range(1, 51)]
    keys = {digit: getattr(ecodes, f"KEY_{digit}") for digit in "0123456789"}
    keys["\n"] = ecodes.KEY_ENTER
    with UInput({ecodes.EV_KEY: list(keys.values())}, name="Lab fast scanner") as board:
        device = keyboard(opened, board.device.path)
        paces = []
        for count, code in enumerate(codes, 1):
            begin = time.monotonic()
            for character in f"{code}\n":
                for pressed in (1, 0):
                    board.write(ecodes.EV_KEY, keys[character], pressed)
                    board.syn()
            paces.append((len(code) + 1) / (time.monotonic() - begin))
            assert device.scans(count)[-1] == code
        assert device.scans(len(codes)) == codes
        print(f"{median(paces):.0f} characters a second")
        assert median(paces) >= CHARACTERS_A_SECOND


def test_what_the_kernel_dropped_becomes_no_code(opened):
    with KeyboardScanner() as scanner:
        device = keyboard(opened, scanner.node("event"))
        scanner.type("9" * EVENTS_KEPT + "\n")  # Nobody reads: the kernel says SYN_DROPPED.
        device.until(lambda readings: any(isinstance(one, DeviceFault) for one in readings))
        with meanwhile(scanner.type, f"{EAN}\n"):
            device.until(lambda readings: any(getattr(one, "data", "") == EAN for one in readings))
        scanned = [one.data for one in device.readings if isinstance(one, BarcodeScanned)]
        assert scanned == [EAN]
        assert device.readings[0].code == "scan_again"


def test_unplugged_in_the_middle_of_a_code_is_lost_and_half_a_code_is_none(opened):
    with KeyboardScanner("PULLED") as scanner:
        device = keyboard(opened, scanner.node("event"))
        scanner.type("40063")
        device.readings += device.device.read(0.2)
        scanner.unplug()
        assert device.lost().hint == "Plug the scanner in again."
        assert [one for one in device.readings if isinstance(one, BarcodeScanned)] == []
        device.device.close()
        scanner.plug()
        again = keyboard(opened, scanner.node("event"))
        with meanwhile(scanner.type, f"{EAN}\n"):
            assert again.scans(1) == [EAN]


@pytest.mark.drivers("scanner-hidraw")
def test_a_pos_scanner_sends_long_codes_with_separators(opened):
    long_code = "01095011015300031" * 9
    with PosScanner() as scanner:
        device = opened("scanner-hidraw", path=scanner.node("hidraw"))
        with meanwhile(scanner.scan, GS1[3:]):
            assert device.scans(1) == [GS1[3:]]
        with meanwhile(scanner.scan, long_code, "]d2"):
            assert device.scans(2)[1] == long_code
        scanner.unplug()
        device.lost()


@pytest.mark.drivers("scanner-serial")
def test_a_cdc_scanner_comes_back_under_the_same_name(opened):
    with AcmScanner("CDC-1") as scanner:
        path = scanner.node("ttyACM")
        device = opened("scanner-serial", port=path)
        scanner.say(b"]C1012345\r")
        assert device.scans(1) == ["012345"]
        scanner.unplug()
        device.lost()
        device.device.close()
        scanner.gone()
        scanner.plug()
        assert wait_until(lambda: scanner.node("ttyACM") == path, "the same node")
