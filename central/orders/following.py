"""Who follows what is posted, in this order. Root."""

from central.ledger.ledger import Follower
from central.orders.counts.count_following import follow_counts
from central.orders.purchasing.purchase_following import follow_arrivals, follow_inspections
from central.orders.reserving.reservation_following import follow_reservations
from central.orders.settling.period_late import follow_late
from central.orders.settling.settlement_following import follow_recovered
from central.orders.transfers.transfer_following import follow_transfers

FOLLOWERS: tuple[Follower, ...] = (
    follow_reservations,
    follow_recovered,
    follow_late,
    follow_transfers,
    follow_counts,
    follow_arrivals,
    follow_inspections,
)
