"""Who may build in the cache, and who uses what is in it. Edge of the file system."""

import fcntl
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.hardware.errors import LabUnusable

BUILDING = "building-"  # Of folders for what is not whole yet.
_held: set[tuple[int, Path]] = set()  # Threads and the caches in which they build just now.


@contextmanager
def building_alone(cache: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Wait until nobody else builds in a cache; what an interrupted run left there is removed.

    Whoever builds already may call what builds.
    """
    held_by = (threading.get_ident(), cache)
    if held_by in _held:
        yield
        return
    cache.mkdir(parents=True, exist_ok=True)
    held = os.open(cache, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another run of the lab builds; waiting for it")
            fcntl.flock(held, fcntl.LOCK_EX)
        _sweep(cache)
        _held.add(held_by)
        yield
    finally:
        _held.discard(held_by)
        os.close(held)


def sweep_unless_built(cache: Path) -> None:
    """Remove what an interrupted run left, unless somebody builds at this moment."""
    held = os.open(cache, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    else:
        _sweep(cache)
    finally:
        os.close(held)


def _sweep(cache: Path) -> None:
    for left in cache.glob(f"{BUILDING}*"):
        shutil.rmtree(left)


@contextmanager
def in_use(folder: Path) -> Iterator[None]:
    """Keep other runs, of other checkouts, from removing what this one works with.

    Raises LabUnusable if another run has just removed it.
    """
    held = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_SH)
        if not folder.exists():
            raise LabUnusable(
                f"{folder.name} was removed by a lab of another version",
                hint="Run the lab again; with DOCKLEDGER_LAB=/path each version has a cache.",
            )
        yield
    finally:
        os.close(held)


def remove_unused(path: Path) -> None:
    """Remove a file or folder of the cache, unless another run uses it."""
    try:
        held = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return  # Another run was quicker.
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    else:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    finally:
        os.close(held)
