"""Runs tests in several processes that share one collection. Edge of the operating system.

`pytest -p tests.side_by_side --workers 4`: tests are collected once, then each worker is a fork of
this process. A worker runs file after file and asks for the next one before the last test of the
one at hand, so that what lives longer than a test is kept for as long as there are tests.
"""

import atexit
import gc
import multiprocessing
import os
import signal
import sys
import traceback
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import groupby
from multiprocessing.connection import Connection, wait
from types import SimpleNamespace

import pytest
from _pytest.capture import CaptureManager
from _pytest.config import create_terminal_writer


def pytest_addoption(parser: pytest.Parser) -> None:
    """Say how many processes to run."""
    parser.addoption("--workers", type=int, default=0, help="run files side by side in N processes")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Run what was collected in workers; None leaves it to pytest."""
    options = session.config.option
    if not options.workers or options.collectonly or session.testsfailed or not session.items:
        return None
    _Crew(session).run(options.workers)
    return True


@dataclass(eq=False, slots=True)
class _Worker:
    """pid: the process. given: tests that it was told to run, those that it has ended left out."""

    pid: int
    end: Connection
    given: deque[int] = field(default_factory=deque)


class _Crew:
    """The workers of a session, and the files that none of them was given yet."""

    def __init__(self, session: pytest.Session) -> None:
        self._session = session
        self._config = session.config
        paths = [item.nodeid.partition("::")[0] for item in session.items]
        groups = groupby(range(len(paths)), key=paths.__getitem__)
        self._files = deque([list(numbers) for _, numbers in groups])
        self._workers: dict[Connection, _Worker] = {}
        self._stopping = False

    def run(self, count: int) -> None:
        """Return when all tests were run. Raises Failed if pytest was told to stop (-x)."""
        # Each takes folders of its own out of this one, which is removed by who made it.
        self._config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]
        gc.collect()
        gc.freeze()
        try:
            for _ in range(min(count, len(self._files))):
                self._start()
            while self._workers:
                for end in wait(list(self._workers)):
                    assert isinstance(end, Connection)
                    self._hear(self._workers[end])
        finally:
            for worker in list(self._workers.values()):
                self._forget(worker)
        if self._session.shouldfail:
            raise self._session.Failed(self._session.shouldfail)

    def _start(self) -> None:
        ours, theirs = multiprocessing.Pipe()
        pid = os.fork()
        if not pid:
            with suppress(OSError):
                for end in [*self._workers, ours]:
                    end.close()
            _work(self._session, theirs)
        theirs.close()
        self._workers[ours] = _Worker(pid, ours)

    def _hear(self, worker: _Worker) -> None:
        reports: list[object] | None = None
        has_ended = False
        try:
            reports = worker.end.recv()
        except (EOFError, ConnectionError):
            has_ended = True
        if has_ended:
            self._lost(worker)
            return
        if reports is None:
            numbers = self._files.popleft() if self._files else []
            worker.given.extend(numbers)
            with suppress(ConnectionError):
                worker.end.send(numbers)
            return
        hook = self._config.hook
        item = self._session.items[worker.given.popleft()]
        for data in reports:
            report = hook.pytest_report_from_serializable(config=self._config, data=data)
            hook.pytest_runtest_logreport(report=report)
        hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        if self._session.shouldfail and not self._stopping:
            self._stopping = True
            self._files.clear()
            for one in self._workers.values():
                with suppress(ProcessLookupError):
                    os.kill(one.pid, signal.SIGINT)

    def _lost(self, worker: _Worker) -> None:
        """A worker has ended. With tests left it has died: that is a fault of the one it was at."""
        status = self._forget(worker)
        if self._session.shouldfail or not (worker.given or status):
            return
        said = f"a worker ended with status {os.waitstatus_to_exitcode(status)}"
        assert worker.given, f"{said} after its last test"
        item = self._session.items[worker.given.popleft()]
        report = pytest.TestReport(
            nodeid=item.nodeid,
            location=item.location,
            keywords={},
            outcome="failed",
            longrepr=f"{said} during {item.nodeid}",
            when="call",
        )
        self._config.hook.pytest_runtest_logreport(report=report)
        if worker.given:
            self._files.appendleft(list(worker.given))
        if self._files:
            self._start()

    def _forget(self, worker: _Worker) -> int:
        del self._workers[worker.end]
        worker.end.close()
        return os.waitpid(worker.pid, 0)[1]


class _Teller:
    """Gathers the reports of each test of this worker, and tells them when it has ended."""

    def __init__(self, config: pytest.Config, end: Connection) -> None:
        self._config = config
        self._end = end
        self._reports: list[object] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        data = self._config.hook.pytest_report_to_serializable(config=self._config, report=report)
        self._reports.append(data)

    def pytest_runtest_logfinish(self) -> None:
        self._end.send(self._reports)
        self._reports = []


def _work(session: pytest.Session, end: Connection) -> None:
    """Run what the other process says until it says nothing more; the process ends here."""
    status = 1
    try:
        capturing = _speak_for_itself(session.config)
        session.config.pluginmanager.register(_Teller(session.config, end))
        with suppress(KeyboardInterrupt, EOFError, ConnectionError):  # Then nobody waits for more.
            _run(session, end)
            status = 0
        if status:
            session._setupstate.teardown_exact(None)
        capturing.stop_global_capturing()
        atexit._run_exitfuncs()
    finally:
        if sys.exc_info()[0] is not None:
            traceback.print_exc(file=sys.__stderr__)
        os._exit(status)


def _speak_for_itself(config: pytest.Config) -> CaptureManager:
    """Show nothing to people, and take what tests print into files that no other process has."""
    plugins = config.pluginmanager
    capturing = plugins.get_plugin("capturemanager")
    assert isinstance(capturing, CaptureManager)
    capturing.stop_global_capturing()
    capturing.start_global_capturing()
    plugins.unregister(name="terminalreporter")
    # The stacks of a test that takes too long are written with it: they are printed by the test.
    writer = create_terminal_writer(config, sys.stdout)
    plugins.register(SimpleNamespace(_tw=writer), "terminalreporter")
    return capturing


def _run(session: pytest.Session, end: Connection) -> None:
    tests = _told(session, end)
    item = next(tests, None)
    while item is not None:
        following = next(tests, None)
        session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        item = following


def _told(session: pytest.Session, end: Connection) -> Iterator[pytest.Item]:
    while True:
        end.send(None)
        numbers = end.recv()
        if not numbers:
            return
        for number in numbers:
            yield session.items[number]
