"""A few scenes of each kind on each database; `make truth` plays hundreds."""

import pytest

from tests.central.invariants.conftest import fresh
from tests.central.truth.campaign import KINDS, cut_down, play
from tests.central.truth.scene import Scene

SEEDS = range(1, 4)
ONCE_WRONG = (
    ("mistaken", 23, (4, 6, 8)),
    ("counted", 28, (0, 3, 4, 5)),
    ("counted", 1138, (1, 2, 3)),
    ("counted", 5002, (0, 5, 8, 9, 10)),
    ("transfers", 9517, (2, 3, 5, 7, 8, 10, 13)),
    ("purchases", 9523, (0, 3, 4, 8)),
    ("sales", 9530, (0, 1, 4, 6, 9, 13)),
    ("sales", 9533, (2, 3, 4, 6, 8)),
    ("purchases", 9523, (0, 3, 4, 7, 8)),
    ("returns", 9506, (3, 4, 6, 7, 8)),
    ("purchases", 30000, (0, 2, 3, 5, 6)),
)

__all__ = ["fresh"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_books_end_with_the_truth_or_tell(fresh, kind):
    endings = [play(fresh, kind, seed) for seed in SEEDS]
    assert [ending.said for ending in endings] == [""] * len(SEEDS)
    assert "true" in {ending.outcome for ending in endings}


@pytest.mark.parametrize(("kind", "seed", "steps"), ONCE_WRONG)
def test_what_once_ended_wrong_does_no_more(fresh, kind, seed, steps):
    assert play(fresh, kind, seed, steps).said == ""


def test_what_ends_wrong_is_said_and_cut_down_to_what_makes_it_so(fresh, monkeypatch):
    def move(self, quantity, source, target):
        if source == "supplier":  # What goes out, or is carried, the truth takes no notice of.
            self.truth[target] += quantity

    monkeypatch.setattr(Scene, "moved", move)
    endings = (play(fresh, "bins", seed) for seed in range(1, 20))
    ending = next(one for one in endings if one.said)
    least = cut_down(fresh, ending)
    assert "truly" in least.said
    assert 0 < len(least.steps) < len(ending.steps)
    assert play(fresh, "bins", least.seed, least.steps) == least
