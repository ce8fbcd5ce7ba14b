"""A central where people sign in: on SQLite, and where the database matters on both."""

import shutil

import pytest

from central.storage.database import open_database
from tests.central.access.people import People


@pytest.fixture
def people(lite):
    """Users of every role."""
    return People(lite)


@pytest.fixture
def people_on_both(database):
    """Users of every role, on SQLite and on PostgreSQL."""
    return People(database)


@pytest.fixture
def lite(tmp_path, request):
    """A migrated, empty ledger on SQLite."""
    path = tmp_path / "ledger.db"
    shutil.copyfile(request.getfixturevalue("_migrated_file"), path)
    opened = open_database(f"sqlite:///{path}")
    yield opened
    opened.close()
