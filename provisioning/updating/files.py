"""Writes files so that a power cut leaves the old one or the new one. Edge of the disk."""

import ctypes
import hashlib
import os
import shutil
from pathlib import Path

CHUNK_BYTES = 1024 * 1024


def replace_file(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Replace a file; on return it is durable.

    Where root does it, the file belongs to the owner of its folder: what an administrator types
    leaves nothing that the agent cannot read.
    """
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    # Exclusive: where root writes into the agent's folder, a link that lies there leads nowhere.
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        if os.geteuid() == 0:
            owner = path.parent.stat()
            os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
        os.fchmod(file.fileno(), mode)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    sync_folder(path.parent)


def replace_link(path: Path, target: str) -> None:
    """Let a symbolic link lead to `target` from now on; on return that is durable."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    new.replace(path)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make the names in a folder durable."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def sync_disk(path: Path) -> None:
    """Make everything durable that was written to the disk that holds a folder (syncfs(2))."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if ctypes.CDLL(None, use_errno=True).syncfs(folder):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
    finally:
        os.close(folder)


def remove_tree(path: Path) -> None:
    """Remove a folder, or nothing if it is not there."""
    shutil.rmtree(path, ignore_errors=True)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def free_bytes(path: Path) -> int:
    """Return how much this user may still write on the disk that holds the folder."""
    stat = os.statvfs(path)
    return stat.f_bavail * stat.f_frsize
