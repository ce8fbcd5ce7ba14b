"""How the gateway's parts are right now, written by their threads, read by others. Pure."""

from dataclasses import dataclass, replace
from threading import Lock
from typing import Literal

from central.contract.states import DeviceProblem

# Drawn in `gateway/devices/lifecycle.py`.
DeviceStateName = Literal[
    "discovered", "unclaimed", "configured", "opening", "ready", "degraded", "offline", "fault"
]
# What is wrong with the installation and with no device that has a name; `subject` says with what.
InstallationProblem = Literal[
    "unclaimed",  # A device is plugged in that nobody has claimed.
    "no_driver",  # A device is plugged in that no driver knows.
    "two_alike",  # Two devices cannot be told apart.
    "claims_damaged",  # The file of the claims cannot be read.
    "template_broken",  # A label template cannot be used.
    "setting_refused",  # Central sent a setting that cannot be used here.
    "port_refused",  # A device is on a port where the configuration allows no probing.
    "disk_low",
    "disk_shedding",  # Passages of tags are not recorded any more.
    "disk_full",  # No new work is recorded.
    "journal_repaired",  # From its facts, at the start; the damaged file is kept.
    "journal_damaged",  # Facts on the card are not what they were.
    "copy_missing",  # The second medium is not there.
    "copy_same_medium",
    "copy_foreign",  # The second medium holds the copy of another gateway.
    "copy_failing",
    "backup_missing",  # A place has no backup of the last day.
    "update_failed",  # A release was given up; the one before runs.
    "update_refused",  # A release that is offered is not what was signed, or does not fit.
    "not_enrolled",  # Nobody has given this gateway a claim yet, or central is not reached.
    "claim_refused",  # Central does not take the claim.
    "certificate_ends",  # It cannot be renewed; soon the broker refuses us.
]
# How full the journal's disk is: drawn in `gateway/journal/storage_levels.py`.
StorageLevel = Literal["ok", "low", "shedding", "full"]
DeviceCounter = Literal["readings", "faults", "reopens", "commands", "print_jobs"]
# Why no stock of central is loaded.
KnowledgeProblem = Literal[
    "",
    "no_url",  # The configuration does not say where central is.
    "refused",  # Central does not know this gateway, or its key.
    "unreachable",  # No answer, or the connection broke too often.
    "busy",  # Central serves others first.
    "not_trusted",  # Its certificate or its seal is not that of the central we know.
    "damaged",  # What came is not what was promised, or cannot be read.
    "disk",  # It cannot be kept or applied here.
]
# Why the broker does not carry our messages.
ConnectionProblem = Literal[
    "",
    "unreachable",
    "login_refused",
    "protocol_refused",
    "code_taken",  # Another machine connects with this gateway's code.
    "reading_refused",
    "writing_refused",
    "not_enrolled",  # There is no certificate yet by which the broker could know us.
    "central_silent",  # The broker is there; nobody takes facts from it.
]

TROUBLES_MAX = 64
# 64 devices with some 20 kinds each; a driver that invents kinds cannot fill the memory.
DEVICE_COUNTS_MAX = 2048


@dataclass(frozen=True, slots=True)
class DeviceHealth:
    """One device.

    problem: what people are told of, "" when ready and while it is opened the first time.
    detail: the same in the words of its driver, English; for central's API, not for pages.
    since_ms: wall time since when state and problem are so, 0 if not known.
    locked: an administrator keeps it closed. commands: what its driver lets people tell it.
    """

    name: str
    device_class: str
    state: DeviceStateName
    problem: DeviceProblem = ""
    detail: str = ""
    since_ms: int = 0
    locked: bool = False
    commands: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InstallationTrouble:
    """Something that a person must mend and that is no device's state.

    subject: what it is about, as people know it: a port, a template's name. detail: English.
    """

    problem: InstallationProblem
    subject: str
    detail: str = ""
    since_ms: int = 0


@dataclass(frozen=True, slots=True, order=True)
class DeviceCount:
    """How often something happened at a device. kind: which of its kinds, "" if it has none."""

    device: str
    name: DeviceCounter
    kind: str
    count: int


@dataclass(frozen=True, slots=True)
class LinkHealth:
    """The way to central.

    connected: the broker holds our connection.
    detail: why it does not, English, as the log has it.
    problem: why facts do not get through ("" if nothing is known): a LinkProblem of
        `central.contract.envelope`, or what a newer ledger says.
    acked_ms: wall time of the last acknowledgement, 0 if none.
    connection: why the broker does not carry our messages, "" if it does or is not tried yet.
    central_software: the lowest version among central's workers, "" if nobody knows.
    """

    connected: bool = False
    detail: str = "not connected yet"
    problem: str = ""
    acked_ms: int = 0
    connection: ConnectionProblem = ""
    central_software: str = ""


@dataclass(frozen=True, slots=True)
class StorageHealth:
    """The disk of the journal.

    disk_used_percent: of disk or quota, whichever is fuller. written_bytes_day: what this program
    wrote in the last 24 hours that it ran. copy_lag_count: facts that the copy on the second medium
    has not yet, None without such a copy.
    """

    level: StorageLevel = "ok"
    disk_used_percent: int = 0
    written_bytes_day: int = 0
    copy_lag_count: int | None = None

    @property
    def sheds_passages(self) -> bool:
        """Return True if passages of tags are not to be recorded."""
        return self.level in ("shedding", "full")


