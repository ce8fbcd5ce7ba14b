"""What stands beside a backup: its name, its size, its digest, signed by the ledger. Pure.

    ledger-20261122T020000Z-1f3a9c04.dlb        the backup
    ledger-20261122T020000Z-1f3a9c04.manifest   line 1: this, as JSON; line 2: key and signature

The manifest tells what a backup is without its private key. Whoever can write into a place could
put a backup of his own there, sealed for the same recipients: its signature would be another's.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated

import msgspec

from central.contract.backup_files import BackupKind, Contents, Count
from central.contract.errors import ContractError

BACKUP_SUFFIX = ".dlb"
MANIFEST_SUFFIX = ".manifest"
MANIFEST_BYTES_MAX = 64 * 1024
SIGNED_PREFIX = b"dockledger backup-manifest 1\0"
NAME = re.compile(r"(ledger|base)-([0-9]{8}T[0-9]{6}Z)-[0-9a-f]{8}")
WAL_NAME = re.compile(r"wal-[0-9A-Za-z._-]{1,80}")
PREFIXES: dict[BackupKind, str] = {"sqlite": "ledger", "postgresql": "ledger", "base": "base"}

Sign = Callable[[bytes], bytes]
# (public key, signature, what was signed) -> whether it is that key's.
Check = Callable[[bytes, bytes, bytes], bool]


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup is. sha256, bytes_count: of the file as it lies there, encrypted."""

    contents: Contents
    sha256: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
    bytes_count: Count


_decoder = msgspec.json.Decoder(Manifest)


def backup_name(kind: BackupKind, *, taken_ms: int, number: int) -> str:
    """Return the name of a backup without suffix. number: random, 32 bits."""
    taken = datetime.fromtimestamp(taken_ms / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
    return f"{PREFIXES[kind]}-{taken}-{number & 0xFFFFFFFF:08x}"


def taken_at(name: str) -> datetime | None:
    """Return when a backup was begun, None for a name that none of ours has."""
    found = NAME.fullmatch(name)
    try:
        return datetime.strptime(found[2], "%Y%m%dT%H%M%S%z") if found else None
    except ValueError:
        return None


def encode_manifest(manifest: Manifest, *, sign: Sign, public_key_hex: str) -> bytes:
    """Return the file that stands beside the backup."""
    payload = msgspec.json.encode(manifest)
    signature = sign(SIGNED_PREFIX + payload).hex()
    return payload + f"\n{public_key_hex} {signature}\n".encode()


def decode_manifest(data: bytes, *, check: Check) -> tuple[Manifest, str]:
    """Return a manifest and the public key that signed it, hexadecimal.

    Raises ContractError if it cannot be read or the signature is not that key's.
    """
    payload, _, rest = data.partition(b"\n")
    found = re.fullmatch(rb"([0-9a-f]{64}) ([0-9a-f]{128})\n", rest)
    if len(data) > MANIFEST_BYTES_MAX or found is None:
        raise _unreadable()
    try:
        manifest = _decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _unreadable() from error
    key, signature = bytes.fromhex(found[1].decode()), bytes.fromhex(found[2].decode())
    if not check(key, signature, SIGNED_PREFIX + payload):
        raise ContractError(
            "the manifest was changed after it was signed",
            hint="Take the same backup from another place, and ask who can write to this one.",
        )
    return manifest, key.hex()


def _unreadable() -> ContractError:
    return ContractError(
        "the manifest cannot be read", hint="Take the same backup from another place."
    )
