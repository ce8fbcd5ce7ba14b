"""A snapshot is loaded whole or not at all, whatever breaks on the way; httpx stays outside."""

import hashlib
import itertools
import os
import signal
import ssl
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import msgspec
import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from central.contract.snapshots import decode_snapshot, manifest_of
from gateway.config_sections import CentralSection
from gateway.replication.snapshot_load import Loaded, LoadFailure, SnapshotLoader
from gateway.replication.snapshot_pipe import part_name
from tests.gateway.journal.samples import GATEWAY
from tests.gateway.replication.snapshot_server import Central, sample_snapshot, serving
from tests.waiting import wait_for

GATEWAY_KEY = Ed25519PrivateKey.generate()


@contextmanager
def loader_for(central: Central, folder, *, tls_ca_file: str = ""):
    numbers = itertools.count(1)
    loader = SnapshotLoader(
        CentralSection(url=central.url, tls_ca_file=tls_ca_file),
        gateway=GATEWAY,
        folder=folder,
        sign=GATEWAY_KEY.sign,
        signed=lambda data, signature: is_signed(central, data, signature),
        nonce=lambda: f"n{next(numbers)}",
        now_ms=lambda: 0,
    )
    try:
        yield loader
    finally:
        loader.stop()


def is_signed(central: Central, data: bytes, signature: bytes) -> bool:
    try:
        central.key.public_key().verify(signature, data)
    except InvalidSignature:
        return False
    return True


def load(loader: SnapshotLoader) -> Loaded | LoadFailure:
    loader.start()
    return wait_for(loader.ended, what="the load ends")


def test_a_snapshot_is_loaded_whole(tmp_path):
    with serving(Central()) as central, loader_for(central, tmp_path) as loader:
        loaded = load(loader)
        assert isinstance(loaded, Loaded), loaded
        assert decode_snapshot(loaded.read()) == sample_snapshot()
        loaded.forget()
        assert list(tmp_path.iterdir()) == []
        assert not loader.is_busy


def test_a_broken_line_is_gone_on_with_where_it_broke(tmp_path):
    with serving(Central(cuts=[1000, 0, 5000])) as central, loader_for(central, tmp_path) as loader:
        loaded = load(loader)
        assert isinstance(loaded, Loaded), loaded
        assert loaded.read() == central.data
        assert central.asked == ["bytes=0-", "bytes=1000-", "bytes=1000-", "bytes=6000-"]


def test_half_a_file_of_an_earlier_try_is_gone_on_with(tmp_path):
    with serving(Central()) as central, loader_for(central, tmp_path) as loader:
        digest = hashlib.sha256(central.data).hexdigest()
        (tmp_path / part_name(digest)).write_bytes(central.data[:2000])
        (tmp_path / part_name("f" * 64)).write_bytes(b"of another snapshot")
        loaded = load(loader)
        assert isinstance(loaded, Loaded), loaded
        assert central.asked == ["bytes=2000-"]
        assert [path.name for path in tmp_path.iterdir()] == [part_name(digest)]


def test_a_server_that_knows_no_pieces_is_taken_from_the_beginning(tmp_path):
    central = Central(cuts=[3000], ranges=False)
    with serving(central), loader_for(central, tmp_path) as loader:
        loaded = load(loader)
        assert isinstance(loaded, Loaded), loaded
        assert loaded.read() == central.data


def test_a_file_with_another_digest_is_thrown_away_and_loaded_anew(tmp_path):
    central = Central()
    promised = manifest_of(sample_snapshot(), central.data)
    central.manifest = promised
    good, central.data = central.data, b"x" * len(central.data)
    with serving(central), loader_for(central, tmp_path) as loader:
        assert load(loader).problem == "damaged"
        assert list(tmp_path.iterdir()) == []
        central.data = good
        assert isinstance(load(loader), Loaded)


def other_gateway(central: Central) -> None:
    manifest = manifest_of(sample_snapshot(), central.data)
    central.manifest = msgspec.structs.replace(manifest, gateway="another")


