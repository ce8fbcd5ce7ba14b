"""A folder that takes whole files, each under a name of its own. Edge of the file system."""

import contextlib
import errno
import os
import re
from collections.abc import Callable
from pathlib import Path

from drivers.errors import DeviceLost

FILES_MAX = 5000  # In the folder; whoever takes the files away has stopped doing so.
NAMES_TRIED_MAX = 100


class FileFolder:
    """An existing folder; any number of programs may add files and take them away."""

    def __init__(
        self,
        path: Path,
        *,
        stem: str,
        suffix: str,
        files_max: int = FILES_MAX,
        sync_folder: Callable[[Path], None] | None = None,
    ) -> None:
        self._sync_folder = sync_folder or _sync_folder
        self._path = path
        self._stem = stem
        self._suffix = suffix
        self._files_max = files_max
        self._numbered = re.compile(rf"{re.escape(stem)}-([0-9]{{6,9}}){re.escape(suffix)}")
        self._number = 0  # Of the last file, so that a name does not come back once it is taken.

    def check(self) -> None:
        """Raise DeviceLost if the folder is not there, not writable or full."""
        self._next_number()
        if not os.access(self._path, os.W_OK | os.X_OK):
            raise self._lost("not writable")

    def add(self, data: bytes) -> Path:
        """Return the new file, whole and on disk. Raises DeviceLost, and then there is none."""
        number = self._next_number()
        part = self._path / f".{self._stem}-{os.getpid()}.part"
        try:
            _write_to_disk(part, data)
            final = self._publish(part, number)
        except OSError as error:
            raise self._lost(error.strerror or str(error)) from error
        finally:
            with contextlib.suppress(OSError):
                part.unlink()
        return final

    def _publish(self, part: Path, first_number: int) -> Path:
        """Give the file its name. A link never replaces a file of another program."""
        for number in range(first_number, first_number + NAMES_TRIED_MAX):
            final = self._path / f"{self._stem}-{number:06d}{self._suffix}"
            with contextlib.suppress(FileExistsError):
                os.link(part, final)
                self._number = number
                # It has its name, so somebody may print it: what comes now fails no job.
                with contextlib.suppress(OSError):
                    self._sync_folder(self._path)
                return final
        raise OSError(errno.EEXIST, "no free file name")

    def _next_number(self) -> int:
        try:
            names = [entry.name for entry in self._path.iterdir()]
        except OSError as error:
            raise self._lost(error.strerror or str(error)) from error
        if len(names) >= self._files_max:
            raise self._lost(f"{len(names)} files wait in it")
        found = [int(match[1]) for name in names if (match := self._numbered.fullmatch(name))]
        return max([self._number, *found]) + 1

    def _lost(self, reason: str) -> DeviceLost:
        return DeviceLost(
            f"folder {self._path}: {reason}",
            hint="Make the folder, give the gateway's user the right to write there, and see that "
            "its files are taken away.",
        )


def _write_to_disk(path: Path, data: bytes) -> None:
    path.unlink(missing_ok=True)  # Of a program that ended within a write.
    # Exclusive: never through a link that another user of the folder put there.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
