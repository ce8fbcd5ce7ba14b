"""The bodies of the answers below /api/v1. Pure.

Quantities are decimal text, times are ISO 8601 in UTC; "" means that something was not stated.
"""

from pydantic import JsonValue

from central.api.api_model import ApiModel


class StockOut(ApiModel):
    """One balance. item_name is "" for an item that the reference data does not know.

    status: "available", "inspection", "held" or "rejected". weight: catch weight, "0" for none.
    """

    warehouse: str
    location: str
    item: str
    item_name: str
    item_name_zh: str
    lot: str
    serial: str
    sscc: str
    unit: str
    status: str
    on_hand: str
    weight: str


class StockPage(ApiModel):
    """Balances by key. next_cursor: None on the last page."""

    stock: list[StockOut]
    next_cursor: str | None


class StockTotalOut(ApiModel):
    """How much of an item with one status stands at all places asked for, taken together.

    places_count: at how many of them. on_hand, weight: sums; weight is catch weight.
    """

    warehouse: str
    item: str
    item_name: str
    item_name_zh: str
    unit: str
    status: str
    places_count: int
    on_hand: str
    weight: str


class StockTotalPage(ApiModel):
    """Totals by warehouse, item, unit and status. next_cursor: None on the last page."""

    totals: list[StockTotalOut]
    next_cursor: str | None


class EvidenceOut(ApiModel):
    """One raw reading. raw: bytes as text, with escapes; raw_base64: the same bytes, exactly."""

    device: str
    kind: str
    symbology: str
    raw: str
    raw_base64: str


class MovementOut(ApiModel):
    """One recorded fact, and the way back to it.

    id: "gateway/epoch/seq", the identity; uuid: the UUIDv5 derived from it; digest: the gateway's
    chain after it, hexadecimal. posted: whether it changed stock; if not, a discrepancy says why.
    event_time: as stated (stated_time), but corrected where time_source is "corrected"; that of a
    clock that was not set is "unsynced" as long as the ledger cannot tell better.
    A reversal shows what it did: the movement that it took back (reverses), the other way round.
    """

    record_no: int
    id: str
    uuid: str
    gateway: str
    epoch: str
    seq: int
    kind: str
    posted: bool
    event_time: str | None
    stated_time: str | None
    time_source: str
    clock_synced: bool
    record_time: str | None
    warehouse: str
    station: str
    operator: str
    business_step: str = ""
    from_location: str = ""
    to_location: str = ""
    item: str = ""
    item_name: str = ""
    item_name_zh: str = ""
    lot: str = ""
    serial: str = ""
    sscc: str = ""
    expiry_date: str = ""
    quantity: str = ""
    unit: str = ""
    net_weight: str = ""
    weight_unit: str = ""
    document: str = ""
    document_line: int = 0
    weighing: str | None = None
    reverses: str | None = None
    reason: str = ""
    flags: list[str]
    evidence: list[EvidenceOut]
    digest: str


class MovementPage(ApiModel):
    """Facts, newest first. next_cursor: None on the last page."""

    movements: list[MovementOut]
    next_cursor: str | None


class FactOut(MovementOut):
    """One fact with everything that its gateway stated.

    fact: every field as stated. canonical_base64: the bytes that the digest is made over.
    """

    fact: dict[str, JsonValue]
    canonical_base64: str


class DeviceOut(ApiModel):
    """A device at a gateway. state: "ready", "opening", "offline" or "fault".

    problem: why it is not ready, as a code ("" if nothing is known). detail: in its driver's words.
    """

    name: str
    device_class: str
    state: str
    problem: str
    detail: str


class EpochOut(ApiModel):
    """How far an epoch is committed. record_time: when its last fact was."""

    epoch: str
    acked_seq: int
    record_time: str | None


class GatewayOut(ApiModel):
    """How a gateway is.

    unsent_count: facts that it said it holds unsent, of all epochs.
    lag_count: head_seq less what the ledger has of the present epoch.
    lag_s: age of the oldest fact that is missing, else 0. lost_count: facts that it once said it
    has and that neither it nor the ledger has now: they went with a card.
    told_age_s: age of its last word of itself, None for none. forks_count: open alarms that another
    card or machine speaks in its name. stream .. reference_revision: what it knows of central's
    notices, known_age_s: how old that is, None if it knows nothing.
    last_seen: when the ledger last heard from it, None for never.
    """

    gateway: str
    site: str
    warehouse: str
    online: bool
    last_seen: str | None
    epoch: str
    head_seq: int
    acked_seq: int
    unsent_count: int
    lag_count: int
    lag_s: int
    lost_count: int
    told_age_s: int | None
    clock_synced: bool
    forks_count: int
    stream: str
    notice: int
    stock_revision: int
    reference_revision: int
    known_age_s: int | None
    disk_used_percent: int
    written_bytes_day: int
    shed_count: int
    failed_release: str
    failed_reason: str
    problem: str
    software: str
    devices: list[DeviceOut]
    positions: list[EpochOut]


class GatewayPage(ApiModel):
    """Gateways by code. record_no: the ledger's own, beside what each gateway knows of it.

    next_cursor: None on the last page.
    """

    gateways: list[GatewayOut]
    record_no: int
    next_cursor: str | None


class WorkerOut(ApiModel):
    """A process that takes facts of some shards. alive: it said so a moment ago."""

    worker: str
    alive: bool
    shards: list[int]
    software: str
    last_seen: str | None


class WorkersOut(ApiModel):
    """Workers by name. unserved_shards: of which nobody takes facts now, on whichever page.

    next_cursor: None on the last page.
    """

    workers: list[WorkerOut]
    unserved_shards: list[int]
    next_cursor: str | None


class CountsOut(ApiModel):
    """How much the ledger holds."""

    facts: int
    gateways: int
    gateways_online: int
    discrepancies_open: int
    quarantined: int


class HealthOut(ApiModel):
    """Whether the ledger can answer and hears its gateways.

    status: "ok", "degraded" (the intake does not hear the broker) or "down" (no database, or the
    intake has ended). intake_connected: also False for an intake that has ended.
    intake_connected: None where no intake runs. counts: None if the database is not reachable.
    """

    status: str
    database_reachable: bool
    intake_connected: bool | None
    counts: CountsOut | None
    detail: str
    hint: str
    site: str
    software: str
    time: str | None
