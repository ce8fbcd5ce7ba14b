"""What the journal takes and gives. Pure."""

from dataclasses import dataclass
from decimal import Decimal

from central.contract.facts import PrintOutcome
from central.contract.identifiers import Epoch, FactId
from central.contract.wire_types import EpochSeq
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
class Refusal:
    """Why nothing new is recorded, and the sentence for a person."""

    reason: str
    hint: str


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


@dataclass(frozen=True, slots=True)
class Standing:
    """How far this gateway is in central's notices. stream "" and number 0: it has none."""

    stream: str
    number: int


@dataclass(frozen=True, slots=True)
class Known:
    """What central last said, and when.

    generation: of the ledger. revision: of its stock. reference_revision: of central's reference
    data, 0 if none came. known_ms: wall time of the last notice or snapshot.
    """

    standing: Standing
    generation: str
    revision: int
    reference_revision: int
    known_ms: int


@dataclass(frozen=True, slots=True)
class Applied:
    """What notices or a snapshot changed, durably; who works by it takes it up."""

    standing: Standing
    stock: bool = False
    reference: bool = False
    templates: bool = False
    settings: bool = False
    print_requests: bool = False
    shares: bool = False


@dataclass(frozen=True, slots=True)
class StockReport:
    """The stock that is shown, and what it stands on: one moment.

    heads: up to where own facts are in it, every epoch with facts beyond the revision's positions.
    levels: not zero, in the order of their key, millionths. after, to: of the places with
    after < code <= to; "" is no bound.
    """

    stream: str
    revision: int
    heads: tuple[EpochSeq, ...]
    levels: tuple[tuple[tuple[str, str, str, str, str, str], int], ...]
    after: str
    to: str
