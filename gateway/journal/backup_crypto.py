"""X25519 and ChaCha20-Poly1305 for encrypted copies of the journal. Edge of cryptography."""

import re
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from central.contract.backup_files import Aead
from gateway.errors import BackupUnusable

KEY_LINE = re.compile(r"dockledger-backup-key 1 ([0-9a-f]{64})\n?")
KEY_FILE_BYTES_MAX = 1024


class ChaCha:
    """ChaCha20-Poly1305 with one key."""

    def __init__(self, key: bytes) -> None:
        self._cipher = ChaCha20Poly1305(key)

    def seal(self, nonce: bytes, data: bytes) -> bytes:
        """Return the data sealed, 16 bytes longer."""
        return self._cipher.encrypt(nonce, data, None)

    def open(self, nonce: bytes, data: bytes) -> bytes | None:
        """Return what was sealed, None if a byte of it is not as it was."""
        try:
            return self._cipher.decrypt(nonce, data, None)
        except (InvalidTag, ValueError):  # The latter for less than a tag.
            return None


class Cryptography:
    """What `central.contract.backup_files` needs."""

    def new_secret(self) -> bytes:
        """Return 32 random bytes."""
        return X25519PrivateKey.generate().private_bytes_raw()

    def public_key(self, secret: bytes) -> bytes:
        """Return the public key of a private one of X25519."""
        return X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()

    def exchange(self, secret: bytes, public: bytes) -> bytes:
        """Return what both sides share. Raises ValueError for a public key that is none."""
        key = X25519PublicKey.from_public_bytes(public)
        return X25519PrivateKey.from_private_bytes(secret).exchange(key)

    def aead(self, key: bytes) -> Aead:
        """Return the cipher with a key."""
        return ChaCha(key)


def read_key(path: Path) -> bytes:
    """Return the private key of a file. Raises BackupUnusable."""
    try:
        with path.open("rb") as file:
            found = KEY_LINE.fullmatch(file.read(KEY_FILE_BYTES_MAX).decode("ascii", "replace"))
    except OSError as error:
        raise BackupUnusable(
            f"cannot read the key {path}: {error.strerror}", hint="Name the key's file."
        ) from error
    if found is None:
        raise BackupUnusable(
            f"{path} holds no private key of backups",
            hint="Give the file that `dockledger-central backup new-key` wrote.",
        )
    return bytes.fromhex(found[1])
