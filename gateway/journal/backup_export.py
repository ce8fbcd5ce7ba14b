"""An encrypted copy of the journal for another place, and the copy out of it. Edge of folders.

    journal --backup API--> copy beside it --zstd, sealed--> FOLDER/journal-g1-20261122T0200Z.dlb
    FOLDER/journal-....dlb --private key--> FOLDER/journal-copy.db --`journal restore --from`-->

The copy on the second medium is newer, to the second, but lies unencrypted beside the gateway.
"""

import fcntl
import hashlib
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
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
LOCK_SUFFIX = ".lock"
BACKUP_SUFFIX = ".dlb"
PART_SUFFIX = ".part"
MOMENT_FORMAT = "%Y%m%dT%H%M%SZ"
WRITE_BYTES = 256 * 1024


def export_backup(
    journal: Path, folder: Path, *, gateway: str, recipients: Sequence[str], clock: Clock
) -> Path:
    """Write an encrypted copy into a folder and return it; works beside a running gateway.

    recipients: public keys, hexadecimal. Raises BackupUnusable, JournalError.
    """
    contents = journal_contents(gateway, taken_ms=clock.now_ms())
    target = folder / f"{contents.name}{BACKUP_SUFFIX}"
    part = target.with_name(target.name + PART_SUFFIX)
    try:
        with copied_aside(journal) as aside:
            write_sealed(aside, part, contents, recipients=recipients)
        part.rename(target)
    except OSError as error:
        raise BackupUnusable(
            f"{folder} cannot be written: {error.strerror}",
            hint="Mount its medium, make room on it, and let this user write there.",
        ) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return target


def journal_contents(gateway: str, *, taken_ms: int) -> Contents:
    """Return what a backup of a journal says of itself; its name is that of the file."""
    moment = datetime.fromtimestamp(taken_ms / 1000, UTC).strftime(MOMENT_FORMAT)
    return Contents(
        kind="journal",
        name=f"journal-{gateway}-{moment}",
        owner=gateway,
        taken_ms=taken_ms,
        revision=MIGRATION_NAMES[-1],
        software=f"dockledger {version('dockledger')}",
    )


@contextmanager
def copied_aside(journal: Path) -> Iterator[Path]:
    """Yield a copy, consistent and unencrypted, beside a journal in use; it is gone afterwards.

    Raises BackupUnusable also while another backup of it is made, JournalError, OSError.
    """
    aside = journal.with_name(journal.name + ASIDE_SUFFIX)
    if not journal.exists():
        raise BackupUnusable(f"there is no journal {journal}", hint="Start the gateway once.")
    with aside.with_name(aside.name + LOCK_SUFFIX).open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BackupUnusable(
                f"another backup of {journal} is being made", hint="Wait until it is done."
            ) from error
        try:
            _copy(journal, _new_file(aside))
            yield aside
        finally:
            for suffix in ("", LOG_SUFFIX, LOG_INDEX_SUFFIX):
                with suppress(OSError):
                    aside.with_name(aside.name + suffix).unlink(missing_ok=True)


def write_sealed(aside: Path, part: Path, contents: Contents, *, recipients: Sequence[str]) -> str:
    """Write a copy, encrypted, synced, into a new file; return the SHA-256 of what was written.

    Raises BackupUnusable for keys that are none, OSError.
    """
    digest = hashlib.sha256()
    try:
        with aside.open("rb") as source, _new_file(part).open("wb") as file:
            pieces = sealed_backup(
                contents, source, recipients=recipients, primitives=Cryptography()
            )
            for piece in pieces:
                file.write(piece)
                digest.update(piece)
            file.flush()
            os.fsync(file.fileno())
            # What is read back has to come from the medium, not from memory.
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    except ContractError as error:
        raise BackupUnusable(str(error), hint=error.hint) from error
    return digest.hexdigest()


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
