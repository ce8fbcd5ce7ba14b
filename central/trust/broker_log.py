"""Reads the log that a broker of this machine writes for us, and makes room in it. Edge of files.

What is read is given back to the file system (a hole is punched where it was), so that the log
takes no room, nothing is read twice, also by the next process, and the broker is never waited for:
it appends, whatever happens here. On a tmpfs that is full it loses lines, and goes on.
"""

import ctypes
import errno
import os
from pathlib import Path

from central.errors import TrustUnusable

READ_BYTES_MAX = 1 << 20
# linux/falloc.h: FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE. See fallocate(2).
PUNCH = 0x01 | 0x02
HINT_THERE = "Restart mosquitto: its unit makes the log, see systemd/mosquitto.service.d."
HINT_HOLES = "Let [trust] broker_log be on a tmpfs, as run-dockledger-broker.mount makes it."


class BrokerLog:
    """A log that one process reads. path: made anew at any time, as mosquitto's unit does."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None
        self._position = 0
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._libc.fallocate64.argtypes = (
            ctypes.c_int,
            ctypes.c_int,
            ctypes.c_int64,
            ctypes.c_int64,
        )

    def read(self) -> bytes:
        """Return whole lines that nobody has read, at most READ_BYTES_MAX; b"" for none.

        They are gone from the file then. Raises TrustUnusable.
        """
        try:
            if self._file is None:
                self._open()
            lines = self._next()
            if not lines and self._is_another():
                self.close()
                self._open()
                lines = self._next()
        except OSError as error:
            self.close()
            holes = error.errno in {errno.EOPNOTSUPP, errno.ENODEV}
            raise TrustUnusable(
                f"the broker's log {self._path} cannot be read: {error.strerror}",
                hint=HINT_HOLES if holes else HINT_THERE,
            ) from error
        return lines

    def close(self) -> None:
        """Let go of the file; `read` opens it again."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _open(self) -> None:
        self._file = os.open(self._path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        self._position = self._first()

    def _first(self) -> int:
        """Return where the first byte is that was not read; pages that were read in part are 0."""
        assert self._file is not None
        try:
            return os.lseek(self._file, 0, os.SEEK_DATA)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            return os.fstat(self._file).st_size

    def _next(self) -> bytes:
        assert self._file is not None
        if os.fstat(self._file).st_size < self._position:  # Somebody has cut it off.
            self._position = self._first()
        data = os.pread(self._file, READ_BYTES_MAX, self._position)
        end = data.rfind(b"\n") + 1
        if not end and len(data) == READ_BYTES_MAX:
            end = len(data)  # No line of mosquitto's.
        if end:
            self._punch(self._position, end)
            self._position += end
        return data[:end].lstrip(b"\0")

    def _punch(self, offset: int, count: int) -> None:
        if self._libc.fallocate64(self._file, PUNCH, offset, count):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))

    def _is_another(self) -> bool:
        """Return whether the path is another file by now."""
        assert self._file is not None
        try:
            there = self._path.stat(follow_symlinks=False)
        except FileNotFoundError:
            return False
        ours = os.fstat(self._file)
        return (there.st_dev, there.st_ino) != (ours.st_dev, ours.st_ino)
