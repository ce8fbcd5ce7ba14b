"""What kinds of fact there are and what each of them says. Pure.

`facts` gives all of them, with their bytes; the order of fields here is their order on the wire.
"""

from typing import Annotated, Literal, get_args

import msgspec

from central.contract.identifiers import SEQ_MAX

CHILDREN_COUNT_MAX = 500  # Units in one act of packing: some 10 KiB of a fact's 64.
ROUND_MAX = 9

VirtualPlace = Literal["supplier", "customer", "in_transit", "adjustment", "scrap", "production"]
VIRTUAL_PLACES: frozenset[str] = frozenset(get_args(VirtualPlace))

BusinessStep = Literal[
    "receiving",
    "storing",
    "picking",
    "shipping",
    "transferring",
    "counting",
    "weighing",
    "printing",
    "inspecting",
]
StockStatus = Literal["available", "inspection", "held", "rejected"]
STOCK_STATUSES: frozenset[str] = frozenset(get_args(StockStatus))
PrintOutcome = Literal["sent", "printed", "failed", "unknown"]
PassageDirection = Literal["in", "out", "unknown"]
PackingAction = Literal["pack", "unpack"]

Text = Annotated[str, msgspec.Meta(max_length=256)]
Code = Annotated[str, msgspec.Meta(max_length=64)]
EpcText = Annotated[str, msgspec.Meta(max_length=128)]
Strength = Annotated[int, msgspec.Meta(ge=-30_000, le=30_000)]
Positive = Annotated[int, msgspec.Meta(ge=1, le=SEQ_MAX)]
NotNegative = Annotated[int, msgspec.Meta(ge=0, le=SEQ_MAX)]


