"""The gateway's health in the Prometheus text format. Pure.

Names and units follow https://prometheus.io/docs/practices/naming/; a state is one series per
possible state, 1 for the one it is in, so that a sum over time is the time spent in it.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import get_args

from gateway.health import DeviceCount, DeviceCounter, DeviceHealth, DeviceStateName, StorageHealth
from gateway.screen.page_state import PageSources

PREFIX = "dockledger_gateway_"
STATES: tuple[DeviceStateName, ...] = get_args(DeviceStateName)
# The label that tells the kinds of a counter apart, "" where there is one kind.
COUNTER_LABELS: dict[DeviceCounter, str] = {
    "readings": "",
    "faults": "code",
    "reopens": "",
    "commands": "outcome",
    "print_jobs": "outcome",
}

HELPS = {
    "unsent_facts": "Facts that are not acknowledged by the ledger yet.",
    "central_connected": "Whether the broker is connected.",
    "central_stock_known": "Whether central's stock is known here.",
    "central_stock_age_minutes": "How old what is known of central's stock is.",
    "journal_writable": "Whether scans can be recorded.",
    "journal_disk_used_percent": "How full the disk of the journal is.",
    "written_bytes_day": "What was written to the disk in a day.",
    "journal_copy_lag_facts": "Facts that the copy on the second medium does not have yet.",
    "device_ready": "Whether a device works.",
    "device_locked": "Whether somebody has locked a device.",
    "device_state": "1 for the state that a device is in.",
    "device_last_reading_age_seconds": "Since when a device has said nothing.",
    "device_readings_total": "Readings of a device.",
    "device_faults_total": "Faults of a device by code.",
    "device_reopens_total": "How often a device was opened again.",
    "device_commands_total": "Commands to a device by outcome.",
    "device_print_jobs_total": "Labels by outcome.",
}
COUNTED = "Count since the start of the process."


def metrics_text(
    sources: PageSources,
    counters: Mapping[str, int],
    *,
    storage: StorageHealth,
    device_counts: Sequence[DeviceCount],
    last_readings_ns: Mapping[str, int],
    now_ns: int,
) -> str:
    """Return gauges and counters; their names are in this folder's README."""
    age = sources.knowledge.age_minutes
    lines = [
        *_gauge("unsent_facts", [("", sources.unsent.count)]),
        *_gauge("central_connected", [("", int(sources.link.connected))]),
        *_gauge("central_stock_known", [("", int(sources.knowledge.is_known))]),
        *_gauge("central_stock_age_minutes", [("", age)] if age is not None else []),
        *_gauge("journal_writable", [("", int(not sources.journal_problem))]),
    ]
    lines += _storage(storage)
    lines += _devices(sources.devices)
    ages = [
        (_labels(device=name), f"{max(now_ns - spoke_ns, 0) / 1e9:.3f}")
        for name, spoke_ns in sorted(last_readings_ns.items())
    ]
    lines += _gauge("device_last_reading_age_seconds", ages)
    lines += _device_counters(device_counts)
    for name in sorted(counters):
        lines += [*_head(name, "counter"), f"{PREFIX}{name} {counters[name]}"]
    return "\n".join(lines) + "\n"


def _storage(storage: StorageHealth) -> Iterator[str]:
    yield from _gauge("journal_disk_used_percent", [("", storage.disk_used_percent)])
    yield from _gauge("written_bytes_day", [("", storage.written_bytes_day)])
    lag = [] if storage.copy_lag_count is None else [("", storage.copy_lag_count)]
    yield from _gauge("journal_copy_lag_facts", lag)


def _devices(devices: Sequence[DeviceHealth]) -> Iterator[str]:
    ready, states, locked = [], [], []
    for device in devices:
        # A degraded device works; who wants to know more looks at its state.
        works = int(device.state in {"ready", "degraded"})
        ready.append((_labels(device=device.name, device_class=device.device_class), works))
        locked.append((_labels(device=device.name), int(device.locked)))
        states += [
            (_labels(device=device.name, state=state), int(device.state == state))
            for state in STATES
        ]
    yield from _gauge("device_ready", ready)
    yield from _gauge("device_locked", locked)
    yield from _gauge("device_state", states)


def _device_counters(counts: Sequence[DeviceCount]) -> Iterator[str]:
    for name, label in COUNTER_LABELS.items():
        yield from _head(f"device_{name}_total", "counter")
        for one in counts:
            if one.name == name:
                kind = {label: one.kind} if label else {}
                yield f"{PREFIX}device_{name}_total{_labels(device=one.device, **kind)} {one.count}"


def _gauge(name: str, series: Sequence[tuple[str, object]]) -> Iterator[str]:
    yield from _head(name, "gauge")
    for labels, value in series:
        yield f"{PREFIX}{name}{labels} {value}"


def _head(name: str, kind: str) -> Iterator[str]:
    yield f"# HELP {PREFIX}{name} {HELPS.get(name, COUNTED)}"
    yield f"# TYPE {PREFIX}{name} {kind}"


def _labels(**labels: str) -> str:
    pairs = (f'{name}="{_escaped(text)}"' for name, text in labels.items())
    return "{" + ",".join(pairs) + "}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
