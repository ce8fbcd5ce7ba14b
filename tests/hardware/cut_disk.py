"""A disk with a volatile cache that can lose its power. Edge of a socket (NBD) and a file.

It speaks the network block device protocol (github.com/NetworkBlockDevice/nbd, doc/proto.md) to one
QEMU. What is written stays in memory until the guest flushes it, as in a drive with a cache; `cut`
keeps of the rest nothing, or a random choice of sectors: torn and reordered writes.
"""

import os
import random
import socket
import struct
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock, Thread

SECTOR_BYTES = 512
GONE_S_MAX = 60
HAS_FLAGS, SENDS_FLUSH, SENDS_FUA = 1, 4, 8
OPTION_EXPORT, OPTION_ABORT, OPTION_INFO, OPTION_GO = 1, 2, 6, 7
REPLY_ACK, REPLY_INFO, REPLY_UNSUPPORTED = 1, 3, 0x80000001
READ, WRITE, DISCONNECT, FLUSH = range(4)
FUA = 1
OPTION_MAGIC, OPTION_REPLY_MAGIC = b"IHAVEOPT", 0x3E889045565A9
REQUEST_MAGIC, REPLY_MAGIC = 0x25609513, 0x67446698
REQUEST = struct.Struct(">IHHQQI")


@dataclass(frozen=True, slots=True)
class Cut:
    """What a cut found: sectors that were not flushed, and how many of them survived."""

    pending_count: int
    survived_count: int


class CutDisk:
    """A disk on a file, served at a socket. lies: it answers to a flush without doing it.

    stopped: set when it has taken the last write that `stop_after` let it.
    """

    def __init__(self, file: Path, at: Path, *, lies: bool = False) -> None:
        self.socket = at
        self.stopped = Event()
        self._lies = lies
        self._writes_left = 0  # 0: without end.
        self._file = os.open(file, os.O_RDWR)
        self._bytes = os.fstat(self._file).st_size
        self._cache: dict[int, bytes] = {}
        self._lock = Lock()
        self._gone = Event()
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(at))
        self._listening.listen(4)
        self._thread = Thread(target=self._serve, name="disk", daemon=True)
        self._thread.start()

    def lie(self) -> None:
        """Answer to a flush without doing it, from now on."""
        self._lies = True

    def stop_after(self, writes_count: int) -> None:
        """Have the power fail in a write: so many more are taken, the last is not answered."""
        with self._lock:
            self._writes_left = writes_count

    def cut(self, chooser: random.Random) -> Cut:
        """Take the power away, once the guest is dead; what was flushed stays."""
        assert self._gone.wait(GONE_S_MAX), "the guest still has the disk"
        with self._lock:
            pending, share = len(self._cache), chooser.choice((0.0, chooser.random(), 1.0))
            kept = [at for at in self._cache if chooser.random() < share]
            for at in kept:
                os.pwrite(self._file, self._cache[at], at)
            self._cache.clear()
            self._writes_left = 0
            self.stopped.clear()
        return Cut(pending, len(kept))

    def close(self) -> None:
        """Give the file back."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()
        os.close(self._file)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self._gone.clear()
            with connection:
                try:
                    if self._agree(connection):
                        self._answer(connection)
                except (ConnectionError, OSError):
                    pass  # The guest was cut: that is what it is for.
            self._gone.set()

    def _agree(self, connection: socket.socket) -> bool:
        connection.sendall(b"NBDMAGIC" + OPTION_MAGIC + struct.pack(">H", HAS_FLAGS))
        _exactly(connection, 4)
        flags = HAS_FLAGS | SENDS_FLUSH | SENDS_FUA
        while True:
            _, option, length = struct.unpack(">8sII", _exactly(connection, 16))
            _exactly(connection, length)

            def reply(kind: int, data: bytes = b"", *, to: int = option) -> None:
                head = struct.pack(">QIII", OPTION_REPLY_MAGIC, to, kind, len(data))
                connection.sendall(head + data)

            if option in {OPTION_INFO, OPTION_GO}:
                reply(REPLY_INFO, struct.pack(">HQH", 0, self._bytes, flags))
                reply(REPLY_ACK)
                if option == OPTION_GO:
                    return True
            elif option == OPTION_EXPORT:
                connection.sendall(struct.pack(">QH", self._bytes, flags) + bytes(124))
                return True
            elif option == OPTION_ABORT:
                reply(REPLY_ACK)
                return False
            else:
                reply(REPLY_UNSUPPORTED)

    def _answer(self, connection: socket.socket) -> None:
        while True:
            magic, flags, kind, cookie, at, length = REQUEST.unpack(
                _exactly(connection, REQUEST.size)
            )
            assert magic == REQUEST_MAGIC
            data = b""
            if kind == READ:
                data = self._read(at, length)
            elif kind == WRITE:
                data = _exactly(connection, length)
                if self._write(at, data, through=bool(flags & FUA)):
                    _until_it_hangs_up(connection)
                data = b""
            elif kind == FLUSH:
                self._flush()
            elif kind == DISCONNECT:
                return
            connection.sendall(struct.pack(">IIQ", REPLY_MAGIC, 0, cookie) + data)

    def _read(self, at: int, length: int) -> bytes:
        data = bytearray(os.pread(self._file, length, at))
        with self._lock:
            if self._cache:
                for sector in range(0, length, SECTOR_BYTES):
                    cached = self._cache.get(at + sector)
                    if cached is not None:
                        data[sector : sector + SECTOR_BYTES] = cached
        return bytes(data)

    def _write(self, at: int, data: bytes, *, through: bool) -> bool:
        """Take a write; return whether it is the last."""
        with self._lock:
            last = self._writes_left == 1
            self._writes_left -= self._writes_left > 0
            for sector in range(0, len(data), SECTOR_BYTES):
                self._cache[at + sector] = data[sector : sector + SECTOR_BYTES]
            if through and not self._lies and not last:
                for sector in range(0, len(data), SECTOR_BYTES):
                    os.pwrite(self._file, self._cache.pop(at + sector), at + sector)
        if last:
            self.stopped.set()
        return last

    def _flush(self) -> None:
        if self._lies:
            return
        with self._lock:
            for at, data in self._cache.items():
                os.pwrite(self._file, data, at)
            self._cache.clear()


def _exactly(connection: socket.socket, count: int) -> bytes:
    data = bytearray()
    while len(data) < count:
        piece = connection.recv(count - len(data))
        if not piece:
            raise ConnectionError("the guest has hung up")
        data += piece
    return bytes(data)


def _until_it_hangs_up(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass
    raise ConnectionError("the guest has hung up")
