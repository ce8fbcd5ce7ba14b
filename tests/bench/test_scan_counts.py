"""What the comparison counts, on runs made by hand. Pure."""

import itertools

import pytest

from tests.bench.scan_counts import Kill, count, plan_kills

GATEWAY = Kill(number=10, target="gateway", pause_s=0, in_flight=True)
BROKER = Kill(number=20, target="broker", pause_s=0, in_flight=False)


@pytest.mark.parametrize(
    ("arrivals", "lost", "doubled", "out_of_order"),
    [
        pytest.param([1, 2, 3, 4], 0, 0, 0, id="all once and in order"),
        pytest.param([1, 3, 4], 1, 0, 0, id="one never arrived"),
        pytest.param([1, 2, 2, 1, 3, 4], 0, 2, 0, id="two arrived again, not out of order"),
        pytest.param([1, 3, 4, 2], 0, 0, 1, id="one arrived late"),
        pytest.param([4, 3, 2, 1], 0, 0, 3, id="turned round"),
        pytest.param([1, 2, 9, 9, 3, 4], 0, 0, 0, id="what was in doubt does not count"),
        pytest.param([], 4, 0, 0, id="nothing arrived"),
    ],
)
def test_accepted_scans_are_compared_with_what_arrived(arrivals, lost, doubled, out_of_order):
    found = count([1, 2, 3, 4], [9], arrivals)
    assert (found.lost, found.doubled, found.out_of_order) == (lost, doubled, out_of_order)
    assert (found.accepted, found.doubtful, found.arrived) == (4, 1, 4 - lost)


def test_a_lost_scan_is_put_down_to_the_nearest_kill():
    found = count([8, 11, 14, 16, 25], [], [], (GATEWAY, BROKER))
    assert found.lost_at == {"gateway": 3, "broker": 2}


def test_one_seed_plans_the_same_kills_apart_from_each_other():
    plans = [
        plan_kills(seed=seed, each=5, spacing=400, start=400, pause_s_max=0.05)
        for seed in (1, 1, 2)
    ]
    numbers = [kill.number for kill in plans[0]]
    assert plans[0] == plans[1] != plans[2]
    assert sorted(kill.target for kill in plans[0]) == ["broker"] * 5 + ["gateway"] * 5
    assert sum(kill.in_flight for kill in plans[0]) == 3
    assert all(later - earlier >= 300 for earlier, later in itertools.pairwise(numbers))
