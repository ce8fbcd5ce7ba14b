"""Keeps one scanner, scale, reader or input open and stamps what it says. Loop.

    opening --opened--> ready --DeviceLost, DeviceSilent--> offline --pause, opened--> ready
       |                                                      |
       `--SettingsInvalid--> fault (until its settings change) <'

All states: `lifecycle.py`. After silence the device is ready again only when it has said something:
an open line proves nothing about what is at its other end. Commands are done between two reads.
"""

import queue
from collections.abc import Sequence
from typing import cast

import msgspec

from drivers.api import CommandedDevice, CommandResult, DeviceCommand, Driver, ReadingDevice
from drivers.errors import DeviceSilent, DriverError
from drivers.readings import Reading
from gateway.clock import Clock
from gateway.devices.orders import Order, Orders
from gateway.devices.presence import Presence
from gateway.devices.repeats import ReadingFilter, Repeats
from gateway.devices.service_thread import ServiceThread
from gateway.health import Health
from gateway.logs import log_crash, log_event
from gateway.station.observations import Observation

READ_S = 0.5  # How long a stop may go unnoticed.
COMMANDED_READ_S = 0.05  # How long a command may wait: light and sound must feel immediate.
PUT_S = 0.2
UNUSABLE_TURN_S = 5.0
STOPPING_PUTS_MAX = 5  # One second for all that a device that is to be closed has still read.
NOT_OPEN = "the device is not open"


class DeviceLoop:
    """One supervised device; `thread` starts and stops it."""

    def __init__(
        self,
        *,
        driver: Driver,
        settings: msgspec.Struct,
        presence: Presence,
        observations: queue.Queue[Observation],
        clock: Clock,
        health: Health,
        reading_filter: ReadingFilter | None = None,
        predecessor: ServiceThread | None = None,
    ) -> None:
        """reading_filter: None takes the one for its class: Repeats for a scale, else none."""
        self._name = presence.name
        self._driver = driver
        self._settings = settings
        self._presence = presence
        self._observations = observations
        self._clock = clock
        self._health = health
        if reading_filter is None and driver.device_class == "scale":
            reading_filter = Repeats()
        self._filter = reading_filter
        self._orders = Orders()
        self._read_s = COMMANDED_READ_S if driver.commands else READ_S
        self._open = False
        self._silent = False
        self._patience_count = STOPPING_PUTS_MAX
        self.thread = ServiceThread(self._run, name=f"device-{self._name}", predecessor=predecessor)

    def order(self, command: DeviceCommand) -> Order | None:
        """Have the device do something soon; None if it is not open, or has too much to do.

        The driver must have the command.
        """
        assert command.name in self._driver.commands
        return self._orders.put(command) if self._open else None

    def wake(self) -> None:
        """Try to open at once, if it waits to."""
        self._presence.hurry()
        self.thread.wake()

    def _run(self) -> None:
        self._presence.starting(self._driver)
        usable = True
        while not self.thread.stopping:
            try:
                # What a reader saw last is told also while it is lost.
                self._pass_on((), self._clock.now_ms(), self._clock.monotonic_ns())
                if not usable:
                    self.thread.pause(UNUSABLE_TURN_S)
                    continue
                self._serve()
            except DriverError as error:
                if not error.retriable:
                    self._presence.unusable(error)
                    usable = False
                    continue
                self._silent = isinstance(error, DeviceSilent)
                self.thread.pause(self._presence.lost(error))
            except Exception as error:  # noqa: BLE001 - a driver's mistake ends no gateway
                log_crash("driver failed", device=self._name)
                self.thread.pause(self._presence.failed(error))
        self._presence.closed()

    def _serve(self) -> None:
        device = cast(ReadingDevice, self._driver.open_device(self._settings))
        try:
            self._presence.opened()
            self._open = True
            while not self.thread.stopping:
                self._step(device)
        finally:
            self._open = False
            device.close()
            self._orders.refuse_all(NOT_OPEN)

    def _step(self, device: ReadingDevice) -> None:
        readings = device.read(self._read_s)
        # Stamped here, before anything can wait: this is when it happened.
        now_ms, monotonic_ns = self._clock.now_ms(), self._clock.monotonic_ns()
        if readings:
            self._presence.said(readings, time_ms=now_ms, monotonic_ns=monotonic_ns)
        if readings or not self._silent:
            self._silent = False
            self._presence.ready()
        self._pass_on(readings, now_ms, monotonic_ns)
        # After what was read is safe: a command may find that the line is lost.
        while (order := self._orders.take()) is not None:
            self._execute(cast(CommandedDevice, device), order)

    def _pass_on(self, readings: Sequence[Reading], now_ms: int, monotonic_ns: int) -> None:
        passed = self._filter.pass_on(readings, monotonic_ns) if self._filter else readings
        for reading in passed:
            self._put(
                Observation(
                    device=self._name,
                    reading=reading,
                    event_time_ms=now_ms,
                    clock_synced=self._clock.synced(),
                    boot_id=self._clock.boot_id,
                    monotonic_ns=monotonic_ns,
                )
            )

    def _execute(self, device: CommandedDevice, order: Order) -> None:
        result = CommandResult("unknown", "the device was lost meanwhile")
        try:
            result = device.execute(order.command)
        finally:
            order.result.set_result(result)
            self._health.count_device(self._name, "commands", result.outcome)

    def _put(self, observation: Observation) -> None:
        """Wait for room: a scan is never dropped, the device's own line holds back instead.

        Only a device that is to be closed cannot wait for ever; what it loses then is logged.
        """
        try:
            self._observations.put_nowait(observation)
        except queue.Full:
            self._health.count("observations_waited_total")
            if not self._wait_for_room(observation):
                self._health.count("observations_dropped_total")
                hint = "Scan again what was scanned last; look why the station records nothing."
                log_event("error", "reading dropped", device=self._name, hint=hint)

    def _wait_for_room(self, observation: Observation) -> bool:
        while True:
            stopping = self.thread.stopping
            try:
                self._observations.put(observation, timeout=PUT_S)
            except queue.Full:
                if not stopping:
                    continue
                if self._patience_count <= 0:
                    return False
                self._patience_count -= 1
            else:
                return True
