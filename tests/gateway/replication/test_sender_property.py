"""Whatever the network does, every fact arrives once, in order, and is acknowledged. Pure."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.gateway.replication.model import World

EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(1, 700)),
        st.tuples(st.just("pass"), st.integers(1, 4000)),
        st.tuples(st.just("restart"), st.just(0)),
        st.tuples(st.just("reconnect"), st.just(0)),
    ),
    max_size=40,
)


@settings(max_examples=120, deadline=None)
@given(EVENTS, st.sampled_from([0.0, 0.1, 0.5, 0.9]), st.integers(0, 2**32), st.integers(0, 3000))
def test_everything_arrives_once_in_order_and_is_acknowledged(
    events: list[tuple[str, int]], loss: float, seed: int, credit_count: int
) -> None:
    world = World(random.Random(seed), loss=loss)
    world.ledger.credit_count = credit_count
    run(world, events)
    world.settle(seconds_max=1200.0)
    assert world.done()
    for epoch, facts in world.journal.facts.items():
        assert world.ledger.facts.get(epoch, []) == facts


@settings(max_examples=60, deadline=None)
@given(EVENTS, st.integers(0, 2**32), st.integers(0, 100))
def test_a_ledger_restored_from_a_backup_is_filled_again(
    events: list[tuple[str, int]], seed: int, keep_percent: int
) -> None:
    world = World(random.Random(seed), loss=0.2)
    world.append(50)
    run(world, [*events, ("pass", 100), ("pass", 100)])
    have = world.ledger.facts.get(world.epoch, [])
    world.ledger.facts[world.epoch] = have[: len(have) * keep_percent // 100]
    world.ledger.generation = "g2"
    world.under_way = []
    world.append(1)
    world.settle(seconds_max=1200.0)
    assert world.ledger.facts[world.epoch] == world.journal.facts[world.epoch]


@settings(max_examples=40, deadline=None)
@given(EVENTS, st.integers(0, 2**32))
def test_nothing_is_sent_twice_on_a_good_network(events: list[tuple[str, int]], seed: int) -> None:
    world = World(random.Random(seed))
    run(world, [event for event in events if event[0] in {"append", "pass"}])
    world.settle(seconds_max=60.0)
    assert world.done()
    assert world.sent_count == sum(len(facts) for facts in world.journal.facts.values())


@pytest.mark.parametrize("seed", range(5))
def test_doubled_acknowledgements_under_load_do_not_double_the_traffic(seed: int) -> None:
    world = World(random.Random(seed))
    for _ in range(400):
        world.append(20)
        world.step(0.01)
        world.under_way += [one for one in world.under_way if world.random.random() < 0.5]
    world.settle(seconds_max=60.0)
    assert world.done()
    # A go-back each GAP_PAUSE_S at most: 4 s of load, so not more than 16 of them.
    assert world.sent_count < 8000 * 1.6


def run(world: World, events: list[tuple[str, int]]) -> None:
    for kind, number in events:
        if kind == "append":
            world.append(number)
            world.step(0.001)
        elif kind == "pass":
            for _ in range(8):
                world.step(number / 8000)
        elif kind == "restart":
            world.restart()
        else:
            world.sender.disconnected()
            world.under_way = []
            world.step(0.5)
            world.sender.connected(world.now_s)
