"""Runs many seeds on several processors and adds up what they came to. Edge of the processors."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from multiprocessing import get_context

from tests.simulation.world import END_S, Result, simulate

SEEDS_PER_CHUNK = 50
FAILURES_MAX = 20  # Enough to work on; a campaign ends there.


@dataclass
class Total:
    """What the seeds so far came to; cpu_s of all processors together."""

    seeds_count: int = 0
    posted_count: int = 0
    greens_count: int = 0
    faults_count: int = 0
    lost_count: int = 0
    cpu_s: float = 0.0
    failures: list[Result] = field(default_factory=list)

    @property
    def simulated_s(self) -> float:
        """Return how much time the worlds have seen."""
        return self.seeds_count * END_S

    def add(self, results: list[Result], cpu_s: float) -> None:
        """Add the results of a chunk."""
        self.cpu_s += cpu_s
        for result in results:
            self.seeds_count += 1
            self.posted_count += result.posted_count
            self.greens_count += result.greens_count
            self.faults_count += result.faults_count
            self.lost_count += result.lost_count
            if result.failure:
                self.failures.append(result)


def run_chunk(first: int, count: int) -> tuple[list[Result], float]:
    """Return what seeds first, first + 1 ... come to, and the seconds of processor they took."""
    before_s = time.process_time()
    results = [simulate(seed) for seed in range(first, first + count)]
    return results, time.process_time() - before_s


def run_campaign(
    *, first: int, seeds: int, processes: int, progress: Callable[[Total], None]
) -> Total:
    """Return the total of all seeds; `progress` is called after each chunk."""
    total = Total()
    chunks = _chunks(first, seeds)
    if processes == 1:
        for start, count in chunks:
            total.add(*run_chunk(start, count))
            progress(total)
            if len(total.failures) >= FAILURES_MAX:
                break
        return total
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        running: set[Future[tuple[list[Result], float]]] = set()
        for start, count in chunks:
            running.add(pool.submit(run_chunk, start, count))
            if len(running) < 2 * processes:
                continue
            running = _add_done(running, total)
            progress(total)
            if len(total.failures) >= FAILURES_MAX:
                break
        while running:
            running = _add_done(running, total)
            progress(total)
    return total


def _chunks(first: int, seeds: int) -> Iterator[tuple[int, int]]:
    for start in range(first, first + seeds, SEEDS_PER_CHUNK):
        yield start, min(SEEDS_PER_CHUNK, first + seeds - start)


def _add_done(
    running: set[Future[tuple[list[Result], float]]], total: Total
) -> set[Future[tuple[list[Result], float]]]:
    done, left = wait(running, return_when=FIRST_COMPLETED)
    for future in done:
        total.add(*future.result())
    return left
