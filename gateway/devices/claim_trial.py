"""Tries a device with a driver before it is claimed: opened, heard or asked. Edge of the device."""

import time
from contextlib import closing
from typing import Literal, cast

from drivers.api import Device, LabelPrinter, ReadingDevice
from drivers.errors import DeviceSilent, DriverError, SettingsInvalid
from drivers.readings import DeviceFault
from drivers.registry import IMPORT_FAILURES, load_driver
from gateway.devices import claim_words as words
from gateway.devices.check import ConfiguredDevice
from gateway.devices.claim_flow import device_at
from gateway.devices.discovery import Unclaimed
from gateway.devices.presence import problem_of
from gateway.station.claiming import ClaimRequest
from gateway.station.effects import Signal

TRIAL_S = 2.0
TRIAL_READ_S = 0.25
GIVEN_BACK_S_MAX = 1.5  # A device that was just released is still being closed by its thread.
AGAIN_S = 0.1


def tried(found: Unclaimed, driver: str, name: str, request: ClaimRequest) -> Signal | None:
    """Return why a device cannot be claimed with a driver, None if it answers."""
    title = words.title_of(found.candidate)
    try:
        loaded = load_driver(driver)
        outcome = trial(device_at(loaded, found.candidate, name=name, settings=request.settings))
    except (SettingsInvalid, *IMPORT_FAILURES) as error:  # The latter: its mistakes.
        hint = error.hint if isinstance(error, SettingsInvalid) else str(error)
        return words.refused(words.CANNOT_LOAD, driver=driver, hint=hint)
    except DriverError as error:
        if isinstance(error, DeviceSilent):
            return words.refused(words.NOT_ANSWERING, title=title, driver=driver)
        return words.refused(words.CANNOT_OPEN, title=title, driver=driver, hint=error.hint)
    if outcome == "mute":
        return words.refused(words.NOT_ANSWERING, title=title, driver=driver)
    if outcome == "unreadable":
        return words.refused(words.UNREADABLE, title=title, driver=driver)
    return None


def trial(device: ConfiguredDevice) -> Literal["answers", "mute", "unreadable"]:
    """Open a device, hear or ask it for at most some seconds, and close it.

    A scanner or reader speaks only when somebody scans: that its line opens is its answer. A scale
    that says "overload" answers. Raises DriverError if it cannot be opened or is silent.
    """
    with closing(_opened(device)) as opened:
        if device.driver.device_class == "label_printer":
            silent = "silent" in cast(LabelPrinter, opened).status().conditions
            return "mute" if silent else "answers"
        if device.driver.device_class != "scale":
            return "answers"
        heard: Literal["mute", "unreadable"] = "mute"
        deadline_s = time.monotonic() + TRIAL_S
        while time.monotonic() < deadline_s:
            for reading in cast(ReadingDevice, opened).read(TRIAL_READ_S):
                if not isinstance(reading, DeviceFault) or reading.code != "unreadable":
                    return "answers"
                heard = "unreadable"
        return heard


def _opened(device: ConfiguredDevice) -> Device:
    """Return the device, opened; one that is in use is waited for a moment."""
    deadline_s = time.monotonic() + GIVEN_BACK_S_MAX
    while True:
        try:
            return device.driver.open_device(device.settings)
        except DriverError as error:
            if problem_of(error) != "in_use" or time.monotonic() >= deadline_s:
                raise
        time.sleep(AGAIN_S)
