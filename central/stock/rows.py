"""What the read side answers with. Pure."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from central.contract.facts import VIRTUAL_PLACES, Fact, Movement
from central.contract.identifiers import FactId
from central.contract.states import DeviceState

STOCK_KINDS = ("movement", "reversal")
FEED_KINDS = (*STOCK_KINDS, "passage")  # What people watch as it happens.
UNDER_WAY_PREFIX = "in_transit/"  # Of the place of what is under way under one document.
# Whose clock an event time is by: the gateway's, set; corrected by the ledger; or not set.
TimeSource = Literal["gateway", "corrected", "unsynced"]


@dataclass(frozen=True, slots=True)
class StockFilter:
    """Which stock is asked for; "" asks for any.

    within: a place of the warehouse, which is named, too: that place with everything below it.
    search: part of an item's code or of its name in any language; of stock of the past alone.
    Virtual places only with `include_virtual`, of them `in_transit` also with `include_in_transit`.
    """

    warehouse: str = ""
    location: str = ""
    item: str = ""
    lot: str = ""
    status: str = ""
    within: str = ""
    serial: str = ""
    sscc: str = ""
    search: str = ""
    include_virtual: bool = False
    include_in_transit: bool = False


@dataclass(frozen=True, slots=True, order=True)
class StockKey:
    """What one balance is kept by; also the order in which balances are listed."""

    warehouse: str
    location: str
    item: str
    lot: str
    serial: str
    sscc: str
    unit: str
    status: str


@dataclass(frozen=True, slots=True)
class StockRow:
    """One balance. item_name is "" for an item that the reference data does not know.

    weight: catch weight in the unit in which the item is weighed, zero for what is not.
    """

    key: StockKey
    item_name: str
    item_name_zh: str
    on_hand: Decimal
    weight: Decimal


@dataclass(frozen=True, slots=True)
class MatrixQuery:
    """Which rows of the stock table are asked for.

    search: part of an item's code or of its name in any language; "" for all.
    warehouse: only items that this warehouse holds, "" for all. stocked: only items not at zero.
    page_index: 0 for the first page. sort: "" by code, "total", "transit", or "w:" and the code of
    a warehouse. group: "" for none, "category" or "abc" of the item's policy, in their order.
    """

    search: str = ""
    warehouse: str = ""
    stocked: bool = False
    page_index: int = 0
    sort: str = ""
    descending: bool = False
    group: str = ""


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """One item in one unit across all warehouses.

    on_hand: by warehouse code, only where there is a balance; places of the warehouse alone.
    in_transit: left one warehouse and arrived in none yet; negative if the arrival came first.
    """

    item: str
    unit: str
    name: str
    name_zh: str
    on_hand: dict[str, Decimal]
    in_transit: Decimal

    @property
    def total(self) -> Decimal:
        """Return what all warehouses hold together, without what is in transit."""
        return sum(self.on_hand.values(), Decimal(0))


@dataclass(frozen=True, slots=True)
class MatrixPage:
    """One page. page_count is at least 1; item_count: of the whole answer. groups: of each row."""

    rows: tuple[MatrixRow, ...]
    page_index: int
    page_count: int
    item_count: int
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WarehouseRow:
    """A warehouse, for a column or a choice."""

    code: str
    name: str
    name_zh: str


@dataclass(frozen=True, slots=True)
class FeedFilter:
    """Which facts are asked for; "" asks for any, and so does a place or an item of any kind."""

    warehouse: str = ""
    gateway: str = ""
    epoch: str = ""
    item: str = ""
    location: str = ""
    lot: str = ""
    kinds: tuple[str, ...] = FEED_KINDS


@dataclass(frozen=True, slots=True)
class MovementRow:
    """One recorded fact.

    record_no: its place in the ledger's own order. event_time_ms: corrected where the gateway's
    clock was not set and the ledger could tell (time_source); `fact` has what was said.
    taken_back: the movement that a reversal undid, None for every other fact. posted: whether it
    changed stock; a movement or reversal that did not (of another warehouse, a reversal without its
    movement) has a discrepancy that says why.
    item_name: "" if the item is not known. raw: the canonical bytes, digest: the gateway's chain
    after them, for whoever wants to check it.
    """

    record_no: int
    fact_id: FactId
    fact: Fact
    taken_back: Movement | None
    posted: bool
    event_time_ms: int
    time_source: TimeSource
    record_time_ms: int
    item_name: str
    item_name_zh: str
    raw: bytes
    digest: bytes


@dataclass(frozen=True, slots=True)
class StockChange:
    """Marks of everything that a page shows; equal marks mean that nothing changed."""

    record_no: int
    reference_revision: str
    gateways_mark: str
    discrepancies_open: int


@dataclass(frozen=True, slots=True)
class EpochRow:
    """How far one epoch of a gateway is committed."""

    epoch: str
    acked_seq: int
    record_time_ms: int


@dataclass(frozen=True, slots=True)
class GatewayRow:
    """How one gateway is, by its own last word and by what the ledger has of it.

    online .. unsent_count, devices, clock_synced .. failed_time_ms: as it reported, at
    told_time_ms (0 for never). failed_release: which its update agent gave up last, "" for none.
    epoch: "" before its first word. positions: newest epoch first, at most EPOCHS_MAX.
    seen_time_ms: when its last sign of life reached the ledger, 0 for never.
    missing_count: facts that it said it has, of all epochs, and the ledger has not.
    forks_count: open alarms that another card or machine speaks in its name.
    """

    code: str
    site: str
    warehouse: str
    online: bool
    problem: str
    software: str
    epoch: str
    head_seq: int
    unsent_count: int
    seen_time_ms: int
    devices: tuple[DeviceState, ...]
    positions: tuple[EpochRow, ...]
    told_time_ms: int
    clock_synced: bool
    stated_lag_s: int
    stream: str
    notice: int
    stock_revision: int
    reference_revision: int
    stated_known_age_s: int
    disk_used_percent: int
    written_bytes_day: int
    shed_count: int
    failed_release: str
    failed_reason: str
    failed_time_ms: int
    missing_count: int
    forks_count: int

    @property
    def acked_seq(self) -> int:
        """Return how far its present epoch is committed, 0 for not at all."""
        return next((row.acked_seq for row in self.positions if row.epoch == self.epoch), 0)

    @property
    def lag_count(self) -> int:
        """Return how many facts of its present epoch the ledger does not have yet."""
        return max(0, self.head_seq - self.acked_seq)

    @property
    def lag_movements(self) -> int:
        """Return how many facts are on their way, by whichever of both knows of more."""
        return max(self.unsent_count, self.lag_count)

    @property
    def lost_count(self) -> int:
        """Return how many facts it once had, and neither it nor the ledger has now.

        A card that was lost held them. What the ledger commits it still holds for a while, so an
        epoch that is only late is never counted.
        """
        return max(0, self.missing_count - self.unsent_count)

    @property
    def known_time_ms(self) -> int | None:
        """Return of when its knowledge of the ledger is, None if it never had any."""
        known_ms = max(0, self.told_time_ms - 1000 * self.stated_known_age_s)
        return known_ms if self.stream else None

    def lag_s(self, *, now_ms: int) -> int:
        """Return the age of the oldest fact on its way, as it was told and since; 0 for none."""
        if self.lag_movements == 0:
            return 0
        return self.stated_lag_s + self.told_age_s(now_ms=now_ms)

    def told_age_s(self, *, now_ms: int) -> int:
        """Return how old its last word of itself is, in seconds; 0 if it never had one."""
        return max(0, now_ms - self.told_time_ms) // 1000 if self.told_time_ms else 0

    def known_age_s(self, *, now_ms: int) -> int | None:
        """Return how old its knowledge of the ledger is, None if it never had any."""
        known_ms = self.known_time_ms
        return None if known_ms is None else max(0, now_ms - known_ms) // 1000


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """A process that takes facts. alive: it said so a moment ago. shards: sorted."""

    name: str
    alive: bool
    shards: tuple[int, ...]
    software: str
    seen_time_ms: int


@dataclass(frozen=True, slots=True)
class Workers:
    """All of them. unserved: shards that nobody takes, empty while no worker was ever heard of."""

    rows: tuple[WorkerRow, ...]
    unserved: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class DiscrepancyRow:
    """Something that does not add up. fact_id: the first fact behind it, None if it has none.

    expected, actual: None where no quantity is at stake. record_no, then id, give the order.
    settlement: why it is settled, settled_time_ms when; "" and 0 while it is open. owner: who sees
    to it, "" for nobody; due_time_ms: until when, 0 for no day.
    """

    id: str
    record_no: int
    warehouse: str
    kind: str
    subject: str
    state: str
    fact_id: FactId | None
    facts_count: int
    item: str
    location: str
    lot: str
    unit: str
    document: str
    document_line: int
    expected: Decimal | None
    actual: Decimal | None
    detail: str
    opened_time_ms: int
    settlement: str
    settled_time_ms: int
    owner: str
    due_time_ms: int
    version: int


@dataclass(frozen=True, slots=True)
class LedgerCounts:
    """How much the ledger holds."""

    facts: int
    gateways: int
    gateways_online: int
    discrepancies_open: int
    quarantined: int


def outside(location: str) -> bool:
    """Return whether a place is no place of a warehouse: a virtual one, or of a transfer."""
    return location in VIRTUAL_PLACES or location.startswith(UNDER_WAY_PREFIX)
