"""Brings a database to this program's schema, or says why it cannot be used. Edge of SQLAlchemy.

Alembic is loaded only where a migration has to run (`upgrading`): a ledger that serves would carry
its template engine and 500 lexers, 8 MB, for ever.
"""

from pathlib import Path

from sqlalchemy import Connection, func, inspect, select, text

from central.clock import random_key_hex
from central.errors import DatabaseNotOurs, DatabaseOutdated
from central.storage import bulk
from central.storage.database import Database
from central.storage.tables import ledger_state, object_events

MIGRATIONS = Path(__file__).parent / "migrations"
# Of Alembic's own table; a migration's file is named by its revision.
VERSION_TABLE = "alembic_version"
SELECT_REVISION = text(f"SELECT version_num FROM {VERSION_TABLE}")  # noqa: S608 - our own word


def migrate(database: Database, *, generation: str) -> str:
    """Bring the schema to this program's revision and return that; one transaction.

    generation: name of the ledger's life if it begins here; a ledger that lives keeps its own.
    The key that the ledger signs with is made here, too, and never changes.
    Raises DatabaseNotOurs for a database that belongs to something else or to a newer program,
    LedgerUnavailable if the database does not take part.
    """
    with database.write() as connection:
        if _check_ours(connection) != head_revision():
            from central.storage.upgrading import upgrade  # noqa: PLC0415 - see above

            upgrade(connection, MIGRATIONS)
        bulk.insert_missing_rows(
            connection,
            ledger_state,
            [
                ("closed_through_ms", "0"),
                ("generation", generation),
                ("last_event_no", "0"),
                ("lots_on_hold", "[]"),
                ("own_facts_count", "0"),
                ("quarantine_dropped_count", "0"),
                ("record_no", "0"),
                ("reference_revision", "0"),
                ("reversals_waiting_count", "0"),
                ("signing_key", random_key_hex()),
            ],
        )
        _count_events(connection)
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
    return _revisions()[-1]


def knows_revision(revision: str) -> bool:
    """Return whether this program can bring a database of that revision to its own schema."""
    return revision in _revisions()


def _count_events(connection: Connection) -> None:
    """Have the state say what the last event is: a program of before may have added some.

    Under the ledger's lock, so that nobody adds one meanwhile.
    """
    connection.execute(select(ledger_state).order_by(ledger_state.c.key).with_for_update()).all()
    last = connection.execute(select(func.max(object_events.c.event_no))).scalar_one() or 0
    bulk.upsert_rows(connection, ledger_state, [("last_event_no", str(last))])


def _check_ours(connection: Connection) -> str | None:
    tables = set(inspect(connection).get_table_names())
    current = (
        connection.execute(SELECT_REVISION).scalar_one_or_none()
        if VERSION_TABLE in tables
        else None
    )
    if current is None:
        if foreign := tables - {VERSION_TABLE}:
            raise DatabaseNotOurs(
                f"the database holds tables of something else, e.g. {min(foreign)!r}",
                hint="Give the ledger an empty database of its own.",
            )
        return None
    if current not in _revisions():
        raise DatabaseNotOurs(
            f"the database has revision {current!r}, which this program does not know",
            hint="Install the version of Dockledger that last served this database.",
        )
    return str(current)


def _revisions() -> tuple[str, ...]:
    """Return every revision that this program knows, the oldest first."""
    return tuple(sorted(file.name[1:5] for file in (MIGRATIONS / "versions").glob("v*.py")))
