"""Checks the settings of each configured device, and opens it once. Edge of the devices."""

import re
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import msgspec

from drivers.api import Driver, LabelPrinter, ReadingDevice
from drivers.errors import DriverError, SettingsInvalid
from drivers.readings import DeviceFault
from drivers.registry import load_driver
from gateway.config import setting_error
from gateway.config_sections import DeviceSection, GatewayConfig

SCALE_ANSWER_S = 2.0
# A driver's message ends in "at `$.map`", and names a missing or unknown field in there before it.
SETTING_PATH = re.compile(r" at `\$\.([^`]+)`")
FIELD_NAME = re.compile(r"field `([^`]+)`")


@dataclass(frozen=True, slots=True)
class DeviceCheck:
    """How one device is. detail: what is wrong, hint: what to do; both "" if it is ready."""

    name: str
    driver: str
    device_class: str
    ready: bool
    detail: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class ConfiguredDevice:
    """A device whose driver is installed and takes its settings.

    identity: by what a claimed device is found again, "" of a device of the configuration file.
    """

    section: DeviceSection
    driver: Driver
    settings: msgspec.Struct
    identity: str = ""


def configured_devices(config: GatewayConfig, *, config_path: Path) -> list[ConfiguredDevice]:
    """Return every device with its driver and checked settings, in the order of the file.

    Raises ConfigInvalid that names the line, the key and what to write.
    """
    devices = []
    for index, section in enumerate(config.devices):
        try:
            driver = load_driver(section.driver)
        except SettingsInvalid as error:
            raise setting_error(
                config_path, device=index, setting="", reason=str(error), hint=error.hint
            ) from error
        try:
            settings = driver.parse_settings(section.settings)
        except SettingsInvalid as error:
            raise setting_error(
                config_path,
                device=index,
                setting=_setting_name(str(error)),
                reason=str(error),
                hint=error.hint,
            ) from error
        devices.append(ConfiguredDevice(section, driver, settings))
    return devices


def check_devices(config: GatewayConfig, *, config_path: Path) -> Iterator[DeviceCheck]:
    """Open, ask and close one device after the other; yield how each is.

    Raises ConfigInvalid before the first one is opened if any settings are wrong.
    """
    for device in configured_devices(config, config_path=config_path):
        try:
            problem = _open_and_ask(device)
        except DriverError as error:
            yield _check(device, str(error), error.hint)
        else:
            hint = "Look at the device itself." if problem else ""
            yield _check(device, problem, hint)


def _setting_name(message: str) -> str:
    found = (SETTING_PATH.search(message), FIELD_NAME.search(message))
    return ".".join(match[1] for match in found if match)


def _open_and_ask(device: ConfiguredDevice) -> str:
    """Return what the device says is wrong, "" if nothing. Raises DriverError."""
    with closing(device.driver.open_device(device.settings)) as opened:
        if device.driver.device_class == "label_printer":
            status = cast(LabelPrinter, opened).status()
            return "" if status.ready else f"the printer says: {', '.join(status.conditions)}"
        if device.driver.device_class == "scale":
            # A scanner speaks only when somebody scans; a scale is asked and answers.
            return _first_words(cast(ReadingDevice, opened))
        return ""


def _first_words(scale: ReadingDevice) -> str:
    deadline_s = time.monotonic() + SCALE_ANSWER_S
    while (left_s := deadline_s - time.monotonic()) > 0:
        for reading in scale.read(left_s):
            if isinstance(reading, DeviceFault):
                return f"the scale says: {reading.code}: {reading.detail}"
            return ""
    return f"the scale said nothing for {SCALE_ANSWER_S:g} s"


def _check(device: ConfiguredDevice, problem: str, hint: str) -> DeviceCheck:
    return DeviceCheck(
        name=device.section.name,
        driver=device.driver.name,
        device_class=device.driver.device_class,
        ready=not problem,
        detail=problem,
        hint=hint,
    )
