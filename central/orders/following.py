"""Who follows what is posted, in this order. Root."""

from central.ledger.ledger import Follower

FOLLOWERS: tuple[Follower, ...] = ()
