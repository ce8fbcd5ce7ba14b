"""Finds the installed drivers. Edge of the Python package metadata (entry points)."""

from functools import cache
from importlib.metadata import EntryPoint, entry_points

from drivers.api import ENTRY_POINT_GROUP, Driver
from drivers.errors import SettingsInvalid

# What a stranger's module may raise while it is imported: all that Python itself raises there.
IMPORT_FAILURES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    MemoryError,
    NameError,
    OSError,
    RuntimeError,
    SyntaxError,
    SystemError,
    TypeError,
    ValueError,
)


def load_driver(name: str) -> Driver:
    """Return the driver published under `name`; imports only that driver's module.

    Raises SettingsInvalid that lists the installed drivers, or says why this one does not load.
    """
    entry_point = _entry_points_by_name().get(name)
    if entry_point is None:
        known = ", ".join(driver_names())
        raise SettingsInvalid(
            f"no driver is called {name!r}", hint=f"Use one of the installed drivers: {known}."
        )
    try:
        driver = entry_point.load()
    except Exception as error:
        raise _broken(name, f"{type(error).__name__}: {error}") from error
    if not isinstance(driver, Driver) or driver.name != name:
        raise _broken(name, f"{entry_point.value} is not the Driver {name!r}")
    return driver


def driver_names() -> list[str]:
    """Return the names of all installed drivers, sorted."""
    return sorted(_entry_points_by_name())


@cache
def _entry_points_by_name() -> dict[str, EntryPoint]:
    return {entry_point.name: entry_point for entry_point in entry_points(group=ENTRY_POINT_GROUP)}


def _broken(name: str, reason: str) -> SettingsInvalid:
    return SettingsInvalid(
        f"driver {name} does not load: {reason}",
        hint="Install the package of this driver again, with all that it needs, or mend it.",
    )
