"""What people may want of one device of a running gateway, by its name. Edge (of the devices)."""

from typing import get_args

import msgspec

from drivers.api import CommandName, DeviceCommand, SignalKind
from gateway.clock import Clock, random_64
from gateway.devices.supervisor import Supervisor
from gateway.errors import DeviceCommandFailed
from gateway.health import DeviceHealth, Health

COMMAND_TIMEOUT_S = 3.0


class DeviceDesk:
    """Any thread may call anything; all of it may wait, `command` COMMAND_TIMEOUT_S at most.

    Every call raises DeviceCommandFailed, also for a device that is not there.
    """

    def __init__(self, supervisor: Supervisor, *, clock: Clock, health: Health) -> None:
        self._supervisor = supervisor
        self._clock = clock
        self._health = health

    def command(self, name: str, command: str, signal: str = "off") -> tuple[str, str]:
        """Have a device do something; return outcome and detail of its CommandResult."""
        try:
            wanted = msgspec.convert({"name": command, "signal": signal}, DeviceCommand)
        except msgspec.ValidationError as error:
            raise DeviceCommandFailed(
                f"no device takes the command {command[:40]!r} with the signal {signal[:40]!r}",
                hint=f"Use {', '.join(get_args(CommandName))}, and a signal of "
                f"{', '.join(get_args(SignalKind))}.",
            ) from error
        try:
            result = self._supervisor.execute(name, wanted, COMMAND_TIMEOUT_S)
        except KeyError:
            raise self._missing(name) from None
        return result.outcome, result.detail

    def lock(self, name: str) -> None:
        """Close a device and keep it closed until `unlock`, over restarts."""
        try:
            self._supervisor.lock(name)
        except KeyError:
            raise self._missing(name) from None

    def unlock(self, name: str) -> None:
        """Let a device be opened again."""
        try:
            self._supervisor.unlock(name)
        except KeyError:
            raise self._missing(name) from None

    def diagnostics(self, name: str, *, with_data: bool) -> bytes:
        """Return the diagnostics bundle, a zip file. with_data: show what was scanned."""
        # Here, so that a gateway carries zip files and package lists only when asked for them.
        from gateway.devices import diagnostics  # noqa: PLC0415

        try:
            served = self._supervisor.served_device(name)
        except KeyError:
            raise self._missing(name) from None
        spoke_ns = self._health.last_readings_ns().get(name)
        age_s = None if spoke_ns is None else (self._clock.monotonic_ns() - spoke_ns) / 1e9
        findings = diagnostics.DeviceFindings(
            served.device,
            health=self._health_of(name),
            history=served.presence.lifecycle.history,
            frames=served.presence.frames.last(),
            counts=tuple(one for one in self._health.device_counts() if one.device == name),
            reading_age_s=age_s,
        )
        return diagnostics.diagnostics_bundle(
            findings,
            time_ms=self._clock.now_ms(),
            salt=random_64().to_bytes(8, "big"),
            with_data=with_data,
        )

    def _health_of(self, name: str) -> DeviceHealth | None:
        return next((one for one in self._health.devices() if one.name == name), None)

    def _missing(self, name: str) -> DeviceCommandFailed:
        known = ", ".join(one.name for one in self._health.devices()) or "none"
        return DeviceCommandFailed(
            f"no device is called {name[:64]!r}", hint=f"Name one of this gateway's: {known}."
        )
