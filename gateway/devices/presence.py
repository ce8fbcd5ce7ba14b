"""How one device is: told to Health, logged once when lost and once when back. Edge of the log."""

import errno
from collections.abc import Callable, Sequence
from typing import get_args

from central.contract.states import DeviceProblem
from drivers.api import Driver
from drivers.errors import DeviceSilent, DriverError
from drivers.readings import DeviceFault, FaultCode, PrinterStatus, Reading
from gateway.clock import Clock
from gateway.devices.frames import Frames
from gateway.devices.lifecycle import CRASH_PAUSE_S, Backoff, Lifecycle, LifecycleEvent, jittered
from gateway.devices.symptoms import Symptoms
from gateway.health import DeviceHealth, Health
from gateway.logs import log_event

CAUSES_MAX = 10  # An error's chain of causes is followed so far.
NOT_PERMITTED = frozenset({errno.EACCES, errno.EPERM})
IN_USE = frozenset({errno.EBUSY, errno.EAGAIN, errno.EADDRINUSE})
FAULT_CODES: frozenset[str] = frozenset(get_args(FaultCode))


class Presence:
    """One device's state, pauses, symptoms and last frames.

    It outlives the threads that serve the device; one of them at a time drives it. `lifecycle` and
    `frames` may be read by any thread. locked: an administrator wants it closed; set before the
    thread is asked to end.
    """

    def __init__(
        self,
        name: str,
        driver: Driver,
        *,
        clock: Clock,
        health: Health,
        jitter: Callable[[], float],
    ) -> None:
        """jitter: returns a random number from 0 to 1."""
        self.name = name
        self.lifecycle = Lifecycle()
        self.frames = Frames()
        self._driver = driver
        self._clock = clock
        self._health = health
        self._jitter = jitter
        self._backoff = Backoff()
        self._symptoms = Symptoms()
        self._opens_count = 0
        self._missed = False
        self._retired = False
        self.locked = False
        self._tell("")

    def starting(self, driver: Driver) -> None:
        """The gateway begins to open it with this driver, as if for the first time."""
        self._driver = driver
        self._backoff, self._symptoms = Backoff(), Symptoms()
        self._opens_count = 0
        self._missed = False
        if self.lifecycle.state != "configured":
            self._take("closed")
        self._take("starting")

    def opened(self) -> None:
        """Its line is open. Whether it works is told by `ready`."""
        again = self._opens_count > 0
        self._opens_count += 1
        self._symptoms.opened()
        if again:
            self._health.count_device(self.name, "reopens")

    def said(self, readings: Sequence[Reading], *, time_ms: int, monotonic_ns: int) -> None:
        """It said something."""
        self._health.note_reading(self.name, monotonic_ns, len(readings))
        self._symptoms.note(readings, monotonic_ns)
        self.frames.keep(readings, time_ms=time_ms)
        for reading in readings:
            if isinstance(reading, DeviceFault):
                kind = reading.code if reading.code in FAULT_CODES else "other"
                self._health.count_device(self.name, "faults", kind)

    def status(self, status: PrinterStatus) -> None:
        """A printer said how it is."""
        self._symptoms.note_status(status)
        self.frames.keep_status(status, time_ms=self._clock.now_ms())

    def ready(self) -> None:
        """It is there and works, as far as its symptoms let it."""
        now_ns = self._clock.monotonic_ns()
        self._backoff.serving(now_ns)
        problem = self._symptoms.worst(now_ns)
        if problem == "wrong_driver":
            hint = "Check the device's driver and the speed of its line."
            self.stopped(problem, detail="nothing that it sent could be read", hint=hint)
            return
        if self.lifecycle.state not in {"ready", "degraded"}:
            self._take("opened")
        if self._missed:
            self._missed = False
            log_event("info", "device back", device=self.name)
        if problem:
            if self._take("doubted", problem):
                log_event("warning", "device degraded", device=self.name, problem=problem)
        elif self.lifecycle.state == "degraded":
            self._take("recovered")
            log_event("info", "device recovered", device=self.name)

    def lost(self, error: DriverError) -> float:
        """It is gone and will be tried again; return the seconds to wait before."""
        self._miss("warning", "device lost", detail=str(error), hint=error.hint)
        now_ns = self._clock.monotonic_ns()
        if self.lifecycle.state in {"ready", "degraded"}:
            self._symptoms.lost(now_ns)
        self._take("lost", problem_of(error), detail=str(error))
        return self._backoff.lost(now_ns, jitter=self._jitter())

    def hurry(self) -> None:
        """Something says that it is back: after the next failure try again soon."""
        self._backoff.hurry()

    def stopped(self, problem: DeviceProblem, *, detail: str, hint: str) -> None:
        """It is there, but a person must help before it goes on."""
        self._backoff.serving(self._clock.monotonic_ns())
        self._miss("warning", "device needs help", detail=detail, hint=hint)
        self._take("stopped", problem, detail=detail)

    def unusable(self, error: DriverError) -> None:
        """It can never work with these settings; nothing is tried until they change."""
        self._miss("error", "device unusable", detail=str(error), hint=error.hint)
        self._take("stopped", "settings", detail=str(error))

    def failed(self, error: Exception) -> float:
        """Its driver made a mistake; return the seconds to wait."""
        self._missed = True
        self._backoff.failed()
        self._health.count("device_crashes_total")
        self._take("lost", "crashed", detail=f"{type(error).__name__} in the driver")
        return jittered(CRASH_PAUSE_S, self._jitter())

    def closed(self) -> None:
        """Its line is given back: it is locked, gets another driver, or the gateway ends."""
        self._take("closed", "locked" if self.locked else "")

    def retire(self) -> None:
        """It is not configured any more: tell nothing of it from now on."""
        self._retired = True

    def _miss(self, level: str, text: str, *, detail: str, hint: str) -> None:
        if self._missed:
            return
        self._missed = True
        name = self.name
        log_event(
            "error" if level == "error" else "warning", text, device=name, detail=detail, hint=hint
        )

    def _take(
        self, event: LifecycleEvent, problem: DeviceProblem = "", *, detail: str = ""
    ) -> bool:
        changed = self.lifecycle.take(
            event, time_ms=self._clock.now_ms(), problem=problem, detail=detail
        )
        self._tell(detail)
        return changed

    def _tell(self, detail: str) -> None:
        if self._retired:
            return
        lifecycle = self.lifecycle
        self._health.set_device(
            DeviceHealth(
                self.name,
                self._driver.device_class,
                lifecycle.state,
                problem=lifecycle.problem,
                detail=detail,
                since_ms=lifecycle.since_ms,
                locked=lifecycle.problem == "locked",
                commands=tuple(sorted(self._driver.commands)),
            )
        )


def problem_of(error: DriverError) -> DeviceProblem:
    """Return what people are told of a device that cannot be opened or was lost."""
    if isinstance(error, DeviceSilent):
        return "silent"
    cause: BaseException | None = error
    for _ in range(CAUSES_MAX):
        if cause is None:
            break
        if isinstance(cause, OSError):
            if cause.errno in NOT_PERMITTED:
                return "no_permission"
            if cause.errno in IN_USE:
                return "in_use"
        cause = cause.__cause__
    return "lost"
