"""Brings journals of older versions to the present schema, step by step. Edge of SQLite."""

import sqlite3

from sqlite_utils import Database, Migrations

from gateway.journal.schema import MIGRATION_SET, SCHEMA_0001, SCHEMA_0002
from gateway.journal.schema_upkeep import (
    SCHEMA_0003,
    SCHEMA_0004,
    SCHEMA_0005,
    SCHEMA_0006,
    SCHEMA_0007,
)

# One function a step, numbered, only ever appended.
MIGRATIONS = Migrations(MIGRATION_SET)


@MIGRATIONS(name="0001_first_journal")
def _first_journal(database: Database) -> None:
    for statement in SCHEMA_0001:
        database.execute(statement)


@MIGRATIONS(name="0002_ledger_stock")
def _ledger_stock(database: Database) -> None:
    for statement in SCHEMA_0002:
        database.execute(statement)


@MIGRATIONS(name="0003_upkeep")
def _upkeep(database: Database) -> None:
    for statement in SCHEMA_0003:
        database.execute(statement)


@MIGRATIONS(name="0004_station_sessions")
def _station_sessions(database: Database) -> None:
    for statement in SCHEMA_0004:
        database.execute(statement)


@MIGRATIONS(name="0005_settlements")
def _settlements(database: Database) -> None:
    for statement in SCHEMA_0005:
        database.execute(statement)


@MIGRATIONS(name="0006_others_progress")
def _others_progress(database: Database) -> None:
    for statement in SCHEMA_0006:
        database.execute(statement)


@MIGRATIONS(name="0007_packing")
def _packing(database: Database) -> None:
    for statement in SCHEMA_0007:
        database.execute(statement)


def migrate(connection: sqlite3.Connection) -> None:
    """Apply what is not yet applied, each migration in a transaction of its own."""
    MIGRATIONS.apply(Database(connection, recursive_triggers=False, execute_plugins=False))
