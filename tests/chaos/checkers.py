"""Judges what journals and ledger hold when all is at rest, apart from the product's code. Pure.

Nothing here knows how the product works; it compares what people saw (green), what the gateways
wrote down and what the ledger has. Each fault is one sentence; none means all is well.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

FAULTS_SHOWN_MAX = 5
PIECE_MICRO = 1_000_000
QUIET_KINDS = frozenset({"fork", "broken_chain", "unreadable", "wrong_warehouse"})


@dataclass(frozen=True, slots=True)
class LedgerFact:
    """One row of the ledger's facts. digest: hexadecimal."""

    record_no: int
    gateway: str
    epoch: str
    seq: int
    digest: str


@dataclass(frozen=True, slots=True)
class LedgerPosition:
    """How far the ledger says that it has an epoch."""

    gateway: str
    epoch: str
    acked: int
    digest: str


@dataclass(frozen=True, slots=True)
class LedgerEvidence:
    """What the ledger's database holds, as one consistent state.

    facts: in the ledger's own order. receipts: (gateway, serial) of every line that takes a serial
    number in. sums: every double entry and every item of which the lines do not sum to zero.
    on_hand: serial -> micro at the place of receipt. refused: quarantined payloads and
    discrepancies that no fault of the network or of a power cut explains.
    """

    facts: Sequence[LedgerFact]
    positions: Sequence[LedgerPosition]
    receipts: Sequence[tuple[str, str]]
    sums: Sequence[str]
    on_hand: Mapping[str, int]
    refused: Sequence[str]


@dataclass(frozen=True, slots=True)
class StandEvidence:
    """One gateway. marks: (epoch, seq) -> digest of its journal. greens: serials shown green."""

    gateway: str
    marks: Mapping[tuple[str, int], str]
    greens: frozenset[str]


def faults_of(stands: Sequence[StandEvidence], ledger: LedgerEvidence) -> list[str]:
    """Return what is wrong, at most FAULTS_SHOWN_MAX of each kind."""
    found: list[str] = []
    for faults in (
        _serial_faults(stands, ledger),
        _journal_faults(stands, ledger),
        _order_faults(ledger),
        _position_faults(stands, ledger),
        _stock_faults(ledger),
        (f"does not sum to zero: {text}" for text in ledger.sums),
        (f"refused without a reason: {text}" for text in ledger.refused),
    ):
        found += _first(faults)
    return found


def ack_faults(
    heard: Mapping[tuple[str, str], int], committed: Mapping[tuple[str, str], int]
) -> list[str]:
    """Return the epochs of which more was acknowledged than was committed at a later moment."""
    return [
        f"acknowledged before the commit: {gateway}/{epoch} up to {acked},"
        f" the ledger has {committed.get((gateway, epoch), 0)}"
        for (gateway, epoch), acked in heard.items()
        if acked > committed.get((gateway, epoch), 0)
    ]


def _serial_faults(stands: Sequence[StandEvidence], ledger: LedgerEvidence) -> Iterator[str]:
    counts = Counter(ledger.receipts)
    for stand in stands:
        for serial in sorted(stand.greens):
            count = counts[stand.gateway, serial]
            if count == 0:
                yield f"lost: {stand.gateway} showed {serial} green, the ledger has it not"
    for (gateway, serial), count in counts.items():
        if count > 1:
            yield f"doubled: {serial} of {gateway} is in the ledger {count} times"


def _journal_faults(stands: Sequence[StandEvidence], ledger: LedgerEvidence) -> Iterator[str]:
    posted: defaultdict[str, dict[tuple[str, int], str]] = defaultdict(dict)
    for fact in ledger.facts:
        key = fact.epoch, fact.seq
        if key in posted[fact.gateway]:
            yield f"doubled: fact {fact.gateway}/{fact.epoch}/{fact.seq}"
        posted[fact.gateway][key] = fact.digest
    for stand in stands:
        mine = posted.pop(stand.gateway, {})
        for epoch, seq in sorted(stand.marks.keys() - mine.keys()):
            yield f"lost: fact {stand.gateway}/{epoch}/{seq} of the journal"
        for epoch, seq in sorted(mine.keys() - stand.marks.keys()):
            yield f"invented: fact {stand.gateway}/{epoch}/{seq} is in no journal"
        for key in mine.keys() & stand.marks.keys():
            if mine[key] != stand.marks[key]:
                yield f"changed: digest of fact {stand.gateway}/{key[0]}/{key[1]}"
    for gateway in posted:
        yield f"invented: facts of {gateway}, which is no gateway of ours"


def _order_faults(ledger: LedgerEvidence) -> Iterator[str]:
    """Each epoch from 1 on, without a gap, in the ledger's own order, which has none, either."""
    next_seq: defaultdict[tuple[str, str], int] = defaultdict(lambda: 1)
    for number, fact in enumerate(ledger.facts, 1):
        if fact.record_no != number:
            yield f"record number {fact.record_no} stands at place {number}"
            return
        expected = next_seq[fact.gateway, fact.epoch]
        if fact.seq != expected:
            yield (
                f"out of order: {fact.gateway}/{fact.epoch} goes on with {fact.seq},"
                f" not {expected}, at record {number}"
            )
        next_seq[fact.gateway, fact.epoch] = fact.seq + 1


def _position_faults(stands: Sequence[StandEvidence], ledger: LedgerEvidence) -> Iterator[str]:
    heads: dict[tuple[str, str], tuple[int, str]] = {}
    for stand in stands:
        for (epoch, seq), digest in stand.marks.items():
            if seq > heads.get((stand.gateway, epoch), (0, ""))[0]:
                heads[stand.gateway, epoch] = seq, digest
    for position in ledger.positions:
        head = heads.pop((position.gateway, position.epoch), (0, ""))
        if position.acked and head != (position.acked, position.digest):
            yield (
                f"position of {position.gateway}/{position.epoch}: the ledger says"
                f" {position.acked} {position.digest[:8]}, the journal {head[0]} {head[1][:8]}"
            )
    for gateway, epoch in heads:
        yield f"no position of {gateway}/{epoch}"


def _stock_faults(ledger: LedgerEvidence) -> Iterator[str]:
    serials = {serial for _, serial in ledger.receipts}
    for serial in sorted(serials ^ ledger.on_hand.keys()):
        yield f"stock: {serial} is {'received' if serial in serials else 'on hand'} alone"
    for serial, micro in ledger.on_hand.items():
        if micro != PIECE_MICRO:
            yield f"stock: {micro} millionths of {serial} are on hand"


def _first(faults: Iterable[str]) -> list[str]:
    found: list[str] = []
    for fault in faults:
        if len(found) == FAULTS_SHOWN_MAX:
            return [*found, "... and more of this kind"]
        found.append(fault)
    return found
