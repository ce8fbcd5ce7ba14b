"""The driver SDK: what a driver declares and what the gateway may ask of an open device. Pure.

A driver is a `Driver` value, published under the entry point group `dockledger.drivers`. The
built-in drivers come through the same door. An open device is used by one thread only and blocks;
it is closed when a call raises DeviceLost or DeviceSilent, and opened again after a pause.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

import msgspec

from drivers.candidates import Candidate, Matcher, match_score
from drivers.errors import SettingsInvalid
from drivers.labels import Label
from drivers.readings import PrinterStatus, PrintResult, Reading

ENTRY_POINT_GROUP = "dockledger.drivers"

DeviceClass = Literal["scanner", "rfid_reader", "scale", "label_printer", "io"]
SignalKind = Literal["success", "warning", "error", "off"]
CommandName = Literal["zero", "tare", "clear_tare", "trigger_on", "trigger_off", "signal"]
Tier = Literal["bronze", "silver", "gold"]


@dataclass(frozen=True, slots=True)
class DeviceCommand:
    """What a device is to do. signal: which feedback, of the command "signal" alone."""

    name: CommandName
    signal: SignalKind = "off"


@dataclass(frozen=True, slots=True)
class CommandResult:
    """What became of a command.

    outcome: "done" (the device said so, or cannot say and took all bytes), "refused" (the device
        said no, nothing changed), "unknown" (no answer in time: look at the device).
    detail: English, for the log.
    """

    outcome: Literal["done", "refused", "unknown"]
    detail: str = ""


class ReadingDevice(Protocol):
    """An open scanner or scale."""

    def read(self, timeout_s: float) -> Sequence[Reading]:
        """Return what the device said, oldest first; empty if it said nothing within `timeout_s`.

        A scale driver polls by itself inside this call. Raises DeviceLost or DeviceSilent.
        """
        ...

    def close(self) -> None:
        """Give the line back. Never raises; may be called twice."""
        ...


class StreamProtocol(Protocol):
    """Bytes in, readings out: what drivers/protocols hold. Nothing here raises."""

    def receive_data(self, data: bytes) -> Sequence[Reading]:
        """Return the readings completed by `data`."""
        ...

    def idle(self) -> Sequence[Reading]:
        """Tell that the line was quiet for the idle limit; return what that means."""
        ...


class CommandedDevice(ReadingDevice, Protocol):
    """An open device that also does what it is told, see `Driver.commands`."""

    def execute(self, command: DeviceCommand) -> CommandResult:
        """Do one command and wait for its answer, at most a second or what the settings say.

        Called by the thread that reads; what the device says meanwhile is not lost, the next
        `read` returns it. Raises DeviceLost or DeviceSilent.
        """
        ...


class LineListener(Protocol):
    """Hears what goes over a device's line; called by the thread that reads."""

    def received(self, data: bytes, monotonic_s: float) -> None:
        """Take bytes that came from the device, at that moment."""
        ...

    def sent(self, data: bytes, monotonic_s: float) -> None:
        """Take bytes that went to the device, at that moment."""
        ...

    def idle(self, monotonic_s: float) -> None:
        """Take note that the protocol was told that the line is idle."""
        ...

    def readings(self, readings: Sequence[Reading]) -> None:
        """Take what the protocol made of all that came before."""
        ...


@runtime_checkable
class TappedDevice(ReadingDevice, Protocol):
    """An open device whose line can be listened to, for a recording."""

    @property
    def idle_s(self) -> float:
        """Return how long a pause is until the protocol is told that the line is idle."""
        ...

    def tap(self, listener: LineListener) -> None:
        """Tell `listener` of all bytes from now on."""
        ...


class LabelPrinter(Protocol):
    """An open label printer."""

    def status(self) -> PrinterStatus:
        """Ask the printer how it is; silence is the condition "silent", not an error.

        Raises DeviceLost.
        """
        ...

    def print_label(self, label: Label, copies_count: int) -> PrintResult:
        """Send one job and follow it to its end, within the driver's own time limits.

        Every fault of the line becomes an outcome; raises only LabelInvalid, with nothing sent.
        """
        ...

    def close(self) -> None:
        """Give the line back. Never raises; may be called twice."""
        ...


Device = ReadingDevice | CommandedDevice | LabelPrinter


@dataclass(frozen=True, slots=True)
class Driver:
    """What a driver says of itself.

    name: as written in the configuration, e.g. "mt-sics-serial".
    summary: one English sentence: which devices, which line.
    settings_type: a frozen msgspec Struct with `forbid_unknown_fields=True`; its fields are the
        settings, its docstring documents them (one line a field).
    open_device: opens the line and returns the device; raises DeviceLost, DeviceSilent or
        SettingsInvalid.
    commands: what its open devices take, then they are CommandedDevices.
    matchers: which candidates it could serve; empty: never offered, only configured.
    node_setting: the setting that takes a candidate's node ("port", "path", "host"); "" none.
    tcp_port_setting: the setting that takes a network candidate's TCP port, "" none.
    probe: asks the device at these settings who it is, within two seconds, and returns its own
        words, "" if it is not such a device; called only on ports that the configuration allows.
    new_protocol: the protocol alone, with these settings, so that the kit can feed it captures and
        any bytes; None for a driver that has none.
    tier: what is proved of it, see drivers/README.md.
    """

    name: str
    device_class: DeviceClass
    summary: str
    settings_type: type[msgspec.Struct]
    open_device: Callable[[Any], Device]
    commands: frozenset[CommandName] = frozenset()
    matchers: tuple[Matcher, ...] = ()
    node_setting: str = ""
    tcp_port_setting: str = ""
    probe: Callable[[Any], str] | None = None
    new_protocol: Callable[[Any], StreamProtocol] | None = None
    tier: Tier = "bronze"

    def match(self, candidate: Candidate) -> int:
        """Return how well it fits, 1 to 100; 0 if it does not."""
        return match_score(self.matchers, candidate)

    def parse_settings(self, settings: Mapping[str, object]) -> msgspec.Struct:
        """Return the checked settings.

        Raises SettingsInvalid that names the key and what is expected.
        """
        try:
            return msgspec.convert(dict(settings), self.settings_type)
        except msgspec.ValidationError as error:
            raise SettingsInvalid(
                f"driver {self.name}: {error}",
                hint=f"Correct the settings of this device; {self.name} knows: "
                + ", ".join(self.settings_type.__struct_fields__)
                + ".",
            ) from error
