"""Makes a backup of the ledger while it works, in every place at once. Edge of folders.

ledger -> copy or pg_dump -> zstd -> sealed chunks --+--> place 1: written aside, read back
                                                     +--> place 2: renamed, thinned out
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from sqlalchemy.engine import make_url

from central.backup.keys import Cryptography
from central.backup.manifests import Manifest, Sign, backup_name, encode_manifest
from central.backup.places import PlaceFailed, PlaceFile, thin_out, thin_out_wal
from central.backup.postgresql_programs import base_copied, dumped
from central.backup.records import Run, RunKind, record_run
from central.backup.retention import Keeping
from central.backup.sqlite_copies import copied
from central.backup.states import KeptState
from central.clock import Clock, random_64
from central.config_keeping import BackupSection
from central.contract.backup_files import BackupKind, Contents, Source, sealed_backup
from central.errors import BackupFailed, BackupRefused
from central.storage.database import Database

WRITE_BYTES_MIN = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """What is backed up, and how it signs. public_key_hex: of `sign`."""

    database: Database
    url: str
    site: str
    sign: Sign
    public_key_hex: str


@dataclass(frozen=True, slots=True)
class PlaceOutcome:
    """What became of one place. detail: why nothing is there, "" if the backup is."""

    place: str
    detail: str
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Taken:
    """A backup. good: it is in every place."""

    name: str
    taken_ms: int
    bytes_count: int
    record_no: int
    places: tuple[PlaceOutcome, ...]

    @property
    def good(self) -> bool:
        """Return whether every place has it."""
        return not any(one.detail for one in self.places)


def take_backup(ledger: Ledger, section: BackupSection, *, clock: Clock, base: bool) -> Taken:
    """Make a backup in every place, thin out what is older, and remember what became of it.

    base: of the files of the whole PostgreSQL server, for point-in-time recovery; else of the
    ledger alone. Raises BackupRefused if it is not configured, BackupFailed if no place has it.
    """
    if not section.recipients or not section.places:
        raise BackupRefused(
            "neither keys nor places of backups are configured",
            hint="Name [backup] recipients (`backup new-key` makes one) and places.",
        )
    if base and ledger.database.dialect != "postgresql":
        raise BackupRefused(
            "only PostgreSQL has base backups",
            hint="Run `dockledger-central backup`: it holds the whole SQLite ledger.",
        )
    kind: BackupKind = "base" if base else _dump_kind(ledger.database)
    run_kind: RunKind = "base" if base else "dump"
    taken_ms = clock.now_ms()
    name = backup_name(kind, taken_ms=taken_ms, number=random_64())
    try:
        taken = _take(ledger, section, kind, name=name, taken_ms=taken_ms)
    except BackupFailed as error:
        run = Run(
            kind=run_kind,
            name=name,
            began_ms=taken_ms,
            ended_ms=clock.now_ms(),
            good=False,
            detail=str(error),
        )
        record_run(ledger.database, run)
        raise
    run = Run(
        kind=run_kind,
        name=name,
        began_ms=taken_ms,
        ended_ms=clock.now_ms(),
        good=taken.good,
        record_no=taken.record_no,
        bytes_count=taken.bytes_count,
        detail="\n".join(one.detail for one in taken.places if one.detail),
    )
    record_run(ledger.database, run)
    return taken


def write_everywhere(
    contents: Contents,
    source: Source,
    *,
    name: str,
    recipients: Sequence[str],
    folders: Sequence[Path],
    manifest_of: Callable[[Manifest], bytes],
) -> tuple[Manifest, dict[Path, str]]:
    """Return what was written and, of each folder, why it is not there, "" if it is.

    Raises BackupFailed if no folder has it, and what reading `source` raises.
    """
    failures = dict.fromkeys(folders, "")
    digest, bytes_count = hashlib.sha256(), 0
    with ExitStack() as stack:
        files: list[PlaceFile] = []
        for folder in folders:
            with _noted(failures, folder):
                files.append(stack.enter_context(_closing(PlaceFile(folder, name))))
        pieces = sealed_backup(contents, source, recipients=recipients, primitives=Cryptography())
        for piece in _gathered(pieces):
            digest.update(piece)
            bytes_count += len(piece)
            for file in files:
                if not failures[file.folder]:
                    with _noted(failures, file.folder):
                        file.write(piece)
            if all(failures.values()):
                break
        manifest = Manifest(contents=contents, sha256=digest.hexdigest(), bytes_count=bytes_count)
        for file in files:
            if not failures[file.folder]:
                with _noted(failures, file.folder):
                    file.keep(manifest_of(manifest), sha256=manifest.sha256)
    if all(failures.values()):
        raise BackupFailed(
            "\n".join(("no place has the backup", *failures.values())),
            hint="Mount the places of [backup], make room on them, then make the backup again.",
        )
    return manifest, failures


def software() -> str:
    """Return what a backup says it was made by."""
    return f"dockledger {version('dockledger')}"


def _take(
    ledger: Ledger, section: BackupSection, kind: BackupKind, *, name: str, taken_ms: int
) -> Taken:
    keeping = Keeping(section.daily, section.weekly, section.monthly)
    with _source_of(ledger, section, kind) as (source, state):
        contents = Contents(
            kind=kind,
            name=name,
            owner=ledger.site,
            taken_ms=taken_ms,
            generation=state.generation,
            record_no=state.record_no,
            revision=state.revision,
            software=software(),
        )
        manifest, failures = write_everywhere(
            contents,
            source,
            name=name,
            recipients=section.recipients,
            folders=[Path(place) for place in section.places],
            manifest_of=lambda one: encode_manifest(
                one, sign=ledger.sign, public_key_hex=ledger.public_key_hex
            ),
        )
    outcomes = []
    for folder in failures:
        removed: tuple[str, ...] = ()
        if not failures[folder]:
            with _noted(failures, folder):
                removed = thin_out(folder, keeping, made_now=name)
                thin_out_wal(folder)
        outcomes.append(PlaceOutcome(str(folder), failures[folder], removed))
    return Taken(name, taken_ms, manifest.bytes_count, state.record_no, tuple(outcomes))


def _dump_kind(database: Database) -> BackupKind:
    return "postgresql" if database.dialect == "postgresql" else "sqlite"


def _source_of(
    ledger: Ledger, section: BackupSection, kind: BackupKind
) -> AbstractContextManager[tuple[Source, KeptState]]:
    folder = section.postgresql_binaries
    if kind == "base":
        return base_copied(ledger.database, ledger.url, folder=folder)
    if kind == "postgresql":
        return dumped(ledger.database, ledger.url, folder=folder)
    return copied(sqlite_path(ledger.url))


def sqlite_path(url: str) -> Path:
    """Return the file of an SQLite ledger."""
    return Path(str(make_url(url).database))


def _gathered(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Join small pieces: a share takes few large writes more quickly than many small ones."""
    pending = bytearray()
    for piece in pieces:
        pending += piece
        if len(pending) >= WRITE_BYTES_MIN:
            yield bytes(pending)
            pending.clear()
    yield bytes(pending)


@contextmanager
def _closing(file: PlaceFile) -> Iterator[PlaceFile]:
    try:
        yield file
    finally:
        file.close()


@contextmanager
def _noted(failures: dict[Path, str], folder: Path) -> Iterator[None]:
    try:
        yield
    except PlaceFailed as error:
        failures[folder] = str(error)
