"""Settles what a gateway takes back that had moved nothing. Edge of the database.

Its bytes were no fact, it was about another warehouse, or too much for a balance: the gateway alone
counted it, and no longer does. Then neither is anything to settle, the fact or what takes it back.
If somebody has settled the fact already, maybe by posting it, what takes it back stays open.
"""

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection

from central.contract.facts import Movement, Packing, Reversal
from central.ledger.discrepancies import settle_subjects
from central.ledger.entries import DiscrepancyKind, FactKey, Finding
from central.ledger.ledger import Posted
from central.ledger.runs import Run
from central.orders.settling.discrepancy_facts import fact_at
from central.orders.settling.taken_back_facts import Subject, open_ones, settle_emptied
from central.orders.settling.taken_back_subjects import subjects_of

# Opened by what takes back what moved nothing.
UNMATCHED = frozenset({"reversal_unmatched", "wrong_warehouse"})
# Opened by what moved nothing.
UNMOVED: tuple[DiscrepancyKind, ...] = ("unreadable_fact", "wrong_warehouse", "quantity_overflow")


def settle_unmoved(connection: Connection, posted: Posted) -> None:
    """Settle what moved nothing and is taken back, with what takes it back."""
    for finding in posted.findings:
        if finding.kind == "packing_impossible":
            _settle_unpacked(connection, posted, finding)
            continue
        target = _target_of(finding, posted.runs) if finding.kind in UNMATCHED else None
        if target is None:
            continue
        name = "/".join(map(str, target[1:]))
        about: list[Subject] = [(target.warehouse, kind, name) for kind in UNMOVED]
        if not open_ones(connection, about):
            continue
        why = f"record {finding.record_no} takes {name} back, which had moved nothing"
        unmatched = (finding.warehouse, finding.kind, finding.subject)
        settle_subjects(connection, [*about, unmatched], settlement=why, now_ms=posted.now_ms)
        movement = fact_at(connection, target)
        if isinstance(movement, Movement):
            said = [(target.warehouse, *one) for one in subjects_of(movement, ())]
            settle_emptied(connection, dict.fromkeys(said, why), now_ms=posted.now_ms)


def _settle_unpacked(connection: Connection, posted: Posted, finding: Finding) -> None:
    """Settle that a unit could not be packed into another, once it is taken out of that again."""
    (fact,) = _facts_of(finding, posted.runs)
    if not isinstance(fact, Packing) or fact.action == "pack":
        return
    about = (finding.warehouse, finding.kind, finding.subject)
    for row in open_ones(connection, [about]):
        if row.detail.startswith("to pack "):
            why = f"record {finding.record_no} takes out again what never was in {fact.parent}"
            settle_subjects(connection, [about], settlement=why, now_ms=posted.now_ms)


def _target_of(finding: Finding, runs: Sequence[Run]) -> FactKey | None:
    """Return what the fact of a finding takes back, None if it takes nothing back."""
    for fact in _facts_of(finding, runs):
        if isinstance(fact, Reversal):
            epoch, seq = fact.reverses_epoch, fact.reverses_seq
            return FactKey(finding.warehouse, finding.gateway, epoch, seq)
    return None


def _facts_of(finding: Finding, runs: Sequence[Run]) -> Iterator[object]:
    for run in runs:
        index = finding.seq - run.first_seq
        of_run = (run.gateway, run.epoch) == (finding.gateway, finding.epoch)
        if of_run and 0 <= index < len(run.bodies):
            yield run.read.facts[index]
