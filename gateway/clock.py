"""The gateway's only source of time, boot identity and randomness. Edge of the operating system."""

import ctypes
import os
import time
from pathlib import Path
from typing import Protocol

BOOT_ID_FILE = Path("/proc/sys/kernel/random/boot_id")
STA_UNSYNC = 0x0040  # <linux/timex.h>: the kernel's clock is not disciplined by anyone.
TIMEX_BYTES = 512  # struct timex is 208 bytes on 64-bit Linux; the kernel writes no more than that.
TIMEX_STATUS_OFFSET = 40  # modes(4) pad(4) offset(8) freq(8) maxerror(8) esterror(8) status(4)
# What `gateway.clock_witness` writes for a service that may not ask the kernel (ProtectClock=).
WITNESS_FILE = Path("/run/dockledger-clock/synced")
WITNESS_BYTES_MAX = 64
WITNESS_AGE_NS_MAX = 30_000_000_000


class Clock(Protocol):
    """Time, passed to whoever needs it."""

    @property
    def boot_id(self) -> str:
        """Return the identity of this boot of the machine."""
        ...

    def now_ms(self) -> int:
        """Return wall time, milliseconds since 1970-01-01 UTC; it may be wrong and may jump."""
        ...

    def monotonic_ns(self) -> int:
        """Return time since boot in nanoseconds; it never goes back within a boot."""
        ...

    def synced(self) -> bool:
        """Return True if the wall clock is disciplined (NTP, GPS) right now."""
        ...


class SystemClock:
    """The machine's own clock. witness: asked where the kernel may not be asked."""

    def __init__(self, *, witness: Path = WITNESS_FILE) -> None:
        self._boot_id = BOOT_ID_FILE.read_text(encoding="ascii").strip()
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._witness = witness

    @property
    def boot_id(self) -> str:
        return self._boot_id

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic_ns(self) -> int:
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME)

    def synced(self) -> bool:
        told = self.kernel_says()
        return self._witness_says() if told is None else told

    def kernel_says(self) -> bool | None:
        """Return whether the clock is disciplined, None if this process may not ask."""
        # adjtimex(2) with modes = 0 only reads; ntp_adjtime's status bit says what NTP clients set.
        buffer = ctypes.create_string_buffer(TIMEX_BYTES)
        if self._libc.adjtimex(buffer) == -1:
            return None
        status = int.from_bytes(buffer.raw[TIMEX_STATUS_OFFSET : TIMEX_STATUS_OFFSET + 4], "little")
        return not status & STA_UNSYNC

    def _witness_says(self) -> bool:
        """Return what the witness wrote; False if it says nothing, or has fallen silent."""
        try:
            with self._witness.open("rb") as file:
                said_ns, synced = file.read(WITNESS_BYTES_MAX).split()
            age_ns = self.monotonic_ns() - int(said_ns)
        except (OSError, ValueError):
            return False
        return synced == b"1" and 0 <= age_ns <= WITNESS_AGE_NS_MAX


def random_64() -> int:
    """Return 64 random bits from the operating system, for the epoch."""
    return int.from_bytes(os.urandom(8))
