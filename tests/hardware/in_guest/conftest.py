"""Opens drivers of the wheel under test, as the gateway does. Root."""

import time
from contextlib import contextmanager
from threading import Thread

import pytest

from drivers.errors import DeviceLost
from drivers.readings import BarcodeScanned
from drivers.registry import load_driver

READ_S = 120.0  # Costs only where it fails.


class Opened:
    """An open device whose readings are collected."""

    def __init__(self, device):
        self.device = device
        self.readings = []

    def until(self, asked, timeout_s=READ_S):
        """Read until `asked(readings)` is true, and return its answer."""
        deadline = time.monotonic() + timeout_s
        while not (found := asked(self.readings)):
            assert time.monotonic() < deadline, self.readings
            self.readings += self.device.read(0.2)
        return found

    def scans(self, count):
        """Read until there are so many scans, and return their data."""

        def found(readings):
            data = [one.data for one in readings if isinstance(one, BarcodeScanned)]
            return data if len(data) >= count else None

        return self.until(found)

    def lost(self):
        """Read until the line is gone, and return the error."""
        with pytest.raises(DeviceLost) as raised:
            self.until(lambda _readings: False)
        return raised.value


def pytest_configure(config):
    """Name the mark of tests that are the lab's test of a driver; `test_lab_drivers.py` asks."""
    config.addinivalue_line("markers", "drivers(*names): the drivers that a test must have opened")


@pytest.fixture
def opened(request):
    """Open a driver by name with settings; closed at the end. A mark `drivers` must be true."""
    devices, names = [], set()

    def open_device(name, **settings):
        names.add(name)
        driver = load_driver(name)
        texts = {
            key: str(value) if key in {"path", "port"} else value for key, value in settings.items()
        }
        device = driver.open_device(driver.parse_settings(texts))
        devices.append(device)
        return Opened(device)

    yield open_device
    for device in devices:
        device.close()
    marked = {name for mark in request.node.iter_markers("drivers") for name in mark.args}
    assert marked <= names, f"marked as a test of {marked - names}, which it did not open"


@contextmanager
def meanwhile(work, *arguments):
    """Do it in a thread: a keystroke is six events, the kernel keeps 64, somebody must read."""
    thread = Thread(target=work, args=arguments, daemon=True)
    thread.start()
    yield
    thread.join(READ_S)
    assert not thread.is_alive()
