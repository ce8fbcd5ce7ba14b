"""What `verify-ledger` proves beyond the ledger's own books, in this order. Root."""

from collections.abc import Callable, Iterator

from sqlalchemy import Connection

from central.ledger.checkpoints import checkpoint_faults
from central.ledger.fact_check import Fault
from central.orders.counts import count_proof
from central.orders.purchasing import purchase_proof
from central.orders.reserving import reservation_proof
from central.orders.settling import period_proof, settlement_proof
from central.orders.transfers import transfer_proof

# Yields what is off in one state of the database; it streams and writes nothing.
Proof = Callable[[Connection], Iterator[Fault]]

PROOFS: tuple[Proof, ...] = (
    checkpoint_faults,
    reservation_proof.faults,
    settlement_proof.faults,
    period_proof.faults,
    count_proof.faults,
    transfer_proof.faults,
    purchase_proof.faults,
)
