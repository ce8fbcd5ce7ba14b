"""Starts a thread for each device, replaces and stops them while the others go on. Loop."""

import queue
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from threading import RLock

from drivers.api import CommandResult, DeviceCommand, SignalKind
from gateway.clock import Clock
from gateway.devices.check import ConfiguredDevice
from gateway.devices.device_loop import NOT_OPEN, DeviceLoop
from gateway.devices.locks import DeviceLocks
from gateway.devices.orders import wait_for_result
from gateway.devices.presence import Presence
from gateway.devices.print_queue import PrintQueue
from gateway.devices.repeats import ReadingFilter
from gateway.devices.service_thread import ServiceThread
from gateway.health import Health
from gateway.journal.journal import Journal
from gateway.logs import log_event
from gateway.station.observations import Observation

STOP_S_MAX = 3.0


@dataclass(frozen=True, slots=True)
class ServedDevice:
    """A device, how it is, and what serves it: None while it is locked."""

    device: ConfiguredDevice
    presence: Presence
    loop: DeviceLoop | PrintQueue | None


class Supervisor:
    """All devices of a gateway. `start` once, `stop` once; any thread may call anything."""

    def __init__(
        self,
        devices: Sequence[ConfiguredDevice],
        *,
        journal: Journal,
        observations: Callable[[str], queue.Queue[Observation]],
        clock: Clock,
        health: Health,
        jitter: Callable[[], float],
        locks: DeviceLocks,
        reading_filter: Callable[[ConfiguredDevice], ReadingFilter | None] = lambda _: None,
    ) -> None:
        """observations: returns the queue of the station that a device serves, by its name.

        jitter: returns a random number from 0 to 1.
        reading_filter: returns what a device's readings go through; None: what its class has.
        """
        self._journal = journal
        self._observations = observations
        self._clock = clock
        self._health = health
        self._jitter = jitter
        self._locks = locks
        self._reading_filter = reading_filter
        self._lock = RLock()
        self._started = False
        self._stopped = False
        self._served: dict[str, ServedDevice] = {}
        self._ending: dict[str, ServiceThread] = {}
        self.set_devices(devices)

    def set_devices(self, devices: Sequence[ConfiguredDevice]) -> None:
        """Serve these devices from now on; returns at once.

        New ones are started, missing ones stopped and forgotten, changed ones stopped and started
        again as soon as their line is given back. The others notice nothing.
        """
        wanted = {device.section.name: device for device in devices}
        with self._lock:
            if self._stopped:
                return
            for name in [name for name in self._served if name not in wanted]:
                served = self._served.pop(name)
                served.presence.retire()
                self._end(served)
                self._health.remove_device(name)
            for name, device in wanted.items():
                served_now = self._served.get(name)
                if served_now is None:
                    self._begin(device, self._new_presence(device))
                elif served_now.device != device:
                    self._end(served_now)
                    self._begin(device, served_now.presence)
            self._forget_ended()

    def wake(self, names: Collection[str]) -> None:
        """Let these devices, as far as they wait, try to open at once: they may be back."""
        with self._lock:
            for name in names:
                served = self._served.get(name)
                if served is not None and served.loop is not None:
                    served.loop.wake()

    def lock(self, name: str) -> None:
        """Close a device and keep it closed, over restarts, until `unlock`; durable on return.

        A label at the printer is finished before. Raises DeviceCommandFailed, KeyError if there is
        no such device.
        """
        with self._lock:
            served = self._served[name]
            self._locks.lock(name)
            served.presence.locked = True
            self._end(served)
            self._served[name] = ServedDevice(served.device, served.presence, None)
        log_event("info", "device locked", device=name)

    def unlock(self, name: str) -> None:
        """Serve a locked device again. Raises DeviceCommandFailed; KeyError: no such device."""
        with self._lock:
            served = self._served[name]
            self._locks.unlock(name)
            if served.loop is None and not self._stopped:
                self._begin(served.device, served.presence)
        log_event("info", "device unlocked", device=name)

    def execute(self, name: str, command: DeviceCommand, timeout_s: float) -> CommandResult:
        """Have a device do something and wait for what becomes of it.

        Waits `timeout_s` at most. "refused" also if it is locked or not open, or has no such
        command. Raises KeyError if there is no such device.
        """
        with self._lock:
            served = self._served[name]
        loop = served.loop
        if not isinstance(loop, DeviceLoop) or command.name not in served.device.driver.commands:
            known = ", ".join(sorted(served.device.driver.commands)) or "none"
            state = "it is locked" if loop is None else f"its driver's commands: {known}"
            return CommandResult("refused", state)
        order = loop.order(command)
        if order is None:
            return CommandResult("refused", NOT_OPEN)
        return wait_for_result(order, timeout_s)

    def signal_lights(
        self, kind: SignalKind, *, serves: Callable[[str], bool] = lambda _: True
    ) -> None:
        """Have lights and buzzers show and sound `kind`; one that is busy misses it.

        serves: which of them, by name; all by default.
        """
        with self._lock:
            names = [
                name
                for name, served in self._served.items()
                if served.device.driver.device_class == "io" and serves(name)
            ]
        for name in names:
            self.signal_device(name, kind)

    def signal_device(self, name: str, kind: SignalKind) -> None:
        """Have one device show and sound `kind`, if it is there, can, and is not busy."""
        with self._lock:
            served = self._served.get(name)
        if served is None or "signal" not in served.device.driver.commands:
            return
        if isinstance(served.loop, DeviceLoop):
            served.loop.order(DeviceCommand("signal", kind))

    def served_device(self, name: str) -> ServedDevice:
        """Return one device, for its diagnostics. Raises KeyError if there is no such device."""
        with self._lock:
            return self._served[name]

    def start(self) -> None:
        """Begin to open all devices; a device that is not there keeps no other from working."""
        with self._lock:
            self._started = True
            for served in self._served.values():
                if served.loop is not None:
                    served.loop.thread.start()

    def stop(self) -> None:
        """Ask all to end, then wait for them together, at most STOP_S_MAX."""
        with self._lock:
            self._stopped = True
            for served in self._served.values():
                self._end(served)
            ending = dict(self._ending)
        deadline = time.monotonic() + STOP_S_MAX
        for name, thread in ending.items():
            if not thread.join(max(0.0, deadline - time.monotonic())):
                log_event("warning", "device does not end", device=name)

    def _new_presence(self, device: ConfiguredDevice) -> Presence:
        return Presence(
            device.section.name,
            device.driver,
            clock=self._clock,
            health=self._health,
            jitter=self._jitter,
        )

    def _begin(self, device: ConfiguredDevice, presence: Presence) -> None:
        name = device.section.name
        presence.locked = self._locks.holds(name)
        if presence.locked:
            self._served[name] = ServedDevice(device, presence, None)
            # The thread that still ends tells it of its own presence alone, not of a new one.
            if name not in self._ending or not presence.lifecycle.history:
                presence.closed()
            return
        loop = self._new_loop(device, presence)
        self._served[name] = ServedDevice(device, presence, loop)
        if self._started:
            loop.thread.start()

    def _end(self, served: ServedDevice) -> None:
        """Ask its thread to end; it tells that the device is closed, if it ever began."""
        if served.loop is None:
            return
        thread = served.loop.thread
        thread.stop()
        if self._started:
            self._ending[served.device.section.name] = thread
        else:
            served.presence.closed()

    def _forget_ended(self) -> None:
        for name in [name for name, thread in self._ending.items() if thread.join(0.0)]:
            del self._ending[name]

    def _new_loop(self, device: ConfiguredDevice, presence: Presence) -> DeviceLoop | PrintQueue:
        predecessor = self._ending.pop(presence.name, None)
        if device.driver.device_class == "label_printer":
            return PrintQueue(
                driver=device.driver,
                settings=device.settings,
                presence=presence,
                journal=self._journal,
                health=self._health,
                predecessor=predecessor,
            )
        return DeviceLoop(
            driver=device.driver,
            settings=device.settings,
            presence=presence,
            observations=self._observations(device.section.name),
            clock=self._clock,
            health=self._health,
            reading_filter=self._reading_filter(device),
            predecessor=predecessor,
        )
