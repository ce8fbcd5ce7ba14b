"""Parts of the first boots' power cuts that need no guest. Edge of sockets and e2fsprogs."""

import shutil
import socket
import subprocess
import threading

import pytest

from central.trust.authority import make_root
from gateway.identity.files import Identity, IdentityFolder
from tests.gateway.journal import samples
from tests.hardware.back_in_service import own_s_of
from tests.hardware.enrolled import look_at, stage_of
from tests.hardware.errors import GuestFailed, LabUnusable
from tests.hardware.first_boots import boot_gateways
from tests.hardware.in_guest.wire import Wire

DISK_BYTES = 8 * 1024**2
PATHS = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
NOW_MS = 1_795_000_000_000
SOMEBODY = Identity(
    gateway=samples.GATEWAY,
    warehouse="sh1",
    site="demo",
    serial="77",
    central_url="https://127.0.0.1:1",
    ledger_public_key="",
    issued_ms=0,
    expires_ms=1,
)


def end(line, **words):
    def take(count):
        data = b""
        while len(data) < count:
            piece = line.recv(count - len(data))
            if not piece:
                raise ConnectionError
            data += piece
        return data

    return Wire(take, line.sendall, **words)


@pytest.fixture
def wired():
    """A function that returns a new connection through the wire to a server that says it back."""
    ours, theirs = socket.socketpair()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve():
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    while data := connection.recv(65536):
                        connection.sendall(data[::-1])

        host = end(theirs, answer=lambda: socket.create_connection(listening.getsockname()))
        guest = end(ours)
        threads = [threading.Thread(target=one) for one in (serve, host.listen, guest.listen)]
        for thread in threads:
            thread.start()
        numbers, opened = iter(range(1, 100)), []

        def connect():
            program, kept = socket.socketpair()
            program.settimeout(30)
            guest.carry(next(numbers), kept)
            opened.append(program)
            return program

        yield connect
        for program in opened:
            program.close()
        listening.shutdown(socket.SHUT_RDWR)
    for line in (ours, theirs):
        line.shutdown(socket.SHUT_RDWR)
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    for line in (ours, theirs):
        line.close()


def said_back(connection, data):
    connection.sendall(data)
    got = b""
    while len(got) < len(data):
        got += connection.recv(65536)
    return got


def test_connections_of_a_guest_reach_the_host_one_after_the_other(wired):
    first = wired()
    assert said_back(first, b"one") == b"eno"
    first.close()
    second = wired()
    assert said_back(second, bytes(range(256))) == bytes(range(255, -1, -1))
    second.shutdown(socket.SHUT_WR)
    assert second.recv(1) == b""  # The other end was told, and has ended.


@pytest.fixture
def disk_of(tmp_path):
    """A function that returns a disk with the content of a folder, as a guest has it."""

    def made(content):
        disk = tmp_path / "data.img"
        with disk.open("wb") as file:
            file.truncate(DISK_BYTES)
        words = ["mke2fs", "-q", "-t", "ext4", "-F", "-d", str(content), str(disk)]
        subprocess.run(words, check=True, env=PATHS)
        return disk

    return made


def card_of(tmp_path):
    """Return a folder with a card whose first boot has come to its settings."""
    content = tmp_path / "content"
    for name in ("card/dockledger/gateway.toml", "etc/gateway.toml"):
        (content / name).parent.mkdir(parents=True)
        (content / name).write_text("[gateway]")
    (content / "lib").mkdir()
    return content


@pytest.mark.parametrize(
    ("there", "stage"),
    [
        ((), "settings"),
        (("etc/dockledger-enrol.toml",), "claim"),
        (("etc/dockledger-enrol.toml", "done/done"), "done"),
        (("done/done", "lib/journal.db", "lib/identity/pending.key"), "key"),
        (("lib/identity/pending.key", "lib/identity/identity.pem"), "enrolled"),
    ],
)
def test_the_stage_is_what_was_there_last(tmp_path, disk_of, there, stage):
    content = card_of(tmp_path)
    for name in there:
        (content / name).parent.mkdir(parents=True, exist_ok=True)
        (content / name).touch()
    assert stage_of(disk_of(content)) == stage


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A card whose gateway is enrolled and has a journal."""
    content = card_of(tmp_path_factory.mktemp("whole"))
    with samples.opened(content / "lib/journal.db"):
        pass
    root = make_root("Test", now_ms=NOW_MS)
    IdentityFolder(content / "lib").write(SOMEBODY, pem=root.key_pem + root.pem)
    return content


@pytest.fixture
def enrolled(whole, tmp_path):
    """Such a card, to be spoiled."""
    return shutil.copytree(whole, tmp_path / "content")


def test_a_gateway_that_is_whole_is_found_so(enrolled, disk_of):
    assert look_at(disk_of(enrolled), samples.GATEWAY, ["77"]) == ""


def claim_left(content):
    (content / "card/dockledger/dockledger-enrol.toml").touch()


def other_settings(content):
    (content / "etc/gateway.toml").write_text("")


def foreign_key(content):
    one, other = (make_root("Test", now_ms=NOW_MS) for _ in range(2))
    IdentityFolder(content / "lib").write(SOMEBODY, pem=one.key_pem + other.pem)


def torn_journal(content):
    (content / "lib/journal.db").write_bytes(b"torn")


@pytest.mark.parametrize(
    ("spoil", "serials", "said"),
    [
        (claim_left, ["77"], "claim is still on the card"),
        (other_settings, ["77"], "settings are not"),
        (foreign_key, ["77"], "another key"),
        (torn_journal, ["77"], "journal.db"),
        (lambda _content: None, ["77", "78"], "central's are ['77', '78']"),
        (lambda _content: None, [], "central's are []"),
    ],
    ids=["claim", "settings", "key", "journal", "two certificates", "none"],
)
def test_a_gateway_that_is_not_whole_is_named(enrolled, disk_of, spoil, serials, said):
    spoil(enrolled)
    assert said in look_at(disk_of(enrolled), samples.GATEWAY, serials)


class Waiting:
    """A guest whose processor waits for a core: what the kernel tells of it lies in a folder."""

    def __init__(self, folder):
        self._folder = folder
        self.waited(0)

    def waited(self, seconds):
        (self._folder / "schedstat").write_text(f"1 {int(seconds * 1e9)} 1\n")

    def processor(self):
        return self._folder


def test_what_a_guest_waits_for_a_core_is_not_its_time(tmp_path):
    guest = Waiting(tmp_path)
    guest.waited(1000)  # Before.
    own_s = own_s_of(guest)
    assert 0 <= own_s() < 60
    guest.waited(1400)
    assert -400 <= own_s() < -340
    (tmp_path / "schedstat").unlink()
    with pytest.raises(GuestFailed, match="gone"):
        own_s()


def test_a_campaign_that_would_cut_nobody_is_not_green():
    with pytest.raises(LabUnusable, match="number 10, the last one number 9"):
        boot_gateways(None, print, cycles=9, seed=1, first=10)
