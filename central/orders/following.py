"""Who follows what is posted, in this order. Root."""

from central.ledger.document_shares import follow_shares, share_looks
from central.ledger.ledger import Follower, ForeseeingFollower
from central.ledger.reversals import DecidingFollower
from central.orders.counts.count_following import follow_counts
from central.orders.purchasing.decided_arrivals import became_of
from central.orders.purchasing.inspection_following import follow_decisions
from central.orders.purchasing.purchase_following import follow_arrivals, follow_inspections
from central.orders.reserving.reservation_following import (
    follow_reservations,
    reservation_looks,
)
from central.orders.return_following import follow_returns
from central.orders.settling.filled_following import follow_fillings
from central.orders.settling.parted_pieces import follow_parts
from central.orders.settling.period_late import follow_late
from central.orders.settling.settlement_following import (
    follow_dates,
    follow_recovered,
    follow_singles,
)
from central.orders.transfers.transfer_following import follow_transfers, transfer_looks
from central.orders.transfers.unit_following import follow_units

FOLLOWERS: tuple[Follower, ...] = (
    ForeseeingFollower(follow_reservations, reservation_looks),
    follow_recovered,
    follow_fillings,
    follow_singles,
    follow_dates,
    follow_parts,
    follow_late,
    ForeseeingFollower(follow_transfers, transfer_looks),
    follow_units,
    follow_counts,
    follow_arrivals,
    follow_returns,
    DecidingFollower(follow_inspections, became_of),
    follow_decisions,
    ForeseeingFollower(follow_shares, share_looks),
)
