"""Parts of the lab that need no guest: the disk that loses its power, what goes into an image."""

import gzip
import random
import socket
import struct
import sys
from contextlib import closing
from pathlib import Path

import pytest

from gateway.journal.journal import Journal
from tests.gateway.journal.samples import StillClock, movement
from tests.hardware.cut_disk import FLUSH, FUA, OPTION_GO, READ, REQUEST, WRITE, CutDisk
from tests.hardware.cut_disk import REQUEST_MAGIC as ASKED
from tests.hardware.in_guest import journal_after_cut
from tests.hardware.in_guest.running_gateway import CONFIG
from tests.hardware.kernel import copy_modules, unpacked_kernel
from tests.hardware.packages import ROOT, locked_requirements, needed_packages
from tests.hardware.promises import Left, read_look

SECTOR, SIZE = 512, 64 * 512
OLD, NEW = b"o" * SECTOR, b"n" * SECTOR


class Guest:
    """The other side of the protocol, as a kernel speaks it."""

    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(path))
        self._socket.settimeout(10)
        assert self._take(18).startswith(b"NBDMAGICIHAVEOPT")
        body = struct.pack(">IH", 0, 0)
        head = struct.pack(">8sII", b"IHAVEOPT", OPTION_GO, len(body))
        self._socket.sendall(struct.pack(">I", 1) + head + body)
        (length,) = struct.unpack(">16xI", self._take(20))
        self.size = struct.unpack(">HQH", self._take(length))[1]
        self._take(20)

    def ask(self, kind, at=0, data=b"", *, length=0, flags=0):
        """Send one request and return what it answers with."""
        length = length or len(data)
        self.send(kind, at, data, length=length, flags=flags)
        magic, error, cookie = struct.unpack(">IIQ", self._take(16))
        assert (magic, error, cookie) == (0x67446698, 0, 7)
        return self._take(length) if kind == READ else b""

    def send(self, kind, at=0, data=b"", *, length=0, flags=0):
        """Send one request."""
        self._socket.sendall(REQUEST.pack(ASKED, flags, kind, 7, at, length or len(data)) + data)

    def die(self):
        self._socket.close()

    def _take(self, count):
        data = b""
        while len(data) < count:
            piece = self._socket.recv(count - len(data))
            assert piece
            data += piece
        return data


@pytest.fixture
def disk(tmp_path, request):
    file = tmp_path / "disk.img"
    file.write_bytes(OLD * 64)
    made = CutDisk(file, tmp_path / "disk", lies=getattr(request, "param", False))
    yield made, file
    made.close()


class Never(random.Random):
    """Keeps nothing of what was not flushed."""

    def choice(self, seq):
        return seq[0]


def test_what_was_not_flushed_is_gone_and_the_guest_never_noticed(disk):
    made, file = disk
    guest = Guest(made.socket)
    assert guest.size == SIZE
    guest.ask(WRITE, 0, NEW * 2)
    assert guest.ask(READ, 0, length=3 * SECTOR) == NEW * 2 + OLD
    guest.die()
    assert made.cut(Never()).pending_count == 2
    assert file.read_bytes() == OLD * 64


def test_what_was_flushed_or_forced_through_stays(disk):
    made, file = disk
    guest = Guest(made.socket)
    guest.ask(WRITE, 0, NEW)
    guest.ask(FLUSH)
    guest.ask(WRITE, 8 * SECTOR, NEW, flags=FUA)
    guest.ask(WRITE, 9 * SECTOR, NEW)
    guest.die()
    assert made.cut(Never()).pending_count == 1
    assert file.read_bytes() == NEW + OLD * 7 + NEW + OLD * 55


def test_the_power_fails_in_a_write_that_is_never_answered(disk):
    made, file = disk
    guest = Guest(made.socket)
    guest.ask(WRITE, 0, NEW)
    guest.ask(FLUSH)
    made.stop_after(2)
    guest.ask(WRITE, 8 * SECTOR, NEW)
    assert not made.stopped.is_set()
    guest.send(WRITE, 9 * SECTOR, NEW, flags=FUA)
    guest.send(FLUSH)
    assert made.stopped.wait(30)
    guest.die()
    assert made.cut(Never()).pending_count == 2
    assert file.read_bytes() == NEW + OLD * 63


