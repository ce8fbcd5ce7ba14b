"""Every driver of a device that is plugged in has its lab test. Edge of the package metadata."""

import importlib
import tomllib
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Any, get_type_hints

import pytest

from drivers.api import ENTRY_POINT_GROUP, Driver
from drivers.registry import load_driver
from gateway.devices.kernel_devices import KERNEL_KINDS
from tests.hardware import __main__ as lab
from tests.hardware.guest_work import HERE
from tests.hardware.packages import ROOT

CHECKS = sorted(path.stem for path in (HERE / "in_guest").glob("check_*.py"))


def published() -> list[str]:
    """Return the names of our own drivers."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return sorted(project["entry-points"][ENTRY_POINT_GROUP])


def is_plugged_in(driver: Driver) -> bool:
    """Return whether its device is on a node of the kernel's: USB, HID, serial, input, GPIO.

    It is offered for such devices, or its settings have the node: all others have a host, listen
    on a port, or write into a folder.
    """
    kinds = {matcher.kind for matcher in driver.matchers}
    takes_node = driver.node_setting not in {"", "host"} and not driver.tcp_port_setting
    port = get_type_hints(driver.settings_type).get("port")
    return bool(kinds & KERNEL_KINDS) or takes_node or port is str


def checked(module: ModuleType) -> Iterator[str]:
    """Return the drivers that the tests of a module are marked with; each opens them, or fails."""
    for name, function in vars(module).items():
        if name.startswith("test_"):
            yield from _marked(getattr(function, "pytestmark", ()))


def _marked(marks: Iterable[Any]) -> Iterator[str]:
    for mark in marks:
        if mark.name == "drivers":
            yield from mark.args
        if mark.name == "parametrize":
            for case in mark.args[1]:
                yield from _marked(getattr(case, "marks", ()))


def test_every_driver_of_what_is_plugged_in_is_opened_in_the_lab():
    wanted = {name for name in published() if is_plugged_in(load_driver(name))}
    modules = [importlib.import_module(f"tests.hardware.in_guest.{name}") for name in CHECKS]
    found = {name for module in modules for name in checked(module)}
    assert found == wanted


@pytest.mark.parametrize(
    ("name", "plugged_in"),
    [
        pytest.param("scanner-serial", True, id="serial"),
        pytest.param("scanner-evdev", True, id="input"),
        pytest.param("scale-hidraw", True, id="hid"),
        pytest.param("zpl-device", True, id="usb"),
        pytest.param("gpio-lines", True, id="gpio"),
        pytest.param("modbus-scale-tcp", False, id="tcp"),
        pytest.param("scanner-tcp-server", False, id="listens"),
        pytest.param("impinj-iot", False, id="http"),
        pytest.param("pdf-sheet-folder", False, id="folder"),
    ],
)
def test_what_goes_over_a_network_or_into_a_folder_is_not_plugged_in(name, plugged_in):
    assert is_plugged_in(load_driver(name)) == plugged_in


def test_every_check_is_run():
    """A file that no part of the lab names is run by nobody."""
    source = (HERE / "__main__.py").read_text()
    assert [name for name in CHECKS if f"{name}.py" not in source] == []
    assert set(lab.DEVICE_CHECKS.split()) <= {f"{name}.py" for name in CHECKS}
