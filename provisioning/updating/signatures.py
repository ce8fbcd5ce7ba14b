"""Signs manifests and checks their signatures (Ed25519, RFC 8032). Edge of cryptography."""

import base64
import binascii
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from provisioning.updating.errors import ReleaseRefused, SettingsInvalid

KEY_FILE_BYTES_MAX = 16 * 1024
SIGNATURE_TEXT_BYTES_MAX = 256
END_OF_KEY = b"-----END PUBLIC KEY-----"


def load_public_keys(path: Path) -> tuple[Ed25519PublicKey, ...]:
    """Return the keys that may sign: one PEM block each, one after the other.

    Two of them while a key is replaced by the next. Raises SettingsInvalid.
    """
    try:
        with path.open("rb") as file:
            data = file.read(KEY_FILE_BYTES_MAX)
        blocks = [part + END_OF_KEY for part in data.split(END_OF_KEY)[:-1]]
        keys = tuple(load_pem_public_key(block) for block in blocks)
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise SettingsInvalid(
            f"{path} cannot be read as public keys: {error}",
            hint="Copy the public key of your releases there, in PEM.",
        ) from error
    ours = tuple(key for key in keys if isinstance(key, Ed25519PublicKey))
    if not ours or len(ours) != len(keys):
        raise SettingsInvalid(
            f"{path} holds no Ed25519 public key, or another kind of key",
            hint="Copy the public key of your releases there, in PEM.",
        )
    return ours


def check_signature(
    manifest: bytes, signature_text: bytes, *, keys: tuple[Ed25519PublicKey, ...]
) -> None:
    """Return if one of the keys signed the manifest. Raises ReleaseRefused."""
    try:
        signature = base64.b64decode(signature_text.strip(), validate=True)
    except binascii.Error as error:
        raise _forged("the signature is cut off or no signature") from error
    for key in keys:
        try:
            key.verify(signature, manifest)
        except InvalidSignature:
            continue
        return
    raise _forged("the manifest is not signed by a key that this gateway knows, or was changed")


def sign(manifest: bytes, key: Ed25519PrivateKey) -> bytes:
    """Return the text of the signature file."""
    return base64.b64encode(key.sign(manifest)) + b"\n"


def load_private_key(path: Path, *, password: bytes | None) -> Ed25519PrivateKey:
    """Return the key that signs releases. Raises SettingsInvalid."""
    try:
        key = load_pem_private_key(path.read_bytes(), password)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SettingsInvalid(
            f"{path} cannot be used as a private key: {error}",
            hint="Name the Ed25519 key that `dockledger-provision release new-key` made.",
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise SettingsInvalid(
            f"{path} is no Ed25519 key",
            hint="Name the Ed25519 key that `dockledger-provision release new-key` made.",
        )
    return key


def new_key_pair() -> tuple[bytes, bytes]:
    """Return a new private key and its public key, both PEM."""
    key = Ed25519PrivateKey.generate()
    return (
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    )


def _forged(what: str) -> ReleaseRefused:
    return ReleaseRefused(
        what, hint="Find out who put it there; sign releases with the key of this gateway."
    )
