"""A short random walk on each database; `make invariants` walks 100,000 steps."""

import pytest

from tests.central.conftest import KINDS
from tests.central.invariants.databases import fresh_postgresql, fresh_sqlite
from tests.central.invariants.walk import walk

STEPS = 250


@pytest.fixture(params=KINDS)
def fresh(request, tmp_path):
    if request.param == "sqlite":
        with fresh_sqlite(tmp_path) as made:
            yield made
        return
    with fresh_postgresql(request.getfixturevalue("postgresql_url")) as made:
        yield made


def test_every_promise_holds_after_random_steps(fresh):
    walked = walk(fresh, 7, range(STEPS), check_each=125)
    assert walked.failure is None, walked.failure
    done = {name for name in walked.counts if ":" not in name}
    assert done >= {"receive", "move_goods", "send", "settle_as_proposed", "close", "take_back"}


def test_the_same_seed_walks_the_same_way(tmp_path):
    told = ([], [])
    with fresh_sqlite(tmp_path) as fresh:
        for steps in told:
            walk(fresh, 3, range(60), tell=steps.append)
    assert told[0] == told[1]
