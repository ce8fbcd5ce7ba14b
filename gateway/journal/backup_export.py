"""An encrypted copy of the journal for another place, and the copy out of it. Edge of folders.

    journal --backup API--> copy beside it --zstd, sealed--> FOLDER/journal-g1-20261122T0200Z.dlb
    FOLDER/journal-....dlb --private key--> FOLDER/journal-copy.db --`journal restore --from`-->

The copy on the second medium is newer, to the second, but lies unencrypted beside the gateway.
"""

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from central.contract.backup_files import Contents, opened_backup, read_header, sealed_backup
from central.contract.errors import ContractError
from gateway.clock import Clock
from gateway.errors import BackupUnusable
from gateway.journal.backup_crypto import Cryptography
from gateway.journal.copy_file import COPY_FILE
from gateway.journal.files import check_header, connect_reader
from gateway.journal.schema import MIGRATION_NAMES
from gateway.journal.swap import LOG_INDEX_SUFFIX, LOG_SUFFIX
from gateway.journal.transactions import journal_error

ASIDE_SUFFIX = ".backing-up"
PART_SUFFIX = ".part"
WRITE_BYTES = 256 * 1024


def export_backup(
    journal: Path, folder: Path, *, gateway: str, recipients: Sequence[str], clock: Clock
) -> Path:
    """Write an encrypted copy into a folder and return it; works beside a running gateway.

    recipients: public keys, hexadecimal. Raises BackupUnusable, JournalError.
    """
    taken_ms = clock.now_ms()
    moment = datetime.fromtimestamp(taken_ms / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
    target = folder / f"journal-{gateway}-{moment}.dlb"
    part = target.with_name(target.name + PART_SUFFIX)
    contents = Contents(
        kind="journal",
        name=target.stem,
        owner=gateway,
        taken_ms=taken_ms,
        revision=MIGRATION_NAMES[-1],
        software=f"dockledger {version('dockledger')}",
    )
    aside = journal.with_name(journal.name + ASIDE_SUFFIX)
    try:
        _copy(journal, _new_file(aside))
        with aside.open("rb") as source, _new_file(part).open("wb") as file:
            pieces = sealed_backup(
                contents, source, recipients=recipients, primitives=Cryptography()
            )
            for piece in pieces:
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        part.rename(target)
    except ContractError as error:
        raise BackupUnusable(str(error), hint=error.hint) from error
    except OSError as error:
        raise BackupUnusable(
            f"{folder} cannot be written: {error.strerror}",
            hint="Mount its medium, make room on it, and let this user write there.",
        ) from error
    finally:
        for left in (aside, part):
            for suffix in ("", LOG_SUFFIX, LOG_INDEX_SUFFIX):
                with suppress(OSError):
                    left.with_name(left.name + suffix).unlink(missing_ok=True)
    return target


def unpack_backup(file: Path, folder: Path, *, secret: bytes) -> Contents:
    """Write what an encrypted copy holds into a folder, for `journal restore --from`.

    Nothing is left there unless every byte was authentic. Raises BackupUnusable.
    """
    copy = folder / COPY_FILE
    if copy.exists():
        raise BackupUnusable(f"{copy} exists", hint="Name an empty folder.")
    part = copy.with_name(copy.name + PART_SUFFIX)
    try:
        with file.open("rb") as sealed, _new_file(part).open("wb") as target:
            header, header_bytes = read_header(sealed)
            if header.contents.kind != "journal":
                raise BackupUnusable(
                    f"{file} holds a {header.contents.kind}, no journal",
                    hint="Restore it at central.",
                )
            source = opened_backup(
                header, header_bytes, sealed, secret=secret, primitives=Cryptography()
            )
            while data := source.read(WRITE_BYTES):
                target.write(data)
            target.flush()
            os.fsync(target.fileno())
        part.rename(copy)
    except ContractError as error:
        raise BackupUnusable(f"{file}: {error}", hint=error.hint) from error
    except OSError as error:
        raise BackupUnusable(
            f"{file} cannot be read or {folder} not be written: {error.strerror}",
            hint="Name a backup that is there, and a folder with room for it.",
        ) from error
    finally:
        part.unlink(missing_ok=True)
    return header.contents


def _copy(journal: Path, aside: Path) -> None:
    if not journal.exists():
        raise BackupUnusable(f"there is no journal {journal}", hint="Start the gateway once.")
    check_header(journal)
    try:
        with (
            closing(connect_reader(journal)) as source,
            closing(sqlite3.connect(aside)) as target,
        ):
            source.backup(target)
            target.execute("PRAGMA journal_mode = DELETE").fetchall()
            found = target.execute("PRAGMA quick_check(1)").fetchone()
            if found != ("ok",):
                raise sqlite3.DatabaseError(found[0])
    except sqlite3.Error as error:
        raise journal_error(error) from error


def _new_file(path: Path) -> Path:
    """Make an empty file that only we may read; what a killed run has left goes."""
    path.unlink(missing_ok=True)
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    return path
