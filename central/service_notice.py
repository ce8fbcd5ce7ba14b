"""Tells systemd that central is ready, works and ends (sd_notify(3)). Edge of systemd."""

import os
import socket
from collections.abc import Callable
from contextlib import suppress

BEATS_PER_LIMIT = 4  # sd_watchdog_enabled(3) asks for two; a slow turn must not be a fault.
BEAT_S_MAX = 1.0  # Said later it is worth nothing.
READY_S_MAX = 60.0  # Said not at all, the service would be started again.


class Pulse:
    """Feeds systemd's watchdog from a loop, and only as long as others get on as well.

    progress: grows with every turn of what must not stand still beside the loop that ticks.
    clock_s: a clock that never goes back. Without a watchdog ticks do nothing.
    """

    def __init__(self, progress: Callable[[], int], *, clock_s: Callable[[], float]) -> None:
        self._progress = progress
        self._clock_s = clock_s
        self._interval_s = _limit_s() / BEATS_PER_LIMIT
        self._due_s = clock_s()
        self._seen = -1

    def tick(self) -> None:
        """Say that we work, if it is time and there was progress since it was said last."""
        now_s = self._clock_s()
        if not self._interval_s or now_s < self._due_s:
            return
        progress = self._progress()
        if progress == self._seen:
            return
        self._seen, self._due_s = progress, now_s + self._interval_s
        notify_service("WATCHDOG=1")


def notify_service(state: str) -> None:
    """Tell systemd, if it started us, how we are. It not listening or not reading is no fault.

    Its socket takes a few messages (net.unix.max_dgram_qlen); a send beyond them would wait, and
    our end with it.
    """
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    name = "\0" + address[1:] if address.startswith("@") else address
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.settimeout(READY_S_MAX if state == "READY=1" else BEAT_S_MAX)
        notify.connect(name)
        notify.sendall(state.encode())


def _limit_s() -> float:
    """Return after how long a silence systemd acts, 0 if it never does."""
    try:
        return int(os.environ.get("WATCHDOG_USEC", "0")) / 1_000_000
    except ValueError:
        return 0.0