def longer_than_sent(central: Central) -> None:
    manifest = manifest_of(sample_snapshot(), central.data)
    central.manifest = msgspec.structs.replace(manifest, bytes_count=manifest.bytes_count + 1)


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        pytest.param(lambda c: setattr(c, "status", 403), "refused", id="not enrolled"),
        pytest.param(lambda c: setattr(c, "status", 429), "busy", id="others first"),
        pytest.param(lambda c: setattr(c, "status", 500), "unreachable", id="central failed"),
        pytest.param(lambda c: setattr(c, "status", 302), "unreachable", id="sent elsewhere"),
        pytest.param(other_gateway, "damaged", id="for another gateway"),
        pytest.param(longer_than_sent, "damaged", id="less than promised"),
        pytest.param(
            lambda c: setattr(c, "sealed_manifest", lambda: b"\xff" * 100), "damaged", id="no seal"
        ),
        pytest.param(
            lambda c: setattr(c, "sealed_manifest", lambda: b"x" * 100_000), "damaged", id="endless"
        ),
        pytest.param(
            lambda c: setattr(c, "sealed_manifest", Central().sealed_manifest),
            "not_trusted",
            id="another ledger's seal",
        ),
    ],
)
def test_what_cannot_be_loaded_names_why(tmp_path, monkeypatch, spoil, problem):
    central = Central()
    spoil(central)
    with serving(central), loader_for(central, tmp_path) as loader:
        ended = load(loader)
    assert isinstance(ended, LoadFailure)
    assert ended.problem == problem, ended
    assert ended.detail


def test_a_central_that_is_not_there_is_unreachable(tmp_path):
    with serving(Central()) as central:
        pass
    with loader_for(central, tmp_path) as loader:
        assert load(loader).problem == "unreachable"


def test_a_folder_that_takes_nothing_is_told_as_the_disk(tmp_path):
    with serving(Central()) as central, loader_for(central, tmp_path / "gone") as loader:
        assert load(loader).problem == "disk"


def test_the_request_is_sealed_and_no_two_are_alike(tmp_path):
    with serving(Central()) as central, loader_for(central, tmp_path) as loader:
        load(loader)
        load(loader)
        assert len(set(central.requests)) == 2


def test_stopping_ends_the_child_and_keeps_what_it_has(tmp_path):
    central = Central(cuts=[1000] + [0] * 99)
    with serving(central), loader_for(central, tmp_path) as loader:
        loader.start()
        part = tmp_path / part_name(hashlib.sha256(central.data).hexdigest())
        wait_for(lambda: part.exists() and part.stat().st_size == 1000, what="a piece is there")
        child = loader._child.pid
        loader.stop()
        assert part.stat().st_size == 1000
        with pytest.raises(ProcessLookupError):
            os.kill(child, 0)


def test_a_killed_child_is_a_failure_like_others(tmp_path):
    central = Central(cuts=[1000] + [0] * 99)
    with serving(central), loader_for(central, tmp_path) as loader:
        loader.start()
        wait_for(lambda: central.asked, what="it loads")
        os.kill(loader._child.pid, signal.SIGKILL)
        ended = wait_for(loader.ended, what="the end is told")
        assert ended.problem == "unreachable"


@pytest.mark.parametrize("trusted", [True, False], ids=["its authority", "another authority"])
def test_a_certificate_is_checked(tmp_path, trusted):
    tls, ca_file = certificate(tmp_path / "central")
    if not trusted:
        _, ca_file = certificate(tmp_path / "another")
    with serving(Central(), tls=tls) as central:
        folder = tmp_path / "data"
        folder.mkdir()
        with loader_for(central, folder, tls_ca_file=str(ca_file)) as loader:
            ended = load(loader)
    assert isinstance(ended, Loaded) if trusted else ended.problem == "not_trusted"


def test_the_gateway_itself_never_loads_httpx():
    program = (
        "import sys, gateway.replication.snapshot_load, gateway.replication.downlink;"
        " assert 'httpx' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def certificate(stem):
    """Return a server's context for localhost, and the file that vouches for it."""
    key = generate_private_key(SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName(
        [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    )
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .sign(key, SHA256())
    )
    stem.mkdir()
    pem, key_pem = stem / "cert.pem", stem / "key.pem"
    pem.write_bytes(made.public_bytes(Encoding.PEM))
    key_pem.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key_pem)
    return context, pem
