"""Finds the installed drivers. Edge of the Python package metadata (entry points)."""

from functools import cache
from importlib.metadata import EntryPoint, entry_points

from drivers.api import ENTRY_POINT_GROUP, Driver
from drivers.errors import SettingsInvalid


def load_driver(name: str) -> Driver:
    """Return the driver published under `name`; imports only that driver's module.

    Raises SettingsInvalid that lists the installed drivers.
    """
    entry_point = _entry_points_by_name().get(name)
    if entry_point is None:
        known = ", ".join(driver_names())
        raise SettingsInvalid(
            f"no driver is called {name!r}", hint=f"Use one of the installed drivers: {known}."
        )
    driver = entry_point.load()
    assert isinstance(driver, Driver), f"entry point {name} of {ENTRY_POINT_GROUP} is not a Driver"
    assert driver.name == name, f"entry point {name} holds the driver {driver.name}"
    return driver


def driver_names() -> list[str]:
    """Return the names of all installed drivers, sorted."""
    return sorted(_entry_points_by_name())


@cache
def _entry_points_by_name() -> dict[str, EntryPoint]:
    return {entry_point.name: entry_point for entry_point in entry_points(group=ENTRY_POINT_GROUP)}
