"""Keeps one scanner or scale open and stamps what it says. Loop.

    opening --opened--> ready --DeviceLost, DeviceSilent--> offline --pause, opened--> ready
       |                                                      |
       `--SettingsInvalid--> fault (until restart) <----------'

After silence the device is ready again only when it has said something: an open line proves
nothing about what is at its other end.
"""

import queue
from collections.abc import Callable, Sequence
from threading import Event, Thread
from typing import cast

import msgspec

from drivers.api import Driver, ReadingDevice
from drivers.errors import DeviceSilent, DriverError
from drivers.readings import Reading
from gateway.clock import Clock
from gateway.devices.presence import Presence
from gateway.devices.repeats import Repeats
from gateway.health import Health
from gateway.logs import log_crash
from gateway.station.observations import Observation

READ_S = 0.5  # How long a stop may go unnoticed.
PUT_S = 0.2


class DeviceLoop:
    """One supervised thread. `start` once; `stop` asks it to end, `join` waits."""

    def __init__(
        self,
        *,
        name: str,
        driver: Driver,
        settings: msgspec.Struct,
        observations: queue.Queue[Observation],
        clock: Clock,
        health: Health,
        jitter: Callable[[], float],
    ) -> None:
        self._name = name
        self._driver = driver
        self._settings = settings
        self._observations = observations
        self._clock = clock
        self._health = health
        self._presence = Presence(name, driver.device_class, health=health, jitter=jitter)
        self._repeats = Repeats() if driver.device_class == "scale" else None
        self._silent = False
        self._stopping = Event()
        self._thread = Thread(target=self._run, name=f"device-{name}", daemon=True)

    def start(self) -> None:
        """Begin to open and read. Never raises because of the device."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end and close the device."""
        self._stopping.set()

    def join(self, timeout_s: float) -> bool:
        """Return True if the thread has ended within `timeout_s`."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._serve()
            except DriverError as error:
                if not error.retriable:
                    self._presence.unusable(error)
                    return
                self._silent = isinstance(error, DeviceSilent)
                self._stopping.wait(self._presence.lost(error))
            except Exception as error:  # noqa: BLE001 - a driver's mistake ends no gateway
                log_crash("driver failed", device=self._name)
                self._stopping.wait(self._presence.failed(error))

    def _serve(self) -> None:
        device = cast(ReadingDevice, self._driver.open_device(self._settings))
        try:
            while not self._stopping.is_set():
                readings = device.read(READ_S)
                # Stamped here, before anything can wait: this is when it happened.
                stamped = self._stamped(readings)
                if readings or not self._silent:
                    self._silent = False
                    self._presence.ready()
                for observation in stamped:
                    self._put(observation)
        finally:
            device.close()

    def _stamped(self, readings: Sequence[Reading]) -> list[Observation]:
        if not readings:
            return []
        now_ms, monotonic_ns = self._clock.now_ms(), self._clock.monotonic_ns()
        synced = self._clock.synced()
        return [
            Observation(
                device=self._name,
                reading=reading,
                event_time_ms=now_ms,
                clock_synced=synced,
                boot_id=self._clock.boot_id,
                monotonic_ns=monotonic_ns,
            )
            for reading in readings
            if self._repeats is None or self._repeats.passes(reading, monotonic_ns)
        ]

    def _put(self, observation: Observation) -> None:
        """Wait for room: a scan is never dropped, the device's own line holds back instead."""
        try:
            self._observations.put_nowait(observation)
        except queue.Full:
            self._health.count("observations_waited_total")
            while not self._stopping.is_set():
                try:
                    self._observations.put(observation, timeout=PUT_S)
                    break
                except queue.Full:
                    continue
        self._health.count("observations_total")
