"""The Impinj driver against a real HTTP server: TLS, passwords, silence. Edge of the network."""

import gzip
import ipaddress
import socket
import ssl
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import DeviceLost, DeviceSilent, SettingsInvalid
from drivers.protocols.rfid_impinj import LINE_BYTES_MAX, ImpinjStreamProtocol
from drivers.readings import DeviceFault, TagRead
from drivers.registry import load_driver
from drivers.simulators.reader_impinj import VirtualImpinjReader
from drivers.transports.http_stream import HttpStream
from tests.drivers.waiting import read_until, read_until_raises
from tests.waiting import wait_for

EPC = "3074257BF7194E4000001A85"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
AT = datetime(2026, 11, 22, 8, 0, 0, 123_000, UTC)


def opened(port, **settings):
    driver = load_driver("impinj-iot")
    plain = {"host": "127.0.0.1", "port": port, "tls": "off", "timeout_s": 2.0}
    return driver.open_device(driver.parse_settings(plain | settings))


def listening(reader):
    return wait_for(reader.streams_count, what="a stream")


@pytest.fixture
def reader():
    with VirtualImpinjReader() as virtual:
        yield virtual


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Return the path of a PEM file: key and self-signed certificate of 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "reader")])
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=36_500))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "reader.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def tls_reader(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with VirtualImpinjReader(tls=context) as virtual:
        yield virtual


def test_a_tag_comes_with_antenna_strength_phase_and_the_readers_time(reader):
    device = opened(reader.port)
    listening(reader)
    reader.read_tag(EPC, antenna=3, rssi_cdbm=-4812, at=AT)
    [read] = read_until(device, 1)
    assert (read.epc, read.antenna, read.rssi_cdbm, read.phase) == (EPC, 3, -4812, 384)
    assert read.last_seen_us == 1_795_334_400_123_000
    reader.read_tag(EPC, as_base64=True)
    assert read_until(device, 1)[0].epc == EPC
    device.close()
    device.close()


def test_events_that_arrive_in_pieces_and_together_are_all_read(reader):
    device = opened(reader.port)
    listening(reader)
    line = b'{"tagInventoryEvent": {"epcHex": "%s"}}\n' % EPC.encode()
    for piece in (line[:20], line[20:] + line * 100 + line[:5], line[5:]):
        reader.say(piece)
    assert len(read_until(device, 102)) == 102
    device.close()


def test_the_preset_is_started_and_inventory_stopped_at_the_end(reader):
    device = opened(reader.port, preset="default", stop_at_close=True)
    assert reader.started == ["default"]
    device.close()
    assert reader.started == ["default", ""]


def test_a_preset_that_the_reader_does_not_have_is_a_wrong_setting(reader):
    with pytest.raises(SettingsInvalid, match="404") as raised:
        opened(reader.port, preset="no such/preset")
    assert "preset" in raised.value.hint


def test_user_and_password_are_sent_and_refused_ones_are_a_wrong_setting(tmp_path):
    with VirtualImpinjReader(user="root", password="sesame") as reader:
        (tmp_path / "right").write_text("sesame\n")
        (tmp_path / "wrong").write_text("mellon\n")
        opened(reader.port, user="root", password_file=str(tmp_path / "right")).close()
        for settings in (
            {"user": "root", "password_file": str(tmp_path / "wrong")},
            {"user": "root", "password_file": str(tmp_path / "missing")},
            {},
        ):
            with pytest.raises(SettingsInvalid) as raised:
                opened(reader.port, **settings)
            assert "sesame" not in str(raised.value)
            assert "mellon" not in str(raised.value)


def test_tls_is_verified_unless_it_is_said_otherwise(tls_reader, certificate, tmp_path):
    for settings in ({"ca_file": str(certificate)}, {"tls": "unverified"}):
        device = opened(tls_reader.port, **({"tls": "verified"} | settings))
        listening(tls_reader)
        tls_reader.read_tag(EPC)
        assert read_until(device, 1)[0].epc == EPC
        device.close()
        tls_reader.end_streams()
        wait_for(lambda: not tls_reader.streams_count())
    with pytest.raises(SettingsInvalid, match="CERTIFICATE_VERIFY_FAILED") as raised:
        opened(tls_reader.port, tls="verified")
    assert "ca_file" in raised.value.hint
    with pytest.raises(SettingsInvalid, match="ca_file"):
        opened(tls_reader.port, tls="verified", ca_file=str(tmp_path / "missing.pem"))


def test_a_reader_that_is_not_there_is_lost():
    with VirtualImpinjReader() as gone:
        port = gone.port
    with pytest.raises(DeviceLost):
        opened(port)


@pytest.mark.parametrize("host", ["127.0.0.1:80", "[::1", "a\tb"])
def test_a_host_that_is_no_host_is_a_wrong_setting(host):
    with pytest.raises(SettingsInvalid, match="is no address"):
        opened(80, host=host)


