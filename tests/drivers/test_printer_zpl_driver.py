"""The drivers zpl-tcp and zpl-device against the virtual printer, over the real transports."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest

from drivers.api import LabelPrinter
from drivers.builtin.printer_zpl import ZplPrinter, ZplSettings
from drivers.drawing.label import draw_label
from drivers.errors import DeviceLost, LabelInvalid, SettingsInvalid
from drivers.labels import Box, Gs1Code128, Label, Qr, Text
from drivers.readings import PrinterCondition, PrintResult
from drivers.registry import load_driver
from drivers.simulators.lines import VirtualSerialLine
from drivers.simulators.printer_zpl import VirtualZplPrinter
from drivers.transports.device_file import open_device_file
from tests.drivers.label_pictures import draw, read_codes
from tests.drivers.test_printer_zpl_status import READY, error_status
from tests.waiting import until

# Long where an answer must come, short where none comes.
TIMES = {"status_timeout_s": 3.0, "follow_timeout_s": 3.0, "follow_interval_s": 0.01}
# Long enough for an answer on a crowded machine, where one is expected before the silence.
SILENCE = {"status_timeout_s": 0.6, "follow_timeout_s": 0.6}
LABEL = Label(
    Decimal(100),
    Decimal(60),
    (
        Text(Decimal(5), Decimal(3), Decimal(5), "PALLET ^XZ"),
        Gs1Code128(
            Decimal(10), Decimal(15), Decimal(20), Decimal("0.25"), (("00", "106141412345678908"),)
        ),
    ),
)


@dataclass
class Bench:
    virtual: VirtualZplPrinter
    driver_name: str
    settings: dict[str, object]

    def open(self, **changed: object) -> LabelPrinter:
        driver = load_driver(self.driver_name)
        return driver.open_device(driver.parse_settings({**self.settings, **changed}))


@pytest.fixture(params=["zpl-tcp", "zpl-device"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    if request.param == "zpl-tcp":
        with VirtualZplPrinter.on_tcp(mute_when_stopped=False) as virtual:
            yield Bench(virtual, "zpl-tcp", {"host": "127.0.0.1", "port": virtual.port, **TIMES})
    else:
        path = tmp_path / "lp0"
        with VirtualZplPrinter.on_device_file(path, mute_when_stopped=False) as virtual:
            yield Bench(virtual, "zpl-device", {"path": str(path), **TIMES})


def test_a_label_is_printed_and_confirmed(bench: Bench) -> None:
    printer = bench.open()
    assert printer.status().ready
    result = printer.print_label(LABEL, 1)
    assert (result.outcome, result.condition) == ("printed", None)
    (zpl,) = bench.virtual.labels
    assert read_codes(draw(zpl.encode())) == [("]C1", "00106141412345678908")]


def test_chinese_qr_and_a_box_come_out_of_the_printer(bench: Bench) -> None:
    label = Label(
        Decimal(100),
        Decimal(60),
        (
            Text(Decimal(5), Decimal(3), Decimal(5), "绿茶 250 克 ^XZ"),
            Qr(Decimal(10), Decimal(15), Decimal("0.5"), "茶叶 ~HS"),
            Box(Decimal(1), Decimal(1), Decimal(98), Decimal(58), Decimal("0.5")),
        ),
    )
    assert bench.open().print_label(label, 1).outcome == "printed"
    (zpl,) = bench.virtual.labels
    picture = draw(zpl.encode())
    assert [text for _, text in read_codes(picture)] == ["茶叶 ~HS"]
    ours = draw_label(label, dots_per_mm=8)
    assert picture.point(lambda shade: 255 - shade).convert("1").tobytes() == ours.rows


def test_a_font_that_is_not_there_is_named_before_anything_is_sent(bench: Bench) -> None:
    label = Label(Decimal(100), Decimal(60), (Text(Decimal(5), Decimal(3), Decimal(5), "茶"),))
    with pytest.raises(LabelInvalid, match=r"nowhere\.ttf"):
        bench.open(font_file="/nowhere.ttf").print_label(label, 1)
    assert bench.virtual.labels == []


def test_a_printer_that_is_probed_says_what_it_is(bench: Bench) -> None:
    driver = load_driver(bench.driver_name)
    assert driver.probe is not None
    settings = driver.parse_settings(bench.settings)
    assert driver.probe(settings).startswith("ZPL printer")
    bench.virtual.mute()
    assert driver.probe(settings) == ""


def test_copies_are_printed(bench: Bench) -> None:
    assert bench.open().print_label(LABEL, 3).outcome == "printed"
    assert bench.virtual.printed_count == 3


def test_a_label_that_cannot_be_rendered_reaches_no_printer(bench: Bench) -> None:
    printer = bench.open()
    bench.virtual.paper_out()  # Even then it is the label that is wrong.
    with pytest.raises(LabelInvalid):
        printer.print_label(Label(Decimal(50), Decimal(30), ()), 1)
    assert bench.virtual.queries_count == 0


STOPS: dict[PrinterCondition, Callable[[VirtualZplPrinter], None]] = {
    "paper_out": VirtualZplPrinter.paper_out,
    "head_open": VirtualZplPrinter.open_head,
    "ribbon_out": VirtualZplPrinter.ribbon_out,
    "paused": VirtualZplPrinter.pause,
}


@pytest.mark.parametrize("condition", STOPS)
def test_a_stopped_printer_is_sent_nothing(bench: Bench, condition: PrinterCondition) -> None:
    printer = bench.open()
    STOPS[condition](bench.virtual)
    assert printer.status().conditions == (condition,)
    result = printer.print_label(LABEL, 1)
    assert (result.outcome, result.condition) == ("failed", condition)
    bench.virtual.load_paper()
    bench.virtual.close_head()
    bench.virtual.load_ribbon()
    bench.virtual.resume()
    assert printer.status().ready
    assert bench.virtual.printed_count == bench.virtual.formats_waiting_count == 0
    assert printer.print_label(LABEL, 1).outcome == "printed"


def test_a_silent_printer_is_sent_nothing(bench: Bench) -> None:
    printer = bench.open(**SILENCE)
    bench.virtual.mute()
    result = printer.print_label(LABEL, 1)
    assert (result.outcome, result.condition) == ("failed", "silent")
    assert bench.virtual.printed_count == bench.virtual.formats_waiting_count == 0


def test_a_printer_that_is_mute_without_paper_still_says_so(tmp_path: Path) -> None:
    path = tmp_path / "lp0"
    with VirtualZplPrinter.on_device_file(path) as virtual:
        printer = Bench(virtual, "zpl-device", {"path": str(path), **TIMES, **SILENCE}).open()
        virtual.paper_out()
        assert printer.status().conditions == ("paper_out",)
        virtual.open_head()
        assert printer.status().conditions == ("head_open", "paper_out")


@pytest.mark.parametrize("mute_when_stopped", [True, False])
def test_paper_that_ends_within_a_job_needs_a_person(
    tmp_path: Path, mute_when_stopped: bool
) -> None:
    path = tmp_path / "lp0"
    with VirtualZplPrinter.on_device_file(path, mute_when_stopped=mute_when_stopped) as virtual:
        printer = Bench(virtual, "zpl-device", {"path": str(path), **TIMES, **SILENCE}).open()
        virtual.load_paper(labels_count=2)
        result = printer.print_label(LABEL, 3)
        assert (result.outcome, result.condition) == ("unknown", "paper_out")
        assert virtual.printed_count == 2
        virtual.load_paper()  # The rest comes by itself: a repeat would be one too many.
        assert virtual.printed_count == 3


def test_a_printer_that_falls_silent_leaves_the_job_sent(bench: Bench) -> None:
    printer = bench.open(**SILENCE)
    bench.virtual.mute(after_answers_count=1)
    result = printer.print_label(LABEL, 1)
    assert (result.outcome, result.condition) == ("sent", "silent")
    assert bench.virtual.printed_count == 1


def test_one_answer_is_not_yet_a_confirmation(bench: Bench) -> None:
    printer = bench.open(**SILENCE)
    bench.virtual.mute(after_answers_count=2)
    assert printer.print_label(LABEL, 1).outcome == "sent"


def test_without_following_a_job_is_only_sent(bench: Bench) -> None:
    assert bench.open(follow_timeout_s=0).print_label(LABEL, 1).outcome == "sent"
    until(lambda: bench.virtual.printed_count == 1)


@pytest.mark.parametrize("bytes_count", [0, 1, 50])
def test_a_line_cut_within_a_label_leaves_it_unknown(bench: Bench, bytes_count: int) -> None:
    printer = bench.open()
    bench.virtual.drop_after_bytes(bytes_count)
    result = printer.print_label(LABEL, 1)
    assert (result.outcome, result.condition) == ("unknown", "silent")
    assert bench.virtual.printed_count == 0
    bench.virtual.open_port()
    assert printer.print_label(LABEL, 1).outcome == "printed"


def test_a_line_cut_after_a_label_leaves_it_unknown(bench: Bench) -> None:
    printer = bench.open()
    printer.print_label(LABEL, 1)
    bench.virtual.drop_after_bytes(len(bench.virtual.labels[0]))
    assert printer.print_label(LABEL, 1).outcome == "unknown"
    assert bench.virtual.printed_count == 2


def test_a_closed_port_fails_before_anything_is_sent_and_heals(bench: Bench) -> None:
    printer = bench.open()
    bench.virtual.close_port()
    with pytest.raises(DeviceLost) as lost:
        printer.status()
    assert lost.value.hint
    with pytest.raises(DeviceLost):
        bench.open()
    assert printer.print_label(LABEL, 1).outcome == "failed"
    bench.virtual.open_port()
    assert printer.status().ready
    assert printer.print_label(LABEL, 1).outcome == "printed"


class LateLine:
    """A line whose printer answers every ~HS one question too late, and ~HQES at once."""

    def __init__(self) -> None:
        self._late = b""
        self._inbox = b""

    def read(self, timeout_s: float) -> bytes:
        data, self._inbox = self._inbox, b""
        if not data:
            time.sleep(timeout_s)
        return data

    def write(self, data: bytes) -> None:
        if data == b"~HS\r\n":
            self._inbox += self._late
            self._late = READY
        elif data == b"~HQES\r\n":
            self._inbox += error_status("0 00000000 00000000")

    def finish(self, timeout_s: float) -> None:
        pass

    def close(self) -> None:
        pass


def test_an_answer_from_before_the_label_confirms_nothing() -> None:
    settings = ZplSettings(status_timeout_s=0.02, follow_timeout_s=0.2, follow_interval_s=0.01)
    result = ZplPrinter(settings, LateLine).print_label(LABEL, 1)
    assert result.outcome == "sent"


def test_half_a_reply_and_noise_are_not_an_answer(bench: Bench) -> None:
    printer = bench.open(**{**SILENCE, "status_timeout_s": 2.0})
    bench.virtual.mute()
    said = []

    def babble() -> None:
        until(lambda: bench.virtual.queries_count > 0)
        bench.virtual.say(b"\x02030,0,0,0406,000,0,0,0,000,0,0,0\x03\r\n\x02000,0,0\xff\x00")
        said.append(1)

    thread = threading.Thread(target=babble)
    thread.start()
    assert printer.status().conditions == ("silent",)
    thread.join(60)
    assert said
    bench.virtual.unmute()
    assert printer.status().ready


def test_two_jobs_at_once_never_mix(bench: Bench) -> None:
    printers = [bench.open(), bench.open()]
    results: list[PrintResult] = []
    threads = [
        threading.Thread(target=lambda one=one: results.append(one.print_label(LABEL, 1)))
        for one in printers
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    printed_count = sum(result.outcome == "printed" for result in results)
    assert len(results) == 2 and bench.virtual.printed_count >= printed_count >= 1
    assert {result.outcome for result in results} <= {"printed", "failed"}


def test_a_device_file_in_use_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "lp0"
    with VirtualZplPrinter.on_device_file(path) as virtual:
        printer = Bench(virtual, "zpl-device", {"path": str(path), **TIMES}).open()
        other = open_device_file(path)
        with pytest.raises(DeviceLost, match="alone"):
            printer.status()
        assert printer.print_label(LABEL, 1).outcome == "failed"
        other.close()
        assert printer.print_label(LABEL, 1).outcome == "printed"


def test_a_device_that_takes_no_bytes_is_lost_not_waited_for(tmp_path: Path) -> None:
    with VirtualSerialLine(tmp_path / "lp0") as line:  # Nobody reads at its far end.
        device = open_device_file(line.path, write_timeout_s=0.05)
        with pytest.raises(DeviceLost, match="took no byte"):
            device.write(b"x" * 1_000_000)
        device.close()
        device.close()


def test_an_unplugged_device_file_is_lost_for_read_and_write(tmp_path: Path) -> None:
    with VirtualSerialLine(tmp_path / "lp0") as line:
        device = open_device_file(line.path)
        assert device.read(0.0) == b""
        line.unplug()
        with pytest.raises(DeviceLost):
            device.read(1.0)
        with pytest.raises(DeviceLost):
            device.write(b"x")
        device.close()


def test_a_missing_device_file_names_the_setting_to_check(tmp_path: Path) -> None:
    with pytest.raises(DeviceLost) as lost:
        open_device_file(tmp_path / "nothing")
    assert "path" in lost.value.hint


@pytest.mark.parametrize(
    ("driver_name", "settings"),
    [
        ("zpl-tcp", {}),
        ("zpl-tcp", {"host": "printer", "dots_per_mm": 7}),
        ("zpl-tcp", {"host": "printer", "prot": 9100}),
        ("zpl-tcp", {"host": "printer", "port": 91000}),
        ("zpl-tcp", {"host": "printer", "connect_timeout_s": -1.0}),
        ("zpl-tcp", {"host": "printer", "status_timeout_s": 0}),
        ("zpl-device", {"path": "/dev/usb/lp0", "follow_timeout_s": -1}),
    ],
)
def test_wrong_settings_are_named(driver_name: str, settings: dict[str, object]) -> None:
    with pytest.raises(SettingsInvalid) as wrong:
        load_driver(driver_name).parse_settings(settings)
    assert driver_name in str(wrong.value)
