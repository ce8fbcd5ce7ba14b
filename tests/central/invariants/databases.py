"""An empty, migrated ledger for each walk, on either database, as quickly as it can be had."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from central.storage import bulk
from central.storage.database import Database, open_database
from central.storage.schema import migrate
from central.storage.tables import ledger_state, metadata
from tests.central.invariants.walk import Fresh
from tests.postgresql import new_database

GENERATION = "generation-1"
INITIAL = {
    "generation": GENERATION,
    "last_event_no": "0",
    "lots_on_hold": "[]",
    "own_facts_count": "0",
    "record_no": "0",
    "reference_revision": "0",
    "quarantine_dropped_count": "0",
    "reversals_waiting_count": "0",
    "signing_key": "5a" * 32,
}


@contextmanager
def fresh_sqlite(folder: Path) -> Iterator[Fresh]:
    """Yield what gives empty ledgers in files of a folder."""
    migrated = folder / "migrated.db"
    made = open_database(f"sqlite:///{migrated}")
    migrate(made, generation=GENERATION)
    made.close()
    with closing_after(open_database(f"sqlite:///{migrated}")) as database:
        _empty(database)

    @contextmanager
    def fresh() -> Iterator[Database]:
        path = folder / "walk.db"
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        shutil.copyfile(migrated, path)
        with closing_after(open_database(f"sqlite:///{path}")) as database:
            yield database

    yield fresh


@contextmanager
def fresh_postgresql(server_url: str) -> Iterator[Fresh]:
    """Yield what gives one database of a server, emptied."""
    with new_database(server_url, "invariants") as url:
        made = open_database(url)
        migrate(made, generation=GENERATION)
        made.close()

        @contextmanager
        def fresh() -> Iterator[Database]:
            with closing_after(open_database(url)) as database:
                _empty(database)
                yield database

        yield fresh


@contextmanager
def closing_after(database: Database) -> Iterator[Database]:
    """Yield an open database, and close it."""
    try:
        yield database
    finally:
        database.close()


def _empty(database: Database) -> None:
    with database.write() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())
        bulk.insert_rows(connection, ledger_state, list(INITIAL.items()))
