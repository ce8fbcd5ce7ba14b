"""Folders that backups lie in: written aside, synced, renamed, read back, thinned. Edge of folders.

A place is a folder on a medium of its own, also a mounted share, that `backup prepare-place` has
marked. Without the mark nothing is written: it is the mount point without its medium.
"""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from central.backup.manifests import (
    BACKUP_SUFFIX,
    MANIFEST_BYTES_MAX,
    MANIFEST_SUFFIX,
    NAME,
    Check,
    Manifest,
    decode_manifest,
    taken_at,
)
from central.backup.retention import Keeping, superfluous
from central.contract.errors import ContractError
from central.errors import BackupRefused

MARK_FILE = "dockledger-backups"
MARK_TEXT = "This folder holds encrypted backups of Dockledger. Without this file none are made.\n"
PART_SUFFIX = ".part"
WAL_FOLDER = "wal"
WAL_MARGIN_S = 24 * 3600
READ_BYTES = 1024 * 1024


class PlaceFailed(Exception):
    """Nothing usable could be written into one place. `str(error)` says why."""


def prepare_place(folder: Path) -> None:
    """Mark a folder as a place of backups, made if need be. Raises BackupRefused."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / WAL_FOLDER).mkdir(mode=0o700, exist_ok=True)
        for marked in (folder, folder / WAL_FOLDER):
            (marked / MARK_FILE).write_text(MARK_TEXT, encoding="utf-8")
            _sync(marked)
    except OSError as error:
        raise BackupRefused(
            f"{folder} cannot be prepared: {error.strerror}",
            hint="Mount its medium and let this user write there.",
        ) from error


class PlaceFile:
    """One backup on its way into one place. Every method may raise PlaceFailed."""

    def __init__(self, folder: Path, name: str) -> None:
        """Begin; removes what a backup that was killed has left there."""
        self.folder = folder
        self._name = name
        self._part = folder / f"{name}{BACKUP_SUFFIX}{PART_SUFFIX}"
        with _failure_named(folder):
            if not (folder / MARK_FILE).is_file():
                raise PlaceFailed(
                    f"{folder} is not mounted, or was never prepared"
                    f" (`backup prepare-place {folder}`)"
                )
            self._lock = (folder / MARK_FILE).open("rb")
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                for left in folder.glob(f"*{PART_SUFFIX}"):
                    left.unlink()
                self._file: BinaryIO = _new_file(self._part)
            except OSError:
                self._lock.close()
                raise

    def write(self, data: bytes) -> None:
        """Add bytes of the backup."""
        with _failure_named(self.folder):
            self._file.write(data)

    def keep(self, manifest: bytes, *, sha256: str) -> None:
        """Give the backup its name, once it is on the medium and was read back from there.

        manifest: b"" for none.
        """
        with _failure_named(self.folder):
            self._file.flush()
            os.fsync(self._file.fileno())
            # What is read back has to come from the medium, not from memory.
            os.posix_fadvise(self._file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            self._file.close()
            found, _ = digest_of(self._part)
            if found != sha256:
                raise PlaceFailed(f"{self.folder}: what was read back is not what was written")
            beside = self._part.with_name(f"{self._name}{MANIFEST_SUFFIX}{PART_SUFFIX}")
            if manifest:
                with _new_file(beside) as file:
                    file.write(manifest)
                    file.flush()
                    os.fsync(file.fileno())
            # A backup without a manifest can be used; a manifest alone would promise something.
            self._part.rename(self.folder / f"{self._name}{BACKUP_SUFFIX}")
            if manifest:
                beside.rename(self.folder / f"{self._name}{MANIFEST_SUFFIX}")
            _sync(self.folder)

    def close(self) -> None:
        """Leave nothing behind but what was kept."""
        with suppress(OSError):
            self._file.close()
        with suppress(OSError):
            self._part.unlink(missing_ok=True)
        self._lock.close()


def thin_out(folder: Path, keeping: Keeping, *, made_now: str) -> tuple[str, ...]:
    """Delete backups of the kind of `made_now` that need not be kept; return their names.

    Raises PlaceFailed.
    """
    prefix = made_now.partition("-")[0]
    with _failure_named(folder):
        names = [name for name in names_in(folder) if name.startswith(f"{prefix}-")]
        gone = superfluous(names, keeping, made_now=made_now)
        for name in gone:
            (folder / f"{name}{BACKUP_SUFFIX}").unlink(missing_ok=True)
            (folder / f"{name}{MANIFEST_SUFFIX}").unlink(missing_ok=True)
        _sync(folder)
    return tuple(gone)


def thin_out_wal(folder: Path) -> int:
    """Delete archived WAL that no base backup of the place needs; return how many files.

    A day of it is kept beyond the oldest base, whatever the clocks said. Raises PlaceFailed.
    """
    with _failure_named(folder):
        bases = [taken_at(name) for name in names_in(folder) if name.startswith("base-")]
        oldest = min((moment.timestamp() for moment in bases if moment), default=0.0)
        count = 0
        for path in (folder / WAL_FOLDER).glob(f"wal-*{BACKUP_SUFFIX}"):
            if path.stat().st_mtime < oldest - WAL_MARGIN_S:
                path.unlink()
                count += 1
    return count


def names_in(folder: Path) -> list[str]:
    """Return the names of the backups of a place, the oldest first. Raises OSError."""
    names = {path.stem for path in folder.iterdir() if path.suffix == BACKUP_SUFFIX}
    return sorted((name for name in names if NAME.fullmatch(name)), key=lambda name: name[-25:])


def read_manifest(path: Path, *, check: Check) -> tuple[Manifest, str]:
    """Return the manifest of a backup and the key that signed it. Raises ContractError."""
    beside = path.with_suffix(MANIFEST_SUFFIX)
    try:
        with beside.open("rb") as file:
            return decode_manifest(file.read(MANIFEST_BYTES_MAX + 1), check=check)
    except OSError as error:
        raise ContractError(
            f"{beside} cannot be read: {error.strerror}",
            hint="Copy the manifest beside the backup.",
        ) from error


def digest_of(path: Path) -> tuple[str, int]:
    """Return SHA-256 and size of a file. Raises OSError."""
    digest, bytes_count = hashlib.sha256(), 0
    with path.open("rb") as file:
        while data := file.read(READ_BYTES):
            digest.update(data)
            bytes_count += len(data)
    return digest.hexdigest(), bytes_count


def _new_file(path: Path) -> BinaryIO:
    opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    return os.fdopen(opened, "wb")


def _sync(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


@contextmanager
def _failure_named(folder: Path) -> Iterator[None]:
    try:
        yield
    except BlockingIOError as error:
        raise PlaceFailed(f"another backup is being written into {folder}") from error
    except OSError as error:
        raise PlaceFailed(f"{folder} cannot be written: {error.strerror or error}") from error
