"""Facts: what a gateway knows happened, their canonical bytes and their digest chain. Pure.

Wire form of a fact: one MessagePack array `[kind, seq, event_time_ms, ...]`, fields in the order
of `fact_kinds`. Fields are only ever appended, with a default; a reader skips fields it does not
know. The bytes made by `encode_fact` are journaled, chained, sent and stored unchanged.

    chain:  start  = SHA-256("dockledger chain 1" 00 gateway 00 epoch 00 head of the previous epoch)
            digest = SHA-256(digest before || bytes of the fact)
"""

import hashlib
import struct

import msgspec

from central.contract.errors import ContractError
from central.contract.fact_checks import (
    EPC_FORM,
    check_count,
    check_movement,
    check_packing,
    check_passage,
    check_weighing,
)
from central.contract.fact_kinds import (
    CHILDREN_COUNT_MAX,
    STOCK_STATUSES,
    VIRTUAL_PLACES,
    BusinessStep,
    Code,
    Count,
    Evidence,
    FactBase,
    Movement,
    Packing,
    PackingAction,
    Passage,
    PassageDirection,
    Print,
    PrintOutcome,
    Reversal,
    Sighting,
    StockStatus,
    VirtualPlace,
    Weighing,
)
from central.contract.identifiers import Epoch, parse_code, parse_epoch

__all__ = [
    "CHILDREN_COUNT_MAX",
    "DIGEST_BYTES",
    "EPC_FORM",
    "FACT_BYTES_MAX",
    "KIND_NAMES",
    "NO_HEAD",
    "STOCK_STATUSES",
    "VIRTUAL_PLACES",
    "BusinessStep",
    "Code",
    "Count",
    "Evidence",
    "Fact",
    "FactBase",
    "Movement",
    "Packing",
    "PackingAction",
    "Passage",
    "PassageDirection",
    "Print",
    "PrintOutcome",
    "Reversal",
    "Sighting",
    "StockStatus",
    "VirtualPlace",
    "Weighing",
    "chain_next",
    "chain_start",
    "check_draft",
    "check_fact",
    "decode_fact",
    "encode_fact",
    "fact_fields",
    "kind_of",
]

FACT_BYTES_MAX = 64 * 1024
DIGEST_BYTES = 32
NO_HEAD = bytes(DIGEST_BYTES)  # The "head of the previous epoch" of a journal's first epoch.

Fact = Movement | Weighing | Print | Reversal | Passage | Count | Packing
KIND_NAMES: dict[type[Fact], str] = {
    Movement: "movement",
    Weighing: "weighing",
    Print: "print",
    Reversal: "reversal",
    Passage: "passage",
    Count: "count",
    Packing: "packing",
}

# A movement that states no status is written without those two fields, as before there were any:
# most facts are such, and their bytes stay what every version has made of them.
_STATUS_FIELDS = ("from_status", "to_status")
_NO_STATUSES = b"\xa0\xa0"
_PLAIN_MOVEMENT_HEAD = b"\xdc" + struct.pack(
    ">H", 1 + len(Movement.__struct_fields__) - len(_STATUS_FIELDS)
)

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Fact)


def kind_of(fact: Fact) -> str:
    """Return what KIND_NAMES calls the kind of a fact."""
    return KIND_NAMES[type(fact)]


def encode_fact(fact: Fact) -> bytes:
    """Return the canonical bytes of a fact. Raises ContractError for a fact that cannot be true."""
    check_fact(fact)
    data = _encoder.encode(fact)
    if type(fact) is Movement and not (fact.from_status or fact.to_status):
        data = _PLAIN_MOVEMENT_HEAD + data[len(_PLAIN_MOVEMENT_HEAD) : -len(_NO_STATUSES)]
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
        check_movement(fact)
    elif isinstance(fact, Weighing):
        check_weighing(fact)
    elif isinstance(fact, Reversal):
        parse_epoch(fact.reverses_epoch)
    elif isinstance(fact, Passage):
        check_passage(fact)
    elif isinstance(fact, Count):
        check_count(fact)
    elif isinstance(fact, Packing):
        check_packing(fact)


def chain_start(*, gateway: str, epoch: Epoch, previous_epoch_head: bytes) -> bytes:
    """Return the digest before the first fact of an epoch; it binds gateway and epoch."""
    assert len(previous_epoch_head) == DIGEST_BYTES
    text = f"dockledger chain 1\0{gateway}\0{epoch}\0".encode()
    return hashlib.sha256(text + previous_epoch_head).digest()


def chain_next(previous: bytes, fact_bytes: bytes) -> bytes:
    """Return the digest after a fact."""
    return hashlib.sha256(previous + fact_bytes).digest()


def fact_fields(fact: Fact) -> dict[str, object]:
    """Return a fact as JSON-ready fields for people: kind first, evidence bytes as escaped text.

    Statuses that a movement does not state are left out, as on the wire.
    """
    fields: dict[str, object] = {"kind": kind_of(fact)}
    for name in fact.__struct_fields__:
        value = getattr(fact, name)
        if name in _STATUS_FIELDS and not value:
            continue
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
