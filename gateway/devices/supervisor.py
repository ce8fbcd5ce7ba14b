"""Starts a thread for each configured device, and stops them all. Loop."""

import queue
import time
from collections.abc import Callable, Sequence

from gateway.clock import Clock
from gateway.devices.check import ConfiguredDevice
from gateway.devices.device_loop import DeviceLoop
from gateway.devices.print_queue import PrintQueue
from gateway.health import Health
from gateway.journal.journal import Journal
from gateway.logs import log_event
from gateway.station.observations import Observation

STOP_S_MAX = 3.0


class Supervisor:
    """All devices of a gateway. `start` once, `stop` once."""

    def __init__(
        self,
        devices: Sequence[ConfiguredDevice],
        *,
        journal: Journal,
        observations: queue.Queue[Observation],
        clock: Clock,
        health: Health,
        jitter: Callable[[], float],
    ) -> None:
        """jitter: returns a random number from 0 to 1."""
        self._loops: dict[str, DeviceLoop | PrintQueue] = {}
        for device in devices:
            name, driver = device.section.name, device.driver
            if driver.device_class == "label_printer":
                self._loops[name] = PrintQueue(
                    name=name,
                    driver=driver,
                    settings=device.settings,
                    journal=journal,
                    health=health,
                    jitter=jitter,
                )
            else:
                self._loops[name] = DeviceLoop(
                    name=name,
                    driver=driver,
                    settings=device.settings,
                    observations=observations,
                    clock=clock,
                    health=health,
                    jitter=jitter,
                )

    def start(self) -> None:
        """Begin to open all devices; a device that is not there keeps no other from working."""
        for loop in self._loops.values():
            loop.start()

    def stop(self) -> None:
        """Ask all to end, then wait for them together, at most STOP_S_MAX."""
        for loop in self._loops.values():
            loop.stop()
        deadline = time.monotonic() + STOP_S_MAX
        for name, loop in self._loops.items():
            if not loop.join(max(0.0, deadline - time.monotonic())):
                log_event("warning", "device does not end", device=name)
