"""Fresh and migrated schemas are one; foreign databases are refused."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from central.errors import DatabaseNotOurs, DatabaseOutdated, DatabaseUnusable
from central.ledger.state import read_state
from central.storage.database import open_database
from central.storage.schema import MIGRATIONS, check_schema, head_revision, migrate
from central.storage.tables import metadata

# SQLAlchemy does not read what an index of SQLite is of; `index_texts` does.
UNREAD = "ignore:Skipped unsupported reflection of expression-based index lines_"
INDEXES = {
    "sqlite": "SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL",
    "postgresql": "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'",
}


def index_texts(connection):
    """The statements that would make the indexes that are there, in order, without quotes."""
    found = connection.execute(text(INDEXES[connection.dialect.name])).scalars()
    return sorted(" ".join(one.replace('"', "").split()) for one in found)


def described(database):
    """Everything that the database itself says of our tables."""
    with database.read() as connection:
        inspector = inspect(connection)
        return index_texts(connection), {
            table: (
                [
                    (column["name"], str(column["type"]), column["nullable"], column["default"])
                    for column in inspector.get_columns(table)
                ],
                inspector.get_pk_constraint(table)["constrained_columns"],
                sorted(
                    (index["name"], index["column_names"], bool(index["unique"]))
                    for index in inspector.get_indexes(table)
                ),
                sorted(
                    (key["constrained_columns"], key["referred_table"], key["referred_columns"])
                    for key in inspector.get_foreign_keys(table)
                ),
                inspector.get_table_options(table),
            )
            for table in metadata.tables
        }


@pytest.mark.filterwarnings(UNREAD)
@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based")
def test_the_migrated_schema_is_the_one_in_the_code(own_database):
    database = own_database
    with database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    migrated = described(database)
    with database.write() as connection:
        metadata.drop_all(connection)
        metadata.create_all(connection)
    assert described(database) == migrated


def test_migrating_again_changes_nothing(database):
    assert migrate(database, generation="another") == head_revision()
    with database.read() as connection:
        state = read_state(connection)
    assert (state.generation, state.record_no, state.reference_revision) == ("generation-1", 0, 0)
    check_schema(database)


def test_each_migration_is_named_by_its_revision_and_follows_the_one_before():
    script = ScriptDirectory(str(MIGRATIONS))
    assert script.get_current_head() == head_revision()
    for revision in script.walk_revisions():
        assert revision.module.__name__.startswith(f"v{revision.revision}_")


def test_an_empty_database_is_outdated_until_it_is_migrated(database_url):
    database = open_database(database_url)
    with pytest.raises(DatabaseOutdated, match="none") as caught:
        check_schema(database)
    assert "migrate" in caught.value.hint
    database.close()


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("UPDATE alembic_version SET version_num = '9999'", id="of a newer program"),
        pytest.param("DROP TABLE alembic_version", id="without a revision"),
    ],
)
def test_a_database_that_is_not_ours_is_refused(own_database, statement):
    database = own_database
    with database.write() as connection:
        connection.execute(text(statement))
    for refuse in (check_schema, lambda opened: migrate(opened, generation="g")):
        with pytest.raises(DatabaseNotOurs) as caught:
            refuse(database)
        assert caught.value.hint


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("nonsense", id="no URL"),
        pytest.param("mysql://x/y", id="another database"),
        pytest.param("sqlite://", id="only in memory"),
        pytest.param("sqlite:////no/such/folder/ledger.db", id="no folder"),
        pytest.param("postgresql://nobody:secret@127.0.0.1:1/x", id="nobody listens"),
    ],
)
def test_a_database_that_cannot_be_opened_says_what_to_do(url):
    with pytest.raises(DatabaseUnusable) as caught:
        open_database(url)
    assert caught.value.hint
    assert "secret" not in str(caught.value)


def test_a_file_that_is_no_database_is_named(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_bytes(b"these are notes, not a database " * 100)
    with pytest.raises(DatabaseUnusable):
        open_database(f"sqlite:///{path}")


def test_readers_cannot_change_anything(database):
    with pytest.raises(Exception, match=r"(?i)read-?only"), database.read() as connection:
        connection.execute(text("UPDATE ledger_state SET value = '7'"))


def test_a_reader_sees_one_state_while_another_writes(database):
    query = text("SELECT value FROM ledger_state WHERE key = 'record_no'")
    with database.read() as reader:
        before = reader.execute(query).scalar_one()
        with database.write() as writer:
            writer.execute(text("UPDATE ledger_state SET value = '7' WHERE key = 'record_no'"))
        assert reader.execute(query).scalar_one() == before
    with database.read() as reader:
        assert reader.execute(query).scalar_one() == "7"


def test_sqlite_is_opened_as_the_ledger_needs_it(tmp_path):
    database = open_database(f"sqlite:///{tmp_path / 'ledger.db'}")
    migrate(database, generation="g")
    with database.write() as connection:
        found = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert found == ["wal", 2, 1]  # synchronous 2 is FULL
    database.close()
