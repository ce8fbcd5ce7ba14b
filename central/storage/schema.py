"""Brings a database to this program's schema, or says why it cannot be used. Edge of Alembic."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, inspect

from central.clock import random_key_hex
from central.errors import DatabaseNotOurs, DatabaseOutdated
from central.storage import bulk
from central.storage.database import Database
from central.storage.tables import ledger_state

MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(database: Database, *, generation: str) -> str:
    """Bring the schema to this program's revision and return that; one transaction.

    generation: name of the ledger's life if it begins here; a ledger that lives keeps its own.
    The key that the ledger signs with is made here, too, and never changes.
    Raises DatabaseNotOurs for a database that belongs to something else or to a newer program,
    LedgerUnavailable if the database does not take part.
    """
    with database.write() as connection:
        _check_ours(connection)
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        bulk.insert_missing_rows(
            connection,
            ledger_state,
            [
                ("generation", generation),
                ("quarantine_dropped_count", "0"),
                ("record_no", "0"),
                ("reference_revision", "0"),
                ("reversals_waiting_count", "0"),
                ("signing_key", random_key_hex()),
            ],
        )
    return head_revision()


def check_schema(database: Database) -> None:
    """Return if the schema is this program's.

    Raises DatabaseNotOurs or DatabaseOutdated with what to do, LedgerUnavailable.
    """
    with database.read() as connection:
        current = _check_ours(connection)
    if current != head_revision():
        raise DatabaseOutdated(
            f"database {database.place} has revision {current or 'none'}, not {head_revision()}",
            hint="Run `dockledger-central migrate` or start `dockledger-central serve`.",
        )


def head_revision() -> str:
    """Return the newest revision that this program knows."""
    revision = _script().get_current_head()
    assert revision is not None
    return revision


def _check_ours(connection: Connection) -> str | None:
    current = MigrationContext.configure(connection).get_current_revision()
    if current is None:
        tables = set(inspect(connection).get_table_names()) - {"alembic_version"}
        if tables:
            raise DatabaseNotOurs(
                f"the database holds tables of something else, e.g. {min(tables)!r}",
                hint="Give the ledger an empty database of its own.",
            )
        return None
    try:
        _script().get_revision(current)
    except CommandError as error:
        raise DatabaseNotOurs(
            f"the database has revision {current!r}, which this program does not know",
            hint="Install the version of Dockledger that last served this database.",
        ) from error
    return current


def _script() -> ScriptDirectory:
    return ScriptDirectory(str(MIGRATIONS))
