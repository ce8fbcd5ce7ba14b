"""Decides what of a batch is new: sequence numbers and the digest chain, nothing else. Pure.

ledger has 1 .. acked            batch is first .. last

first > acked + 1                gap            nothing is taken, want acked + 1
overlap with another digest      fork           two histories under one identity
first = acked + 1, other chain   broken_chain   it does not continue what the ledger has
last <= acked                    duplicate      acknowledged again
else                             accept         the first `offset` facts are known already
"""

from collections.abc import Sequence
from typing import Literal

import msgspec


class Verdict(msgspec.Struct, frozen=True):
    """What to do with a batch. offset: how many of its facts the ledger has, for "accept"."""

    kind: Literal["accept", "duplicate", "gap", "fork", "broken_chain"]
    offset: int = 0


def overlap_seq(*, acked: int, first_seq: int, last_seq: int) -> int | None:
    """Return the last number that both the ledger and the batch have, None if there is none."""
    last_known = min(acked, last_seq)
    return last_known if last_known >= first_seq else None


def classify(
    *,
    acked: int,
    head_digest: bytes,
    first_seq: int,
    previous_digest: bytes,
    digests: Sequence[bytes],
    known_digest: bytes | None,
) -> Verdict:
    """Return what is new of a batch.

    head_digest: the ledger's chain at `acked`; without meaning for 0, where the decoder has
    checked the start of the chain. known_digest: the ledger's chain at `overlap_seq`. An equal
    digest there means that every fact before it is equal too.
    """
    if first_seq > acked + 1:
        return Verdict("gap")
    last_seq = first_seq + len(digests) - 1
    overlap = overlap_seq(acked=acked, first_seq=first_seq, last_seq=last_seq)
    if overlap is not None:
        if digests[overlap - first_seq] != known_digest:
            return Verdict("fork")
    elif acked and previous_digest != head_digest:
        return Verdict("broken_chain")
    if last_seq <= acked:
        return Verdict("duplicate")
    return Verdict("accept", acked + 1 - first_seq)