def test_an_answer_that_is_small_on_the_line_never_becomes_large():
    bomb = gzip.compress(bytes(20_000_000))
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n"
    asked = []

    def answer():
        connection, _ = server.accept()
        with connection:
            asked.append(connection.recv(65_536))
            connection.sendall(head.encode() + bomb)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=answer)
        thread.start()
        stream = HttpStream(
            f"http://127.0.0.1:{server.getsockname()[1]}",
            user="",
            password="",
            tls=None,
            timeout_s=5.0,
        )
        try:
            stream.begin("/")
            assert 0 < len(stream.read(5.0)) <= len(bomb)
        finally:
            stream.close()
            thread.join(60)
    assert b"accept-encoding: identity" in asked[0].lower()


def test_a_stream_that_ends_is_lost_and_opens_again(reader):
    device = opened(reader.port)
    listening(reader)
    reader.end_streams()
    assert "ended" in str(read_until_raises(device, DeviceLost))
    device.close()
    device = opened(reader.port)
    listening(reader)
    reader.read_tag(EPC)
    assert read_until(device, 1)[0].epc == EPC
    device.close()


def test_a_quiet_reader_is_asked_and_is_silent_only_when_it_does_not_answer(reader):
    device = opened(reader.port, quiet_s=0.05, timeout_s=0.3)
    for _ in range(5):
        assert not device.read(0.1)
    reader.mute()
    error = read_until_raises(device, DeviceSilent)
    assert "cable" in error.hint
    device.close()


def test_two_readers_do_not_hear_each_other(reader):
    with VirtualImpinjReader() as other:
        first, second = opened(reader.port), opened(other.port)
        listening(reader)
        listening(other)
        reader.read_tag(EPC, antenna=1)
        other.read_tag(EPC, antenna=2)
        assert read_until(first, 1)[0].antenna == 1
        assert read_until(second, 1)[0].antenna == 2
        first.close()
        second.close()


def test_the_probe_returns_make_model_and_serial_number(reader):
    driver = load_driver("impinj-iot")
    settings = driver.parse_settings({"host": "127.0.0.1", "port": reader.port, "tls": "off"})
    assert driver.probe(settings) == "Impinj R700 370-20-00-0000"


def test_a_line_without_end_costs_one_fault_and_no_memory():
    protocol = ImpinjStreamProtocol()
    faults = protocol.receive_data(b"x" * (LINE_BYTES_MAX * 4) + b"\n")
    assert [fault.code for fault in faults] == ["unreadable"]
    line = b'{"tagInventoryEvent": {"epcHex": "%s"}}\n' % EPC.encode()
    assert [type(reading) for reading in protocol.receive_data(line)] == [TagRead]


@pytest.mark.parametrize(
    "line",
    [
        b'{"tagInventoryEvent": {"epcHex": "30x"}}',
        b'{"tagInventoryEvent": {"epc": "***"}}',
        b'{"tagInventoryEvent": {"epcHex": "%s"}}' % (b"30" * 63),
        b'{"tagInventoryEvent": {"epcHex": "30", "antennaPort": "1"}}',
        b'{"tagInventoryEvent": [1]}',
        b"[" * 10_000,
        b"\xff\xfe",
    ],
    ids=["odd", "no base64", "too long", "text", "list", "deep", "not UTF-8"],
)
def test_an_event_that_cannot_be_read_is_a_fault(line):
    found = ImpinjStreamProtocol().receive_data(line + b"\n")
    assert [type(reading) for reading in found] == [DeviceFault]


def test_an_unknown_event_may_be_nested_as_deeply_as_it_likes():
    line = b'{"x": ' * 2_000 + b"1" + b"}" * 2_000
    found = ImpinjStreamProtocol().receive_data(line + b"\n")
    # How deep a decoder goes depends on the Python version: passed over, or a fault; never raised.
    assert [type(reading) for reading in found] in ([], [DeviceFault])


@given(st.integers(0, 253_402_300_799_999_999), st.sampled_from(["", "0", "000"]))
def test_a_time_of_the_reader_is_exact_to_the_microsecond(microseconds, digits):
    moment = EPOCH + timedelta(microseconds=microseconds)
    text = moment.replace(tzinfo=None).isoformat(timespec="microseconds") + digits + "Z"
    line = f'{{"timestamp": "{text}", "tagInventoryEvent": {{"epcHex": "30"}}}}\n'
    [read] = ImpinjStreamProtocol().receive_data(line.encode())
    assert read.last_seen_us == microseconds


def test_only_this_driver_loads_the_http_library():
    program = (
        "import sys, drivers.api, drivers.registry, drivers.builtin.scanner_text,"
        " drivers.builtin.reader_uhf_serial; sys.exit('httpx' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
