"""Decides at the receiving end: in which order, what is new, what the gateway is told. Pure.

The ledger stands at `acked` in each epoch, with the digest chain there. A call brings batches in
any order; of one gateway they are taken by epoch and first number, so that what was only reordered
on the way costs nothing. Nothing is taken before all that comes before it in its epoch.

    the batch                                 what follows                 the acknowledgement
    its first number is beyond acked + 1      gap           nothing        want = acked + 1
    overlaps, with another digest             fork          quarantine     problem "fork"
    begins at acked + 1, on another chain     broken_chain  quarantine     problem "broken_chain"
    ends at acked or before                   duplicate     nothing        as it stands
    else                                      accept        facts from     acked = its last number
                                                            `offset` on
    refused for what it is, not where         -             quarantine     its problem, as it stands

An acknowledgement with a problem names the payload that it is about, since another than the gateway
may have sent it. It never takes the place of a good one: both are told.
"""

import hashlib
from collections.abc import Callable, Sequence

import msgspec

from central.contract.acks import Ack, AckProblem
from central.contract.envelope import Batch
from central.contract.facts import NO_HEAD
from central.contract.identifiers import Epoch
from central.inbox.sequences import Verdict, classify, overlap_seq

# Facts that a gateway may have under way while the intake keeps up, and while it is far behind.
CREDIT_COUNT = 8000
CREDIT_COUNT_MIN = 250
# Whoever may publish at the broker can make the ledger say so in any gateway's name.
FORGEABLE: frozenset[str] = frozenset({"bad_signature", "unknown_gateway"})


class Standing(msgspec.Struct, frozen=True):
    """How far the ledger has an epoch. acked: 0 for nothing. head_digest: the chain there.

    stable: facts up to this number are backed up or replicated; at most `acked`.
    """

    acked: int
    head_digest: bytes
    stable: int = 0


NOTHING = Standing(0, NO_HEAD)


def take_order(batches: Sequence[Batch | None]) -> list[int]:
    """Return the indices of `batches` in the order in which to take them.

    Those of one gateway change places among themselves; None (what could not be read) stays.
    """
    places: dict[str, list[int]] = {}
    for index, batch in enumerate(batches):
        if batch is not None:
            places.setdefault(batch.gateway, []).append(index)
    order = list(range(len(batches)))
    for of_gateway in places.values():
        for place, index in zip(of_gateway, _by_number(of_gateway, batches), strict=True):
            order[place] = index
    return order


def judge(standing: Standing, batch: Batch, *, digest_at: Callable[[int], bytes | None]) -> Verdict:
    """Return what is new of a batch.

    digest_at: returns the ledger's chain after a fact that it has, below `acked`; None if that
    fact is not there.
    """
    overlap = overlap_seq(acked=standing.acked, first_seq=batch.first_seq, last_seq=batch.last_seq)
    known_digest: bytes | None = standing.head_digest
    if overlap is not None and overlap < standing.acked:
        known_digest = digest_at(overlap)
    return classify(
        acked=standing.acked,
        head_digest=standing.head_digest,
        first_seq=batch.first_seq,
        previous_digest=batch.previous_digest,
        digests=batch.digests,
        known_digest=known_digest,
    )


def advanced(standing: Standing, batch: Batch, *, stable_at_commit: bool) -> Standing:
    """Return where the ledger stands once a batch is taken to its end.

    stable_at_commit: what is committed is replicated already; else a backup has to come first.
    """
    stable = batch.last_seq if stable_at_commit else standing.stable
    return Standing(batch.last_seq, batch.digests[-1], stable)


def acknowledgement(
    *,
    gateway: str,
    epoch: Epoch,
    standing: Standing | None,
    credit_count: int,
    generation: str,
    ledger_time_ms: int,
    problem: AckProblem = "",
    refused_digest: bytes = b"",
) -> Ack:
    """Return what to tell the gateway about an epoch, not yet signed.

    standing: None for an epoch of which the ledger says nothing, as of a gateway unknown to it.
    refused_digest: `digest_of` the payload that `problem` is about.
    """
    stands = standing or NOTHING
    return Ack(
        gateway=gateway,
        start_count=epoch.start_count,
        nonce=epoch.nonce,
        acked=stands.acked,
        want=stands.acked + 1,
        head_digest=stands.head_digest,
        credit_count=credit_count,
        ledger_generation=generation,
        ledger_time_ms=ledger_time_ms,
        problem=problem,
        refused_digest=refused_digest,
        stable=stands.stable,
    )


def digest_of(payload: bytes) -> bytes:
    """Return what names a refused payload: its SHA-256."""
    return hashlib.sha256(payload).digest()


def credit_for(*, waiting_count: int, waiting_max: int) -> int:
    """Return how many facts a gateway may have under way while messages wait for the ledger.

    It falls evenly to CREDIT_COUNT_MIN, never to 0: a gateway must be able to ask where it stands.
    """
    free_count = max(0, waiting_max - waiting_count)
    return max(CREDIT_COUNT_MIN, CREDIT_COUNT * free_count // waiting_max)


def to_publish(acks: Sequence[Ack]) -> list[Ack]:
    """Return which of the acknowledgements of one call to publish, in their order.

    Of each epoch the last good one, which says all that those before it said, and the last one
    with a problem; one that anyone can bring about only where there is nothing else to say.
    """
    told: dict[tuple[str, Epoch, bool], int] = {}
    good_or_sure = {(ack.gateway, ack.epoch) for ack in acks if ack.problem not in FORGEABLE}
    for index, ack in enumerate(acks):
        if ack.problem not in FORGEABLE or (ack.gateway, ack.epoch) not in good_or_sure:
            told[ack.gateway, ack.epoch, ack.problem == ""] = index
    return [acks[index] for index in sorted(told.values())]


def is_retained(ack: Ack) -> bool:
    """Return whether the broker is to keep an acknowledgement for a gateway that connects later.

    Only good ones: a stranger's refused batch must not take the place of the last word.
    """
    return ack.problem == ""


def _by_number(indices: Sequence[int], batches: Sequence[Batch | None]) -> list[int]:
    def number(index: int) -> tuple[Epoch, int]:
        batch = batches[index]
        assert batch is not None
        return batch.epoch, batch.first_seq

    return sorted(indices, key=number)
