"""One folder for all that a run of the lab writes besides its cache. Edge of the file system.

A run holds a lock on its folder for as long as it lives: what a run that was killed has left is
known by nobody holding it, and goes with the next run.
"""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX, PREFIX_KEPT = "dockledger-lab-run-", "dockledger-lab-kept-"
YOUNG_S = 10.0
KEEP = "DOCKLEDGER_LAB_KEEP"  # Set to anything: nothing is removed, to be looked at.


@contextmanager
def scratch() -> Iterator[Path]:
    """Give this program and those that it starts a folder for what is temporary; gone afterwards.

    What runs before this one left when they were killed is removed. A program that another of the
    lab's has started works in that one's folder.
    """
    outside = Path(tempfile.gettempdir())
    if outside.name.startswith(PREFIX):
        yield outside
        return
    sweep(outside)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(held, fcntl.LOCK_EX)
    before = os.environ.get("TMPDIR")
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
    try:
        yield folder
    finally:
        tempfile.tempdir = None
        os.environ.pop("TMPDIR")
        if before is not None:
            os.environ["TMPDIR"] = before
        if KEEP not in os.environ:
            shutil.rmtree(folder, ignore_errors=True)
        os.close(held)


def sweep(outside: Path) -> None:
    """Remove the folders of runs that live no more; those of others stay, whoever owns them."""
    for path in outside.glob(f"{PREFIX}*"):
        try:
            if time.time() - path.lstat().st_mtime < YOUNG_S:
                continue  # It may be made at this moment, and not held yet.
            held = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        except OSError:
            continue  # Another user's, or gone by now.
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        else:
            shutil.rmtree(path, ignore_errors=True)
        finally:
            os.close(held)


def keep(file: Path) -> Path:
    """Move a file to where it stays after the run, and return that place."""
    inside = Path(tempfile.gettempdir())
    outside = inside.parent if inside.name.startswith(PREFIX) else inside
    kept = Path(tempfile.mkdtemp(prefix=PREFIX_KEPT, dir=outside)) / file.name
    shutil.move(file, kept)
    return kept