@dataclass(frozen=True, slots=True)
class KnowledgeHealth:
    """What the gateway knows from central.

    stream: of central's notices, "" as long as it knows nothing. notice: the last one applied.
    is_live: central is heard, so that it is of this moment. as_of_ms: wall time when it last was,
    0 if never. problem: why what is wanted from central is not there, "" if nothing is.
    """

    stream: str = ""
    notice: int = 0
    stock_revision: int = 0
    reference_revision: int = 0
    is_live: bool = False
    as_of_ms: int = 0
    problem: KnowledgeProblem = ""


class Health:
    """A board of the latest state of every part. Any thread may call anything."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._devices: dict[str, DeviceHealth] = {}
        self._link = LinkHealth()
        self._journal_problem = ""
        self._storage = StorageHealth()
        self._knowledge = KnowledgeHealth()
        self._counters: dict[str, int] = {}
        self._troubles: dict[tuple[InstallationProblem, str], InstallationTrouble] = {}
        self._device_counts: dict[tuple[str, DeviceCounter, str], int] = {}
        self._last_reading_ns: dict[str, int] = {}

    def set_device(self, device: DeviceHealth) -> bool:
        """Replace the state of a device; return True if it differs from the one before."""
        with self._lock:
            changed = self._devices.get(device.name) != device
            self._devices[device.name] = device
            return changed

    def remove_device(self, name: str) -> None:
        """Forget a device and its counts; it is not configured any more."""
        with self._lock:
            self._devices.pop(name, None)
            self._last_reading_ns.pop(name, None)
            for key in [key for key in self._device_counts if key[0] == name]:
                del self._device_counts[key]

    def devices(self) -> tuple[DeviceHealth, ...]:
        """Return all devices, sorted by name."""
        with self._lock:
            return tuple(self._devices[name] for name in sorted(self._devices))

    def set_trouble(self, trouble: InstallationTrouble) -> None:
        """State a trouble; one that is known (same problem and subject) keeps its `since_ms`."""
        key = (trouble.problem, trouble.subject)
        with self._lock:
            before = self._troubles.get(key)
            if before is not None:
                trouble = replace(trouble, since_ms=before.since_ms)
            elif len(self._troubles) >= TROUBLES_MAX:
                return
            self._troubles[key] = trouble

    def clear_trouble(self, problem: InstallationProblem, subject: str) -> None:
        """State that a trouble is mended; one that is not known is none."""
        with self._lock:
            self._troubles.pop((problem, subject), None)

    def troubles(self) -> tuple[InstallationTrouble, ...]:
        """Return all troubles of the installation, sorted by problem and subject."""
        with self._lock:
            return tuple(self._troubles[key] for key in sorted(self._troubles))

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

    def set_storage(self, storage: StorageHealth) -> None:
        """Replace what is known of the disk; how far the copy is stays as it was."""
        with self._lock:
            self._storage = replace(storage, copy_lag_count=self._storage.copy_lag_count)

    def set_copy_lag(self, count: int | None) -> None:
        """State how many facts the copy on the second medium has not yet, None if there is none."""
        with self._lock:
            self._storage = replace(self._storage, copy_lag_count=count)

    def storage(self) -> StorageHealth:
        """Return what is known of the disk."""
        with self._lock:
            return self._storage

    def set_knowledge(self, knowledge: KnowledgeHealth) -> None:
        """Replace what the gateway knows from central."""
        with self._lock:
            self._knowledge = knowledge

    def knowledge(self) -> KnowledgeHealth:
        """Return what the gateway knows from central."""
        with self._lock:
            return self._knowledge

    def count(self, name: str, by: int = 1) -> None:
        """Add to a counter; names follow Prometheus, e.g. "observations_total"."""
        with self._lock:
            self._counters[name] = self._counters.get(name, 0) + by

    def counters(self) -> dict[str, int]:
        """Return all counters."""
        with self._lock:
            return dict(self._counters)

    def count_device(self, device: str, name: DeviceCounter, kind: str = "", by: int = 1) -> None:
        """Add to a counter of one device; of one that was removed nothing is counted any more."""
        key = (device, name, kind)
        with self._lock:
            if device not in self._devices:
                return
            if key in self._device_counts or len(self._device_counts) < DEVICE_COUNTS_MAX:
                self._device_counts[key] = self._device_counts.get(key, 0) + by

    def device_counts(self) -> tuple[DeviceCount, ...]:
        """Return the counters of all devices, sorted."""
        with self._lock:
            counts = [DeviceCount(*key, count) for key, count in self._device_counts.items()]
        return tuple(sorted(counts))

    def note_reading(self, device: str, monotonic_ns: int, count: int) -> None:
        """State that a device has just said `count` readings."""
        self.count_device(device, "readings", by=count)
        with self._lock:
            if device in self._devices:
                self._last_reading_ns[device] = monotonic_ns

    def last_readings_ns(self) -> dict[str, int]:
        """Return when each device last said something, by the monotonic clock."""
        with self._lock:
            return dict(self._last_reading_ns)
