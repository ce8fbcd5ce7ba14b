"""Scales and printers through the guest's kernel and the drivers under test."""

from decimal import Decimal
from pathlib import Path

from drivers.labels import Label, Text
from drivers.readings import WeightMeasured
from drivers.registry import load_driver
from tests.hardware.in_guest.conftest import meanwhile
from tests.hardware.in_guest.gadget import wait_until
from tests.hardware.in_guest.hid_gadgets import HidScale
from tests.hardware.in_guest.line_gadgets import FtdiLine
from tests.hardware.in_guest.printer_gadget import LabelPrinter

DIVISOR_9600 = 0x4138  # AN_120: 3 MHz / 9600 = 312.5; the half is bit 14.


def weights(opened):
    return [
        (one.value, one.unit, one.stable)
        for one in opened.readings
        if isinstance(one, WeightMeasured)
    ]


def test_a_hid_scale_tells_moving_from_stable_and_is_missed(opened):
    with HidScale() as scale:
        device = opened("scale-hidraw", path=scale.node("hidraw"))
        with meanwhile(scale.show, Decimal("12.345")):
            device.until(lambda _: weights(device))
        with meanwhile(lambda: scale.show(Decimal("12.400"), stable=False)):
            device.until(lambda _: len(weights(device)) == 2)
        assert weights(device) == [
            (Decimal("12.345"), "KGM", True),
            (Decimal("12.400"), "KGM", False),
        ]
        scale.unplug()
        assert device.lost().hint


def test_a_scale_behind_an_ftdi_adapter_is_asked_at_its_own_speed(opened):
    with FtdiLine("FT0001") as line:

        def answer():
            line.wait_for(b"Q\r\n")
            line.say(b"ST,+00012.34 kg\r\n")

        device = opened("and-serial", port=line.node("ttyUSB"), data_bits=7, parity="even")
        with meanwhile(answer):
            device.until(lambda _: weights(device))
        assert weights(device)[0][:2] == (Decimal("12.34"), "KGM")
        speeds = [value for request, value, _ in line.requests if request == line.SET_BAUD_RATE]
        assert DIVISOR_9600 in speeds
        line.say(b"ST,+000")  # Half a frame, and the cable is pulled.
        line.unplug()
        device.lost()
        assert len(weights(device)) == 1


def printer_of(path):
    driver = load_driver("zpl-device")
    return driver.open_device(driver.parse_settings({"path": str(path)}))


def node_of_printer():
    return wait_until(lambda: next(Path("/dev/usb").glob("lp*"), None), "/dev/usb/lp*")


LABEL = Label(Decimal(50), Decimal(30), (Text(Decimal(2), Decimal(2), Decimal(5), "BIN-1"),))


def test_a_usb_printer_answers_prints_and_says_that_it_did():
    with LabelPrinter() as far:
        printer = printer_of(node_of_printer())
        assert printer.status().ready
        result = printer.print_label(LABEL, 1)
        assert result.outcome == "printed", result
        assert far.labels().count(b"^XA") == 1
        assert b"BIN-1" in far.labels()


def test_a_printer_without_paper_is_sent_nothing():
    with LabelPrinter() as far:
        far.paper = False
        printer = printer_of(node_of_printer())
        result = printer.print_label(LABEL, 1)
        assert (result.outcome, result.condition) == ("failed", "paper_out")
        assert far.labels() == b""


def test_a_printer_that_is_pulled_out_while_it_prints_leaves_an_unknown_label():
    with LabelPrinter() as far:
        path = node_of_printer()
        printer = printer_of(path)
        assert printer.status().ready
        with meanwhile(lambda: (wait_until(lambda: b"^XA" in far.taken, "^XA"), far.unplug())):
            result = printer.print_label(LABEL, 1)
        assert result.outcome == "unknown", result
