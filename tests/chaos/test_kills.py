"""Gateway, broker and central are killed with SIGKILL while scanning goes on. Edge.

The scans come through real lines; acknowledged is what the station's screen answered with success.
CHAOS_S: seconds of killing in all (default: a smoke of a few seconds), CHAOS_SEED: repeats a run.
"""

import os
import random
import threading
import time
from contextlib import contextmanager

import pytest

from tests.chaos.rig import Rig

SMOKE_S = 6.0
KILLERS_COUNT = 3

pytestmark = pytest.mark.chaos


@pytest.fixture(scope="module")
def seed():
    seed = int(os.environ.get("CHAOS_SEED", "") or random.SystemRandom().randrange(2**32))
    print(f"CHAOS_SEED={seed}")  # noqa: T201 - pytest shows it when a run fails.
    return seed


@pytest.fixture(scope="module")
def rig(tmp_path_factory, seed):
    with Rig(tmp_path_factory.mktemp("chaos")) as rig:
        rig.wait_until_scanning_works()
        yield rig


@contextmanager
def scanning(rig):
    """Scan with every scanner at once while the block runs; return when all have stopped."""
    stopping = threading.Event()
    threads = [
        threading.Thread(target=rig.scan_until, args=(stopping, scanner), daemon=True)
        for scanner in rig.scanners
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopping.set()
        for thread in threads:
            thread.join(10)


def campaign(rig, seed, kill_and_start):
    """Kill at random moments for a third of CHAOS_S; return how often, and the scans answered."""
    chance = random.Random(seed)
    before = len(rig.acknowledged)
    end = time.monotonic() + float(os.environ.get("CHAOS_S", SMOKE_S)) / KILLERS_COUNT
    kills_count = 0
    with scanning(rig):
        while time.monotonic() < end or kills_count < 2:
            time.sleep(chance.uniform(0.2, 1.2))
            kill_and_start(chance)
            kills_count += 1
            rig.wait_until_scanning_works()
    answered_count = len(rig.acknowledged) - before
    print(f"{kills_count} kills, {answered_count} scans")  # noqa: T201 - for `pytest -s`.
    assert len(rig.acknowledged) > before
    rig.converge()
    rig.check()


def test_a_killed_gateway_loses_no_acknowledged_scan_and_posts_none_twice(rig, seed):
    def kill_and_start(chance):
        rig.gateway.kill()
        time.sleep(chance.uniform(0, 0.3))
        rig.gateway.start()

    campaign(rig, seed, kill_and_start)


def test_a_killed_broker_that_forgets_everything_loses_nothing(rig, seed):
    def kill_and_start(chance):
        rig.broker.kill()
        rig.broker.forget()
        time.sleep(chance.uniform(0, 0.3))
        rig.broker.start()

    campaign(rig, seed + 1, kill_and_start)


def test_a_killed_central_takes_up_exactly_where_it_committed(rig, seed):
    def kill_and_start(chance):
        rig.central.kill()
        time.sleep(chance.uniform(0, 0.3))
        rig.central.start()

    campaign(rig, seed + 2, kill_and_start)
