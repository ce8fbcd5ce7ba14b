"""Facts of the ledger's own journal, posted as any. Edge of the database.

A settlement, an accepted inspection or the end of a transfer changes stock without a gateway. It is
a fact like any other, of the gateway `central`, in one epoch for each warehouse and life of the
ledger, with the same chain. A ledger restored from a backup begins another life, so no number is
ever given twice.
"""

import hashlib
from collections.abc import Sequence

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection

from central.contract.facts import NO_HEAD, Fact, chain_next, chain_start, encode_fact
from central.contract.identifiers import Epoch
from central.ledger.entries import OWN_GATEWAY, FactKey
from central.ledger.ledger import Ledger
from central.ledger.reading import read_facts
from central.ledger.runs import Run
from central.ledger.state import LedgerState, set_state
from central.storage import bulk, tables

__all__ = ["OWN_GATEWAY"]

OWN_BOOT = "ledger"
HEADS_KEPT_MAX = 1000  # Warehouses of which the head is remembered.


class Head(msgspec.Struct, frozen=True):
    """Where an epoch of the ledger's own stands."""

    epoch: str
    acked_seq: int
    digest: bytes


class Heads:
    """Heads that were written or read last, by generation and warehouse.

    They are good as long as the state counts as many facts of the ledger's own as then.
    """

    def __init__(self) -> None:
        self._facts_count: int | None = 0
        self._heads: dict[tuple[str, str], Head] = {}

    def known(self, state: LedgerState, warehouse: str) -> Head | None:
        """Return the head of a warehouse, None if it has to be read."""
        if state.own_facts_count != self._facts_count:
            self._heads.clear()
        return self._heads.get((state.generation, warehouse))

    def remember(self, state: LedgerState, warehouse: str, head: Head) -> None:
        """Remember a head as it is when the state is this."""
        if len(self._heads) >= HEADS_KEPT_MAX:
            self._heads.clear()
        self._facts_count = state.own_facts_count
        self._heads[state.generation, warehouse] = head


def own_epoch(generation: str, warehouse: str) -> Epoch:
    """Return the epoch of the ledger's own facts about a warehouse in one life of the ledger."""
    digest = hashlib.sha256(f"dockledger own 1\0{generation}\0{warehouse}".encode()).digest()
    return Epoch(start_count=1, nonce=int.from_bytes(digest[:8], "big"))


def post_own_facts(
    connection: Connection,
    ledger: Ledger,
    heads: Heads,
    state: LedgerState,
    drafts: Sequence[Fact],
    *,
    now_ms: int,
    foreseen: bool = False,
) -> tuple[list[FactKey], LedgerState]:
    """Post facts of one warehouse in the order given; return their identities and the state after.

    heads: as they are remembered. state: as locked in this transaction. The number in a draft is
    of no matter. foreseen: `Ledger.foresee` was asked for them. Raises ContractError for a draft
    that cannot be true, and then the caller rolls back.
    """
    if not drafts:
        return [], state
    warehouse = drafts[0].warehouse
    assert all(draft.warehouse == warehouse for draft in drafts)
    head = heads.known(state, warehouse) or _head(connection, state, warehouse)
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
    ledger.post(connection, state, [run], now_ms=now_ms, foreseen=foreseen)
    last_seq = head.acked_seq + len(drafts)
    position = (OWN_GATEWAY, head.epoch, warehouse, last_seq, digest, NO_HEAD, now_ms, last_seq)
    bulk.upsert_rows(connection, tables.positions, [position])
    after = replace(state, record_no=state.record_no + len(drafts))
    if state.own_facts_count is not None:
        own_facts_count = state.own_facts_count + len(drafts)
        set_state(connection, "own_facts_count", str(own_facts_count))
        after = replace(after, own_facts_count=own_facts_count)
        heads.remember(after, warehouse, Head(head.epoch, last_seq, digest))
    keys = [
        FactKey(warehouse, OWN_GATEWAY, head.epoch, seq) for seq in range(first_seq, last_seq + 1)
    ]
    return keys, after


def _head(connection: Connection, state: LedgerState, warehouse: str) -> Head:
    epoch = own_epoch(state.generation, warehouse)
    keys = [(OWN_GATEWAY, str(epoch))]
    for row in bulk.select_by_key(connection, tables.positions, keys, columns_count=2):
        return Head(str(epoch), row[3], bytes(row[4]))
    start = chain_start(gateway=OWN_GATEWAY, epoch=epoch, previous_epoch_head=NO_HEAD)
    return Head(str(epoch), 0, start)
