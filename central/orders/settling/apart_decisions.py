"""Does what is decided and moves nothing by itself: a card corrected, a count amended. Edge."""

from central.ledger.desk import Change
from central.orders.settling.discrepancy_facts import Found
from central.orders.settling.lot_corrections import correct_as_decided
from central.orders.settling.settlement_counts import is_amended
from central.orders.settling.settlements import Decision


def is_done_apart(change: Change, row: Found, decision: Decision) -> bool:
    """Do it if it is decided so; return False if a settlement posts what is decided.

    Raises Conflict, Unusable for what cannot be done.
    """
    if decision.action == "correct":
        correct_as_decided(change, row, decision)
        return True
    return is_amended(change, row, decision)
