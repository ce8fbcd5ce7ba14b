"""The command `dockledger-gateway device record`. Loop.

It opens the device itself, so the gateway must not have it: lock the device, or stop the gateway.
"""

import time
from decimal import Decimal
from pathlib import Path
from typing import Annotated, cast

import typer

from drivers.api import ReadingDevice, TappedDevice
from drivers.errors import DriverError
from drivers.kit.descriptions import describe
from drivers.kit.recording import Recorder
from gateway.config import load_config
from gateway.devices.check import ConfiguredDevice, configured_devices
from gateway.errors import DeviceCommandFailed

READ_S = 0.2
RECORDED_S_MAX = 86_400.0
DEFAULT_CONFIG = Path("/etc/dockledger-gateway/gateway.toml")


def record(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The device's name.")],
    to: Annotated[Path, typer.Option("--to", help="The capture file to write.")],
    config: Annotated[
        Path, typer.Option("--config", help="The configuration file.")
    ] = DEFAULT_CONFIG,
    seconds: Annotated[
        float, typer.Option("--seconds", min=0.1, max=RECORDED_S_MAX, help="How long.")
    ] = 60.0,
    source: Annotated[
        str, typer.Option("--source", help="Maker, model and firmware, for whoever reads it.")
    ] = "recorded from a device",
) -> None:
    """Write what goes over a device's line, and what it means, into a capture file.

    The file holds all that was scanned or weighed meanwhile. Lock the device first.
    """
    configured = _configured(name, config)
    try:
        opened = cast(ReadingDevice, configured.driver.open_device(configured.settings))
    except DriverError as error:
        hint = f"{error.hint} If the gateway has it open: dockledger-gateway device lock {name}."
        raise DeviceCommandFailed(str(error), hint=hint) from error
    try:
        if not isinstance(opened, TappedDevice):
            raise DeviceCommandFailed(
                f"driver {configured.driver.name} has no line of bytes to record",
                hint="Record a device on a serial line, a TCP connection or a HID node.",
            )
        idle_s = Decimal(str(opened.idle_s))
        name = configured.driver.name
        with Recorder(to, driver=name, source=source, idle_s=idle_s) as recorder:
            opened.tap(recorder)
            _record(opened, recorder, seconds)
    except DriverError as error:
        raise DeviceCommandFailed(f"recorded up to here: {error}", hint=error.hint) from error
    except OSError as error:
        raise DeviceCommandFailed(
            f"{to} cannot be written: {error.strerror}", hint="Name a file that you can write."
        ) from error
    finally:
        opened.close()


def _configured(name: str, config: Path) -> ConfiguredDevice:
    for device in configured_devices(load_config(config), config_path=config):
        if device.section.name == name and device.driver.device_class != "label_printer":
            return device
    raise DeviceCommandFailed(
        f"no scanner, scale or reader is called {name}",
        hint="Name a device of the configuration file.",
    )


def _record(device: ReadingDevice, recorder: Recorder, seconds: float) -> None:
    deadline_s = time.monotonic() + seconds
    while not recorder.full and (left_s := deadline_s - time.monotonic()) > 0:
        for reading in device.read(min(READ_S, left_s)):
            typer.echo(describe(reading), err=True)
