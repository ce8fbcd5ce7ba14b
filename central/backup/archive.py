"""WAL of a PostgreSQL server, segment by segment, and a server out of a base backup. Edge of files.

    archive_command = 'dockledger-central backup wal %p %f'         a segment into every place
    restore_command = 'dockledger-central restore-wal %f %p ...'    and back

A segment has no manifest: it is archived also while the ledger cannot be asked for a signature. It
is sealed like every backup and names itself, so none can stand in for another.
"""

import tarfile
from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import IO, cast

from central.backup.manifests import BACKUP_SUFFIX, WAL_NAME
from central.backup.places import WAL_FOLDER, digest_of
from central.backup.reading import opened, verify
from central.backup.taking import software, write_everywhere
from central.clock import Clock
from central.config_keeping import BackupSection
from central.contract.backup_files import Contents, read_header
from central.contract.errors import ContractError
from central.errors import BackupFailed, BackupRefused, RestoreRefused

WRITE_BYTES = 1024 * 1024


def archive_segment(
    path: Path, *, segment: str, section: BackupSection, site: str, clock: Clock
) -> None:
    """Put a segment into every place, durably; a segment that is there already is left.

    Raises BackupRefused for a name that is none or a segment that is there with other contents,
    BackupFailed if a place does not take it: PostgreSQL then asks again.
    """
    name = _name_of(segment)
    try:
        sha256, _ = digest_of(path)
    except OSError as error:
        raise BackupRefused(
            f"{path} cannot be read: {error.strerror}", hint="Use %p as archive_command has it."
        ) from error
    folders = [Path(place) / WAL_FOLDER for place in section.places]
    missing = [folder for folder in folders if not _is_there(folder, name, sha256=sha256)]
    if not missing:
        return
    contents = Contents(
        kind="wal",
        name=name,
        owner=site,
        taken_ms=clock.now_ms(),
        revision=sha256,
        software=software(),
    )
    with path.open("rb") as file:
        _, failures = write_everywhere(
            contents,
            file,
            name=name,
            recipients=section.recipients,
            folders=missing,
            manifest_of=lambda _manifest: b"",
        )
    if said := "; ".join(failure for failure in failures.values() if failure):
        raise BackupFailed(said, hint="Mount the place or make room on it; it is tried again.")


def restore_segment(segment: str, to: Path, *, places: Sequence[Path], secret: bytes) -> bool:
    """Write an archived segment to a file; return False if no place has it.

    Raises ContractError for one that is damaged, RestoreRefused if it cannot be written.
    """
    name = _name_of(segment)
    for place in places:
        path = place / WAL_FOLDER / f"{name}{BACKUP_SUFFIX}"
        if not path.is_file():
            continue
        with opened(path, secret=secret) as (contents, source):
            if contents.name != name:
                raise ContractError(f"{path} is {contents.name}", hint="Ask who moved it.")
            try:
                with to.open("wb") as file:
                    while data := source.read(WRITE_BYTES):
                        file.write(data)
            except OSError as error:
                raise RestoreRefused(
                    f"{to} cannot be written: {error.strerror}", hint="Make room on its disk."
                ) from error
        return True
    return False


def restore_base(
    path: Path, into: Path, *, secret: bytes, ledger_key: str, fetch: str, target_time: str
) -> Contents:
    """Unpack a base backup into an empty folder, ready to recover when a server starts on it.

    fetch: the start of the command that `restore_segment` serves. target_time: to recover up to,
    as PostgreSQL reads it; "" for all that is archived. Raises BackupRefused, RestoreRefused.
    """
    found = verify(path, ledger_key=ledger_key, secret=secret)
    if found.fault:
        raise BackupRefused(f"{path}: {found.fault}", hint="Take it from another place.")
    if into.exists() and any(into.iterdir()):
        raise RestoreRefused(
            f"{into} is not empty", hint="Name an empty folder; nothing is overwritten."
        )
    with opened(path, secret=secret) as (contents, source):
        if contents.kind != "base":
            raise BackupRefused(
                f"{path} holds a {contents.kind}", hint="Use `dockledger-central restore`."
            )
        try:
            into.mkdir(mode=0o700, parents=True, exist_ok=True)
            into.chmod(0o700)
            with tarfile.open(fileobj=cast("IO[bytes]", source), mode="r|") as archive:
                archive.extractall(into, filter="data")
            lines = [f"restore_command = {_sql(f'{fetch} %f %p')}"]
            if target_time:
                lines += [f"recovery_target_time = {_sql(target_time)}"]
                lines += ["recovery_target_action = 'promote'"]
            with (into / "postgresql.auto.conf").open("a", encoding="utf-8") as file:
                file.write("\n".join(lines) + "\n")
            (into / "recovery.signal").touch(mode=0o600)
        except (OSError, tarfile.TarError) as error:
            raise RestoreRefused(
                f"{into} cannot be filled: {error}",
                hint="Empty it, make room, and let this user write there.",
            ) from error
    return contents


def fetch_command(words: Sequence[str]) -> str:
    """Return a command for a shell."""
    return " ".join(quote(word) for word in words)


def _name_of(segment: str) -> str:
    name = f"wal-{segment}"
    if not WAL_NAME.fullmatch(name):
        raise BackupRefused(
            f"{segment!r} is no name of a WAL segment", hint="Use %f as archive_command has it."
        )
    return name


def _is_there(folder: Path, name: str, *, sha256: str) -> bool:
    path = folder / f"{name}{BACKUP_SUFFIX}"
    if not path.is_file():
        return False
    with path.open("rb") as file:
        contents = read_header(file)[0].contents
    if contents.revision != sha256:
        raise BackupRefused(
            f"{path} is there with other contents",
            hint="Give each PostgreSQL server places of its own.",
        )
    return True


def _sql(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
