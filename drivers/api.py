"""The driver SDK: what a driver declares and what the gateway may ask of an open device. Pure.

A driver is a `Driver` value, published under the entry point group `dockledger.drivers`. The
built-in drivers come through the same door. An open device is used by one thread only and blocks;
it is closed when a call raises DeviceLost or DeviceSilent, and opened again after a pause.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import msgspec

from drivers.errors import SettingsInvalid
from drivers.labels import Label
from drivers.readings import PrinterStatus, PrintResult, Reading

ENTRY_POINT_GROUP = "dockledger.drivers"

DeviceClass = Literal["scanner", "scale", "label_printer"]


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


Device = ReadingDevice | LabelPrinter


@dataclass(frozen=True, slots=True)
class Driver:
    """What a driver says of itself.

    name: as written in the configuration, e.g. "mt-sics-serial".
    summary: one English sentence: which devices, which line.
    settings_type: a frozen msgspec Struct with `forbid_unknown_fields=True`; its fields are the
        settings, its docstring documents them (one line a field).
    open_device: opens the line and returns the device; raises DeviceLost, DeviceSilent or
        SettingsInvalid.
    """

    name: str
    device_class: DeviceClass
    summary: str
    settings_type: type[msgspec.Struct]
    open_device: Callable[[Any], Device]

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
