"""A label is printed once, or a person is asked; never twice in silence. Edge of threads."""

from collections.abc import Iterator
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path

import pytest

from drivers.errors import DeviceLost, LabelInvalid
from drivers.labels import Label, Text
from drivers.readings import PrinterStatus, PrintResult
from gateway.devices.presence import Presence
from gateway.devices.print_queue import PrintQueue
from gateway.health import Health
from gateway.journal.journal import Journal
from gateway.station.effects import NewPrintJob
from tests.gateway.devices.scripted import READY, NoSettings, ScriptedPrinter
from tests.gateway.journal.samples import StillClock, movement, open_journal
from tests.waiting import until

LABEL = Label(Decimal(50), Decimal(30), (Text(Decimal(1), Decimal(1), Decimal(5), text="BIN-1"),))


class Bench:
    """One print queue with a real journal, and its printer."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.printer = ScriptedPrinter()
        self.health = Health()
        presence = Presence(
            "printer-1",
            self.printer.driver,
            clock=StillClock(),
            health=self.health,
            jitter=lambda: 0.0,
        )
        self.queue = PrintQueue(
            driver=self.printer.driver,
            settings=NoSettings(),
            presence=presence,
            journal=journal,
            health=self.health,
        )

    def order(self, copies_count: int = 1, *, printer: str = "printer-1") -> int:
        job = NewPrintJob(printer, "bin", "BIN-1", LABEL, copies_count)
        return self.journal.append([movement()], [job]).print_jobs[0]

    def outcome(self, number: int) -> str | None:
        return next(job.outcome for job in self.journal.print_jobs(99) if job.number == number)

    def state(self, number: int) -> str:
        return next(job.state for job in self.journal.print_jobs(99) if job.number == number)

    def until_over(self, number: int) -> str | None:
        until(lambda: self.outcome(number), f"job {number} over")
        return self.outcome(number)

    def device_problem(self) -> str:
        return self.health.devices()[0].problem


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with ExitStack() as stack:
        journal = open_journal(tmp_path / "journal.db")
        stack.callback(journal.close)
        bench = Bench(journal)
        stack.callback(lambda: bench.queue.thread.join(60))
        stack.callback(bench.queue.thread.stop)
        yield bench


def test_a_queued_label_is_printed_once_and_becomes_a_fact(bench: Bench) -> None:
    bench.queue.thread.start()
    number = bench.order(copies_count=3)
    assert bench.until_over(number) == "printed"
    assert bench.printer.printed == [3]
    fact = bench.journal.recent(1)[0][1]
    assert (fact.job, fact.outcome, fact.printer) == (number, "printed", "printer-1")


def test_labels_of_another_printer_are_left_alone(bench: Bench) -> None:
    other = bench.order(printer="printer-2")
    mine = bench.order()
    bench.queue.thread.start()
    bench.until_over(mine)
    assert bench.outcome(other) is None


@pytest.mark.parametrize("outcome", ["sent", "unknown"])
def test_what_may_be_on_paper_is_over_and_never_repeated(bench: Bench, outcome: str) -> None:
    bench.printer.results = [PrintResult(outcome, "cable pulled", "silent")]
    first, second = bench.order(), bench.order(copies_count=2)
    bench.queue.thread.start()
    assert bench.until_over(first) == outcome
    assert bench.until_over(second) == "printed"
    assert bench.printer.printed == [1, 2]


def test_a_label_waits_in_the_queue_while_the_printer_has_no_paper(bench: Bench) -> None:
    bench.printer.now = PrinterStatus(("paper_out",))
    number = bench.order()
    bench.queue.thread.start()
    until(lambda: bench.device_problem() == "paper_out", "told")
    assert bench.health.devices()[0].state == "fault"
    assert bench.state(number) == "queued"
    bench.printer.now = READY
    assert bench.until_over(number) == "printed"
    until(lambda: bench.health.devices()[0].state == "ready", "ready")


@pytest.mark.parametrize(
    ("conditions", "problem"),
    [
        pytest.param(("head_open", "paused"), "head_open", id="the first of two"),
        pytest.param(("on_fire",), "error", id="a condition of a newer driver"),
        pytest.param(("ready", "paused"), "error", id="ready and not ready"),
    ],
)
def test_a_printer_that_is_not_ready_names_a_problem(
    bench: Bench, conditions: tuple[str, ...], problem: str
) -> None:
    bench.printer.now = PrinterStatus(conditions)
    bench.queue.thread.start()
    until(lambda: bench.device_problem() == problem, "told")


def test_a_label_that_was_certainly_not_printed_is_tried_again(bench: Bench) -> None:
    bench.printer.results = [PrintResult("failed", "not sent", "head_open")] * 2
    number = bench.order()
    bench.queue.thread.start()
    assert bench.until_over(number) == "printed"
    assert len(bench.printer.printed) == 3


def test_a_label_that_cannot_be_printed_here_fails_and_stops_no_other(bench: Bench) -> None:
    bench.printer.results = [
        LabelInvalid("too wide", hint="Use a smaller label."),
        PrintResult("failed", "refused"),
    ]
    numbers = [bench.order(), bench.order(), bench.order()]
    bench.queue.thread.start()
    assert [bench.until_over(number) for number in numbers] == ["failed", "failed", "printed"]
    assert "too wide Use a smaller label." in [job.detail for job in bench.journal.print_jobs(9)]


def test_a_driver_that_fails_in_a_job_leaves_it_unknown(bench: Bench) -> None:
    number = bench.order()
    bench.printer.results = [ZeroDivisionError("oops")]
    bench.queue.thread.start()
    assert bench.until_over(number) == "unknown"
    until(lambda: bench.health.devices()[0].state == "offline", "offline")
    assert bench.printer.printed == [1]


def test_a_driver_that_loses_its_line_in_a_job_leaves_it_unknown(bench: Bench) -> None:
    number = bench.order()
    bench.printer.results = [DeviceLost("cut", hint="Check the cable.")]
    bench.queue.thread.start()
    assert bench.until_over(number) == "unknown"
    assert bench.printer.printed == [1]


def test_a_job_that_an_earlier_start_had_claimed_is_unknown(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    earlier = Bench(open_journal(path, nonce=1))
    number = earlier.order()
    assert earlier.journal.claim_print_job("printer-1") is not None
    earlier.journal.close()
    bench = Bench(open_journal(path, nonce=2))
    bench.queue.thread.start()
    try:
        assert bench.until_over(number) == "unknown"
        assert bench.printer.printed == []
    finally:
        bench.queue.thread.stop()
        bench.queue.thread.join(60)
        bench.journal.close()


def test_a_printer_that_is_not_there_is_waited_for(bench: Bench) -> None:
    bench.printer.open_errors = [DeviceLost("refused", hint="Switch the printer on.")] * 2
    number = bench.order()
    bench.queue.thread.start()
    assert bench.until_over(number) == "printed"


def test_a_label_held_up_when_its_printer_is_closed_does_not_stay_claimed(bench: Bench) -> None:
    bench.printer.results = [PrintResult("failed", "no paper", "paper_out")]
    number = bench.order()
    bench.queue.thread.start()
    until(lambda: bench.device_problem() == "paper_out" and bench.printer.printed, "held up")
    bench.printer.now = PrinterStatus(("paper_out",))
    assert bench.state(number) == "claimed"
    bench.queue.thread.stop()
    assert bench.queue.thread.join(60)
    assert bench.outcome(number) == "failed"
    assert bench.printer.printed == [1]
