"""Where the files of the gateway's tests are: in memory, but for those that are about disks."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.memory_folder import memory_folder

ABOUT_DISKS = frozenset({"test_copy.py", "test_storage_levels.py", "test_sudden_end.py"})


@pytest.fixture
def tmp_path(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """Yield a folder of the test's own."""
    if request.path.name in ABOUT_DISKS:
        yield tmp_path
        return
    with memory_folder(tmp_path) as folder:
        yield folder
