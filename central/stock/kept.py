"""Answers that cost much and may be a little old: read again when they are older. Edge of threads.

One thread reads an answer, others that want the same wait for it and take it.
"""

from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

from central.clock import Clock

KEYS_MAX = 64  # Beyond it the oldest answer goes.

ValueT = TypeVar("ValueT")


class Kept(Generic[ValueT]):
    """Answers by what was asked. kept_s: how old one may be. Any thread."""

    def __init__(self, *, kept_s: float) -> None:
        self._kept_s = kept_s
        self._lock = Lock()
        self._reading = Lock()
        self._answers: dict[Hashable, tuple[float, ValueT]] = {}

    def read(
        self, key: Hashable, clock: Clock, read: Callable[[], ValueT], *, fresh: bool = False
    ) -> ValueT:
        """Return the answer, read now if it is older than `kept_s`, or if it has to be fresh."""
        asked_s = clock.monotonic_s()
        oldest_s = asked_s if fresh else asked_s - self._kept_s
        known = self._known(key, oldest_s)
        if known is not None:
            return known[1]
        with self._reading:
            # Whoever waited here takes what was read meanwhile.
            known = self._known(key, oldest_s)
            if known is not None:
                return known[1]
            started_s, value = clock.monotonic_s(), read()
            with self._lock:
                self._answers.pop(key, None)
                self._answers[key] = (started_s, value)
                while len(self._answers) > KEYS_MAX:
                    self._answers.pop(next(iter(self._answers)))
            return value

    def peek(self, key: Hashable, clock: Clock) -> tuple[ValueT | None, bool]:
        """Return the answer that is there, of any age, and whether it should be read again."""
        with self._lock:
            known = self._answers.get(key)
        if known is None:
            return None, True
        return known[1], clock.monotonic_s() - known[0] >= self._kept_s

    def _known(self, key: Hashable, oldest_s: float) -> tuple[float, ValueT] | None:
        with self._lock:
            known = self._answers.get(key)
            return known if known is not None and known[0] > oldest_s else None
