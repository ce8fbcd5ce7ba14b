"""The bodies of the answers below /api/v1. Pure.

Quantities are decimal text, times are ISO 8601 in UTC; "" means that something was not stated.
"""

from pydantic import BaseModel, JsonValue


class StockOut(BaseModel):
    """One balance. item_name is "" for an item that the reference data does not know."""

    warehouse: str
    location: str
    item: str
    item_name: str
    item_name_zh: str
    lot: str
    serial: str
    sscc: str
    unit: str
    on_hand: str


class StockPage(BaseModel):
    """Balances by key. next_cursor: None on the last page."""

    stock: list[StockOut]
    next_cursor: str | None


class EvidenceOut(BaseModel):
    """One raw reading. raw: bytes as text, with escapes; raw_base64: the same bytes, exactly."""

    device: str
    kind: str
    symbology: str
    raw: str
    raw_base64: str


class MovementOut(BaseModel):
    """One recorded fact, and the way back to it.

    id: "gateway/epoch/seq", the identity; uuid: the UUIDv5 derived from it; digest: the gateway's
    chain after it, hexadecimal. posted: whether it changed stock; if not, a discrepancy says why.
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


class MovementPage(BaseModel):
    """Facts, newest first. next_cursor: None on the last page."""

    movements: list[MovementOut]
    next_cursor: str | None


class FactOut(MovementOut):
    """One fact with everything that its gateway stated.

    fact: every field as stated. canonical_base64: the bytes that the digest is made over.
    """

    fact: dict[str, JsonValue]
    canonical_base64: str


class DeviceOut(BaseModel):
    """A device at a gateway. state: "ready", "opening", "offline" or "fault".

    problem: why it is not ready, as a code ("" if nothing is known). detail: in its driver's words.
    """

    name: str
    device_class: str
    state: str
    problem: str
    detail: str


class EpochOut(BaseModel):
    """How far an epoch is committed. record_time: when its last fact was."""

    epoch: str
    acked_seq: int
    record_time: str | None


class GatewayOut(BaseModel):
    """How a gateway is.

    unsent_count: facts that it said it holds unsent, of all epochs.
    lag_count: head_seq less what the ledger has of the present epoch.
    lag_s: seconds since its last fact was recorded while any is missing, else 0.
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
    problem: str
    software: str
    devices: list[DeviceOut]
    positions: list[EpochOut]


class GatewayPage(BaseModel):
    """Gateways by code. next_cursor: None on the last page."""

    gateways: list[GatewayOut]
    next_cursor: str | None


class DiscrepancyOut(BaseModel):
    """Something that does not add up. fact: identity of the first of `facts_count` facts behind."""

    id: str
    kind: str
    state: str
    warehouse: str
    subject: str
    item: str
    location: str
    lot: str
    unit: str
    document: str
    document_line: int
    expected: str | None
    actual: str | None
    detail: str
    fact: str | None
    facts_count: int
    opened_time: str | None


class DiscrepancyPage(BaseModel):
    """Discrepancies, newest first. next_cursor: None on the last page."""

    discrepancies: list[DiscrepancyOut]
    next_cursor: str | None


class CountsOut(BaseModel):
    """How much the ledger holds."""

    facts: int
    gateways: int
    gateways_online: int
    discrepancies_open: int
    quarantined: int


class HealthOut(BaseModel):
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
