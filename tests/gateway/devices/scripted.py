"""Devices that do what a test tells them, and a way to wait for what follows. Edge of threads."""

import queue
from collections.abc import Collection, Sequence

import msgspec

from drivers.api import CommandName, CommandResult, DeviceCommand, Driver
from drivers.labels import Label
from drivers.readings import PrinterStatus, PrintResult, Reading

READY = PrinterStatus(("ready",))


class NoSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """None."""


class ScriptedReader:
    """A scanner or scale: `say` makes it speak, `fail` makes the next read or opening raise.

    executed: the commands that it got; `answers` are its next results, then all are done.
    """

    def __init__(
        self, device_class: str = "scanner", *, commands: Collection[CommandName] = ()
    ) -> None:
        self.driver = Driver(
            name="scripted",
            device_class=device_class,  # type: ignore[arg-type]
            summary="A device of a test.",
            settings_type=NoSettings,
            open_device=self._open,
            commands=frozenset(commands),
        )
        self.executed: list[DeviceCommand] = []
        self.answers: list[CommandResult | Exception] = []
        self.opens_count = 0
        self.reads_count = 0
        self.read_timeout_s = 0.0
        self.closes_count = 0
        self.open_errors: list[Exception] = []
        self._said: queue.Queue[Sequence[Reading] | Exception] = queue.Queue()

    def say(self, *readings: Reading) -> None:
        self._said.put(readings)

    def fail(self, error: Exception) -> None:
        self._said.put(error)

    def read(self, timeout_s: float) -> Sequence[Reading]:
        self.reads_count += 1
        self.read_timeout_s = timeout_s
        try:
            said = self._said.get(timeout=min(timeout_s, 0.02))
        except queue.Empty:
            return ()
        if isinstance(said, Exception):
            raise said
        return said

    def execute(self, command: DeviceCommand) -> CommandResult:
        self.executed.append(command)
        answer = self.answers.pop(0) if self.answers else CommandResult("done")
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None:
        self.closes_count += 1

    def _open(self, _settings: object) -> "ScriptedReader":
        self.opens_count += 1
        if self.open_errors:
            raise self.open_errors.pop(0)
        return self


class ScriptedPrinter:
    """A label printer: `results` are what becomes of the next jobs, then they are printed."""

    def __init__(self) -> None:
        self.driver = Driver(
            name="scripted-printer",
            device_class="label_printer",
            summary="A printer of a test.",
            settings_type=NoSettings,
            open_device=self._open,
        )
        self.now = READY
        self.results: list[PrintResult | Exception] = []
        self.printed: list[int] = []
        self.open_errors: list[Exception] = []

    def status(self) -> PrinterStatus:
        return self.now

    def print_label(self, label: Label, copies_count: int) -> PrintResult:
        self.printed.append(copies_count)
        result = self.results.pop(0) if self.results else PrintResult("printed", "done")
        if isinstance(result, Exception):
            raise result
        return result

    def close(self) -> None:
        pass

    def _open(self, _settings: object) -> "ScriptedPrinter":
        if self.open_errors:
            raise self.open_errors.pop(0)
        return self
