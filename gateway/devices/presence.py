"""How one device is: told to Health, logged once when lost and once when back. Edge of the log."""

from collections.abc import Callable

from central.contract.envelope import DeviceProblem
from drivers.errors import DeviceSilent, DriverError
from gateway.health import DeviceHealth, DeviceStateName, Health
from gateway.logs import log_event

PAUSE_MIN_S = 0.2
PAUSE_MAX_S = 15.0


class Presence:
    """The state of one device and the pauses between attempts to open it. One thread uses it.

    jitter: returns a random number from 0 to 1.
    """

    def __init__(
        self, name: str, device_class: str, *, health: Health, jitter: Callable[[], float]
    ) -> None:
        self._name = name
        self._device_class = device_class
        self._health = health
        self._jitter = jitter
        self._attempts_count = 0
        self._missed = False
        self._tell("opening")

    def ready(self) -> None:
        """The device is there and works; the next loss begins with the shortest pause."""
        self._attempts_count = 0
        if self._missed:
            self._missed = False
            log_event("info", "device back", device=self._name)
        self._tell("ready")

    def lost(self, error: DriverError) -> float:
        """The device is gone and will be tried again; return the seconds to wait before."""
        self._miss("warning", "device lost", detail=str(error), hint=error.hint)
        problem: DeviceProblem = "silent" if isinstance(error, DeviceSilent) else "lost"
        self._tell("offline", problem, detail=str(error))
        # The exponent is bounded because a float overflows after 1024 doublings.
        pause_s = min(PAUSE_MIN_S * 2.0 ** min(self._attempts_count, 10), PAUSE_MAX_S)
        self._attempts_count += 1
        return pause_s * (0.75 + 0.25 * self._jitter())

    def stopped(self, problem: DeviceProblem, *, detail: str, hint: str) -> None:
        """The device is there, but a person must help before it goes on."""
        self._miss("warning", "device needs help", detail=detail, hint=hint)
        self._tell("fault", problem, detail=detail)

    def unusable(self, error: DriverError) -> None:
        """The device can never work with these settings; nothing is tried until a restart."""
        self._miss("error", "device unusable", detail=str(error), hint=error.hint)
        self._tell("fault", "settings", detail=str(error))

    def failed(self, error: Exception) -> float:
        """Its driver made a mistake; return the seconds to wait, the longest pause."""
        self._missed = True
        self._health.count("device_crashes_total")
        self._tell("offline", "crashed", detail=f"{type(error).__name__} in the driver")
        return PAUSE_MAX_S

    def _miss(self, level: str, text: str, *, detail: str, hint: str) -> None:
        if self._missed:
            return
        self._missed = True
        name = self._name
        log_event(
            "error" if level == "error" else "warning", text, device=name, detail=detail, hint=hint
        )

    def _tell(
        self, state: DeviceStateName, problem: DeviceProblem = "", *, detail: str = ""
    ) -> None:
        self._health.set_device(
            DeviceHealth(self._name, self._device_class, state, problem=problem, detail=detail)
        )
