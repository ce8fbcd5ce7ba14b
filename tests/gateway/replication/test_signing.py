"""The gateway's key is made once, kept, and never replaced in silence. Edge of the file system."""

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gateway.replication.signing import KeyUnusable, load_or_create_key

OTHER_KIND = X25519PrivateKey.generate().private_bytes(
    Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
)


def test_a_key_is_made_once_private_to_its_user_and_found_again(tmp_path: Path) -> None:
    path = tmp_path / "gateway.key"
    key = load_or_create_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["gateway.key"]
    assert load_or_create_key(path).public_key_hex == key.public_key_hex
    public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key.public_key_hex))
    public.verify(key.sign(b"batch"), b"batch")


@pytest.mark.parametrize(
    "content",
    [b"", b"not a key", OTHER_KIND, b"-" * 10_000],
    ids=["empty", "text", "x25519", "huge"],
)
def test_a_damaged_key_file_is_told_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "gateway.key"
    path.write_bytes(content)
    with pytest.raises(KeyUnusable) as caught:
        load_or_create_key(path)
    assert "enrol" in caught.value.hint
    assert path.read_bytes() == content


def test_a_directory_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(KeyUnusable) as caught:
        load_or_create_key(tmp_path / "gone" / "gateway.key")
    assert "gone" in caught.value.hint
