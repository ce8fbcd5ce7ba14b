"""Who may build in the cache, and who uses what is in it. Edge of the file system."""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

BUILDING = "building-"  # Of folders for what is not whole yet.


@contextmanager
def building_alone(cache: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Wait until nobody else builds in a cache; what an interrupted run left there is removed."""
    cache.mkdir(parents=True, exist_ok=True)
    held = os.open(cache, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another run of the lab builds; waiting for it")
            fcntl.flock(held, fcntl.LOCK_EX)
        _sweep(cache)
        yield
    finally:
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
    """Keep other runs, of other checkouts, from removing what this one works with."""
    held = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_SH)
        yield
    finally:
        os.close(held)


def remove_unused(path: Path) -> None:
    """Remove a file or folder of the cache, unless another run uses it."""
    held = os.open(path, os.O_RDONLY)
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
