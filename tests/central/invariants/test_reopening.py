"""What was settled and is opened again is as before, in a few random scenes on each database.

`python -m tests.central.invariants.reopening` plays thousands of them.
"""

from collections import Counter

from tests.central.invariants.reopening import differences

SEEDS = range(1, 5)
TRIES_MAX = 8


def test_whatever_is_settled_and_opened_again_is_as_it_was(fresh):
    counts = Counter()
    for seed in SEEDS:
        found, seen = differences(fresh, seed, tries_max=TRIES_MAX)
        assert found == [], "\n".join(found)
        counts += seen
    assert counts["with facts"] >= len(SEEDS) * TRIES_MAX // 2
    actions = {what.partition(": ")[2] for what in counts}
    assert actions >= {"adjust", "reassign", "reverse"}
