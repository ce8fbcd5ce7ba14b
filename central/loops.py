"""Loops with threads of their own: run together, end together, told of by a pulse. Loop."""

from collections.abc import Callable
from itertools import count
from logging import getLogger
from threading import Thread
from typing import Protocol

from central.clock import SystemClock
from central.errors import IntakeEnded
from central.ledger.collector import collect_rarely
from central.service_notice import Pulse

logger = getLogger(__name__)


class Running(Protocol):
    """A loop with a thread of its own. `start` once, `stop` once."""

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def alive(self) -> bool: ...


class Loops:
    """Several loops that run and end together; if one dies, they are no longer alive."""

    def __init__(self, *loops: Running) -> None:
        self._loops = loops

    def start(self) -> None:
        """Start each."""
        collect_rarely()
        for loop in self._loops:
            loop.start()

    def stop(self) -> None:
        """Stop all at the same time: each takes seconds if the broker is silent."""
        threads = [Thread(target=loop.stop, name="stopping") for loop in self._loops]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def alive(self) -> bool:
        """Return whether every loop is."""
        return all(loop.alive() for loop in self._loops)


def pulse_of(turns: Callable[[], int] | None) -> Pulse:
    """Return what feeds the watchdog while facts are taken; without turns, while pages are."""
    return Pulse(turns or count().__next__, clock_s=SystemClock().monotonic_s)


def intake_ended() -> IntakeEnded:
    """Return the error of intake that has ended by itself, logged."""
    error = IntakeEnded(
        "the intake has ended: no more facts would be taken",
        hint="Start the ledger again and report the fault that the log names before this.",
    )
    logger.critical("ending", extra={"detail": str(error), "hint": error.hint})
    return error
