"""A short random walk on each database; `make invariants` walks 100,000 steps.

Hypothesis walks by the same rules, too: it keeps what failed, and makes it shorter.
"""

from random import Random

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from central.contract.errors import ContractError
from central.errors import DeskRefused
from tests.central.invariants.databases import fresh_sqlite
from tests.central.invariants.promises import broken_promises
from tests.central.invariants.rules_gateways import drain_all
from tests.central.invariants.walk import RULES, walk
from tests.central.invariants.world import World

STEPS = 250
MACHINE = settings(max_examples=4, stateful_step_count=25, deadline=None, derandomize=True)


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


def test_hypothesis_finds_no_steps_after_which_a_promise_is_broken(fresh):
    class Warehouses(RuleBasedStateMachine):
        def __init__(self):
            super().__init__()
            self.ledger = fresh()
            self.world = World(self.ledger.__enter__())

        @rule(number=st.integers(0, len(RULES) - 1), seed=st.integers(0, 2**32))
        def step(self, number, seed):
            try:
                RULES[number][1](self.world, Random(seed))
            except (DeskRefused, ContractError):
                return  # It was told why, and changed nothing: the promises below say so.

        def teardown(self):
            drain_all(self.world)
            broken = broken_promises(self.world)
            self.ledger.__exit__(None, None, None)
            assert broken == []

    run_state_machine_as_test(Warehouses, settings=MACHINE)
