"""Whom this gateway believes: the ledger's public key, in `ledger.json`. Edge of the file system.

The key comes from the configuration, or else from the first ledger that is heard, and stays: the
word of another one is none from then on. Beside it stands the generation of the ledger that has
everything which is acknowledged here.
"""

import os
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.errors import GatewayError

LEDGER_FILE = "ledger.json"
FILE_BYTES_MAX = 4096


class LedgerFileUnusable(GatewayError):
    """The file cannot be read, written or understood."""


class _File(msgspec.Struct, frozen=True, kw_only=True):
    public_key: str = ""
    generation: str = ""


class KnownLedger:
    """One thread writes; any may ask. All of it is on disk when a call returns."""

    def __init__(self, path: Path, *, configured_key: str = "") -> None:
        """Read what is known. Raises LedgerFileUnusable.

        configured_key: 64 hexadecimal digits that count instead of the kept ones; "" for none.
        """
        self._path = path
        self._known = _read(path)
        if configured_key and configured_key != self._known.public_key:
            self._write(_File(public_key=configured_key, generation=self._known.generation))
        self._key = _parse_key(self._known.public_key, path)

    @property
    def public_key_hex(self) -> str:
        """Return the key, "" before any ledger was heard."""
        return self._known.public_key

    @property
    def generation(self) -> str:
        """Return the generation that has everything acknowledged, "" if none is known."""
        return self._known.generation

    def hear(self, public_key_hex: str) -> bool:
        """Believe this ledger from now on if none is known; return True if that is new.

        Text that is no key is not believed.
        """
        if self._key is not None or not public_key_hex:
            return False
        try:
            key = _parse_key(public_key_hex, self._path)
        except LedgerFileUnusable:
            return False
        self._write(_File(public_key=public_key_hex, generation=self._known.generation))
        self._key = key
        return True

    def note_generation(self, generation: str) -> None:
        """Keep the generation that has everything acknowledged."""
        if generation != self._known.generation:
            self._write(_File(public_key=self._known.public_key, generation=generation))

    def signed(self, data: bytes, signature: bytes) -> bool:
        """Return whether the known ledger made the signature; False while none is known."""
        if self._key is None:
            return False
        try:
            self._key.verify(signature, data)
        except InvalidSignature:
            return False
        return True

    def _write(self, known: _File) -> None:
        new_path = self._path.with_name(f"{self._path.name}.new")
        try:
            with new_path.open("wb") as file:
                file.write(msgspec.json.encode(known))
                file.flush()
                os.fsync(file.fileno())
            new_path.replace(self._path)
            directory = os.open(self._path.parent, os.O_RDONLY)
            try:
                os.fsync(directory)
            finally:
                os.close(directory)
        except OSError as error:
            raise LedgerFileUnusable(
                f"{self._path} cannot be written: {error.strerror}",
                hint=f"Make space, and let the gateway's user write {self._path.parent}.",
            ) from error
        self._known = known


def _read(path: Path) -> _File:
    try:
        data = path.read_bytes()[: FILE_BYTES_MAX + 1]
    except FileNotFoundError:
        return _File()
    except OSError as error:
        raise LedgerFileUnusable(
            f"{path} cannot be read: {error.strerror}", hint="Let the gateway's user read it."
        ) from error
    try:
        return msgspec.json.decode(data, type=_File)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise LedgerFileUnusable(
            f"{path} is damaged: {error}",
            hint=f"Delete {path.name}; the next ledger that is heard is believed then.",
        ) from error


def _parse_key(text: str, path: Path) -> Ed25519PublicKey | None:
    if not text:
        return None
    try:
        return Ed25519PublicKey.from_public_bytes(bytes.fromhex(text))
    except ValueError as error:
        raise LedgerFileUnusable(
            f"{path} holds no public key of a ledger",
            hint=f"Delete {path.name}; the next ledger that is heard is believed then.",
        ) from error
