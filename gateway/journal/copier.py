"""Keeps the copy on the second medium: what is new each second, whatever becomes of it. Loop.

    medium there --> open --> catch up in runs --> each second what is new
         ^                          | any error of the medium
         '---- a person is told; tried again after RETRY_S

The medium may be pulled at any time; the journal never waits for it. A copy that has another
history than the journal is put aside, never overwritten.
"""

import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread

from gateway.clock import Clock
from gateway.errors import JournalDamaged, JournalError, JournalNotOurs
from gateway.health import Health, InstallationProblem, InstallationTrouble
from gateway.journal.copy_file import Changes, CopyFile, put_aside
from gateway.journal.copy_source import CopySource
from gateway.journal.disk import medium_of
from gateway.journal.journal import Journal
from gateway.journal.transactions import journal_error
from gateway.logs import log_crash, log_event

COPY_INTERVAL_S = 1.0
CATCH_UP_PAUSE_S = 0.005  # So that a long catch-up leaves the journal to those who scan.
RETRY_S = 5.0
SLOW_INTERVAL_NS = 10_000_000_000
RUNS_PER_STEP_MAX = 20
STOP_S_MAX = 5.0
HINTS: dict[InstallationProblem, str] = {
    "copy_missing": "Plug in the second medium or mount it at [journal] copy_directory.",
    "copy_same_medium": "Mount the second medium at [journal] copy_directory.",
    "copy_foreign": "Plug in this gateway's own medium, or move the copies on it away.",
    "copy_failing": "Replace the second medium, or make space on it.",
}


class JournalCopier:
    """Copies one journal into a folder. `step` may be called instead of `start`, by one thread.

    medium: tells media apart; the copy must not lie on the journal's own.
    """

    def __init__(
        self,
        journal: Journal,
        journal_path: Path,
        folder: Path,
        *,
        clock: Clock,
        health: Health,
        medium: Callable[[Path], int] = medium_of,
    ) -> None:
        self._journal = journal
        self._journal_path = journal_path
        self._folder = folder
        self._clock = clock
        self._health = health
        self._medium = medium
        self._source = CopySource(journal)
        self._file: CopyFile | None = None
        self._file_medium = 0
        self._slow_due_ns = 0
        self._problem: InstallationProblem | None = None
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="journal-copy", daemon=True)

    def start(self) -> None:
        """Begin to copy in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Copy what is new and end; a medium that hangs is left alone after STOP_S_MAX."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(STOP_S_MAX)

    def step(self) -> bool:
        """Copy what is new; return True if more waits and the medium takes it."""
        try:
            file = self._usable_file()
            if file is None:
                return False
            return self._copy(file)
        except sqlite3.Error as error:
            if isinstance(journal_error(error), JournalDamaged):
                self._put_aside(str(error))
            else:
                self._give_up("copy_failing", str(error))
        except OSError as error:
            self._give_up("copy_failing", str(error))
        except JournalError:
            return False  # The journal itself: whoever appends hears of it. The copy is untouched.
        return False

    def _run(self) -> None:
        while not self._stopping.is_set():
            pause_s = RETRY_S
            try:
                if self.step():
                    pause_s = CATCH_UP_PAUSE_S
                elif self._problem is None:
                    pause_s = COPY_INTERVAL_S
            except Exception:  # noqa: BLE001 - the top of a loop that must outlive its own mistakes
                log_crash("copying the journal failed, going on")
            self._stopping.wait(pause_s)
        with suppress(JournalError):  # The journal may be closed by then.
            self.step()
        self._close()

    def _usable_file(self) -> CopyFile | None:
        """Return the open copy, opened if need be; None, with people told, if it cannot be."""
        try:
            medium = self._medium(self._folder)
        except OSError as error:
            self._give_up("copy_missing", str(error))
            return None
        if self._file is not None and medium == self._file_medium:
            return self._file
        self._close()
        if medium == self._medium(self._journal_path.parent):
            # What is left of a mount point when its medium is pulled is a folder of the card.
            self._give_up("copy_same_medium", "the folder is on the journal's own medium")
            return None
        file = self._opened()
        if file is None:
            return None
        self._file, self._file_medium, self._slow_due_ns = file, medium, 0
        newest = file.newest()
        if not self._source.begin(newest):
            self._put_aside(f"it has another history at fact {newest.number}")
            return None
        return file

    def _opened(self) -> CopyFile | None:
        try:
            return CopyFile.open(
                self._folder, gateway=self._journal.gateway, warehouse=self._journal.warehouse
            )
        except JournalDamaged as error:
            self._put_aside(str(error))
        except JournalNotOurs as error:
            self._give_up("copy_foreign", str(error))
        return None

    def _copy(self, file: CopyFile) -> bool:
        now_ns = self._clock.monotonic_ns()
        slow_too = now_ns >= self._slow_due_ns
        if slow_too:
            self._forget(file)
            self._slow_due_ns = now_ns + SLOW_INTERVAL_NS
        tables = self._source.tables(slow_too=slow_too)
        left_count = 0
        for _ in range(RUNS_PER_STEP_MAX):
            newest = file.newest().number
            facts, left_count = self._source.facts(newest)
            if facts and facts[0][0] != newest + 1:
                self._forget(file)
                continue
            changes = Changes(facts=facts, tables=tables)
            if changes.is_empty:
                break
            file.write(changes, now_ms=self._clock.now_ms())
            tables = []
            left_count -= len(facts)
        self._health.set_copy_lag(left_count)
        self._set_problem(None, "")
        return left_count > 0

    def _forget(self, file: CopyFile) -> None:
        while (
            changes := self._source.forgotten(newest_record=file.newest_record())
        ) is not None and not changes.is_empty:
            file.write(changes, now_ms=self._clock.now_ms())

    def _put_aside(self, detail: str) -> None:
        self._close()
        try:
            aside = put_aside(self._folder)
        except OSError as error:
            self._give_up("copy_failing", str(error))
            return
        if aside is None:
            self._give_up("copy_failing", detail)
            return
        log_event(
            "warning",
            "a copy that does not fit this journal is kept aside, a new one begins",
            reason=detail,
            kept=str(aside),
        )

    def _give_up(self, problem: InstallationProblem, detail: str) -> None:
        self._close()
        self._set_problem(problem, detail)

    def _set_problem(self, problem: InstallationProblem | None, detail: str) -> None:
        before, self._problem = self._problem, problem
        if problem == before:
            return
        subject = str(self._folder)
        if before is not None:
            self._health.clear_trouble(before, subject)
        if problem is None:
            log_event("info", "the journal is copied again", folder=subject)
            return
        trouble = InstallationTrouble(problem, subject, detail, self._clock.now_ms())
        self._health.set_trouble(trouble)
        log_event(
            "warning",
            "the journal is not copied",
            problem=problem,
            folder=subject,
            detail=detail,
            hint=HINTS[problem],
        )

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            with suppress(sqlite3.Error):  # Its medium may be gone.
                file.close()
