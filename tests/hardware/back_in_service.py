"""How soon a device was back in service, without the wait for a core. Edge of the kernel."""

import re
import time
from collections.abc import Callable
from statistics import median

from tests.hardware.errors import GuestFailed
from tests.hardware.image import Say
from tests.hardware.machine import Machine

BACK_S_MAX = 2.0  # From the device node to "ready".
SAID_EVERY = 10
AWAY, BACK = "AWAY", re.compile(r"^BACK ([0-9.]+)$")


class BackInService:
    """Hears a guest that prints AWAY when a device is there again, and `BACK seconds`.

    A machine that is busy runs the guest's processor late: that wait is the machine's.
    """

    def __init__(self, waited_s: Callable[[], float], say: Say) -> None:
        """waited_s: how long the guest's processor has waited for a core so far."""
        self.took_s: list[float] = []
        self._waited_s = waited_s
        self._say = say
        self._since = 0.0
        self._held = ""

    def hear(self, text: str) -> None:
        """Take what the guest prints; what is not for this is said."""
        *lines, self._held = (self._held + text).split("\n")
        for line in lines:
            word = line.strip().lstrip(".")  # Tests that have passed stand before it.
            if word == AWAY:
                self._since = self._waited_s()
            elif found := BACK.match(word):
                self.took_s.append(max(0.0, float(found[1]) - (self._waited_s() - self._since)))
                if not len(self.took_s) % SAID_EVERY:
                    self._say(f"back in service {len(self.took_s)} times")
            elif line.strip():
                self._say(line.rstrip())

    def say_figures(self) -> None:
        """Say the median and the slowest."""
        if self.took_s:
            self._say(
                f"back in service {len(self.took_s)} times: median {median(self.took_s):.2f} s,"
                f" slowest {max(self.took_s):.2f} s"
            )

    def judge(self) -> None:
        """Raise GuestFailed if the median is over BACK_S_MAX."""
        if not self.took_s:
            raise GuestFailed("no device was seen to come back")
        middle = median(self.took_s)
        if middle > BACK_S_MAX:
            raise GuestFailed(f"back in service after {middle:.2f} s, {BACK_S_MAX} are allowed")


def waited_s_of(machine: Machine) -> Callable[[], float]:
    """Return what tells how long a guest's processor has waited for a core, in seconds."""
    path = machine.processor() / "schedstat"  # Linux, sched-stats: second number.
    return lambda: int(path.read_text().split()[1]) / 1e9


def own_s_of(machine: Machine) -> Callable[[], float]:
    """Return what tells the seconds that a guest has had since now: without its wait for a core.

    That raises GuestFailed when the guest is gone.
    """
    waited_s, begin_s = waited_s_of(machine), time.monotonic()
    before_s = waited_s()

    def own_s() -> float:
        try:
            return time.monotonic() - begin_s - (waited_s() - before_s)
        except OSError as error:
            raise GuestFailed("the guest is gone") from error

    return own_s
