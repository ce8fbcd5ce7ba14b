"""Every printer of pictures against its virtual printer, over the real transports."""

import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from drivers.builtin.label_printer import LabelPrinterSettings, Language, PicturePrinter
from drivers.drawing.png import png_bytes
from drivers.errors import DeviceLost, LabelInvalid, SettingsInvalid
from drivers.labels import Label
from drivers.protocols.printer_mute import MuteConversation
from drivers.readings import PrinterCondition, PrintResult
from drivers.registry import load_driver
from drivers.simulators.printer_brother_ql import BrotherQlInterpreter
from drivers.simulators.printer_picture import VirtualPicturePrinter
from drivers.simulators.printer_tspl import TsplInterpreter
from tests.drivers.picture_printers import (
    CODES,
    DRIVERS,
    LABEL,
    SILENCE,
    Bench,
    bench_of,
    codes_on,
)
from tests.drivers.second_readers import read_with_dmtx, read_with_zbar
from tests.waiting import until


@pytest.fixture(params=DRIVERS)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    with bench_of(request.param, tmp_path) as opened:
        yield opened


@pytest.fixture(params=["tspl-tcp", "epl-device", "escpos-serial", "brother-ql-device"])
def one_of_each(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    with bench_of(request.param, tmp_path) as opened:
        yield opened


def follow(bench: Bench) -> dict[str, object]:
    """Return settings for a job that no printer confirms, so that it ends soon."""
    return {} if bench.confirms else {"follow_timeout_s": 0.1}


def test_a_label_is_printed_as_dots_that_read_back(bench: Bench) -> None:
    printer = bench.open(**follow(bench))
    assert printer.status().ready
    result = printer.print_label(LABEL, 1)
    assert (result.outcome, result.condition) == ("printed" if bench.confirms else "sent", None)
    until(lambda: bench.virtual.labels)
    (picture,) = bench.virtual.labels
    assert codes_on(picture) == CODES
    assert "" not in bench.virtual.commands


def test_what_is_printed_is_read_by_programs_that_did_not_draw_it(
    one_of_each: Bench, tmp_path: Path
) -> None:
    one_of_each.open(**follow(one_of_each)).print_label(LABEL, 1)
    until(lambda: one_of_each.virtual.labels)
    png = png_bytes(one_of_each.virtual.labels[0], dots_per_mm=8)
    found = read_with_zbar(png, tmp_path)
    assert {"00106141412345678908", "https://x.example/托盘"} <= found
    assert read_with_dmtx(png, tmp_path).endswith("010950110153000310A1")


def test_copies_are_printed(one_of_each: Bench) -> None:
    result = one_of_each.open(**follow(one_of_each)).print_label(LABEL, 3)
    assert result.outcome == ("printed" if one_of_each.confirms else "sent")
    until(lambda: len(one_of_each.virtual.labels) == 3)
    assert len(set(one_of_each.virtual.labels)) == 1


@pytest.mark.parametrize(
    ("label", "copies_count"),
    [(Label(Decimal(62), Decimal(50), ()), 1), (LABEL, 0), (LABEL, 1000)],
    ids=["empty", "no-copies", "too-many-copies"],
)
def test_a_label_that_cannot_be_printed_reaches_no_printer(
    one_of_each: Bench, label: Label, copies_count: int
) -> None:
    printer = one_of_each.open()
    one_of_each.virtual.load_paper(0)  # Even then it is the label that is wrong.
    with pytest.raises(LabelInvalid):
        printer.print_label(label, copies_count)
    assert one_of_each.virtual.questions_count == one_of_each.virtual.received_bytes_count == 0


STOPS: dict[PrinterCondition, Callable[[VirtualPicturePrinter], None]] = {
    "paper_out": lambda virtual: virtual.load_paper(0),
    "head_open": lambda virtual: virtual.set(head_open=True),
    "paused": lambda virtual: virtual.set(paused=True),
}


@pytest.mark.parametrize("condition", STOPS)
def test_a_stopped_printer_is_sent_nothing(bench: Bench, condition: PrinterCondition) -> None:
    if (bench.family, condition) == ("brother-ql", "paused"):
        return  # It has no pause key.
    printer = bench.open(**follow(bench))
    STOPS[condition](bench.virtual)
    assert printer.status().conditions == (condition,)
    result = printer.print_label(LABEL, 1)
    assert (result.outcome, result.condition) == ("failed", condition)
    bench.virtual.load_paper()
    bench.virtual.set(head_open=False, paused=False)
    assert printer.status().ready
    assert not bench.virtual.labels
    assert printer.print_label(LABEL, 1).outcome in {"printed", "sent"}


def test_a_silent_printer_is_sent_nothing(one_of_each: Bench) -> None:
    printer = one_of_each.open(**SILENCE)
    one_of_each.virtual.mute()
    assert printer.status().conditions == ("silent",)
    result = printer.print_label(LABEL, 1)
    assert (result.outcome, result.condition) == ("failed", "silent")
    assert not one_of_each.virtual.labels
    one_of_each.virtual.unmute()
    assert printer.status().ready


def test_a_printer_that_never_answers_is_sent_labels_that_nobody_confirms(bench: Bench) -> None:
    bench.virtual.mute()
    printer = bench.open(answers=False)
    assert printer.status().ready
    result = printer.print_label(LABEL, 1)
    assert (result.outcome, result.condition) == ("sent", None)
    until(lambda: len(bench.virtual.labels) == 1)


def test_a_printer_that_accepts_and_never_prints_confirms_nothing(one_of_each: Bench) -> None:
    printer = one_of_each.open(follow_timeout_s=0.2)
    one_of_each.virtual.print_nothing()
    result = printer.print_label(LABEL, 1)
    assert result.outcome == "sent" and "not confirmed" in result.detail
    assert not one_of_each.virtual.labels


def test_paper_that_ends_within_a_job_needs_a_person(one_of_each: Bench) -> None:
    printer = one_of_each.open()
    one_of_each.virtual.load_paper(2)
    result = printer.print_label(LABEL, 3)
    assert (result.outcome, result.condition) == ("unknown", "paper_out")
    assert len(one_of_each.virtual.labels) == 2


def test_a_head_opened_within_a_job_needs_a_person(one_of_each: Bench) -> None:
    printer = one_of_each.open()
    virtual = one_of_each.virtual
    virtual.when_received(3000, lambda: virtual.set(head_open=True))
    result = printer.print_label(LABEL, 1)
    assert (result.outcome, result.condition) == ("unknown", "head_open")
    assert not virtual.labels


@pytest.mark.parametrize("bytes_count", [700, 3000])
def test_power_lost_within_a_job_leaves_it_unknown(one_of_each: Bench, bytes_count: int) -> None:
    printer = one_of_each.open()
    one_of_each.virtual.when_received(bytes_count, one_of_each.virtual.close_port)
    result = printer.print_label(LABEL, 1)
    assert (result.outcome, result.condition) == ("unknown", "silent")
    assert not one_of_each.virtual.labels
    one_of_each.virtual.open_port()
    again = one_of_each.open(**follow(one_of_each))
    assert again.print_label(LABEL, 1).outcome in {"printed", "sent"}


@pytest.mark.parametrize("driver_name", ["tspl-tcp", "escpos-device"])
def test_one_byte_that_was_taken_makes_a_job_unknown(driver_name: str, tmp_path: Path) -> None:
    with bench_of(driver_name, tmp_path) as bench:
        printer = bench.open()
        bench.virtual.when_received(1, bench.virtual.close_port)
        assert printer.print_label(LABEL, 1).outcome == "unknown"


def test_power_lost_is_noticed_of_a_printer_that_never_answers(tmp_path: Path) -> None:
    with bench_of("tspl-tcp", tmp_path) as bench:
        printer = bench.open(answers=False)
        bench.virtual.when_received(700, bench.virtual.close_port)
        assert printer.print_label(LABEL, 1).outcome in {"unknown", "sent"}


@pytest.mark.parametrize("driver_name", ["tspl-device", "escpos-serial"])
def test_a_line_that_takes_bytes_slowly_ends_as_unknown(driver_name: str, tmp_path: Path) -> None:
    with bench_of(driver_name, tmp_path) as bench:
        printer = bench.open(send_timeout_s=0.2)
        bench.virtual.slow_down(0.1)
        result = printer.print_label(LABEL, 1)
        assert result.outcome == "unknown" and "slowly" in result.detail


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
    printer.close()


def test_two_jobs_at_once_never_mix(one_of_each: Bench) -> None:
    printers = [one_of_each.open(**follow(one_of_each)) for _ in range(2)]
    results: list[PrintResult] = []
    threads = [
        threading.Thread(target=lambda one=one: results.append(one.print_label(LABEL, 1)))
        for one in printers
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    accepted_count = sum(result.outcome in {"printed", "sent"} for result in results)
    assert len(results) == 2 and accepted_count >= 1
    until(lambda: len(one_of_each.virtual.labels) == accepted_count)
    assert all(codes_on(picture) == CODES for picture in one_of_each.virtual.labels)


def test_noise_before_a_job_is_no_answer_to_it(tmp_path: Path) -> None:
    for driver_name in ("epl-tcp", "escpos-tcp", "brother-ql-tcp"):
        with bench_of(driver_name, tmp_path) as bench:
            printer = bench.open(**SILENCE)
            bench.virtual.mute()
            said = threading.Thread(
                target=lambda: (
                    until(lambda: bench.virtual.received_bytes_count or bench.virtual.commands),
                    bench.virtual.say(b"\x00\xff\x80\x20\x4207 11\r\x90"),
                )
            )
            said.start()
            assert printer.status().conditions == ("silent",), driver_name
            said.join(60)


class BreakingLine:
    """Takes so many writes, then breaks."""

    def __init__(self, writes_count: int) -> None:
        self._left_count = writes_count
        self.taken: list[bytes] = []

    def read(self, timeout_s: float) -> bytes:
        return b""

    def write(self, data: bytes) -> None:
        if self._left_count == 0:
            raise DeviceLost("broken", hint="Mend it.")
        self._left_count -= 1
        self.taken.append(data)

    def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ("writes_count", "outcome"), [(0, "failed"), (1, "unknown"), (2, "unknown"), (3, "sent")]
)
def test_a_job_failed_only_while_not_one_byte_was_taken(writes_count: int, outcome: str) -> None:
    line = BreakingLine(writes_count)
    printer = PicturePrinter(
        LabelPrinterSettings(answers=False),
        Language(lambda _label, _copies_count: b"J" * 3000, MuteConversation),
        lambda: line,
    )
    assert printer.print_label(LABEL, 1).outcome == outcome
    assert [len(data) for data in line.taken] == [1, 2048, 951][:writes_count]


def test_a_tspl_printer_is_asked_for_eight_bytes(tmp_path: Path) -> None:
    with bench_of("tspl-device", tmp_path) as bench:
        printer = bench.open(long_status=True)
        assert printer.status().raw == b"\x02@@@@\x03\r\n"
        assert printer.print_label(LABEL, 2).outcome == "printed"
        bench.virtual.set(ribbon_out=True, head_open=True)
        assert printer.status().conditions == ("head_open", "ribbon_out")


def test_a_tspl_clone_that_never_answers_is_not_taken_for_ready(tmp_path: Path) -> None:
    with bench_of("tspl-device", tmp_path, TsplInterpreter(is_clone=True)) as bench:
        result = bench.open(**SILENCE).print_label(LABEL, 1)
        assert (result.outcome, result.condition) == ("failed", "silent")
        assert bench.open(answers=False).print_label(LABEL, 1).outcome == "sent"


def test_paper_near_its_end_is_a_warning(tmp_path: Path) -> None:
    with bench_of("escpos-tcp", tmp_path) as bench:
        printer = bench.open()
        bench.virtual.set(near_end=True)
        assert printer.status().ready and printer.status().warnings == ("paper_low",)
        assert printer.print_label(LABEL, 1).outcome == "printed"


def test_a_brother_with_another_roll_is_sent_nothing(tmp_path: Path) -> None:
    with bench_of("brother-ql-device", tmp_path, BrotherQlInterpreter(width_mm=29)) as bench:
        result = bench.open().print_label(LABEL, 1)
        assert (result.outcome, result.condition) == ("failed", "paper_out")
        assert not bench.virtual.labels


@pytest.mark.parametrize(
    ("driver_name", "settings"),
    [
        ("tspl-tcp", {}),
        ("tspl-tcp", {"host": "printer", "dots_per_mm": 7}),
        ("tspl-device", {"path": "/dev/usb/lp0", "gap_mm": 51}),
        ("tspl-device", {"path": "/dev/usb/lp0", "gap_mm": "NaN"}),
        ("tspl-serial", {"port": "/dev/ttyS0", "send_timeout_s": 0}),
        ("tspl-serial", {"port": "/dev/ttyS0", "baud_rate": 0}),
        ("tspl-tcp", {"host": "printer", "port": 70000}),
        ("epl-tcp", {"host": "printer", "gap_mm": 1}),
        ("epl-tcp", {"host": "printer", "status_timeout_s": 0}),
        ("escpos-tcp", {"host": "printer", "width_dots": 20}),
        ("brother-ql-tcp", {"host": "printer", "media": "63"}),
    ],
)
def test_wrong_settings_are_named(driver_name: str, settings: dict[str, object]) -> None:
    with pytest.raises(SettingsInvalid) as wrong:
        load_driver(driver_name).parse_settings(settings)
    assert driver_name in str(wrong.value)
