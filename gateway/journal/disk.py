"""The disk under the journal: its room, a reserve on it, what was written. Edge of the file system.

The reserve is a file of real bytes beside the journal. SQLite needs a few pages even to delete; on
a disk that others have filled to the last byte the reserve gives them, so that acknowledgements are
noted and facts are forgotten.
"""

import os
from contextlib import suppress
from pathlib import Path

from gateway.journal.storage_levels import Room, disk_room

RESERVE_SUFFIX = ".reserve"
RESERVE_FILE_BYTES = 8 * 1024 * 1024
OWN_IO_FILE = Path("/proc/self/io")  # proc(5): write_bytes, what went to the storage layer.
OWN_IO_NAME = "write_bytes:"


def measure_disk(path: Path) -> Room:
    """Return the room on the disk that holds a file, for a user without privileges."""
    stats = os.statvfs(path.parent)
    return disk_room(
        total_bytes=stats.f_blocks * stats.f_frsize, free_bytes=stats.f_bavail * stats.f_frsize
    )


def file_bytes(path: Path) -> int:
    """Return how long a file is, 0 if there is none."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def hold_reserve(path: Path) -> bool:
    """Make the reserve of a journal unless it is there; return True if it is."""
    reserve = path.with_name(path.name + RESERVE_SUFFIX)
    if file_bytes(reserve) == RESERVE_FILE_BYTES:
        return True
    try:
        with reserve.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, RESERVE_FILE_BYTES)
    except OSError:
        release_reserve(path)
        return False
    return True


def release_reserve(path: Path) -> bool:
    """Give the reserve of a journal to the disk; return False if there was none."""
    try:
        path.with_name(path.name + RESERVE_SUFFIX).unlink()
    except OSError:
        return False
    return True


def own_written_bytes() -> int:
    """Return what this process has written to disks since its start, 0 if nobody says."""
    with suppress(OSError):
        for line in OWN_IO_FILE.read_text(encoding="ascii").splitlines():
            name, _, number = line.partition(" ")
            if name == OWN_IO_NAME:
                return int(number)
    return 0


def medium_of(folder: Path) -> int:
    """Return what tells the medium of a folder from others. Raises OSError."""
    return folder.stat().st_dev
