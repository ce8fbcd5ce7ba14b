"""Label printers through the guest's kernel and the drivers under test: usblp, and serial lines."""

import time
from decimal import Decimal

import pytest

from drivers.drawing.label import draw_label, image_of
from drivers.labels import Gs1Code128, Gs1DataMatrix, Label, Text
from drivers.protocols.printer_brother_ql import DOTS_PER_MM as BROTHER_DOTS_PER_MM
from drivers.registry import load_driver
from drivers.simulators.printer_picture import VirtualPicturePrinter
from drivers.simulators.printer_zpl import VirtualZplPrinter
from tests.drivers.picture_printers import CONFIRMING, INTERPRETERS
from tests.hardware.in_guest.conftest import meanwhile
from tests.hardware.in_guest.gadget import wait_until
from tests.hardware.in_guest.line_gadgets import FtdiLine
from tests.hardware.in_guest.printer_gadget import LabelPrinter

mm = Decimal
ZPL_LABEL = Label(mm(50), mm(30), (Text(mm(2), mm(2), mm(5), "BIN-1"),))
# Without texts: the guest has no fonts. A tape of 62 mm takes it, and it is not all white or black.
LABEL = Label(
    mm(50),
    mm(24),
    (
        Gs1Code128(mm(4), mm(2), mm(6), mm("0.25"), (("00", "106141412345678908"),)),
        Gs1DataMatrix(mm(4), mm(10), mm("0.5"), (("01", "09501101530003"), ("10", "A1"))),
    ),
)
# More bytes than the kernels of both sides keep for a printer that takes none.
LONG_LABEL = Label(mm(100), mm(40), LABEL.elements)
# As the simulators name what they have understood.
QUESTIONS = {"tspl": "1b213f", "epl": "5e6565", "escpos": "100401", "brother-ql": "ESC i S"}
# An answer must come, on whatever machine; that a printer says nothing more is not waited for.
TIMES = {"status_timeout_s": 60.0, "follow_timeout_s": 60.0, "follow_interval_s": 0.05}
EPL_FOLLOWED_S = 1.0  # It never confirms.
RESTS_S = 1.0  # Shorter than the driver waits for a printer that takes nothing.
PICTURES = ("tspl-device", "epl-device", "escpos-device", "brother-ql-device")
SERIAL_PICTURES = ("tspl-serial", "epl-serial", "escpos-serial")


def printer_of(name, **settings):
    driver = load_driver(name)
    return driver.open_device(driver.parse_settings(settings))


def zpl_printer(line):
    return printer_of("zpl-device", path=str(line.node("lp")))


@pytest.mark.drivers("zpl-device")
def test_a_usb_printer_answers_prints_and_says_that_it_did(opened):
    with LabelPrinter() as line, VirtualZplPrinter(line) as far:
        printer = opened("zpl-device", path=line.node("lp")).device
        assert printer.status().ready
        result = printer.print_label(ZPL_LABEL, 1)
        assert result.outcome == "printed", result
        (label,) = far.labels
        assert "BIN-1" in label


def test_a_printer_without_paper_is_sent_nothing():
    with LabelPrinter() as line, VirtualZplPrinter(line) as far:
        far.paper_out()
        result = zpl_printer(line).print_label(ZPL_LABEL, 1)
        assert (result.outcome, result.condition) == ("failed", "paper_out")
        assert b"^XA" not in line.heard


def test_a_printer_that_is_pulled_out_while_it_prints_leaves_an_unknown_label():
    with LabelPrinter() as line, VirtualZplPrinter(line) as far:
        printer = zpl_printer(line)
        assert printer.status().ready
        far.mute(after_answers_count=1)  # To the question before the label.
        with meanwhile(lambda: (wait_until(lambda: b"^XA" in line.heard, "^XA"), line.unplug())):
            result = printer.print_label(ZPL_LABEL, 1)
        assert result.outcome == "unknown", result


@pytest.fixture(scope="module")
def usb_printer():
    with LabelPrinter() as line:
        yield line


@pytest.fixture(scope="module")
def serial_line():
    with FtdiLine() as line:
        yield line


class Shared:
    """A line that stays when a simulator closes it: it is the next one's."""

    def __init__(self, line):
        self.read, self.write = line.read, line.write

    def close(self):
        """Leave it."""


def on_line(line, family):
    """Return the simulator of a printer at the other end of a line."""
    return VirtualPicturePrinter(line, INTERPRETERS[family]())


def ink(bitmap):
    """Return what is black, wherever it stands: heads are wider than labels."""
    image = image_of(bitmap)
    found = image.crop(image.getbbox())
    return found.size, found.tobytes()


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.drivers(name)) for name in (*PICTURES, *SERIAL_PICTURES)],
)
def test_a_printer_of_pictures_tells_its_state_and_prints_the_label_whole(name, opened, request):
    family, _, kind = name.rpartition("-")
    line = request.getfixturevalue("usb_printer" if kind == "device" else "serial_line")
    place = {"path": line.node("lp")} if kind == "device" else {"port": line.node("ttyUSB")}
    times = TIMES if family in CONFIRMING else TIMES | {"follow_timeout_s": EPL_FOLLOWED_S}
    with on_line(Shared(line), family) as far:
        printer = opened(name, **place, **times).device
        far.load_paper(0)
        assert printer.status().conditions == ("paper_out",)
        assert QUESTIONS[family] in far.commands
        result = printer.print_label(LABEL, 1)
        assert (result.outcome, result.condition) == ("failed", "paper_out")
        assert not far.labels
        far.load_paper()
        assert printer.status().ready
        result = printer.print_label(LABEL, 1)
        assert result.outcome == ("printed" if family in CONFIRMING else "sent"), result
        (printed,) = wait_until(lambda: far.labels, "label")
        dots_per_mm = BROTHER_DOTS_PER_MM if family == "brother-ql" else 8
        assert ink(printed) == ink(draw_label(LABEL, dots_per_mm=dots_per_mm))
        assert "" not in far.commands  # No byte that is none of the language's.


@pytest.mark.parametrize("goes_on", [True, False], ids=["for a moment", "for good"])
def test_a_printer_that_takes_no_byte_within_a_label_has_all_of_it_later_or_none(goes_on):
    with LabelPrinter() as line, on_line(line, "tspl") as far:
        printer = printer_of("tspl-device", path=str(line.node("lp")), answers=False)
        line.hold(after_bytes_count=1)

        def rest():
            wait_until(lambda: line.heard, "first bytes")
            time.sleep(RESTS_S)
            line.go_on()

        with meanwhile(rest if goes_on else lambda: None):
            result = printer.print_label(LONG_LABEL, 1)
        if goes_on:
            assert result.outcome == "sent", result
            (printed,) = wait_until(lambda: far.labels, "label")
            assert ink(printed) == ink(draw_label(LONG_LABEL, dots_per_mm=8))
        else:
            assert result.outcome == "unknown" and "took no byte" in result.detail, result
            assert not far.labels


def test_a_serial_printer_that_is_pulled_out_within_a_label_leaves_it_unknown():
    with FtdiLine() as line, on_line(line, "tspl") as far:
        printer = printer_of("tspl-serial", port=str(line.node("ttyUSB")), **TIMES)
        far.when_received(1000, line.unplug)
        result = printer.print_label(LONG_LABEL, 1)
        assert result.outcome == "unknown", result
        assert not far.labels
