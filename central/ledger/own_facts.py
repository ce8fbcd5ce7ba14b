"""Facts of the ledger's own journal, posted as any. Edge of the database.

A settlement, an accepted inspection or the end of a transfer changes stock without a gateway. It is
a fact like any other, of the gateway `central`, in one epoch for each warehouse and life of the
ledger, with the same chain. A ledger restored from a backup begins another life, so no number is
ever given twice.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec
from sqlalchemy import Connection, select

from central.contract.facts import NO_HEAD, Fact, chain_next, chain_start, encode_fact
from central.contract.identifiers import Epoch
from central.ledger.entries import FactKey
from central.ledger.ledger import Ledger
from central.ledger.reading import read_facts
from central.ledger.runs import Run
from central.ledger.state import LedgerState
from central.storage import bulk, tables

OWN_GATEWAY = "central"  # No gateway is enrolled with this code.
OWN_BOOT = "ledger"


@dataclass(frozen=True, slots=True)
class _Head:
    epoch: str
    acked_seq: int
    digest: bytes


def own_epoch(generation: str, warehouse: str) -> Epoch:
    """Return the epoch of the ledger's own facts about a warehouse in one life of the ledger."""
    digest = hashlib.sha256(f"dockledger own 1\0{generation}\0{warehouse}".encode()).digest()
    return Epoch(start_count=1, nonce=int.from_bytes(digest[:8], "big"))


def post_own_facts(
    connection: Connection,
    ledger: Ledger,
    state: LedgerState,
    drafts: Sequence[Fact],
    *,
    now_ms: int,
) -> tuple[list[FactKey], LedgerState]:
    """Post facts of one warehouse in the order given; return their identities and the state after.

    state: as locked in this transaction. The number in a draft is of no matter. Raises
    ContractError for a draft that cannot be true, and then the caller rolls back.
    """
    if not drafts:
        return [], state
    warehouse = drafts[0].warehouse
    assert all(draft.warehouse == warehouse for draft in drafts)
    head = _head(connection, state, warehouse)
    bodies, digests, digest = [], [], head.digest
    for seq, draft in enumerate(drafts, head.acked_seq + 1):
        body = encode_fact(msgspec.structs.replace(draft, seq=seq))
        digest = chain_next(digest, body)
        bodies.append(body)
        digests.append(digest)
    first_seq = head.acked_seq + 1
    run = Run(
        warehouse,
        OWN_GATEWAY,
        head.epoch,
        first_seq,
        state.record_no + 1,
        bodies,
        digests,
        read_facts(bodies, first_seq=first_seq),
    )
    ledger.post(connection, state, [run], now_ms=now_ms)
    last_seq = head.acked_seq + len(drafts)
    position = (OWN_GATEWAY, head.epoch, warehouse, last_seq, digest, NO_HEAD, now_ms, last_seq)
    bulk.upsert_rows(connection, tables.positions, [position])
    keys = [
        FactKey(warehouse, OWN_GATEWAY, head.epoch, seq) for seq in range(first_seq, last_seq + 1)
    ]
    return keys, replace(state, record_no=state.record_no + len(drafts))


def _head(connection: Connection, state: LedgerState, warehouse: str) -> _Head:
    epoch, table = own_epoch(state.generation, warehouse), tables.positions.c
    row = connection.execute(
        select(table.acked_seq, table.head_digest).where(
            table.gateway == OWN_GATEWAY, table.epoch == str(epoch)
        )
    ).first()
    if row is not None:
        return _Head(str(epoch), row.acked_seq, bytes(row.head_digest))
    start = chain_start(gateway=OWN_GATEWAY, epoch=epoch, previous_epoch_head=NO_HEAD)
    return _Head(str(epoch), 0, start)
