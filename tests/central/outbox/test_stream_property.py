"""Whatever network and disks do, every notice is applied once and in order. Pure."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.central.outbox.model import World

EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("change"), st.integers(1, 200)),
        st.tuples(st.just("print"), st.just(0)),
        st.tuples(st.just("pass"), st.integers(1, 60)),
        st.tuples(st.just("restart central"), st.just(0)),
        st.tuples(st.just("reconnect"), st.just(0)),
        st.tuples(st.just("renew"), st.just(0)),
    ),
    max_size=30,
)
DISASTERS = st.sampled_from(["wipe gateway", "copy gateway", "restore gateway"])


@settings(max_examples=150, deadline=None)
@given(EVENTS, st.sampled_from([0.0, 0.1, 0.5, 0.8]), st.integers(0, 2**32))
def test_both_ends_agree_and_everything_is_printed_once(events, loss, seed):
    world = World(random.Random(seed), loss=loss)
    run(world, events)
    world.settle(seconds_max=600.0)
    assert world.gateway.values == world.database.values
    assert world.gateway.jobs == world.asked_jobs


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.one_of(EVENTS, DISASTERS.map(lambda name: [(name, 0)])), max_size=6),
    st.sampled_from([0.0, 0.2, 0.6]),
    st.integers(0, 2**32),
)
def test_a_gateway_that_lost_its_disk_comes_to_know_the_same(events, loss, seed):
    world = World(random.Random(seed), loss=loss)
    run(world, [event for part in events for event in part])
    world.settle(seconds_max=600.0)
    assert world.gateway.values == world.database.values


@pytest.mark.parametrize("seed", range(20))
def test_on_a_good_network_nothing_is_sent_twice_and_one_snapshot_is_enough(seed):
    world = World(random.Random(seed))
    world.settle(seconds_max=60.0)
    before = world.messages_count
    for _ in range(100):
        world.change(8)
        world.step(0.1)
    world.settle(seconds_max=10.0)
    assert world.snapshots_count == 1
    assert world.messages_count - before == 100


@pytest.mark.parametrize("seed", range(20))
def test_late_acknowledgements_cost_no_snapshot(seed):
    world = World(random.Random(seed))
    world.settle(seconds_max=60.0)
    old = []
    for _ in range(60):
        world.change(2)
        old.append((world.gateway.stream, world.gateway.number))
        world.up += [("", 0), *world.random.sample(old, min(3, len(old)))]
        world.step(0.4)
    world.settle(seconds_max=60.0)
    assert world.snapshots_count == 1
    assert world.gateway.values == world.database.values


def run(world, events):
    for kind, number in events:
        if kind == "change":
            world.change(number)
        elif kind == "print":
            world.print()
        elif kind == "pass":
            for _ in range(6):
                world.step(number / 12)
        elif kind == "restart central":
            world.restart_central()
        elif kind == "reconnect":
            world.stream.disconnected()
            world.down, world.up = [], []
            world.step(0.5)
            world.stream.connected(world.now_s)
            world.acknowledge()
        elif kind == "renew":
            world.renew()
        else:
            getattr(world, kind.replace(" ", "_"))()
