"""What a count found, line by line, and what becomes of it. Pure."""

from dataclasses import dataclass
from typing import Literal

from central.ledger.entries import FactKey
from central.orders.counts.count_judging import Counted, Judgement, Thing
from central.orders.counts.counts import CountLine, Verdict

Outcome = Literal["", "matched", "adjusted", "rejected", "superseded"]


@dataclass(frozen=True, slots=True)
class ItemWorth:
    """abc: "A", "B", "C", or "" for none. cost_micro: of one unit, 0: not known."""

    abc: str = ""
    cost_micro: int = 0


@dataclass(frozen=True, slots=True)
class Variance:
    """One line of the result.

    fact: the observation at whose moment it is compared. rejected_by: who does not want it posted,
    and why, "" for nobody. superseded: a later count of the same goods is posted already, so this
    one changes nothing. adjusted_micro: what this count has changed stock by so far. outcome: "" as
    long as it is not posted. outdated_micro: what a posted one lacks since something came late.
    """

    counted: Counted
    judgement: Judgement
    fact: FactKey
    worth: ItemWorth
    verdict: Verdict
    rejected_by: str = ""
    reject_reason: str = ""
    superseded: bool = False
    adjusted_micro: int = 0
    outcome: Outcome = ""
    outdated_micro: int = 0

    @property
    def missing_micro(self) -> int:
        """Return what stock still has to change by for the line."""
        if self.rejected_by or self.superseded:
            return 0
        return self.judgement.variance_micro - self.adjusted_micro

    @property
    def thing(self) -> Thing:
        """Return the goods and their place."""
        return self.counted.thing

    @property
    def value_micro(self) -> int:
        """Return what the variance is worth, 10^-6 of the currency, towards zero; 0: unknown."""
        size = abs(self.judgement.variance_micro) * self.worth.cost_micro // 1_000_000
        return size if self.judgement.variance_micro > 0 else -size


@dataclass(frozen=True, slots=True)
class Standing:
    """How a count stands. variances: by place and goods. uncounted: lines of the present round."""

    variances: tuple[Variance, ...]
    uncounted: tuple[CountLine, ...]
    counters: frozenset[str]
