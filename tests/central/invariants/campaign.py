"""Walks seed after seed on one database, in a process of its own. Loop."""

import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import Queue
from pathlib import Path

from tests.central.invariants.databases import fresh_postgresql, fresh_sqlite
from tests.central.invariants.walk import Failure, Fresh, cut_down, walk
from tests.postgresql import postgresql_server

STEPS_PER_WALK = 1000
FAILURES_MAX = 3  # Of one database; then it stops.


def work(name: str, first: int, steps_count: int, told: Queue) -> None:
    """Walk seed after seed on one database; tell each walk."""
    failures_count, done = 0, 0
    with fresh_ledgers(name) as fresh:
        for seed in range(first, first + max(1, steps_count // STEPS_PER_WALK)):
            walked = walk(fresh, seed, range(STEPS_PER_WALK))
            done += sum(walked.counts.values())
            told.put((name, done, walked.counts, None))
            if walked.failure is not None:
                told.put((name, done, Counter(), failure_text(name, walked.failure)))
                least = cut_down(fresh, walked.failure, lambda _said: None)
                told.put((name, done, Counter(), failure_text(name, least)))
                failures_count += 1
                if failures_count >= FAILURES_MAX:
                    break
    told.put((name, done, None, None))


@contextmanager
def fresh_ledgers(name: str) -> Iterator[Fresh]:
    if name == "postgresql":
        with postgresql_server() as url, fresh_postgresql(url) as fresh:
            yield fresh
        return
    # In memory where there is such a folder: a walk has no use for a disk.
    memory = Path("/dev/shm")
    parent = memory if os.access(memory, os.W_OK) else None
    with (
        tempfile.TemporaryDirectory(prefix="dockledger-walk-", dir=parent) as folder,
        fresh_sqlite(Path(folder)) as fresh,
    ):
        yield fresh


def failure_text(name: str, failure: Failure) -> str:
    only = f' --only "{_ranges(failure.steps)}"'
    return (
        f"seed {failure.seed} on {name} failed after {len(failure.steps)} steps:\n"
        f"{failure.said}\n"
        f"PYTHONHASHSEED=0 {sys.executable} -m tests.central.invariants --seed {failure.seed}"
        f" --database {name} --each 1{only}"
    )


def _ranges(steps: tuple[int, ...]) -> str:
    """Return steps as `_steps` reads them."""
    parts: list[list[int]] = []
    for step in steps:
        if parts and step == parts[-1][1] + 1:
            parts[-1][1] = step
        else:
            parts.append([step, step])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in parts)
