"""A supervisor with scripted devices and what is around it. Edge of threads."""

import queue
from pathlib import Path

from gateway.config_sections import DeviceSection
from gateway.devices.check import ConfiguredDevice
from gateway.devices.locks import DeviceLocks
from gateway.devices.supervisor import Supervisor
from gateway.health import DeviceHealth, Health
from gateway.station.observations import Observation
from tests.gateway.devices.scripted import NoSettings, ScriptedPrinter, ScriptedReader
from tests.gateway.journal.samples import StillClock, open_journal
from tests.waiting import until


def configured(name: str, device: ScriptedReader | ScriptedPrinter, **settings) -> ConfiguredDevice:
    section = DeviceSection(name=name, driver=device.driver.name, settings=settings)
    return ConfiguredDevice(section, device.driver, NoSettings())


class Floor:
    """A supervisor with what is around it; `again` is the gateway after a restart."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.journal = open_journal(folder / "journal.db")
        self.supervisors: list[Supervisor] = []
        self.observations: queue.Queue[Observation] = queue.Queue(maxsize=100)
        self.clock = StillClock()
        self.health = Health()

    def start(self, *devices: ConfiguredDevice, **settings) -> Supervisor:
        supervisor = Supervisor(
            devices,
            journal=self.journal,
            observations=lambda _: self.observations,
            clock=self.clock,
            health=self.health,
            jitter=lambda: 0.0,
            locks=DeviceLocks(self.folder),
            **settings,
        )
        self.supervisors.append(supervisor)
        supervisor.start()
        return supervisor

    def of(self, name: str) -> DeviceHealth:
        return next(one for one in self.health.devices() if one.name == name)

    def until_state(self, name: str, state: str) -> None:
        until(lambda: self.of(name).state == state, f"{name} {state}")

    def close(self) -> None:
        for supervisor in self.supervisors:
            supervisor.stop()
        self.journal.close()
