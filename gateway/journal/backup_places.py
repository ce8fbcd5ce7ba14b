"""The journal's encrypted backups in several places: written, read back, thinned. Edge of folders.

    journal.db --once--> copy beside it --sealed for each place--> PLACE/journal-g1-....dlb.part
        --synced, read back--> PLACE/journal-g1-....dlb, then the older ones by day, week, month

A place is a marked folder on a medium of its own, also a mounted share, and also of several
gateways. Without the mark nothing is written: it is the mount point without its medium.
"""

import hashlib
import os
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from central.contract.backup_files import Contents
from central.contract.backup_keeping import Keeping, superfluous_of
from gateway.clock import Clock
from gateway.errors import BackupUnusable
from gateway.journal.backup_export import (
    BACKUP_SUFFIX,
    PART_SUFFIX,
    copied_aside,
    journal_contents,
    write_sealed,
)
from gateway.journal.backup_news import PlaceOutcome

MARK_FILE = "dockledger-backups"  # The same as of central's places: one stick serves both.
MARK_TEXT = "This folder holds encrypted backups of Dockledger. Without this file none are made.\n"
READ_BYTES = 256 * 1024


def prepare_place(folder: Path) -> None:
    """Mark a folder as a place of backups, made if need be. Raises BackupUnusable."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / MARK_FILE).write_text(MARK_TEXT, encoding="utf-8")
        _sync(folder)
    except OSError as error:
        raise BackupUnusable(
            f"{folder} cannot be prepared: {error.strerror}",
            hint="Mount its medium and let this user write there.",
        ) from error


def back_up(
    journal: Path,
    *,
    gateway: str,
    recipients: Sequence[str],
    places: Sequence[str],
    keeping: Keeping,
    clock: Clock,
) -> tuple[PlaceOutcome, ...]:
    """Write a backup into every place and thin the older ones out; works beside the gateway.

    A place that cannot take it keeps no other from having it. Raises JournalError if there is no
    copy at all: no room for it beside the journal, a damaged journal, a key that is none.
    """
    contents = journal_contents(gateway, taken_ms=clock.now_ms())
    try:
        with copied_aside(journal) as aside:
            return tuple(
                _in_place(aside, Path(place), contents, recipients=recipients, keeping=keeping)
                for place in places
            )
    except OSError as error:
        raise BackupUnusable(
            f"no copy can be made beside {journal}: {error.strerror}",
            hint="Make room there for a second file of its size.",
        ) from error


def backups_in(
    folder: Path, gateway: str, *, suffix: str = BACKUP_SUFFIX
) -> list[tuple[datetime, str]]:
    """Return when each backup of a gateway in a place was begun, and its name. Raises OSError."""
    prefix = f"journal-{gateway}-"
    found = []
    for path in folder.glob(f"*{suffix}"):
        # Another gateway's code may begin with ours: the rest is a moment, or it is not ours.
        if path.name.startswith(prefix):
            name = path.name.removesuffix(suffix)
            with suppress(ValueError):
                taken = datetime.strptime(name.removeprefix(prefix), "%Y%m%dT%H%M%S%z")
                found.append((taken, name))
    return found


def _in_place(
    aside: Path, folder: Path, contents: Contents, *, recipients: Sequence[str], keeping: Keeping
) -> PlaceOutcome:
    target = folder / f"{contents.name}{BACKUP_SUFFIX}"
    part = target.with_name(target.name + PART_SUFFIX)
    try:
        if not (folder / MARK_FILE).is_file():
            fault = f"not mounted, or never prepared (`journal prepare-place {folder}`)"
            return PlaceOutcome(str(folder), contents.taken_ms, fault=fault)
        for _, left in backups_in(folder, contents.owner, suffix=BACKUP_SUFFIX + PART_SUFFIX):
            (folder / f"{left}{BACKUP_SUFFIX}{PART_SUFFIX}").unlink()
        digest = write_sealed(aside, part, contents, recipients=recipients)
        if _digest_of(part) != digest:
            fault = "what was read back is not what was written: replace the medium"
            return PlaceOutcome(str(folder), contents.taken_ms, fault=fault)
        part.rename(target)
        _sync(folder)
        gone = superfluous_of(backups_in(folder, contents.owner), keeping, made_now=contents.name)
        for name in gone:
            (folder / f"{name}{BACKUP_SUFFIX}").unlink(missing_ok=True)
    except OSError as error:
        fault = f"cannot be written: {error.strerror or error}"
        return PlaceOutcome(str(folder), contents.taken_ms, fault=fault)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return PlaceOutcome(str(folder), contents.taken_ms, file=target.name, gone_count=len(gone))


def _digest_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while data := file.read(READ_BYTES):
            digest.update(data)
    return digest.hexdigest()


def _sync(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
