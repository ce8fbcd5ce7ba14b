"""Puts a backup where nothing is, as a new life of the ledger. Edge of database and folders.

The new generation is begun before anybody can use what was restored: gateways then offer again what
it does not have. Letters that waited when the backup was made have been sent long since.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import delete

from central.backup.postgresql_programs import load_dump
from central.backup.reading import opened, verify
from central.backup.sqlite_copies import unpack
from central.backup.taking import sqlite_path
from central.contract.backup_files import Contents
from central.contract.errors import ContractError
from central.errors import BackupRefused, RestoreRefused
from central.storage.database import Database, open_database
from central.storage.schema import check_schema, migrate
from central.storage.watching_tables import alert_mails

# Begins a generation of the ledger in a database and returns its name.
Renew = Callable[[Database], str]


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored. contents: of the backup. generation: of the ledger from now on."""

    contents: Contents
    generation: str


def restore(
    path: Path, *, url: str, secret: bytes, ledger_key: str, programs_folder: str, renew: Renew
) -> Restored:
    """Restore a backup into the empty place that a database URL names.

    Every byte is proven before the first is written. ledger_key: that must have signed it, "" for
    any. Raises BackupRefused or ContractError if the backup cannot be used, RestoreRefused if
    something is there already; then nothing is changed.
    """
    found = verify(path, ledger_key=ledger_key, secret=secret)
    if found.fault:
        raise BackupRefused(
            f"{path}: {found.fault}", hint="Take the same backup from another place, or an older."
        )
    with opened(path, secret=secret) as (contents, source):
        if contents.kind == "sqlite":
            _check_dialect(url, wanted="sqlite")
            generations: list[str] = []

            def adjust(file: Path) -> None:
                generations.append(_begin(f"sqlite:///{file.absolute()}", renew))

            unpack(source, sqlite_path(url), adjust=adjust)
            return Restored(contents, generations[0])
        if contents.kind == "postgresql":
            _check_dialect(url, wanted="postgresql")
            database = open_database(url)
            try:
                load_dump(source, database, url, folder=programs_folder)
            finally:
                database.close()
            return Restored(contents, _begin(url, renew))
    raise ContractError(
        f"the backup holds a {contents.kind}, which this command does not restore",
        hint="Use `restore-base` for base backups, and at the gateway `journal` for journals.",
    )


def _begin(url: str, renew: Renew) -> str:
    database = open_database(url)
    try:
        migrate(database, generation="")
        check_schema(database)
        with database.write() as connection:
            connection.execute(delete(alert_mails).where(alert_mails.c.state == "waiting"))
        return renew(database)
    finally:
        database.close()


def _check_dialect(url: str, *, wanted: str) -> None:
    if not url.startswith(wanted):
        raise RestoreRefused(
            f"the backup is of {wanted}, [database] url is of something else",
            hint=f"Configure an empty database of {wanted}.",
        )
