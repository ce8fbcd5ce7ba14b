"""A ledger with a few facts, and another empty place of the same kind."""

import pytest

from tests.central.backup.stand import Stand
from tests.central.conftest import _numbers
from tests.central.scenery import Gateway, furnished
from tests.postgresql import new_database


@pytest.fixture
def gateway():
    gateway = Gateway()
    for quantity in range(1, 8):
        gateway.move(quantity=str(quantity))
    return gateway


@pytest.fixture
def ledger(database, gateway):
    """A ledger that has taken seven movements."""
    (outcome,) = furnished(database, gateway).accept([gateway.offer()])
    assert outcome.kind == "accepted"
    return database


@pytest.fixture
def stand(ledger, tmp_path):
    return Stand(tmp_path, ledger.place)


@pytest.fixture
def empty_url(database, request, tmp_path):
    """URL of an empty database beside the first."""
    if database.dialect == "sqlite":
        yield f"sqlite:///{tmp_path / 'other.db'}"
        return
    server = request.getfixturevalue("postgresql_url")
    with new_database(server, f"other_{next(_numbers)}") as url:
        yield url
