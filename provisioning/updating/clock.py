"""The update agent's only source of time. Edge of the operating system.

The agent imports nothing of the gateway: it must work when the gateway's release does not.
"""

import time
from pathlib import Path
from typing import Protocol

BOOT_ID_FILE = Path("/proc/sys/kernel/random/boot_id")


class Clock(Protocol):
    """Time, passed to whoever needs it."""

    @property
    def boot_id(self) -> str:
        """Return the identity of this boot of the machine."""
        ...

    def now_s(self) -> int:
        """Return wall time, seconds since 1970-01-01 UTC; it may be wrong."""
        ...

    def since_boot_ms(self) -> int:
        """Return milliseconds since boot; it never goes back within a boot."""
        ...


class SystemClock:
    """The machine's own clock."""

    def __init__(self) -> None:
        self._boot_id = BOOT_ID_FILE.read_text(encoding="ascii").strip()

    @property
    def boot_id(self) -> str:
        return self._boot_id

    def now_s(self) -> int:
        return int(time.time())

    def since_boot_ms(self) -> int:
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000
