"""The virtual clock: events in order of time, and the one source of chance. Pure."""

import hashlib
import random
from collections.abc import Callable
from heapq import heappop, heappush


class Kernel:
    """Runs what is due, in order; what is due at the same moment, in the order of the calls.

    now_s: simulated seconds since the start. random: where every draw of a run comes from.
    """

    __slots__ = ("_count", "_lines", "_queue", "now_s", "random", "tracing")

    def __init__(self, seed: int, *, tracing: bool = False) -> None:
        self.now_s = 0.0
        self.random = random.Random(seed)
        self.tracing = tracing
        self._queue: list[tuple[float, int, Callable[..., object], tuple[object, ...]]] = []
        self._count = 0
        self._lines: list[str] = []

    @property
    def events_count(self) -> int:
        """Return how many events were scheduled."""
        return self._count

    def after(self, delay_s: float, action: Callable[..., object], *arguments: object) -> None:
        """Call `action` when so much time has passed."""
        self._count += 1
        heappush(self._queue, (self.now_s + delay_s, self._count, action, arguments))

    def run(self, until_s: float) -> None:
        """Let time pass until `until_s`."""
        queue = self._queue
        while queue and queue[0][0] <= until_s:
            self.now_s, _, action, arguments = heappop(queue)
            action(*arguments)
        self.now_s = until_s

    def note(self, *words: object) -> None:
        """Add a line to the trace; callers ask `tracing` first, so that campaigns pay nothing."""
        self._lines.append(f"{self.now_s:10.4f} " + " ".join(map(str, words)))

    @property
    def trace(self) -> list[str]:
        """Return the lines noted so far."""
        return self._lines

    def trace_hash(self) -> str:
        """Return the SHA-256 of the trace: equal for two runs that did the same."""
        return hashlib.sha256("\n".join(self._lines).encode()).hexdigest()

    def chance(self, probability: float) -> bool:
        """Return True so often."""
        return self.random.random() < probability

    def between(self, low: float, high: float) -> float:
        """Return a number from low to high, all equally likely."""
        return low + (high - low) * self.random.random()

    def spread(self, low: float, high: float) -> float:
        """Return a number from low to high, each order of magnitude equally likely."""
        return low * (high / low) ** self.random.random()
