"""Facts: what a gateway knows happened, their canonical bytes and their digest chain. Pure.

Wire form of a fact: one MessagePack array `[kind, seq, event_time_ms, ...]`, fields in the order
below. Fields are only ever appended, with a default; a reader skips fields it does not know. The
bytes made by `encode_fact` are journaled, chained, sent and stored unchanged.

    chain:  start  = SHA-256("dockledger chain 1" 00 gateway 00 epoch 00 head of the previous epoch)
            digest = SHA-256(digest before || bytes of the fact)
"""

import hashlib
import re
from datetime import date
from typing import Annotated, Literal, get_args

import msgspec

from central.contract.errors import ContractError
from central.contract.identifiers import SEQ_MAX, Epoch, parse_code, parse_epoch
from central.contract.quantities import DIGITS_MAX, parse_decimal, parse_unit, to_micro

FACT_BYTES_MAX = 64 * 1024
DIGEST_BYTES = 32
EPC_FORM = re.compile(r"(?:[0-9A-F]{2})+", re.ASCII)
NO_HEAD = bytes(DIGEST_BYTES)  # The "head of the previous epoch" of a journal's first epoch.

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
]
PrintOutcome = Literal["sent", "printed", "failed", "unknown"]
PassageDirection = Literal["in", "out", "unknown"]

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
    """Stock changed place.

    from_location, to_location: codes of places of `warehouse`, or virtual places.
    item: the item's code; for an unknown item what was scanned, with the flag "unknown_item".
    expiry_date: "YYYY-MM-DD" or "".
    quantity: canonical decimal text, greater than zero, in `unit` (UN/CEFACT).
    net_weight, weight_unit: a catch-weight item's weight, "" otherwise.
    document, document_line: the order that it answers, "" and 0 if none.
    weighing_seq: the weighing of the same epoch that gave the quantity, 0 if none.
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


# Tag 5 is kept for the count.
Fact = Movement | Weighing | Print | Reversal | Passage
KIND_NAMES: dict[type[Fact], str] = {
    Movement: "movement",
    Weighing: "weighing",
    Print: "print",
    Reversal: "reversal",
    Passage: "passage",
}

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Fact)


def kind_of(fact: Fact) -> str:
    """Return "movement", "weighing", "print", "reversal" or "passage"."""
    return KIND_NAMES[type(fact)]


def encode_fact(fact: Fact) -> bytes:
    """Return the canonical bytes of a fact. Raises ContractError for a fact that cannot be true."""
    check_fact(fact)
    data = _encoder.encode(fact)
    if len(data) > FACT_BYTES_MAX:
        raise ContractError(
            f"fact of {len(data)} bytes exceeds {FACT_BYTES_MAX}",
            hint="Scan fewer codes into one step.",
        )
    return data


def check_draft(fact: Fact) -> None:
    """Raise ContractError unless `decode_fact` would take the bytes of `fact`.

    More than `encode_fact` asks: also the length of texts and the range of numbers.
    """
    try:
        data = _encoder.encode(fact)
    except UnicodeEncodeError as error:
        raise ContractError(f"text that cannot be encoded: {error}") from error
    decode_fact(data)


def decode_fact(data: bytes) -> Fact:
    """Return the fact in canonical bytes of this or an older version, or a newer one's known part.

    Raises ContractError, whatever the bytes are.
    """
    if len(data) > FACT_BYTES_MAX:
        raise ContractError(f"fact of {len(data)} bytes exceeds {FACT_BYTES_MAX}")
    try:
        fact: Fact = _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ContractError(
            f"not a readable fact: {error}", hint="Upgrade central first."
        ) from error
    check_fact(fact)
    return fact


def check_fact(fact: Fact) -> None:
    """Raise ContractError if the values of a fact cannot be true (sign, sum, form), else return."""
    parse_code(fact.warehouse, what="warehouse")
    if isinstance(fact, Movement):
        _check_movement(fact)
    elif isinstance(fact, Weighing):
        _check_weighing(fact)
    elif isinstance(fact, Reversal):
        parse_epoch(fact.reverses_epoch)
    elif isinstance(fact, Passage):
        _check_passage(fact)


def chain_start(*, gateway: str, epoch: Epoch, previous_epoch_head: bytes) -> bytes:
    """Return the digest before the first fact of an epoch; it binds gateway and epoch."""
    assert len(previous_epoch_head) == DIGEST_BYTES
    text = f"dockledger chain 1\0{gateway}\0{epoch}\0".encode()
    return hashlib.sha256(text + previous_epoch_head).digest()


def chain_next(previous: bytes, fact_bytes: bytes) -> bytes:
    """Return the digest after a fact."""
    return hashlib.sha256(previous + fact_bytes).digest()


def fact_fields(fact: Fact) -> dict[str, object]:
    """Return a fact as JSON-ready fields for people: kind first, evidence bytes as escaped text."""
    fields: dict[str, object] = {"kind": kind_of(fact)}
    for name in fact.__struct_fields__:
        value = getattr(fact, name)
        if name == "evidence":
            value = [
                {
                    "device": item.device,
                    "kind": item.kind,
                    "symbology": item.symbology,
                    "raw": item.raw.decode("latin-1").encode("unicode_escape").decode("ascii"),
                }
                for item in fact.evidence
            ]
        if isinstance(fact, Passage) and name == "sightings":
            value = [msgspec.structs.asdict(sighting) for sighting in fact.sightings]
        fields[name] = list(value) if isinstance(value, tuple) else value
    return fields


def _check_movement(fact: Movement) -> None:
    _check_positive(fact.quantity, what="quantity")
    parse_unit(fact.unit)
    if fact.net_weight:
        _check_positive(fact.net_weight, what="net weight")
        parse_unit(fact.weight_unit)
    if fact.expiry_date:
        _check_date(fact.expiry_date)
    if not fact.item or not fact.from_location or not fact.to_location:
        raise ContractError("a movement needs an item, a from and a to location")
    if fact.from_location == fact.to_location:
        raise ContractError(f"a movement from {fact.from_location} to itself moves nothing")


def _check_weighing(fact: Weighing) -> None:
    parse_unit(fact.unit)
    gross, tare, net = (parse_decimal(text) for text in (fact.gross, fact.tare, fact.net))
    if gross - tare != net:
        raise ContractError(f"gross {gross} - tare {tare} is not net {net}")


def _check_passage(fact: Passage) -> None:
    if not EPC_FORM.fullmatch(fact.epc):
        raise ContractError(f"EPC {fact.epc[:40]!r} is not upper case hexadecimal bytes")
    if not fact.read_point:
        raise ContractError("a passage needs a read point")


def _check_positive(text: str, *, what: str) -> None:
    if text.isdecimal() and text.isascii() and len(text) <= DIGITS_MAX and text[0] != "0":
        return  # Most quantities are such; the rest of the rules cannot fail for them.
    value = parse_decimal(text, what=what)
    to_micro(value, what=what)
    if value <= 0:
        raise ContractError(f"{what} {text} is not greater than zero")


def _check_date(text: str) -> None:
    try:
        date.fromisoformat(text)
    except ValueError as error:
        raise ContractError(f"expiry date {text[:20]!r} is not a date YYYY-MM-DD") from error
