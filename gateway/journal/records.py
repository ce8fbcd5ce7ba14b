"""What the journal takes and gives. Pure."""

from dataclasses import dataclass
from decimal import Decimal

from central.contract.facts import PrintOutcome
from central.contract.identifiers import Epoch, FactId
from drivers.labels import Label


@dataclass(frozen=True, slots=True)
class Appended:
    """What one durable append gave numbers to, in the order of the drafts."""

    fact_ids: tuple[FactId, ...]
    print_jobs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A contiguous run of one epoch, ready to be put into a batch.

    previous_epoch_head: head of the epoch before this one. previous_digest: chain before the run.
    """

    epoch: Epoch
    first_seq: int
    previous_epoch_head: bytes
    previous_digest: bytes
    facts: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class EpochProgress:
    """How far one epoch is. head_seq 0: nothing recorded. acked_seq: committed by the ledger."""

    epoch: Epoch
    head_seq: int
    acked_seq: int


@dataclass(frozen=True, slots=True)
class StockRow:
    """Local stock of one key; on_hand may be negative (a fact is never refused)."""

    location: str
    item: str
    lot: str
    serial: str
    sscc: str
    unit: str
    on_hand: Decimal


@dataclass(frozen=True, slots=True)
class PrintJob:
    """A queued print job. state: "queued", "claimed", or a PrintOutcome once it is over.

    claimed means bytes may have gone to the printer: after a crash such a job is "unknown".
    """

    number: int
    printer: str
    template: str
    content: str
    label: Label
    copies_count: int
    state: str
    outcome: PrintOutcome | None
    detail: str
