"""From a candidate and a driver to a device in service: names, nodes, opening by identity. Edge.

A claimed device is opened where it is at that moment. Its node is asked for at each opening and
read again from the kernel: whatever took the number of an unplugged device is never opened for it.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import msgspec

from drivers.api import Device, Driver
from drivers.candidates import Candidate
from drivers.errors import DeviceLost
from drivers.registry import load_driver
from gateway.config_sections import DeviceSection
from gateway.devices.check import ConfiguredDevice
from gateway.devices.discovery import Binding
from gateway.station.claiming import Claim

CLASS_ROLES = {
    "scanner": "scanner",
    "rfid_reader": "reader",
    "scale": "scale",
    "label_printer": "printer",
    "io": "io",
}
ABSENT_HINT = "Plug the device in again; any port will do if it has a serial number."
AMBIGUOUS_HINT = (
    "Unplug one of the two that cannot be told apart, or release this device and claim it again."
)
FALLBACK_TCP_PORT = 1  # In the settings of a claim that is bound nowhere; never connected to.


class InService(Protocol):
    """Who serves the devices: see Supervisor; also the station's setup follows."""

    def set_devices(self, devices: Sequence[ConfiguredDevice]) -> None:
        """Serve these from now on."""
        ...

    def wake(self, names: Collection[str]) -> None:
        """Let these try to open at once."""
        ...


Where = Callable[[str], Binding]  # From an identity to where it is now.


@dataclass(frozen=True, slots=True)
class TakenNodes:
    """Where configured devices are: device nodes, hosts with TCP port, and names of their own."""

    nodes: frozenset[str]
    hosts: frozenset[tuple[str, int]]
    names: frozenset[str]

    def has(self, candidate: Candidate) -> bool:
        """Return True if a configured device is at the candidate's node or bears its name."""
        if candidate.kind == "network":
            return (candidate.node, candidate.tcp_port) in self.hosts
        return candidate.node in self.nodes or (
            candidate.kind == "keyboard" and candidate.product in self.names
        )


def taken_nodes(devices: Collection[ConfiguredDevice]) -> TakenNodes:
    """Return where the devices of the configuration are now; links such as by-id are followed."""
    nodes: set[str] = set()
    hosts: set[tuple[str, int]] = set()
    names: set[str] = set()
    for device in devices:
        node = getattr(device.settings, device.driver.node_setting or "path", "")
        port = getattr(device.settings, device.driver.tcp_port_setting or "port", 0)
        if isinstance(node, str) and node.startswith("/"):
            nodes |= {node, str(Path(node).resolve())}
        elif isinstance(node, str) and node and isinstance(port, int):
            hosts.add((node, port))
        # A keyboard may be configured by the name that it gives itself.
        name = getattr(device.settings, "name", "")
        if isinstance(name, str) and name:
            names.add(name)
    return TakenNodes(frozenset(nodes), frozenset(hosts), frozenset(names))


def role_name(device_class: str, *, station: str, used: Collection[str]) -> str:
    """Return a name by place and role that is free, e.g. "dock-2-scale", "dock-2-scale-2"."""
    wanted = f"{station}-{CLASS_ROLES.get(device_class, 'device')}"[:60]
    number, name = 1, wanted
    while name in used:
        number += 1
        name = f"{wanted}-{number}"
    return name


def names_at(
    device_class: str, *, stations: Sequence[str], used: Collection[str]
) -> tuple[tuple[str, str], ...]:
    """Return a free name for a device at each station, with the station's code before it."""
    return tuple((one, role_name(device_class, station=one, used=used)) for one in stations)


def settings_at(
    driver: Driver, candidate: Candidate, settings: Mapping[str, Any]
) -> msgspec.Struct:
    """Return the driver's settings for a device that is where `candidate` is.

    Raises SettingsInvalid.
    """
    return _settings(driver, settings, node=candidate.node, tcp_port=candidate.tcp_port)


def device_at(
    driver: Driver, candidate: Candidate, *, name: str, settings: Mapping[str, Any]
) -> ConfiguredDevice:
    """Return the device for a trial, at its node. Raises SettingsInvalid."""
    section = DeviceSection(name=name, driver=driver.name, settings=dict(settings))
    return ConfiguredDevice(section, driver, settings_at(driver, candidate, settings))


def claimed_device(claim: Claim, where: Where) -> ConfiguredDevice:
    """Return a device that finds its node by its identity whenever it is opened.

    Raises SettingsInvalid if its driver is not installed any more or refuses its settings.
    """
    driver = load_driver(claim.driver)

    def open_where_it_is(_: object) -> Device:
        bound = where(claim.identity)
        if bound.candidate is None:
            hint = AMBIGUOUS_HINT if bound.state == "ambiguous" else ABSENT_HINT
            raise DeviceLost(f"{claim.identity} is {bound.state}", hint=hint)
        return driver.open_device(settings_at(driver, bound.candidate, claim.settings))

    return ConfiguredDevice(
        section=DeviceSection(name=claim.name, driver=claim.driver, settings=dict(claim.settings)),
        driver=replace(driver, open_device=open_where_it_is),
        settings=_settings(driver, claim.settings, node=claim.identity, tcp_port=FALLBACK_TCP_PORT),
        identity=claim.identity,
    )


def _settings(
    driver: Driver, settings: Mapping[str, Any], *, node: str, tcp_port: int
) -> msgspec.Struct:
    merged = dict(settings)
    if driver.node_setting:
        merged[driver.node_setting] = node
    if driver.tcp_port_setting:
        merged[driver.tcp_port_setting] = tcp_port
    return driver.parse_settings(merged)