def test_a_disk_may_begin_to_lie(disk):
    made, file = disk
    guest = Guest(made.socket)
    guest.ask(WRITE, 0, NEW)
    guest.ask(FLUSH)
    made.lie()
    guest.ask(WRITE, SECTOR, NEW)
    guest.ask(FLUSH)
    guest.die()
    made.cut(Never())
    assert file.read_bytes() == NEW + OLD * 63


@pytest.mark.parametrize("disk", [True], indirect=True)
def test_a_disk_that_lies_keeps_nothing(disk):
    made, file = disk
    guest = Guest(made.socket)
    guest.ask(WRITE, 0, NEW, flags=FUA)
    guest.ask(FLUSH)
    guest.die()
    made.cut(Never())
    assert file.read_bytes() == OLD * 64


def test_some_of_many_sectors_survive_a_cut_torn_and_out_of_order(disk):
    made, file = disk
    found = set()
    for seed in range(40):
        guest = Guest(made.socket)
        guest.ask(WRITE, 0, bytes([seed + 1]) * SECTOR * 8)
        guest.die()
        made.cut(random.Random(seed))
        kept = sum(file.read_bytes()[at * SECTOR] == seed + 1 for at in range(8))
        found.add("none" if kept == 0 else "all" if kept == 8 else "some")
    assert found == {"none", "some", "all"}


def test_a_guest_gets_only_locked_packages_with_their_hashes():
    names = needed_packages()
    assert {"pytest", "msgspec", "evdev", "sqlalchemy"} <= set(names)
    assert not {"mypy", "playwright", "dockledger", "typst"} & set(names)
    text = locked_requirements((ROOT / "constraints.txt").read_text(), names)
    blocks = [line for line in text.splitlines() if "==" in line]
    assert len(blocks) == len(names), set(names) - {line.partition("==")[0] for line in blocks}
    assert text.count("--hash=") >= len(blocks)


def test_a_kernel_that_unpacks_itself_is_unpacked_here():
    kernel = b"\x7fELF" + bytes(1000)
    assert unpacked_kernel(b"stub" + gzip.compress(kernel) + b"rest") == kernel
    whole = bytes(0x38) + b"ARMd" + gzip.compress(kernel)  # Its own settings are packed in it.
    assert unpacked_kernel(whole) == whole
    assert unpacked_kernel(b"something else") == b"something else"


def test_modules_are_kept_with_what_they_need_and_loaded_after_it(tmp_path):
    tree = tmp_path / "usr/lib/modules/6.1"
    (tree / "kernel/a").mkdir(parents=True)
    for name in ("virtio", "ring", "virtio_blk", "sound"):
        (tree / f"kernel/a/{name}.ko").touch()
    (tree / "modules.dep").write_text(
        "kernel/a/virtio.ko: kernel/a/ring.ko\nkernel/a/ring.ko:\nkernel/a/sound.ko:\n"
        "kernel/a/virtio_blk.ko: kernel/a/virtio.ko kernel/a/ring.ko\n"
    )
    (tmp_path / "flat").mkdir()
    order = copy_modules(tmp_path, tmp_path / "flat", ["virtio-blk", "absent"])
    assert order == ["ring.ko", "virtio.ko", "virtio_blk.ko"]
    assert sorted(path.name for path in Path(tmp_path / "flat").iterdir()) == sorted(order)


def test_what_a_journal_has_after_a_cut_is_read_by_the_commands_of_the_gateway(
    tmp_path, capsys, monkeypatch
):
    (tmp_path / "gateway.toml").write_text(CONFIG.format(folder=tmp_path, port=0))
    path = tmp_path / "data" / "journal.db"
    with closing(
        Journal.open(path, gateway="gw-1", warehouse="sh1", clock=StillClock(), nonce=7)
    ) as journal:
        journal.append([movement(serial="S7"), movement(), movement(serial="S9")])
    monkeypatch.setattr(sys, "argv", ["journal_after_cut", str(tmp_path)])
    journal_after_cut.main()
    assert read_look(capsys.readouterr().out) == Left(frozenset({7, 9}), {})
