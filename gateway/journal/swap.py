"""Puts a journal that was made anew into the place of a damaged one. Edge of the file system.

    journal.db.new     being written; of no worth after a power cut
    journal.db.ready   complete and checked: from here on the swap is done, now or at the next start
    journal.db.damaged-1, -1-wal   what stood there before; never touched again

A log must never stand beside another journal than its own: SQLite would read it into that one. So
the log is moved first, and the new file gets its name last.
"""

import os
from pathlib import Path

NEW_SUFFIX, READY_SUFFIX, DAMAGED_INFIX = ".new", ".ready", ".damaged-"
LOG_SUFFIX, LOG_INDEX_SUFFIX = "-wal", "-shm"
DAMAGED_FILES_MAX = 9


def new_path(path: Path) -> Path:
    """Return where a journal is written before it is complete."""
    return path.with_name(path.name + NEW_SUFFIX)


def remove_leftovers(path: Path) -> None:
    """Remove what an attempt that was cut off has left of a new file."""
    building = new_path(path)
    for suffix in ("", "-journal", LOG_SUFFIX, LOG_INDEX_SUFFIX):
        building.with_name(building.name + suffix).unlink(missing_ok=True)


def declare_ready(path: Path) -> None:
    """Say that the new file is complete: durable, and what stands there goes aside."""
    building = new_path(path)
    with building.open("rb") as file:
        os.fsync(file.fileno())
    building.rename(path.with_name(path.name + READY_SUFFIX))
    sync_folder(path.parent)


def finish_swap(path: Path) -> Path | None:
    """Put a complete new file in place; return where the one before is now, None if there is none.

    Without a complete new file nothing happens. May be cut off and repeated at any point.
    """
    ready = path.with_name(path.name + READY_SUFFIX)
    if not ready.exists():
        return None
    aside = _free_name(path)
    moved = path.exists()
    log = path.with_name(path.name + LOG_SUFFIX)
    if log.exists():
        log.rename(aside.with_name(aside.name + LOG_SUFFIX))
    path.with_name(path.name + LOG_INDEX_SUFFIX).unlink(missing_ok=True)
    if moved:
        path.rename(aside)
    sync_folder(path.parent)
    ready.rename(path)
    sync_folder(path.parent)
    return aside if moved else None


def damaged_files(path: Path) -> list[Path]:
    """Return the damaged journals that were put aside, the first first."""
    candidates = (_damaged_path(path, count) for count in range(1, DAMAGED_FILES_MAX + 1))
    return [one for one in candidates if one.exists()]


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _free_name(path: Path) -> Path:
    for count in range(1, DAMAGED_FILES_MAX + 1):
        candidate = _damaged_path(path, count)
        if not candidate.exists():
            return candidate
    raise OSError(f"{DAMAGED_FILES_MAX} damaged journals lie beside {path}: move them away")


def _damaged_path(path: Path, count: int) -> Path:
    return path.with_name(f"{path.name}{DAMAGED_INFIX}{count}")
