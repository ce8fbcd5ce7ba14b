"""What several tests of devices share. Edge of threads."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateway.devices.floor import Floor


@pytest.fixture
def floor(tmp_path: Path) -> Iterator[Floor]:
    floor = Floor(tmp_path)
    yield floor
    floor.close()
