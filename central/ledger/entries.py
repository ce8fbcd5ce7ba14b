"""What the ledger works with: entries, lines, progress and findings. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from central.contract.facts import Fact, Movement

DiscrepancyKind = Literal[
    "unknown_item",
    "unknown_location",
    "unknown_document",
    "unexpected",
    "over_received",
    "outside_tolerance",
    "negative_balance",
    "unit_differs",
    "unreadable_fact",
    "wrong_warehouse",
    "quantity_overflow",
    "reversal_unmatched",
    "fork",
    "broken_chain",
    "stock_differs",
]
# Kinds of which every fact is a matter of its own; the others are one per subject while open.
KINDS_WITHOUT_LINES: frozenset[str] = frozenset(
    {"wrong_warehouse", "quantity_overflow", "reversal_unmatched"}
)

# Beyond 10^11 units a balance is an error of somebody's digits, not stock. The bound keeps sums
# of balances inside 64 bits, which SQLite would leave in silence and PostgreSQL with an error.
BALANCE_MICRO_MAX = 10**17


@dataclass(frozen=True, slots=True)
class Entry:
    """One fact on its way into the ledger.

    warehouse: the one that the gateway is enrolled for. body: canonical bytes. digest: the chain
    after it. record_no: its number in the ledger's own order.
    """

    warehouse: str
    gateway: str
    epoch: str
    seq: int
    body: bytes
    digest: bytes
    record_no: int

    def __str__(self) -> str:
        return f"{self.gateway}/{self.epoch}/{self.seq}"


# What plain movements have in common that go the same way with the same goods: warehouse, from and
# to location, item, lot, serial, sscc, unit.
Route = tuple[str, str, str, str, str, str, str, str]


@dataclass(frozen=True, slots=True)
class FactsRead:
    """Facts as they are read, in their order; every sequence has one place for each.

    facts: the fact, or why its bytes are none. movements, routes, micros: the plain movements among
    them, without a document, with their quantities in their own unit; else None and 0.
    """

    facts: list[Fact | str]
    movements: list[Movement | None]
    routes: list[Route | None]
    micros: list[int]


@dataclass(frozen=True, slots=True)
class Run:
    """Facts first_seq, first_seq + 1 ... of one epoch on their way into the ledger.

    warehouse: the one that the epoch belongs to. bodies: canonical bytes. digests: the chain after
    each fact. first_record_no: of the first fact in the ledger's own order.
    """

    warehouse: str
    gateway: str
    epoch: str
    first_seq: int
    first_record_no: int
    bodies: Sequence[bytes]
    digests: Sequence[bytes]
    read: FactsRead

    def without_first(self, facts_count: int) -> "Run":
        """Return the run without its first facts; the rest keeps the record numbers from the start.

        So many are posted already.
        """
        if not facts_count:
            return self
        return replace(
            self,
            first_seq=self.first_seq + facts_count,
            bodies=self.bodies[facts_count:],
            digests=self.digests[facts_count:],
            read=FactsRead(
                self.read.facts[facts_count:],
                self.read.movements[facts_count:],
                self.read.routes[facts_count:],
                self.read.micros[facts_count:],
            ),
        )

    def entry_at(self, index: int) -> "Entry":
        """Return one of the facts by itself."""
        return Entry(
            self.warehouse,
            self.gateway,
            self.epoch,
            self.first_seq + index,
            self.bodies[index],
            self.digests[index],
            self.first_record_no + index,
        )


class FactKey(NamedTuple):
    """The identity of a stored fact."""

    warehouse: str
    gateway: str
    epoch: str
    seq: int


class BalanceKey(NamedTuple):
    """What a balance is kept by, in the order of the table's key."""

    warehouse: str
    location: str
    item: str
    lot: str
    serial: str
    sscc: str
    unit: str


class Line(NamedTuple):
    """One side of a movement, in the order of the table's columns."""

    warehouse: str
    record_no: int
    line_no: int
    location: str
    item: str
    lot: str
    serial: str
    sscc: str
    expiry_date: str
    unit: str
    quantity_micro: int

    @property
    def balance_key(self) -> BalanceKey:
        """Return the balance that the line changes."""
        return BalanceKey(
            self.warehouse, self.location, self.item, self.lot, self.serial, self.sscc, self.unit
        )


class ProgressKey(NamedTuple):
    """What document progress is kept by, in the order of the table's key."""

    warehouse: str
    document: str
    line: int
    item: str
    unit: str


@dataclass(frozen=True, slots=True)
class ExpectedLine:
    """One line of a document. tolerance_percent_micro: 10^-6 percent of the expected quantity."""

    item: str
    expected_micro: int
    tolerance_percent_micro: int

    @property
    def limit_micro(self) -> int:
        """Return the most that may come in silence."""
        return self.expected_micro + (
            self.expected_micro * self.tolerance_percent_micro // 100_000_000
        )


@dataclass(frozen=True, slots=True)
class Known:
    """The reference data that a posting needs; what is not there is not known.

    item_units: unit by item. locations: (warehouse, location). documents: expected lines by line
    number, by (warehouse, document).
    """

    item_units: Mapping[str, str]
    locations: frozenset[tuple[str, str]]
    documents: Mapping[tuple[str, str], Mapping[int, ExpectedLine]]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not add up, on its way to the discrepancies.

    subject: what it is about; while one of this kind and subject is open, no second is opened.
    seq: of the fact behind it. expected_micro, actual_micro: None where no quantity is at stake.
    """

    kind: DiscrepancyKind
    subject: str
    warehouse: str
    gateway: str
    epoch: str
    seq: int
    record_no: int
    item: str = ""
    location: str = ""
    lot: str = ""
    unit: str = ""
    document: str = ""
    document_line: int = 0
    expected_micro: int | None = None
    actual_micro: int | None = None
    detail: str = ""


def finding_of(
    entry: Entry,
    kind: DiscrepancyKind,
    subject: str,
    *,
    item: str = "",
    location: str = "",
    lot: str = "",
    unit: str = "",
    document: str = "",
    document_line: int = 0,
    expected_micro: int | None = None,
    actual_micro: int | None = None,
    detail: str = "",
) -> Finding:
    """Return a finding that names `entry` as the fact behind it."""
    return Finding(
        kind=kind,
        subject=subject,
        warehouse=entry.warehouse,
        gateway=entry.gateway,
        epoch=entry.epoch,
        seq=entry.seq,
        record_no=entry.record_no,
        item=item,
        location=location,
        lot=lot,
        unit=unit,
        document=document,
        document_line=document_line,
        expected_micro=expected_micro,
        actual_micro=actual_micro,
        detail=detail,
    )
