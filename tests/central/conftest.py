"""The same ledger on both databases, for every test that asks for `database`.

Making a database is slow beside a test: one migrated SQLite file is copied, one migrated
PostgreSQL database is emptied, and made anew where a test has changed its schema.
"""

import itertools
import shutil
from contextlib import ExitStack

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from central.storage import bulk
from central.storage.database import open_database
from central.storage.schema import head_revision, migrate
from central.storage.tables import ledger_state, metadata
from tests.postgresql import new_database, postgresql_server

GENERATION = "generation-1"
KINDS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgresql_url():
    """Base URL of the session's PostgreSQL server."""
    with postgresql_server() as url:
        yield url


@pytest.fixture(params=KINDS)
def database_url(request, tmp_path):
    """URL of an empty database of the test's own."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'ledger.db'}"
        return
    server = request.getfixturevalue("postgresql_url")
    with new_database(server, f"ledger_{next(_numbers)}") as url:
        yield url


@pytest.fixture(params=KINDS)
def database(request, tmp_path):
    """A migrated, empty ledger."""
    if request.param == "sqlite":
        path = tmp_path / "ledger.db"
        shutil.copyfile(request.getfixturevalue("_migrated_file"), path)
        opened = open_database(f"sqlite:///{path}")
        yield opened
        opened.close()
        return
    shared = request.getfixturevalue("_shared_postgresql")
    opened = open_database(shared.url())
    yield opened
    shared.clean(opened)
    opened.close()


@pytest.fixture
def own_database(database_url):
    """A migrated, empty ledger in a database of the test's own."""
    opened = open_database(database_url)
    migrate(opened, generation=GENERATION)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def _migrated_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("migrated") / "ledger.db"
    opened = open_database(f"sqlite:///{path}")
    migrate(opened, generation=GENERATION)
    opened.close()  # The last connection takes the write-ahead log into the file.
    return path


@pytest.fixture(scope="session")
def _shared_postgresql(postgresql_url):
    with ExitStack() as databases:
        yield _Shared(postgresql_url, databases)


class _Shared:
    """One migrated PostgreSQL database for test after test."""

    def __init__(self, server_url, databases):
        self._server_url = server_url
        self._databases = databases
        self._url = None

    def url(self):
        """URL of the database, migrated and empty."""
        if self._url is None:
            name = f"shared_{next(_numbers)}"
            self._url = self._databases.enter_context(new_database(self._server_url, name))
            opened = open_database(self._url)
            migrate(opened, generation=GENERATION)
            opened.close()
        return self._url

    def clean(self, opened):
        """Empty it; leave it behind if a test has changed its schema."""
        try:
            with opened.write() as connection:
                for table in reversed(metadata.sorted_tables):  # Quicker than TRUNCATE of few rows.
                    connection.execute(table.delete())
                revision = connection.execute(text("SELECT version_num FROM alembic_version"))
                assert revision.scalar_one() == head_revision()
                initial = {
                    "generation": GENERATION,
                    "last_event_no": "0",
                    "own_facts_count": "0",
                    "record_no": "0",
                    "reference_revision": "0",
                    "quarantine_dropped_count": "0",
                    "reversals_waiting_count": "0",
                    "signing_key": "5a" * 32,
                }
                bulk.insert_rows(connection, ledger_state, list(initial.items()))
        except (SQLAlchemyError, AssertionError):
            self._url = None
