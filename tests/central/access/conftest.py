"""A central where people sign in: on SQLite, and where the database matters on both."""

import pytest

from tests.central.access.people import People


@pytest.fixture
def people(lite):
    """Users of every role."""
    return People(lite)


@pytest.fixture
def people_on_both(database):
    """Users of every role, on SQLite and on PostgreSQL."""
    return People(database)
