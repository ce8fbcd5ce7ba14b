"""The same ledger on both databases, for every test that asks for `database`.

Making a database is slow beside a test: one migrated SQLite file is copied, one migrated
PostgreSQL database is emptied, and made anew where a test has changed its schema. Connections to
PostgreSQL stay open from test to test: each new one loads the catalogue of all tables. Of SQLite
each test gets its own file and connections, but the statements that tests before it have compiled.
Whatever listens to an engine of those that are shared has to be gone with its test.
"""

import itertools
import shutil
from contextlib import ExitStack

import psycopg
import pytest

from central.storage.database import open_database
from central.storage.schema import VERSION_TABLE, head_revision, migrate
from tests.central.listening import none_left_listening
from tests.central.migrated import migrated_bytes
from tests.memory_folder import memory_folder
from tests.postgresql import new_database, postgresql_server

GENERATION = "generation-1"
KINDS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]
FIRST_ROWS = "first_rows"  # A schema with what the tables held before the first test.
_numbers = itertools.count(1)


@pytest.fixture
def tmp_path(tmp_path):
    """A folder of the test's own, in memory: no commit waits for the disk."""
    with memory_folder(tmp_path) as folder:
        yield folder


@pytest.fixture(scope="session")
def postgresql_url():
    """Base URL of the session's PostgreSQL server."""
    with postgresql_server(in_memory=True) as url:
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
def database(request):
    """A migrated, empty ledger."""
    if request.param == "sqlite":
        yield request.getfixturevalue("_sqlite")
        return
    shared = request.getfixturevalue("_shared_postgresql")
    opened = shared.opened()
    with none_left_listening(opened):
        yield opened
        shared.clean()


@pytest.fixture
def lite(_sqlite):
    """A migrated, empty ledger on SQLite."""
    return _sqlite


@pytest.fixture
def _sqlite(_migrated_file, _shared_sqlite):
    opened, path = _shared_sqlite
    shutil.copyfile(_migrated_file, path)
    with none_left_listening(opened):
        yield opened
        opened.close()  # Its connections; the next test opens others, on a file of its own.
        for left in path.parent.iterdir():
            left.unlink()


@pytest.fixture
def own_database(database_url, fill):
    """A migrated, empty ledger in a database of the test's own."""
    fill(database_url)
    opened = open_database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def fill(request):
    """Make the empty database at a URL a migrated, empty ledger: the copy of one."""

    def copy_to(url):
        place, _, name = url.rpartition("/")
        if place.startswith("sqlite:"):
            copied = request.getfixturevalue("_migrated_file")
            shutil.copyfile(copied, url.removeprefix("sqlite:///"))
            return
        server = request.getfixturevalue("postgresql_url")
        template = request.getfixturevalue("_migrated_postgresql")
        with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')

    return copy_to


@pytest.fixture(scope="session")
def _migrated_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("migrated") / "ledger.db"
    path.write_bytes(migrated_bytes(GENERATION))
    return path


@pytest.fixture(scope="session")
def _shared_sqlite(tmp_path_factory, _migrated_file):
    with memory_folder(tmp_path_factory.mktemp("shared")) as folder:
        path = folder / "ledger.db"
        opened = open_database(f"sqlite:///{path}")
        opened.close()
        path.unlink(missing_ok=True)
        yield opened, path


@pytest.fixture(scope="session")
def _migrated_postgresql(postgresql_url):
    name = f"migrated_{next(_numbers)}"
    with new_database(postgresql_url, name) as url:
        _migrate(url)
        yield name


def _migrate(url):
    opened = open_database(url)
    migrate(opened, generation=GENERATION)
    opened.close()


@pytest.fixture(scope="session")
def _shared_postgresql(postgresql_url, _migrated_postgresql):
    shared = _Shared(postgresql_url, _migrated_postgresql)
    yield shared
    shared.give_up()


class _Shared:
    """One migrated PostgreSQL database for test after test."""

    def __init__(self, server_url, template):
        self._server_url = server_url
        self._template = template
        self._stack = ExitStack()
        self._opened = None

    def opened(self):
        """The database, migrated and empty."""
        if self._opened is None:
            name = f"shared_{next(_numbers)}"
            made = new_database(self._server_url, name, template=self._template)
            url = self._stack.enter_context(made)
            self._opened = open_database(url)
            self._stack.callback(self._opened.close)
            self._cleaner = psycopg.connect(
                f"{self._server_url}/{name}", autocommit=True, options="-c lock_timeout=10s"
            )
            self._stack.callback(self._cleaner.close)
            self._remember()
        return self._opened

    def clean(self):
        """Make it what it was before the test; leave it behind if that has changed its schema."""
        try:
            # All in one transaction and one journey, and quicker than TRUNCATE of few rows.
            self._cleaner.execute(f"SELECT {FIRST_ROWS}.clean()")
            revision = self._cleaner.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchone()
        except psycopg.Error:
            revision = None
        if revision != (head_revision(),):
            self.give_up()

    def give_up(self):
        """Leave it; whoever asks next gets another."""
        self._opened = None
        self._stack.close()

    def _remember(self):
        query = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> %s"
        names = [f'"{name}"' for (name,) in self._cleaner.execute(query, [VERSION_TABLE])]
        # No trigger is run: so the order does not matter, and no key is looked up.
        self._cleaner.execute("SET session_replication_role = replica")
        lines = [f"DELETE FROM {name}" for name in names]
        self._cleaner.execute(f"CREATE SCHEMA {FIRST_ROWS}")
        for name in names:
            kept = f"{FIRST_ROWS}.{name}"
            self._cleaner.execute(f"CREATE TABLE {kept} AS TABLE {name}")
            if self._cleaner.execute(f"SELECT 1 FROM {kept} LIMIT 1").fetchone():
                lines.append(f"INSERT INTO {name} SELECT * FROM {kept}")
            else:
                self._cleaner.execute(f"DROP TABLE {kept}")
        # A function keeps the plans of its statements: a quarter of what they cost by themselves.
        self._cleaner.execute(
            f"CREATE FUNCTION {FIRST_ROWS}.clean() RETURNS void LANGUAGE plpgsql"
            f" AS $$BEGIN {'; '.join(lines)}; END$$"
        )
