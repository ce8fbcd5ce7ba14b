"""What the ledger works with: entries, lines, progress and findings. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, NamedTuple

import msgspec

from central.contract.facts import Count
from central.ledger.statuses import AVAILABLE

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
    "over_shipped",
    "over_returned",
    "moved_unavailable",
    "expiry_differs",
    "serial_twice",
    "unit_twice",
    "packing_impossible",
    "received_before_shipped",
    "reservation_short",
    "moved_after_end",
    "weight_missing",
    "weight_differs",
    "lot_missing",
    "serial_missing",
    "expiry_missing",
    "expired_shipped",
    "piece_parted",
    "count_outdated",
    "filled_twice",
    "reversed_twice",
    "transit_unnamed",
]
# Kinds of which every fact is a matter of its own; the others are one per subject while open.
KINDS_WITHOUT_LINES: frozenset[str] = frozenset(
    {"wrong_warehouse", "quantity_overflow", "reversal_unmatched"}
)

OWN_GATEWAY = "central"  # Of the ledger's own facts; no gateway is enrolled with this code.
# Beyond 10^11 units a balance is an error of somebody's digits, not stock. The bound keeps sums
# of balances inside 64 bits, which SQLite would leave in silence and PostgreSQL with an error.
BALANCE_MICRO_MAX = 10**17


class Entry(msgspec.Struct, frozen=True):
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


class FactKey(NamedTuple):
    """The identity of a stored fact."""

    warehouse: str
    gateway: str
    epoch: str
    seq: int


# Of a balance's key, what is before the status: all that is of one thing at one place.
GOODS_KEY_SIZE = 7
GoodsKey = tuple[str, ...]


class BalanceKey(NamedTuple):
    """What a balance is kept by, in the order of the table's key."""

    warehouse: str
    location: str
    item: str
    lot: str
    serial: str
    sscc: str
    unit: str
    status: str


def balance_name(key: BalanceKey) -> str:
    """Return how discrepancies name a balance of a warehouse: a status is said if it is another."""
    *what, status = key[1:]
    return "/".join(what if status == AVAILABLE else (*what, status))


class Line(NamedTuple):
    """One side of a movement, in the order of the table's columns.

    weight_micro: catch weight, in the unit in which the item is weighed; 0 for what is not.
    """

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
    status: str = AVAILABLE
    weight_micro: int = 0

    @property
    def balance_key(self) -> BalanceKey:
        """Return the balance that the line changes."""
        return BalanceKey(
            self.warehouse,
            self.location,
            self.item,
            self.lot,
            self.serial,
            self.sscc,
            self.unit,
            self.status,
        )


class ProgressKey(NamedTuple):
    """What document progress is kept by, in the order of the table's key."""

    warehouse: str
    document: str
    line: int
    item: str
    unit: str


class PostedFact(msgspec.Struct, frozen=True):
    """A fact as it was posted that names a document, or whose goods are not all available.

    document: "" for none; of a reversal, that of the movement that it takes back. progress: what it
    counts for, None if it crossed no boundary that its document is about. lines: all that it has.
    happened_ms: its event time, but when it was recorded if its clock was not set or runs ahead.
    came_to: where goods came to be inspected whose reversal takes what they became since, else "".
    """

    record_no: int
    gateway: str
    happened_ms: int
    document: str
    progress: tuple[ProgressKey, int, str] | None
    lines: tuple[Line, ...]
    came_to: str = ""


@dataclass(frozen=True, slots=True)
class CountPosted:
    """A count as it was posted, beside what the books had at that moment.

    unit: the item's where the count has an exact value in it, else the count's own; quantity_micro
    is in it. book_micro: at the place, of that lot, serial, SSCC and unit, in every status.
    """

    key: FactKey
    record_no: int
    fact: Count
    unit: str
    quantity_micro: int
    book_micro: int


class ExpectedLine(msgspec.Struct, frozen=True):
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


class GoodsRule(NamedTuple):
    """What an item asks for wherever it moves; of an item that asks for nothing there is none.

    lot, serial, expiry_date: that these are known. days_left_min: before it expires, when it is
    shipped; the day of expiry itself is the last one.
    """

    lot: bool
    serial: bool
    expiry_date: bool
    days_left_min: int

    @property
    def dates(self) -> bool:
        """Return whether the expiry date of a lot decides whether it may be shipped."""
        return self.expiry_date or self.days_left_min > 0


HeldLot = tuple[str, str, str]  # warehouse, "" for all; item; lot


class Known(msgspec.Struct, frozen=True):
    """The reference data that a posting needs; what is not there is not known.

    item_units: unit by item. locations: (warehouse, location). documents: expected lines by line
    number, by (warehouse, document). document_kinds: of those. picked_documents: those whose lines
    are picks, which are told anew without what left unnamed. counterparts: of those of transfers,
    the other warehouse. inspected_items: what comes in of them has to be inspected. weight_units:
    in which items are weighed, where that is said. packs: by item, how many of its unit one of
    another is, where the item itself says so. goods_rules: of the items that ask for lots, serial
    numbers or expiry dates. lots_on_hold: what comes in of them is held.
    """

    item_units: Mapping[str, str]
    locations: frozenset[tuple[str, str]]
    documents: Mapping[tuple[str, str], Mapping[int, ExpectedLine]]
    document_kinds: Mapping[tuple[str, str], str] = msgspec.field(default_factory=dict)
    counterparts: Mapping[tuple[str, str], str] = msgspec.field(default_factory=dict)
    inspected_items: frozenset[str] = frozenset()
    weight_units: Mapping[str, str] = msgspec.field(default_factory=dict)
    packs: Mapping[str, Mapping[str, Fraction]] = msgspec.field(default_factory=dict)
    goods_rules: Mapping[str, GoodsRule] = msgspec.field(default_factory=dict)
    picked_documents: frozenset[tuple[str, str]] = frozenset()
    lots_on_hold: frozenset[HeldLot] = frozenset()

    def pack(self, item: str, unit: str) -> Fraction | None:
        """Return how many of its own unit one of another is, None if the item does not say."""
        packs = self.packs.get(item)
        return None if packs is None else packs.get(unit)

    def is_on_hold(self, warehouse: str, item: str, lot: str) -> bool:
        """Return whether what comes in of a lot is held, because the lot is."""
        held = self.lots_on_hold
        return (warehouse, item, lot) in held or ("", item, lot) in held


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
