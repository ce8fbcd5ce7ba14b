"""A folder that needs no disk, for tests that are not about disks. Edge of the file system.

Each commit of a journal or a ledger waits for the disk, some 4 ms; a test makes hundreds of them.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

IN_MEMORY = Path("/dev/shm")
FREE_BYTES_MIN = 512 * 1024 * 1024  # Containers often have 64 MB there: then the disk has to do.


@contextmanager
def memory_folder(otherwise: Path) -> Iterator[Path]:
    """Yield a new folder in memory, gone at the end; `otherwise` where there is no room for it."""
    if not has_room(FREE_BYTES_MIN):
        yield otherwise
        return
    with TemporaryDirectory(dir=IN_MEMORY, prefix="dockledger-test-") as folder:
        yield Path(folder)


def has_room(bytes_count: int) -> bool:
    """Return whether there are folders in memory, and so many bytes left for them."""
    return IN_MEMORY.is_dir() and shutil.disk_usage(IN_MEMORY).free >= bytes_count
