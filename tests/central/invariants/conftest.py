"""Empty ledgers on both databases, for whoever walks."""

import pytest

from tests.central.conftest import KINDS
from tests.central.invariants.databases import fresh_postgresql, fresh_sqlite


@pytest.fixture(params=KINDS)
def fresh(request, tmp_path):
    """What gives empty ledgers."""
    if request.param == "sqlite":
        with fresh_sqlite(tmp_path) as made:
            yield made
        return
    with fresh_postgresql(request.getfixturevalue("postgresql_url")) as made:
        yield made
