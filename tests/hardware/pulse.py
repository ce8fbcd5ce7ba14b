"""Whether a guest still lives: it answers when it is spoken to. Pure.

An emulated guest is slow, and slower on a busy machine: what counts is the work of its emulator,
not the clock. A guest whose emulator does nothing at all is judged by the clock.
"""

from collections.abc import Callable

ASKED_EACH_S = 5.0
SILENT_CPU_S_MAX = 60.0  # Of the emulator's work; the slowest answer that was seen took 4.
STILL_S_MAX = 60.0  # Without any work of the emulator, or an answer.


class Pulse:
    """When a guest was heard last, and what its emulator has done since.

    now_s: a clock that only goes forward. cpu_s: what the emulator has worked.
    """

    def __init__(self, now_s: Callable[[], float], cpu_s: Callable[[], float]) -> None:
        self._now_s, self._cpu_s = now_s, cpu_s
        self.heard()
        self._asked_s = now_s()

    def heard(self) -> None:
        """Take note that it said something."""
        self._worked_s = self._heard_cpu_s = self._cpu_s()
        self._moved_s = self._now_s()

    def is_to_be_asked(self) -> bool:
        """Return whether it is time to speak to it."""
        if self._now_s() - self._asked_s < ASKED_EACH_S:
            return False
        self._asked_s = self._now_s()
        return True

    def hung(self, *, answers: bool = True) -> str:
        """Return how it hangs, "" if nothing says that it does. answers: False while it boots."""
        cpu_s = self._cpu_s()
        if cpu_s > self._worked_s:
            self._worked_s, self._moved_s = cpu_s, self._now_s()
        if answers and cpu_s - self._heard_cpu_s > SILENT_CPU_S_MAX:
            return f"the guest works and does not answer, for {SILENT_CPU_S_MAX:.0f} s of work"
        if self._now_s() - self._moved_s > STILL_S_MAX:
            return f"the guest stands still and does not answer, for {STILL_S_MAX:.0f} s"
        return ""
