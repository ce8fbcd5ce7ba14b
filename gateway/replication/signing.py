"""The gateway's Ed25519 key, kept in a file of its own. Edge of the file system."""

import base64
import binascii
import os
import re
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.errors import GatewayError

KEY_FILE = "gateway.key"  # In the data directory.
KEY_FILE_BYTES_MAX = 4096
# RFC 7468, section 10: the text around a PKCS #8 key; RFC 8410, section 7: the bytes before the 32
# of an Ed25519 key. cryptography's `serialization` would read them too, and brings every other kind
# of key with it: a fortieth of the memory that the core may take.
PEM_BEGIN, PEM_END = "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----"
PEM = re.compile(rf"\s*{PEM_BEGIN}\s+([A-Za-z0-9+/=\s]+){PEM_END}\s*".encode("ascii"))
PKCS8_ED25519 = bytes.fromhex("302e020100300506032b657004220420")
SEED_BYTES = 32


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
    seed = _seed(data)
    if seed is None:
        raise KeyUnusable(
            f"key file {path} holds no readable Ed25519 key",
            hint=f"Put {path.name} back from a backup, or move it away and enrol the gateway's "
            "new key at central.",
        )
    return Ed25519PrivateKey.from_private_bytes(seed)


def _seed(data: bytes) -> bytes | None:
    """Return the 32 bytes that the key is made of; None if the file is not exactly that."""
    if len(data) > KEY_FILE_BYTES_MAX or (found := PEM.fullmatch(data)) is None:
        return None
    try:
        der = base64.b64decode(b"".join(found[1].split()), validate=True)
    except binascii.Error:
        return None
    head, seed = der[: len(PKCS8_ED25519)], der[len(PKCS8_ED25519) :]
    return seed if head == PKCS8_ED25519 and len(seed) == SEED_BYTES else None


def _create(path: Path) -> None:
    der = PKCS8_ED25519 + Ed25519PrivateKey.generate().private_bytes_raw()
    pem = f"{PEM_BEGIN}\n{base64.b64encode(der).decode('ascii')}\n{PEM_END}\n".encode("ascii")
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
