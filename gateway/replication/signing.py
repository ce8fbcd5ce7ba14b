"""The gateway's Ed25519 key, kept in a file of its own. Edge of the file system."""

import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from gateway.errors import GatewayError

KEY_FILE_BYTES_MAX = 4096


class KeyUnusable(GatewayError):
    """The key file cannot be read, written or understood; no new key was made."""


@dataclass(frozen=True, slots=True)
class GatewayKey:
    """Signs what this gateway sends. The public half is enrolled at central."""

    private_key: Ed25519PrivateKey

    def sign(self, data: bytes) -> bytes:
        """Return the 64 byte signature of `data` (RFC 8032)."""
        return self.private_key.sign(data)

    @property
    def public_key_hex(self) -> str:
        """Return the 32 raw bytes of the public key as 64 hexadecimal digits."""
        return self.private_key.public_key().public_bytes_raw().hex()


def load_or_create_key(path: Path) -> GatewayKey:
    """Return the key in `path` (PEM, PKCS #8), made durably with mode 0600 if there is no file.

    A file that is there is never replaced: a new key in silence would make central refuse the
    gateway. Raises KeyUnusable.
    """
    try:
        if not path.exists():
            _create(path)
        data = path.read_bytes()[: KEY_FILE_BYTES_MAX + 1]
    except OSError as error:
        raise KeyUnusable(
            f"key file {path} cannot be used: {error.strerror}",
            hint=f"Let the gateway's user read and write {path.parent}.",
        ) from error
    return GatewayKey(_parse(data, path))


def _parse(data: bytes, path: Path) -> Ed25519PrivateKey:
    hint = (
        f"Put {path.name} back from a backup, or move it away and enrol the gateway's new key "
        "at central."
    )
    try:
        if len(data) > KEY_FILE_BYTES_MAX:
            raise ValueError("it is too long")
        key = load_pem_private_key(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyUnusable(f"key file {path} holds no readable key", hint=hint) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyUnusable(f"key file {path} holds another kind of key than Ed25519", hint=hint)
    return key


def _create(path: Path) -> None:
    pem = Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    new_path = path.with_name(f"{path.name}.new-{os.getpid()}")
    try:
        with open(new_path, "xb", opener=_open_private) as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        # link, not rename: where two starts race, the second must not replace the first one's key.
        try:
            os.link(new_path, path)
        except FileExistsError:
            return
    finally:
        new_path.unlink(missing_ok=True)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
