"""A gateway's program whose clock a test turns: CONFIG LEVEL FILE, milliseconds in it. Root.

All else is `gateway.service`: the same composition, with the clock that it is given.
"""

import sys
from pathlib import Path

from gateway.clock import SystemClock
from gateway.compose import run_gateway
from gateway.config import load_config
from gateway.logs import configure_logs

DAY_MS = 86_400_000
BOOT_ID = "0d0d0d0d-0000-4000-8000-00000000da15"


class TurnedClock:
    """The machine's clock, later by what the file says now (below zero: earlier), and set."""

    boot_id = BOOT_ID

    def __init__(self, path: Path) -> None:
        self._clock, self._path = SystemClock(), path

    def now_ms(self) -> int:
        return self._clock.now_ms() + self._turned_ms()

    def monotonic_ns(self) -> int:
        # A machine that has just been started is not turned back to before its start.
        return self._clock.monotonic_ns() + (10 * DAY_MS + self._turned_ms()) * 1_000_000

    def synced(self) -> bool:
        return True

    def _turned_ms(self) -> int:
        return int(self._path.read_text(encoding="ascii"))


def turn(path: Path, *, by_ms: int) -> None:
    """Let it be so much later (below zero: earlier) where the clock of this file is looked at."""
    new = path.with_suffix(".new")
    new.write_text(str(by_ms), encoding="ascii")
    new.replace(path)  # Who reads never sees half a number.


if __name__ == "__main__":
    configure_logs("info")
    config_path = Path(sys.argv[1])
    clock = TurnedClock(Path(sys.argv[3]))
    sys.exit(not run_gateway(load_config(config_path), config_path=config_path, clock=clock))
