"""Plays scenes by their seeds, tells which ended wrong, and cuts those down."""

from collections import Counter
from dataclasses import dataclass
from random import Random

from central.ledger.verify import verify_ledger
from central.orders.proofs import PROOFS
from tests.central.truth.bins import Bins, CountedBins, CountedByStations
from tests.central.truth.orders import Purchases, Returns, Sales
from tests.central.truth.site import Site
from tests.central.truth.transfers import MistakenTransfers, Transfers

KINDS = {
    "bins": Bins,
    "counted": CountedBins,
    "stations": CountedByStations,
    "transfers": Transfers,
    "mistaken": MistakenTransfers,
    "purchases": Purchases,
    "sales": Sales,
    "returns": Returns,
}


@dataclass(frozen=True)
class Ending:
    """How a scene ended. said: what is wrong and nobody is told of, "" for nothing."""

    kind: str
    seed: int
    steps: tuple[int, ...]
    said: str
    outcome: str
    log: tuple[str, ...]


def play(fresh, kind, seed, steps=None):
    """Play one scene on a ledger of its own. steps: which of its steps, by default all."""
    made = Random(f"{kind} {seed}")
    scene_of = KINDS[kind]
    all_steps = range(made.randint(scene_of.steps_least, scene_of.steps_most))
    steps = tuple(all_steps if steps is None else steps)
    with fresh() as database:
        site = Site(database)
        scene = scene_of(site, made)
        for number in steps:
            scene.act(Random(f"{kind} {seed} {number}"))
        still_open = scene.end()
        wrong, faults = scene.wrong(), _faults(database)
    said, outcome = "", "true"
    if faults:
        said = outcome = "the proofs fail: " + "; ".join(map(str, faults))
    elif wrong:
        outcome = "told"
        if not still_open:
            outcome = "untold"
            said = ", ".join(
                f"{place} has {books:g}, truly {truth:g}" for place, (books, truth) in wrong.items()
            )
    kinds = [row["kind"] for row in still_open]
    site.note(f"open at the end: {', '.join(kinds) or 'nothing'}")
    return Ending(kind, seed, steps, said, outcome, tuple(site.log))


def cut_down(fresh, ending):
    """Return the same ending with as few steps as can be found by leaving one out after another."""
    best = ending
    number = 0
    while number < len(best.steps):
        fewer = best.steps[:number] + best.steps[number + 1 :]
        tried = play(fresh, ending.kind, ending.seed, fewer)
        if tried.said:
            best = tried
        else:
            number += 1
    return best


def play_all(fresh, kinds, seeds, tell):
    """Play these seeds of each kind; tell each ending, and return how many of which outcome."""
    outcomes = Counter()
    for seed in seeds:
        for kind in kinds:
            ending = play(fresh, kind, seed)
            outcomes[kind, ending.outcome if not ending.said else "WRONG"] += 1
            tell(cut_down(fresh, ending) if ending.said else ending)
    return outcomes


def _faults(database):
    with database.read() as connection:
        beyond = [fault for proof in PROOFS for fault in proof(connection)]
    return [*verify_ledger(database).faults, *beyond]
