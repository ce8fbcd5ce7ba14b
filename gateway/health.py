"""How the gateway's parts are right now, written by their threads, read by others. Pure."""

from dataclasses import dataclass
from threading import Lock
from typing import Literal

from central.contract.envelope import DeviceProblem

DeviceStateName = Literal["opening", "ready", "offline", "fault"]
# Why the broker does not carry our messages.
ConnectionProblem = Literal[
    "",
    "unreachable",
    "login_refused",
    "protocol_refused",
    "code_taken",  # Another machine connects with this gateway's code.
    "reading_refused",
    "writing_refused",
]


@dataclass(frozen=True, slots=True)
class DeviceHealth:
    """One device.

    problem: what people are told of, "" when ready and while it is opened the first time.
    detail: the same in the words of its driver, English; for central's API, not for pages.
    """

    name: str
    device_class: str
    state: DeviceStateName
    problem: DeviceProblem = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class LinkHealth:
    """The way to central.

    connected: the broker holds our connection.
    detail: why it does not, English, as the log has it.
    problem: why facts do not get through ("" if nothing is known): a LinkProblem of
        `central.contract.envelope`, or what a newer ledger says.
    acked_ms: wall time of the last acknowledgement, 0 if none.
    connection: why the broker does not carry our messages, "" if it does or is not tried yet.
    """

    connected: bool = False
    detail: str = "not connected yet"
    problem: str = ""
    acked_ms: int = 0
    connection: ConnectionProblem = ""


class Health:
    """A board of the latest state of every part. Any thread may call anything."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._devices: dict[str, DeviceHealth] = {}
        self._link = LinkHealth()
        self._journal_problem = ""
        self._counters: dict[str, int] = {}

    def set_device(self, device: DeviceHealth) -> bool:
        """Replace the state of a device; return True if it differs from the one before."""
        with self._lock:
            changed = self._devices.get(device.name) != device
            self._devices[device.name] = device
            return changed

    def devices(self) -> tuple[DeviceHealth, ...]:
        """Return all devices, sorted by name."""
        with self._lock:
            return tuple(self._devices[name] for name in sorted(self._devices))

    def set_link(self, link: LinkHealth) -> bool:
        """Replace the state of the link; return True if it differs from the one before."""
        with self._lock:
            changed = self._link != link
            self._link = link
            return changed

    def link(self) -> LinkHealth:
        """Return the state of the link."""
        with self._lock:
            return self._link

    def set_journal_problem(self, hint: str) -> None:
        """State why nothing can be recorded, as the sentence for a person; "" when all is well."""
        with self._lock:
            self._journal_problem = hint

    def journal_problem(self) -> str:
        """Return why nothing can be recorded, "" when all is well."""
        with self._lock:
            return self._journal_problem

    def count(self, name: str, by: int = 1) -> None:
        """Add to a counter; names follow Prometheus, e.g. "observations_total"."""
        with self._lock:
            self._counters[name] = self._counters.get(name, 0) + by

    def counters(self) -> dict[str, int]:
        """Return all counters."""
        with self._lock:
            return dict(self._counters)
