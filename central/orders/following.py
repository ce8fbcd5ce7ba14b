"""Who follows what is posted, in this order. Root."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from sqlalchemy import Connection

from central.ledger.decided_goods import Became
from central.ledger.document_shares import follow_shares, share_looks
from central.ledger.entries import FactKey
from central.ledger.ledger import Follower, ForeseeingFollower
from central.ledger.posting import PostedMovement
from central.ledger.reversals import DecidingFollower
from central.orders.counts.count_following import follow_counts
from central.orders.purchasing import decided_arrivals
from central.orders.purchasing.inspection_following import follow_decisions
from central.orders.purchasing.purchase_following import follow_arrivals, follow_inspections
from central.orders.reserving.reservation_following import (
    follow_reservations,
    reservation_looks,
)
from central.orders.return_following import follow_returns
from central.orders.sales import decided_returns
from central.orders.settling.filled_following import follow_fillings
from central.orders.settling.found_twice import follow_found
from central.orders.settling.parted_pieces import follow_parts
from central.orders.settling.period_late import follow_late
from central.orders.settling.settlement_following import (
    follow_dates,
    follow_recovered,
    follow_singles,
)
from central.orders.transfers.transfer_following import follow_transfers, transfer_looks
from central.orders.transfers.unit_following import follow_units


def _became_of(
    connection: Connection,
    movements: Mapping[FactKey, PostedMovement],
    taken_back: AbstractSet[FactKey],
) -> dict[FactKey, tuple[Became, ...]]:
    """Return what inspections, and returns of customers, have made of goods since they came."""
    found = decided_arrivals.became_of(connection, movements, taken_back)
    return found | decided_returns.became_of(connection, movements)


FOLLOWERS: tuple[Follower, ...] = (
    ForeseeingFollower(follow_reservations, reservation_looks),
    follow_recovered,
    follow_fillings,
    follow_singles,
    follow_dates,
    follow_parts,
    follow_late,
    ForeseeingFollower(follow_transfers, transfer_looks),
    follow_found,
    follow_units,
    follow_counts,
    follow_arrivals,
    follow_returns,
    DecidingFollower(follow_inspections, _became_of),
    follow_decisions,
    ForeseeingFollower(follow_shares, share_looks),
)
