"""The gateway's key is made once, kept, and never replaced in silence. Edge of the file system."""

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from gateway.replication.signing import KeyUnusable, load_or_create_key

PEM_OF = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
OTHER_KIND = X25519PrivateKey.generate().private_bytes(*PEM_OF)
SOUND = Ed25519PrivateKey.from_private_bytes(bytes(range(32))).private_bytes(*PEM_OF)


def test_a_key_is_made_once_private_to_its_user_and_found_again(tmp_path: Path) -> None:
    path = tmp_path / "gateway.key"
    key = load_or_create_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["gateway.key"]
    assert load_or_create_key(path).public_key_hex == key.public_key_hex
    public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key.public_key_hex))
    public.verify(key.sign(b"batch"), b"batch")


def test_other_programs_read_the_key_and_their_keys_are_read(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours.key", tmp_path / "theirs.key"
    key = load_or_create_key(ours)
    read = load_pem_private_key(ours.read_bytes(), password=None)
    assert isinstance(read, Ed25519PrivateKey)
    assert read.public_key().public_bytes_raw().hex() == key.public_key_hex
    assert ours.read_bytes() == read.private_bytes(*PEM_OF)
    theirs.write_bytes(SOUND.replace(b"\n", b"\r\n"))
    assert load_or_create_key(theirs).private_key.private_bytes_raw() == bytes(range(32))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"not a key", id="text"),
        pytest.param(OTHER_KIND, id="x25519"),
        pytest.param(b"-" * 10_000, id="huge"),
        pytest.param(SOUND + b" " * 5_000, id="a sound key and too much after it"),
        pytest.param(SOUND[:60] + SOUND[64:], id="three bytes less"),
        pytest.param(SOUND.replace(b"MC4C", b"MC4D"), id="another structure"),
        pytest.param(SOUND.replace(b"MC4C", b"MC=C"), id="no base64"),
        pytest.param(SOUND + SOUND, id="two keys"),
    ],
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
