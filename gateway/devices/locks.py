"""Which devices an administrator keeps closed: one empty file each, durable. Edge of the disk.

    <data_directory>/locked-devices/<device name>

A file is there or it is not: a lock cannot be half written or damaged, and whoever has a shell sees
and removes it.
"""

import os
from pathlib import Path

from central.contract.errors import ContractError
from central.contract.identifiers import parse_code
from gateway.errors import DeviceCommandFailed

LOCKS_FOLDER = "locked-devices"


class DeviceLocks:
    """The locks in one data directory. Any thread or program may use it."""

    def __init__(self, data_directory: Path) -> None:
        self._folder = data_directory / LOCKS_FOLDER

    def holds(self, name: str) -> bool:
        """Return True if the device is locked."""
        return (self._folder / _checked(name)).exists()

    def lock(self, name: str) -> None:
        """Lock a device; durable on return, nothing if it is. Raises DeviceCommandFailed."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            (self._folder / _checked(name)).touch(exist_ok=True)
            _sync_folder(self._folder)
        except OSError as error:
            raise _unwritable(self._folder, error) from error

    def unlock(self, name: str) -> None:
        """Unlock a device; durable on return, nothing if it is not. Raises DeviceCommandFailed."""
        path = self._folder / _checked(name)
        try:
            if path.exists():
                path.unlink(missing_ok=True)
                _sync_folder(self._folder)
        except OSError as error:
            raise _unwritable(self._folder, error) from error


def _checked(name: str) -> str:
    try:
        return parse_code(name, what="device")
    except ContractError as error:
        raise DeviceCommandFailed(str(error), hint=error.hint) from error


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unwritable(folder: Path, error: OSError) -> DeviceCommandFailed:
    return DeviceCommandFailed(
        f"the locks in {folder} cannot be changed: {error.strerror}",
        hint="Let the gateway's user write there, and make space on its disk.",
    )