class Evidence(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """One raw reading that a fact was made from.

    kind: "barcode", "weight", "command", "button" or "manual".
    symbology: AIM identifier of a bar code, "" otherwise.
    raw: the device's bytes, at most 4096 of them.
    """

    device: Code
    kind: Code
    symbology: Code = ""
    raw: Annotated[bytes, msgspec.Meta(max_length=4096)] = b""


class FactBase(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """What every fact says: its number, when, where, by whom, from which readings.

    event_time_ms: milliseconds since 1970-01-01 UTC by the gateway's clock; never the order.
    clock_synced: whether that clock was disciplined at that moment.
    boot_id, monotonic_ns: let central correct the event times of a boot without a clock.
    flags: what the edge noticed and central settles, e.g. "unknown_item"; sorted.
    """

    seq: Positive
    event_time_ms: NotNegative
    clock_synced: bool
    boot_id: Code
    monotonic_ns: NotNegative
    warehouse: Code
    station: Code
    operator: Code = ""
    flags: Annotated[tuple[Code, ...], msgspec.Meta(max_length=16)] = ()
    evidence: Annotated[tuple[Evidence, ...], msgspec.Meta(max_length=32)] = ()


class Movement(FactBase, frozen=True, array_like=True, kw_only=True, tag=1):
    """Stock changed place, or its status where it is.

    from_location, to_location: codes of places of `warehouse`, or virtual places.
    item: the item's code; for an unknown item what was scanned, with the flag "unknown_item".
    expiry_date: "YYYY-MM-DD" or "".
    quantity: canonical decimal text, greater than zero, in `unit` (UN/CEFACT).
    net_weight, weight_unit: a catch-weight item's weight, "" otherwise.
    document, document_line: the order that it answers, "" and 0 if none.
    weighing_seq: the weighing of the same epoch that gave the quantity, 0 if none.
    from_status, to_status: a StockStatus, "" where the ledger's rule decides. A movement from a
        place to itself states both, and they differ; only "inspecting" may leave the first out.
    """

    business_step: Code
    from_location: Code
    to_location: Code
    item: Code
    quantity: Code
    unit: Code
    lot: Code = ""
    serial: Code = ""
    expiry_date: Code = ""
    sscc: Code = ""
    net_weight: Code = ""
    weight_unit: Code = ""
    document: Code = ""
    document_line: NotNegative = 0
    weighing_seq: NotNegative = 0
    # Appended after the first release: see `encode_fact`.
    from_status: Code = ""
    to_status: Code = ""


class Weighing(FactBase, frozen=True, array_like=True, kw_only=True, tag=2):
    """A load was weighed, stable.

    gross, tare, net: decimal text with the digits of the scale, in `unit`; gross - tare = net.
    alibi_number: the gateway's own gapless number of weighings of this scale.
    device_alibi: the scale's own number of the weighing, "" if it has none.
    """

    scale: Code
    item: Code
    gross: Code
    tare: Code
    net: Code
    unit: Code
    alibi_number: Positive
    device_alibi: Code = ""
    lot: Code = ""
    document: Code = ""
    document_line: NotNegative = 0


class Print(FactBase, frozen=True, array_like=True, kw_only=True, tag=3):
    """A label job came to its end.

    job: number of the job in the gateway's journal. content: what the label says, for people.
    """

    job: Positive
    printer: Code
    template: Code
    content: Text
    copies_count: Positive
    outcome: PrintOutcome
    detail: Text = ""


class Reversal(FactBase, frozen=True, array_like=True, kw_only=True, tag=4):
    """An earlier movement of this gateway is taken back, whole; the stock goes the way back."""

    reverses_epoch: Code
    reverses_seq: Positive
    reason: Text = ""


class Count(FactBase, frozen=True, array_like=True, kw_only=True, tag=5):
    """So much of an item was counted at a place. It moves nothing: others decide what follows.

    location: code of a place of `warehouse`. item, lot, serial, sscc, expiry_date: as in Movement;
        item "" with the quantity "0": nothing at all is there.
    quantity: canonical decimal text in `unit`, zero for "counted, and nothing of it is there".
    document, document_line: the count that asked for it, "" and 0 if nobody did.
    round: 1 for the first count, 2 for the recount of what differed, and so on.
    """

    location: Code
    item: Code
    quantity: Code
    unit: Code
    lot: Code = ""
    serial: Code = ""
    sscc: Code = ""
    expiry_date: Code = ""
    document: Code = ""
    document_line: NotNegative = 0
    round: Annotated[int, msgspec.Meta(ge=1, le=ROUND_MAX)] = 1


class Packing(FactBase, frozen=True, array_like=True, kw_only=True, tag=7):
    """Logistic units were put into another one, or taken out of it. It moves no stock by itself.

    parent: SSCC of the outer unit. children: SSCCs of the inner ones, at least one, in the order
    of their scans.
    """

    parent: Code
    children: Annotated[tuple[Code, ...], msgspec.Meta(min_length=1, max_length=CHILDREN_COUNT_MAX)]
    action: PackingAction


class Sighting(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """What one group of antennas saw of a tag.

    group: "inside", "outside" or "" for antennas of neither. rssi_cdbm: the strongest signal in
    hundredths of dBm, None if the reader states none.
    """

    group: Code
    reads_count: Positive
    first_seen_ms: NotNegative
    last_seen_ms: NotNegative
    rssi_cdbm: Strength | None = None


class Passage(FactBase, frozen=True, array_like=True, kw_only=True, tag=6):
    """A tag passed a read point. It moves no stock: what it means is decided from it, not by it.

    epc: content of the tag's EPC bank, upper case hexadecimal.
    read_point: where, the code of a place or of the reader.
    direction: "in" to the warehouse, "out" of it, "unknown" where the reads do not decide it.
    gtin (14 digits), serial, sscc, grai: what the EPC says, "" where it does not; all "" for a tag
        that holds no GS1 key.
    first_seen_ms, last_seen_ms: as event_time_ms, which is the last one.
    reader_first_us, reader_last_us: the same by the reader's own clock, 0 if it does not say.
    rssi_cdbm: the strongest signal; None if the reader states none.
    sightings: what the direction was decided from, sorted by group.
    """

    epc: EpcText
    read_point: Code
    direction: PassageDirection
    reads_count: Positive
    first_seen_ms: NotNegative
    last_seen_ms: NotNegative
    gtin: Code = ""
    serial: Code = ""
    sscc: Code = ""
    grai: Code = ""
    reader_first_us: NotNegative = 0
    reader_last_us: NotNegative = 0
    rssi_cdbm: Strength | None = None
    sightings: Annotated[tuple[Sighting, ...], msgspec.Meta(max_length=8)] = ()
