"""Hears unclaimed scanners for their binding code, and for nothing else. Loop.

    wanted --opened--> listening --binding code--> closed, claimed
       ^                  |  `--anything else--> one notice, nothing recorded
       |                  `--no longer wanted--> closed
       `--2 s--lost <-----'

Which scanners: see LISTEN_SCORE_MIN in `claim_choice.py`.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from threading import Event, Lock, Thread, current_thread
from typing import cast

from drivers.api import ReadingDevice
from drivers.errors import DriverError
from drivers.readings import BarcodeScanned
from drivers.registry import load_driver
from gateway.devices.claim_choice import Wanted
from gateway.devices.claim_flow import settings_at
from gateway.logs import log_crash

LISTENERS_MAX = 4
READ_S = 0.2
AGAIN_S = 2.0
JOIN_S_MAX = 3.0


class ClaimListeners:
    """The threads. `follow` and `stop` by any thread."""

    def __init__(
        self, *, heard: Callable[[Wanted, str], bool], claimed: Callable[[Wanted], None]
    ) -> None:
        """heard: told each text, returns True for the code that claims this scanner.

        claimed: called after it, once the scanner is closed. Both from the listener's thread.
        """
        self._heard = heard
        self._claimed = claimed
        self._lock = Lock()
        self._listeners: dict[str, _Listener] = {}

    def follow(self, wanted: Sequence[Wanted]) -> None:
        """Listen to these, at most LISTENERS_MAX, and to no other; returns at once."""
        keep = {one.key: one for one in wanted[:LISTENERS_MAX]}
        with self._lock:
            for key, listener in list(self._listeners.items()):
                if keep.get(key) != listener.wanted or not listener.alive:
                    listener.end()
                    del self._listeners[key]
            for key, one in keep.items():
                if key not in self._listeners:
                    listener = _Listener(one, heard=self._heard, claimed=self._claimed)
                    self._listeners[key] = listener
                    listener.start()

    def heard_keys(self) -> frozenset[str]:
        """Return the scanners whose line is open: what they scan now is heard."""
        with self._lock:
            return frozenset(key for key, one in self._listeners.items() if one.hears)

    def stop(self, key: str = "") -> None:
        """Close one scanner, or all, and wait until its line is free again."""
        with self._lock:
            keys = [key] if key else list(self._listeners)
            ending = [self._listeners.pop(one) for one in keys if one in self._listeners]
        for listener in ending:
            listener.end()
        deadline_s = time.monotonic() + JOIN_S_MAX
        for listener in ending:
            listener.join(max(0.0, deadline_s - time.monotonic()))


class _Listener:
    def __init__(
        self,
        wanted: Wanted,
        *,
        heard: Callable[[Wanted, str], bool],
        claimed: Callable[[Wanted], None],
    ) -> None:
        self.wanted = wanted
        self.hears = False
        self._heard = heard
        self._claimed = claimed
        self._ending = Event()
        self._thread = Thread(target=self._run, name="claim-listener", daemon=True)

    @property
    def alive(self) -> bool:
        """Return False once it has ended by itself."""
        return self._thread.is_alive()

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._ending.set()

    def join(self, timeout_s: float) -> None:
        if self._thread is not current_thread():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                if self._listen():
                    self._claimed(self.wanted)
                    return
            except DriverError:
                # Not said: it is nobody's yet, and in use by another program perhaps.
                self._ending.wait(AGAIN_S)
            except Exception:  # noqa: BLE001 - a driver's mistake ends no gateway
                log_crash("driver failed while listening", driver=self.wanted.driver)
                return

    def _listen(self) -> bool:
        """Return True when the scanner has claimed itself; it is closed then."""
        driver = load_driver(self.wanted.driver)
        settings = settings_at(driver, self.wanted.candidate, {})
        with closing(cast(ReadingDevice, driver.open_device(settings))) as opened:
            try:
                self.hears = True
                while not self._ending.is_set():
                    for reading in opened.read(READ_S):
                        if isinstance(reading, BarcodeScanned) and self._heard(
                            self.wanted, reading.data.strip(" ")
                        ):
                            return True
            finally:
                self.hears = False
        return False
