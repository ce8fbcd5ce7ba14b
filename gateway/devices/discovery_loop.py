"""Asks kernel and network what is there, again and again, and tells the desk. Loop.

kernel event --at once--> bindings --> desk: wake, offer
sweep, every sweep_interval_s ---^      what events have missed is made good
network sweep, in a thread of its own, every network_interval_s
"""

import time
from collections.abc import Callable, Collection, Sequence
from threading import Event, Thread
from typing import Any, Protocol

from drivers.candidates import Candidate
from gateway.config_sections import DiscoverySection
from gateway.devices.bindings import Bindings
from gateway.devices.claim_desk import ClaimDesk
from gateway.devices.discovery import DriverSheet, Offer
from gateway.devices.driver_sheets import probe_device, read_driver_sheets
from gateway.devices.kernel_devices import KERNEL_KINDS, KernelEvent
from gateway.devices.network_devices import HostAliases, NetworkReach, sweep_network
from gateway.logs import log_crash, log_event

EVENT_S = 0.2  # How long a stop may go unnoticed.
AFTER_CRASH_S = 5.0
STOP_S_MAX = 1.0  # All together; whatever hangs in a probe ends with the gateway.
SHEETS_AGAIN_S = 30.0
PROBES_PER_PORT_MAX = 4


class Kernel(Protocol):
    """What of KernelDevices is used here."""

    def watch(self) -> str:
        """Begin to receive events; return why there will be none, "" if they come."""
        ...

    def sweep(self) -> tuple[Candidate, ...]:
        """Return everything that is plugged in now."""
        ...

    def next_event(self, timeout_s: float) -> KernelEvent | None:
        """Return the next event, None if none came in `timeout_s`."""
        ...


