"""The station bench as a fixture."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.gateway.station.bench import bench_at

# What a station does is not about disks: in memory its many small commits take a fifth of the time.
MEMORY_FOLDER = Path("/dev/shm")


@pytest.fixture
def bench(tmp_path):
    folder = MEMORY_FOLDER if MEMORY_FOLDER.is_dir() else tmp_path
    with TemporaryDirectory(dir=folder) as path, bench_at(Path(path)) as ready:
        yield ready
