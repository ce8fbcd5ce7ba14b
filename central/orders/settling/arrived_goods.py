"""Which facts moved goods unavailable, or brought what left so as available. Edge of SQL.

Discrepancies about goods that left unavailable are told apart from these by the document: it is the
transfer whose goods came.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from central.contract.facts import Movement
from central.ledger.entries import Line, balance_name
from central.ledger.locations import CUSTOMER, IN_TRANSIT
from central.ledger.statuses import AVAILABLE
from central.orders.transfers.transfer_closing import Thing
from central.orders.transfers.transit_crossings import subject_of


def is_moved_so(row: Row[Any], movement: Movement, line: Row[Any]) -> bool:
    """Return whether a movement is of the goods of a `moved_unavailable`. line: its giving side."""
    if row.document:
        thing = Thing(movement.item, line.lot, line.serial, line.unit)
        received = (movement.from_location, movement.document) == (IN_TRANSIT, row.document)
        return received and subject_of(row.document, thing) == row.subject
    left = movement.to_location in {CUSTOMER, IN_TRANSIT}
    return left and (line.location, line.lot) == (row.location, row.lot)


def takes_so(row: Row[Any], lines: Sequence[Line]) -> bool:
    """Return whether lines take what a `moved_unavailable` is about: goods of its status.

    Of what came by a transfer what was under way is taken as available.
    """
    taken = [line for line in lines if line.quantity_micro < 0]
    if row.document:
        so = (row.location, AVAILABLE)
        return any((line.location, line.status) == so for line in taken)
    return any(balance_name(line.balance_key) == row.subject for line in taken)
