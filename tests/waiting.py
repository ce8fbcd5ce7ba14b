"""Waits for a condition with a deadline, instead of sleeping and hoping. Edge of the clock."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

Value = TypeVar("Value")
POLL_S = 0.005
LOOK_S = 0.01
# It costs only where a test fails: the work of a second takes half a minute on a crowded machine.
WAIT_S_MAX = 60.0


def wait_for(
    condition: Callable[[], Value], *, timeout_s: float = WAIT_S_MAX, what: str = "condition"
) -> Value:
    """Return the first true value of `condition`; fail the test with `what` after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            message = f"{what} did not come true within {timeout_s} s (last: {value!r})"
            raise AssertionError(message)
        time.sleep(POLL_S)


def until(
    condition: Callable[[], object], what: str = "", *, seconds_max: float = WAIT_S_MAX
) -> None:
    """Return when the condition holds; fail the test with `what` when it does not in time."""
    wait_for(condition, timeout_s=seconds_max, what=what or "condition")


@contextmanager
def within(seconds_max: float, *, what: str, also: int | None = None) -> Iterator[None]:
    """Fail the test with `what` if the block takes longer, not counting the wait for a core.

    also: another program that works in the block, and may end in it. What the kernel counts as time
    in which a thread could have run and no core was free is the machine's, not the code's: on a
    machine that is free it is next to nothing, and the limit as strict as it reads.
    """
    pids = (os.getpid(),) if also is None else (os.getpid(), also)
    before, over = _kept_waiting(pids), threading.Event()
    newest = dict(before)

    def look() -> None:
        while not over.wait(LOOK_S):
            newest.update(_kept_waiting(pids[1:]))

    looking = threading.Thread(target=look)
    if also is not None:  # Nobody can be asked how long he waited once he has ended.
        looking.start()
    began_s = time.monotonic()
    try:
        yield
        took_s = time.monotonic() - began_s
    finally:
        over.set()
        if also is not None:
            looking.join()
    newest.update(_kept_waiting(pids))
    newest.pop(str(looking.native_id), None)
    waited_s = sum(newest[thread] - before.get(thread, 0) for thread in newest) / 1e9
    assert took_s - waited_s < seconds_max, (
        f"{what} took {took_s:.3f} s, of them {waited_s:.3f} s without a core;"
        f" {seconds_max} s are allowed"
    )


def _kept_waiting(pids: tuple[int, ...]) -> dict[str, int]:
    """Nanoseconds that each thread waited for a core (Linux, sched-stats: second number)."""
    found = {}
    for pid in pids:
        for path in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            with suppress(OSError):  # It has ended meanwhile.
                found[path.parent.name] = int(path.read_text().split()[1])
    return found
