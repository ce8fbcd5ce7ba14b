"""Prints what the journal has queued for one label printer, each job once. Loop.

    start: jobs that an earlier start had claimed -> "unknown" (perhaps printed; a person decides)

    printer not ready            the job stays queued, Health says what a person can do
    printer ready                claim (on disk), then bytes
      printed, sent, unknown     the job is over, recorded as a Print fact
      failed, with a condition   certainly nothing printed: stays claimed, tried again when ready
      failed, without            over: a label that this printer can never print

A claimed job is printed again only by the thread that saw that nothing was printed. If that ends
first (a lock, new settings, the gateway stops), the job is "failed". After a crash the next start
finds it claimed and makes it "unknown": never a second label in silence.
"""

import time
from contextlib import suppress
from dataclasses import dataclass
from typing import cast

import msgspec

from central.contract.facts import PrintOutcome
from central.contract.states import DeviceProblem
from drivers.api import Driver, LabelPrinter
from drivers.errors import DriverError, LabelInvalid
from drivers.readings import PrinterCondition, PrinterStatus
from gateway.devices.presence import Presence
from gateway.devices.service_thread import ServiceThread
from gateway.errors import JournalFull
from gateway.health import Health
from gateway.journal.journal import Journal
from gateway.journal.records import PrintJob
from gateway.logs import log_crash, log_event

WAIT_S = 0.25  # How long a stop may go unnoticed.
STATUS_IDLE_S = 10.0
STATUS_HELD_UP_S = 1.0
JOURNAL_PAUSE_S = 2.0

# For the log; what the pages say is in the catalogues.
CONDITION_HINTS: dict[DeviceProblem, str] = {
    "paper_out": "Load labels into the printer and close it.",
    "ribbon_out": "Put a new ribbon into the printer.",
    "head_open": "Close the print head of the printer.",
    "paused": "Press the printer's pause key to go on.",
    "busy": "Wait; the printer is working.",
    "over_temperature": "Wait until the print head has cooled down.",
    "error": "Look at the printer's display and clear the error.",
    "silent": "Switch the printer on and check its cable.",
}


@dataclass(frozen=True, slots=True)
class _Ended:
    """How a claimed job ended; kept until the journal has it."""

    job: PrintJob
    outcome: PrintOutcome
    detail: str


