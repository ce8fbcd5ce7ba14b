"""Whether a call posted what came late; by which fact something is told. Edge of the database."""

from sqlalchemy import Connection, and_, select

from central.ledger.ledger import Posted
from central.ledger.runs import Run
from central.orders.settling.discrepancy_facts import Found
from central.storage import tables

LATE_MS = 60_000  # What is told sooner is not looked at: that is how long facts are on their way.


def has_late(posted: Posted) -> bool:
    """Return whether a call may have late facts, or takes some back."""
    if posted.taken_back:
        return True
    late_ms = posted.now_ms - LATE_MS
    return any(_begins_late(run, late_ms) for run in posted.runs)


def told_by(connection: Connection, record_no: int) -> Found:
    """Return the fact of a record, or what has taken it back since."""
    facts, marks = tables.facts, tables.reversals.c
    fact = connection.execute(select(facts).where(facts.c.record_no == record_no)).one()
    marked = (marks.warehouse, marks.gateway, marks.epoch, marks.seq)
    stated = (fact.warehouse, fact.gateway, fact.epoch, fact.seq)
    back = connection.execute(
        select(facts)
        .join(
            tables.reversals,
            and_(
                facts.c.warehouse == marks.warehouse,
                facts.c.gateway == marks.gateway,
                facts.c.epoch == marks.by_epoch,
                facts.c.seq == marks.by_seq,
            ),
        )
        .where(*(column == part for column, part in zip(marked, stated, strict=True)))
    ).first()
    return back or fact


def _begins_late(run: Run, late_ms: int) -> bool:
    """Return whether a run may have late facts: they come in the order in which they happened."""
    fact = run.read.facts[0]
    return isinstance(fact, str) or fact.event_time_ms < late_ms
