"""Waits for a condition with a deadline, instead of sleeping and hoping. Edge of the clock."""

import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")
POLL_S = 0.005


def wait_for(
    condition: Callable[[], Value], *, timeout_s: float = 10.0, what: str = "condition"
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


def until(condition: Callable[[], object], what: str = "", *, seconds_max: float = 20.0) -> None:
    """Return when the condition holds; fail the test with `what` when it does not in time."""
    wait_for(condition, timeout_s=seconds_max, what=what or "condition")