class DiscoveryLoop:
    """The threads of discovery. `start` once, `stop` once."""

    def __init__(
        self,
        *,
        kernel: Kernel | None,
        bindings: Bindings,
        desk: ClaimDesk,
        section: DiscoverySection,
        own_hosts: Collection[str] = (),
        read_sheets: Callable[[], tuple[DriverSheet, ...]] = read_driver_sheets,
        probe: Callable[[str, dict[str, Any]], str] = probe_device,
        sheets_again_s: float = SHEETS_AGAIN_S,
    ) -> None:
        """kernel: None where there is no libudev. own_hosts: of the configured devices.

        read_sheets, probe: see `driver_sheets.py`.
        """
        self._read_driver_sheets = read_sheets
        self._probe = probe
        self._kernel = kernel
        self._bindings = bindings
        self._desk = desk
        self._section = section
        self._own_hosts = tuple(own_hosts)
        self._stopping = Event()
        self._next_sweep_s = 0.0
        self._asked: set[tuple[str, int]] = set()
        self._aliases = HostAliases()
        self._sheets_asked = False
        self._sheets_again_s = sheets_again_s
        self._next_sheets_s = 0.0
        self._threads: list[Thread] = []

    def start(self) -> None:
        """Look once, then begin to watch."""
        if self._kernel is not None:
            reason = self._kernel.watch()
            if reason:
                log_event(
                    "warning",
                    "no events from the kernel, only sweeps",
                    reason=reason,
                    sweep_interval_s=self._section.sweep_interval_s,
                    hint="Allow the service AF_NETLINK (RestrictAddressFamilies).",
                )
            self._begin("discovery", self._watch_kernel)
        if self._section.ports:
            self._begin("discovery-network", self._watch_network)

    def stop(self) -> None:
        """End all threads; waits at most STOP_S_MAX for them together."""
        self._stopping.set()
        deadline_s = time.monotonic() + STOP_S_MAX
        for thread in self._threads:
            thread.join(max(0.0, deadline_s - time.monotonic()))
        self._desk.stop()

    def _begin(self, name: str, work: Callable[[], None]) -> None:
        thread = Thread(target=work, name=name, daemon=True)
        self._threads = [*(one for one in self._threads if one.is_alive()), thread]
        thread.start()

    def _watch_kernel(self) -> None:
        while not self._stopping.is_set():
            try:
                self._step()
            except Exception:  # noqa: BLE001 - a mistake in discovery stops no device
                log_crash("discovery failed")
                self._stopping.wait(AFTER_CRASH_S)

    def _step(self) -> None:
        assert self._kernel is not None
        if time.monotonic() >= self._next_sweep_s:
            changes = self._bindings.swept(self._kernel.sweep(), kinds=KERNEL_KINDS)
            self._next_sweep_s = time.monotonic() + self._section.sweep_interval_s
            self._desk.changed(changes)
            self._learn_drivers()
        wait_s = min(EVENT_S, max(0.0, self._next_sweep_s - time.monotonic()))
        event = self._kernel.next_event(wait_s)
        if event is None:
            return
        if event.action == "lost":
            self._next_sweep_s = 0.0
        elif event.candidate is not None:
            self._desk.changed(self._bindings.added(event.candidate))
            self._learn_drivers()
        else:
            self._desk.changed(self._bindings.removed(event.node))

    def _learn_drivers(self) -> None:
        """Have all drivers read once, beside this thread, when there is something to offer."""
        if self._sheets_due() and self._desk.device_list().found:
            self._sheets_asked = True
            self._begin("drivers", self._read_sheets)

    def _sheets_due(self) -> bool:
        return not self._sheets_asked and time.monotonic() >= self._next_sheets_s

    def _read_sheets(self) -> None:
        sheets = self._read_driver_sheets()
        if self._stopping.is_set():
            return
        if not sheets:  # A cold card, no memory: nothing could be offered until a restart.
            log_event("error", "drivers not read", hint="It is tried again; look for free memory.")
            self._next_sheets_s = time.monotonic() + self._sheets_again_s
            self._sheets_asked = False
            return
        for sheet in sheets:
            if sheet.problem:
                log_event("error", "driver not usable", driver=sheet.name, reason=sheet.problem)
        self._bindings.set_sheets(sheets)
        self._desk.refresh()

    def _watch_network(self) -> None:
        reach = NetworkReach(
            hosts=self._section.hosts, networks=self._section.networks, ports=self._section.ports
        )
        while not self._stopping.is_set():
            try:
                if self._sheets_due():
                    self._sheets_asked = True
                    self._read_sheets()
                self._aliases.learn({*reach.hosts, *self._own_hosts})
                seen = sweep_network(reach, skip=self._in_use, stopping=self._stopping.is_set)
                if not self._stopping.is_set():
                    self._note_network(seen)
            except Exception:  # noqa: BLE001 - a mistake in discovery stops no device
                log_crash("network discovery failed")
            self._stopping.wait(self._section.network_interval_s)

    def _note_network(self, seen: Sequence[Candidate]) -> None:
        """Take a sweep; a port that was skipped because it is in use has not been missed."""
        kept = [
            one
            for one in self._bindings.candidates()
            if one.kind == "network" and self._in_use(one.node, one.tcp_port)
        ]
        places = {(one.node, one.tcp_port) for one in (*kept, *seen)}
        self._asked &= places
        self._desk.changed(self._bindings.swept((*kept, *self._named(seen)), kinds={"network"}))
        if self._section.probe:
            for found in self._bindings.unclaimed(lambda one: self._in_use(one.node, one.tcp_port)):
                if found.candidate.kind == "network":
                    self._ask(found.candidate, found.offers)
            self._desk.refresh()

    def _named(self, seen: Sequence[Candidate]) -> list[Candidate]:
        """Return `seen` with what those that were there before have said of themselves."""
        known = {
            (one.node, one.tcp_port, one.reader_id): one
            for one in self._bindings.candidates()
            if one.kind == "network"
        }
        return [known.get((one.node, one.tcp_port, one.reader_id), one) for one in seen]

    def _ask(self, candidate: Candidate, offers: Sequence[Offer]) -> None:
        """Let the drivers that match ask, one after the other, until one is answered."""
        place = (candidate.node, candidate.tcp_port)
        if place in self._asked:
            return
        self._asked.add(place)
        for offer in [one for one in offers if one.sheet.probes][:PROBES_PER_PORT_MAX]:
            if self._stopping.is_set() or self._in_use(*place):
                return
            words = self._probe(offer.sheet.name, _settings(offer.sheet, candidate))
            if words:
                self._bindings.confirm(candidate, driver=offer.sheet.name, words=words)
                return

    def _in_use(self, host: str, port: int) -> bool:
        """Return True for the port of a device of ours that is not known to be away."""
        return any(self._desk.uses(one, port) for one in self._aliases.of(host))


def _settings(sheet: DriverSheet, candidate: Candidate) -> dict[str, Any]:
    settings: dict[str, Any] = {sheet.node_setting: candidate.node}
    if sheet.tcp_port_setting:
        settings[sheet.tcp_port_setting] = candidate.tcp_port
    return settings
