"""The limit of `within` is the code's: what a thread waits for a core is not counted."""

import os
import sys
import threading
import time
from contextlib import ExitStack

import pytest

from tests.programs import started
from tests.waiting import within

HOLD_S = 0.3


def test_a_block_that_takes_longer_than_its_limit_fails_and_says_how_long():
    with (
        pytest.raises(AssertionError, match="the nap took"),
        within(HOLD_S / 30, what="the nap"),
    ):
        threading.Event().wait(HOLD_S)


def test_a_block_that_is_quick_passes():
    with within(HOLD_S, what="nothing"):
        pass


def test_the_failure_of_the_block_is_told_and_not_its_time():
    waited = threading.Event()
    with pytest.raises(ZeroDivisionError), within(HOLD_S / 30, what="the nap"):
        waited.wait(HOLD_S) or 1 / 0


def test_the_wait_for_a_core_is_not_counted():
    allowed = os.sched_getaffinity(0)
    core = {min(allowed)}
    busy = [sys.executable, "-c", "while True: pass"]
    with ExitStack() as stack:
        for _ in range(5):
            os.sched_setaffinity(stack.enter_context(started(busy)).pid, core)
        stack.callback(os.sched_setaffinity, 0, allowed)
        os.sched_setaffinity(0, core)
        began_s, end_s = time.monotonic(), time.thread_time() + HOLD_S / 2
        with within(2 * HOLD_S, what="the work"):
            while time.thread_time() < end_s:
                pass
        assert time.monotonic() - began_s > 2 * HOLD_S  # It had to wait.