class PrintQueue:
    """One supervised printer; `thread` starts and stops it."""

    def __init__(
        self,
        *,
        driver: Driver,
        settings: msgspec.Struct,
        presence: Presence,
        journal: Journal,
        health: Health,
        predecessor: ServiceThread | None = None,
    ) -> None:
        self._name = presence.name
        self._driver = driver
        self._settings = settings
        self._journal = journal
        self._health = health
        self._presence = presence
        self._seen = 0
        self._job: PrintJob | None = None
        self._ended: _Ended | None = None
        self._ready = False
        self._status_due_s = 0.0
        self.thread = ServiceThread(
            self._run, name=f"printer-{self._name}", predecessor=predecessor
        )

    def wake(self) -> None:
        """Try to open at once, if it waits to."""
        self._presence.hurry()
        self.thread.wake()

    def _run(self) -> None:
        self._presence.starting(self._driver)
        while not self.thread.stopping:
            try:
                self._record_end()
                self._end_abandoned()
                self._serve()
            except DriverError as error:
                if not error.retriable:
                    self._presence.unusable(error)
                    self.thread.rest()
                    continue
                self.thread.pause(self._presence.lost(error))
            except JournalFull as error:
                detail = str(error)
                log_event("error", "print job not recorded", detail=detail, hint=error.hint)
                self.thread.pause(JOURNAL_PAUSE_S)
            except Exception as error:  # noqa: BLE001 - a driver's mistake ends no gateway
                log_crash("driver failed", device=self._name)
                self._give_up_job(error)
                self.thread.pause(self._presence.failed(error))
        self._end_held_up()
        self._presence.closed()

    def _serve(self) -> None:
        printer = cast(LabelPrinter, self._driver.open_device(self._settings))
        self._status_due_s = 0.0
        try:
            self._presence.opened()
            while not self.thread.stopping:
                self._step(printer)
        finally:
            printer.close()

    def _step(self, printer: LabelPrinter) -> None:
        self._record_end()
        if time.monotonic() >= self._status_due_s:
            self._note_status(printer.status())
        if not self._ready:
            self.thread.pause(max(0.0, min(WAIT_S, self._status_due_s - time.monotonic())))
            return
        if self._job is None:
            self._job = self._journal.claim_print_job(self._name)
        if self._job is None:
            self._seen = self._journal.wait_for_append(self._seen, WAIT_S)
            return
        self._print(printer, self._job)
        self._record_end()

    def _note_status(self, status: PrinterStatus) -> None:
        self._presence.status(status)
        self._ready = status.ready
        pause_s = STATUS_IDLE_S if status.ready else STATUS_HELD_UP_S
        self._status_due_s = time.monotonic() + pause_s
        if status.ready:
            self._presence.ready()
        else:
            self._tell_condition(status.conditions[0])

    def _tell_condition(self, condition: PrinterCondition) -> None:
        # A driver may be newer than this list, or call a printer ready that is not.
        known = condition != "ready" and condition in CONDITION_HINTS
        problem = cast(DeviceProblem, condition) if known else "error"
        hint = CONDITION_HINTS[problem]
        self._presence.stopped(problem, detail=condition.replace("_", " "), hint=hint)

    def _print(self, printer: LabelPrinter, job: PrintJob) -> None:
        try:
            result = printer.print_label(job.label, job.copies_count)
        except LabelInvalid as error:
            self._ended = _Ended(job, "failed", f"{error} {error.hint}")
            return
        except DriverError as error:  # Against the driver's promise: bytes may have left.
            self._give_up_job(error)
            raise
        if result.condition is not None:
            self._status_due_s = 0.0
            self._ready = False
            self._tell_condition(result.condition)
        if result.outcome == "failed" and result.condition is not None:
            self._health.count("print_jobs_held_up_total")
            self._status_due_s = time.monotonic() + STATUS_HELD_UP_S
            return
        self._ended = _Ended(job, result.outcome, result.detail)

    def _record_end(self) -> None:
        """Record how the job ended; where the disk fails, again and again, but print no more."""
        ended = self._ended
        if ended is None:
            return
        self._journal.finish_print_job(ended.job.number, outcome=ended.outcome, detail=ended.detail)
        self._job = None
        self._ended = None
        self._health.count(f"print_jobs_{ended.outcome}_total")
        self._health.count_device(self._name, "print_jobs", ended.outcome)
        if ended.outcome in {"failed", "unknown"}:
            log_event(
                "error" if ended.outcome == "unknown" else "warning",
                "label not printed for certain",
                device=self._name,
                job=ended.job.number,
                outcome=ended.outcome,
                detail=ended.detail,
                hint="Look for the label; print it again from the station if it is not there.",
            )

    def _end_abandoned(self) -> None:
        for job in self._journal.abandoned_print_jobs():
            if job.printer == self._name:
                self._ended = _Ended(job, "unknown", "the gateway ended while this was printing")
                self._record_end()

    def _end_held_up(self) -> None:
        """Nobody else knows that this job is not on paper: it must not stay claimed for ever."""
        if self._job is not None and self._ended is None:
            self._ended = _Ended(self._job, "failed", "the printer was closed before it printed")
        with suppress(JournalFull):  # The next start finds it claimed.
            self._record_end()

    def _give_up_job(self, error: Exception) -> None:
        """A driver that failed in a job may have printed it: only a person can tell."""
        if self._job is not None and self._ended is None:
            self._ended = _Ended(self._job, "unknown", f"the driver failed: {error}")
            with suppress(
                JournalFull
            ):  # It stays in `_ended`, and is recorded before the next job.
                self._record_end()
