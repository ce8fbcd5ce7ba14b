"""A ledger with rows in every table keeps them, whichever revision it is migrated from.

One walk over all revisions: at each one, every table that it has brought gets rows, before the
next one is made. So each migration meets a ledger in which everything of before is in use.
"""

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import LargeBinary, MetaData, Text, insert, inspect, select
from sqlalchemy.types import Boolean, Integer, Numeric

from central.storage.database import open_database
from central.storage.schema import MIGRATIONS, VERSION_TABLE, check_schema, head_revision, migrate

ROWS_COUNT = 3


def _value(table, column, number):
    """A value of a column, another one in each row."""
    for key in column.foreign_keys:
        return _value(key.column.table, key.column, number)
    if column.name.endswith("_json"):
        return "[]"
    if isinstance(column.type, Boolean):
        return bool(number % 2)
    if isinstance(column.type, Integer | Numeric):
        return number
    if isinstance(column.type, LargeBinary):
        return bytes([number]) * 32
    assert isinstance(column.type, Text), f"{table.name}.{column.name} is {column.type}"
    return f"{column.name[:20]}-{number}"


def _upgrade(connection, revision):
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _reflected(connection, known=()):
    """The tables that are there, but for known ones; those that others refer to come first."""
    names = set(inspect(connection).get_table_names()) - {VERSION_TABLE, *known}
    metadata = MetaData()
    if names:
        metadata.reflect(connection, only=names)
    return {one.name: one for one in metadata.sorted_tables if one.name in names}


def _rows_in(connection, table):
    names = sorted(column.name for column in table.columns)
    found = connection.execute(select(*(table.c[name] for name in names)))
    return [dict(zip(names, (_plain(one) for one in row), strict=True)) for row in found]


def _plain(value):
    return bytes(value) if isinstance(value, memoryview) else value


@pytest.fixture
def walked(database_url):
    """A database at the newest revision, and what was put into each table on the way."""
    database = open_database(database_url)
    put, brought_by = {}, {}
    revisions = sorted(file.name[1:5] for file in (MIGRATIONS / "versions").glob("v*.py"))
    for revision in revisions:
        with database.write() as connection:
            _upgrade(connection, revision)
            for name, table in _reflected(connection, known=put).items():
                put[name] = [
                    {column.name: _value(table, column, number) for column in table.columns}
                    for number in range(1, ROWS_COUNT + 1)
                ]
                connection.execute(insert(table), put[name])
                brought_by[name] = revision
    assert revisions[-1] == head_revision()
    yield database, put, brought_by
    database.close()


@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
def test_every_migration_keeps_what_is_in_every_table_of_before(walked):
    database, put, brought_by = walked
    lost, changed = [], []
    with database.read() as connection:
        tables = _reflected(connection)
        for name, rows in put.items():
            if name not in tables:
                lost.append(f"{name} of {brought_by[name]}")
                continue
            there = _rows_in(connection, tables[name])
            key = [column.name for column in tables[name].primary_key if column.name in rows[0]]
            by_key = {tuple(row[one] for one in key): row for row in there}
            for row in rows:
                now = by_key.get(tuple(row[one] for one in key))
                if now is None:
                    lost.append(f"{name} of {brought_by[name]}: {row}")
                    continue
                changed += [
                    f"{name}.{column}: {value!r} became {now[column]!r}"
                    for column, value in row.items()
                    if column in now and now[column] != value
                ]
    assert (lost, changed) == ([], [])
    # And it is a ledger that this program opens.
    assert migrate(database, generation="another") == head_revision()
    check_schema(database)
