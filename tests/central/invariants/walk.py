"""Walks random steps from a seed; a walk that fails is cut down to the steps that make it fail.

Each step has a chooser of its own, made from the seed and its number, so that any subset of the
steps can be walked again.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from random import Random
from time import monotonic

from central.contract.errors import ContractError
from central.errors import DeskRefused
from central.storage.database import Database
from tests.central.invariants import (
    rules_desk,
    rules_gateways,
    rules_goods,
    rules_orders,
    rules_transfers,
    rules_weights,
    rules_work,
)
from tests.central.invariants.promises import broken_promises
from tests.central.invariants.world import World

Rule = Callable[[World, Random], str]
RULES: tuple[tuple[int, Rule], ...] = (
    *rules_gateways.RULES,
    *rules_work.RULES,
    *rules_goods.RULES,
    *rules_weights.RULES,
    *rules_desk.RULES,
    *rules_orders.RULES,
    *rules_transfers.RULES,
)
CHECK_EACH = 100
ATTEMPTS_MAX = 600
CUT_S_MAX = 120.0

# Gives an empty, migrated ledger.
Fresh = Callable[[], AbstractContextManager[Database]]


@dataclass(frozen=True)
class Failure:
    """Where a walk failed. steps: those that were walked, the failing one last."""

    seed: int
    steps: tuple[int, ...]
    said: str


@dataclass(frozen=True)
class Walked:
    """How a walk went. counts: how often each rule did something, was refused, or had nothing."""

    failure: Failure | None
    counts: Counter[str]


def walk(
    fresh: Fresh,
    seed: int,
    steps: Iterable[int],
    *,
    check_each: int = CHECK_EACH,
    tell: Callable[[str], None] | None = None,
) -> Walked:
    """Walk these steps of a seed. tell: is told each step, for people."""
    counts: Counter[str] = Counter()
    done: list[int] = []
    with fresh() as database:
        world = World(database)
        for count, step in enumerate(steps, 1):
            done.append(step)
            said = _step(world, seed, step, counts, tell)
            if not said and count % check_each == 0:
                said = "\n".join(broken_promises(world))
            if said:
                return Walked(Failure(seed, tuple(done), said), counts)
        rules_gateways.drain_all(world)
        said = "\n".join(broken_promises(world))
        if said:
            return Walked(Failure(seed, tuple(done), said), counts)
    return Walked(None, counts)


def cut_down(fresh: Fresh, failure: Failure, tell: Callable[[str], None]) -> Failure:
    """Return the failure with fewer steps, as far as ATTEMPTS_MAX walks in CUT_S_MAX find them."""
    end_s = monotonic() + CUT_S_MAX
    # With a check after each step the walk ends where the first promise breaks.
    closer = walk(fresh, failure.seed, failure.steps, check_each=1).failure
    best = closer or failure
    size, attempts = len(best.steps) // 2, 0
    while size and attempts < ATTEMPTS_MAX and monotonic() < end_s:
        start = 0
        while start < len(best.steps) - 1 and attempts < ATTEMPTS_MAX and monotonic() < end_s:
            attempts += 1
            fewer = best.steps[:start] + best.steps[start + size :]
            again = walk(fresh, failure.seed, fewer, check_each=max(1, len(fewer) // 4)).failure
            if again is None:
                start += size
            else:
                best = again
                tell(f"{len(best.steps)} steps still fail")
        size //= 2
    return best


def _step(
    world: World,
    seed: int,
    step: int,
    counts: Counter[str],
    tell: Callable[[str], None] | None,
) -> str:
    """Do one step; return what went wrong, "" if nothing did."""
    chooser = Random(f"{seed}/{step}")
    weights = [weight for weight, _ in RULES]
    ((_, rule),) = chooser.choices(RULES, weights)
    try:
        said = rule(world, chooser)
        outcome = f"{rule.__name__}" if said else f"{rule.__name__}: nothing"
    except (DeskRefused, ContractError) as error:
        said, outcome = f"refused: {error}", f"{rule.__name__}: refused"
    except Exception as error:  # noqa: BLE001 - the top of the walk: this is what it looks for.
        return f"step {step}, {rule.__name__}: {type(error).__name__}: {error}"
    counts[outcome] += 1
    if tell is not None:
        tell(f"{step} {rule.__name__}: {said}")
    return ""
