"""Looks at backups that lie in a place, and proves that they are whole. Edge of folders."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from central.backup.keys import Cryptography
from central.backup.manifests import BACKUP_SUFFIX, Manifest
from central.backup.places import digest_of, names_in, read_manifest
from central.contract.backup_files import Contents, Source, opened_backup, read_header
from central.contract.errors import ContractError
from central.errors import BackupRefused
from central.storage.schema import knows_revision

READ_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Found:
    """A backup that lies somewhere. fault: why it cannot be used, "" if it can as far as was seen.

    signed_by: the public key of the ledger that says it made it, "" if nobody does.
    """

    path: Path
    contents: Contents | None
    bytes_count: int
    signed_by: str
    fault: str


def list_backups(place: Path) -> list[Found]:
    """Return the backups of a place, the oldest first, by their manifests. Raises BackupRefused."""
    try:
        names = names_in(place)
    except OSError as error:
        raise BackupRefused(
            f"{place} cannot be read: {error.strerror}", hint="Mount it, or name another place."
        ) from error
    return [look_at(place / f"{name}{BACKUP_SUFFIX}") for name in names]


def look_at(path: Path) -> Found:
    """Return what a backup is, by its manifest, its header and its size."""
    contents: Contents | None = None
    bytes_count, signed_by = 0, ""
    try:
        bytes_count = path.stat().st_size
        with path.open("rb") as file:
            contents = read_header(file)[0].contents
        manifest, signed_by = read_manifest(path, check=is_signed)
        _check_same(manifest, contents, bytes_count=bytes_count)
    except OSError as error:
        return Found(path, contents, bytes_count, signed_by, f"{path}: {error.strerror}")
    except ContractError as error:
        return Found(path, contents, bytes_count, signed_by, str(error))
    return Found(path, contents, bytes_count, signed_by, "")


def verify(path: Path, *, ledger_key: str, secret: bytes | None) -> Found:
    """Return a backup and what is wrong with it, read from its first byte to its last.

    ledger_key: the key that must have signed it, "" for any. secret: a private key, with which
    everything in it is decrypted; without it the digest of the manifest is compared alone.
    """
    found = look_at(path)
    if found.fault:
        return found
    try:
        manifest, signed_by = read_manifest(path, check=is_signed)
        _check_signer(signed_by, ledger_key=ledger_key)
        if digest_of(path)[0] != manifest.sha256:
            raise ContractError("the backup is not the one that its manifest describes")
        if secret is not None:
            with opened(path, secret=secret) as (_, source):
                while source.read(READ_BYTES):
                    pass
    except OSError as error:
        return _with_fault(found, f"{path}: {error.strerror}")
    except ContractError as error:
        return _with_fault(found, str(error))
    return found


@contextmanager
def opened(path: Path, *, secret: bytes) -> Iterator[tuple[Contents, Source]]:
    """Yield what a backup is and what reads it. Raises ContractError, BackupRefused."""
    with _file(path) as file:
        header, header_bytes = read_header(file)
        revision = header.contents.revision
        if header.contents.kind in {"sqlite", "postgresql"} and not knows_revision(revision):
            raise ContractError(
                f"the backup has schema {revision!r}, which this program does not know",
                hint=f"Install {header.contents.software or 'the version that made it'}"
                " or a newer one.",
            )
        yield (
            header.contents,
            opened_backup(header, header_bytes, file, secret=secret, primitives=Cryptography()),
        )


def newest_usable(places: list[Path], *, ledger_key: str) -> Path:
    """Return the newest backup of a ledger that is whole by its manifest. Raises BackupRefused."""
    found = [
        one
        for place in places
        for one in list_backups(place)
        if not one.fault
        and one.contents is not None
        and one.contents.kind != "base"
        and ledger_key in {"", one.signed_by}
    ]
    if not found:
        raise BackupRefused(
            "no usable backup lies in " + ", ".join(map(str, places)),
            hint="Look with `backup list` what is wrong with those that are there.",
        )
    return max(found, key=_taken_ms).path


def is_signed(key: bytes, signature: bytes, data: bytes) -> bool:
    """Return whether a signature of Ed25519 is that key's."""
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


@contextmanager
def _file(path: Path) -> Iterator[BinaryIO]:
    try:
        file = path.open("rb")
    except OSError as error:
        raise BackupRefused(
            f"{path} cannot be read: {error.strerror}", hint="Name a backup that is there."
        ) from error
    with file:
        yield file


def _taken_ms(one: Found) -> int:
    return one.contents.taken_ms if one.contents is not None else 0


def _check_same(manifest: Manifest, contents: Contents, *, bytes_count: int) -> None:
    if manifest.contents != contents:
        raise ContractError("the manifest beside the backup is another one's")
    if manifest.bytes_count != bytes_count:
        raise ContractError(
            f"the backup has {bytes_count} bytes, its manifest says {manifest.bytes_count}:"
            " it is cut off or something was added"
        )


def _check_signer(signed_by: str, *, ledger_key: str) -> None:
    if ledger_key not in {"", signed_by}:
        raise ContractError(
            f"the backup was signed by {signed_by[:8]}, not by the ledger {ledger_key[:8]}",
            hint="Ask who can write into this place.",
        )


def _with_fault(found: Found, fault: str) -> Found:
    return Found(found.path, found.contents, found.bytes_count, found.signed_by, fault)
