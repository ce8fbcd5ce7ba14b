"""Seeds hold every promise, planted bugs are found, and a seed is always the same run."""

import hashlib
import os
import subprocess
import sys

import pytest

from tests.simulation.campaign import run_campaign
from tests.simulation.mutants import MUTANTS
from tests.simulation.world import World, simulate

SMOKE_SEEDS = 300
MUTANT_SEEDS_MAX = 50


def test_every_promise_holds_in_every_seed() -> None:
    total = run_campaign(first=1, seeds=SMOKE_SEEDS, processes=1, progress=lambda so_far: None)
    replay = "python -m tests.simulation --replay"
    assert not total.failures, [f"{replay} {one.seed}: {one.failure}" for one in total.failures]
    # A simulation in which nothing happens would pass, too.
    assert total.posted_count > 100 * SMOKE_SEEDS
    assert total.faults_count > 8 * SMOKE_SEEDS


@pytest.mark.parametrize("bug", MUTANTS, ids=lambda bug: bug.name.replace(" ", "-"))
def test_a_planted_bug_is_found(bug) -> None:
    found = (seed for seed in range(1, MUTANT_SEEDS_MAX + 1) if simulate(seed, bugs=bug).failure)
    assert next(found, None) is not None


def test_a_seed_is_the_same_run_each_time_and_another_seed_another() -> None:
    assert trace_hash(7) == trace_hash(7) != trace_hash(8)


def test_a_seed_is_the_same_run_in_another_interpreter() -> None:
    code = "from tests.simulation.test_simulation import trace_hash; print(trace_hash(7))"
    told = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONHASHSEED": "1"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert told.stdout.strip() == trace_hash(7)


def test_a_run_without_a_trace_comes_to_the_same() -> None:
    assert World(7, tracing=True).run() == simulate(7)


def trace_hash(seed: int) -> str:
    world = World(seed, tracing=True)
    world.run()
    assert len(world.kernel.trace) > 100
    assert hashlib.sha256("\n".join(world.kernel.trace).encode()).hexdigest() == (
        world.kernel.trace_hash()
    )
    return world.kernel.trace_hash()
