"""What `verify-ledger` proves beyond the ledger's own books, in this order. Root."""

from collections.abc import Callable, Iterator

from sqlalchemy import Connection

from central.ledger.fact_check import Fault
from central.orders import (
    count_proof,
    period_proof,
    purchase_proof,
    reservation_proof,
    settlement_proof,
    transfer_proof,
)

# Yields what is off in one state of the database; it streams and writes nothing.
Proof = Callable[[Connection], Iterator[Fault]]

PROOFS: tuple[Proof, ...] = (
    reservation_proof.faults,
    settlement_proof.faults,
    period_proof.faults,
    count_proof.faults,
    transfer_proof.faults,
    purchase_proof.faults,
)
