"""The station bench as a fixture."""

import pytest

from tests.gateway.station.bench import bench_at


@pytest.fixture
def bench(tmp_path):
    with bench_at(tmp_path) as ready:
        yield ready
