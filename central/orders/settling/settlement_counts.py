"""By how much a posted count is off as something came late; amends it. Edge of the database."""

from sqlalchemy import Connection

from central.errors import Conflict
from central.ledger.desk import Change
from central.orders.counts.count_posting import amend_count
from central.orders.counts.count_reading import read_standing
from central.orders.counts.count_rows import load_head
from central.orders.counts.outdated_rows import OUTDATED, subject_of
from central.orders.settling.cases import Case
from central.orders.settling.discrepancy_facts import Found
from central.orders.settling.settlements import Decision


def case_of_count(connection: Connection, row: Found) -> Case:
    """Return by how much the adjustment of a line would change by all that is known now."""
    try:
        off_micro: int | None = _off_micro(connection, row)
    except Conflict:
        off_micro = None  # More has moved since than is looked through.
    return Case(kind=OUTDATED, amended_micro=off_micro)


def is_amended(change: Change, row: Found, decision: Decision) -> bool:
    """Amend the count that a discrepancy is about, all of its lines, if that is decided.

    Returns False if it is about no count, or decided otherwise. Raises Conflict if the count agrees
    by now, or if more has moved since than is looked through.
    """
    if row.kind != OUTDATED or decision.action != "adjust":
        return False
    if not _off_micro(change.connection, row):
        raise Conflict(
            f"the adjustment of {row.document} is right by now", hint="Accept it: nothing is off."
        )
    amend_count(change, row.document, version=None, settles=row.id)
    return True


def _off_micro(connection: Connection, row: Found) -> int:
    variances = read_standing(connection, load_head(connection, row.document)).variances
    return sum(
        one.missing_micro for one in variances if subject_of(row.document, one.thing) == row.subject
    )
