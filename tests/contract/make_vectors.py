"""Prints the golden vectors of contract version 1; they are never changed. Root."""

import json
import sys

import msgspec

from central.contract import acks, envelope, facts
from central.contract.identifiers import Epoch, FactId, fact_uuid

GATEWAY = "sh1-dock-2"
EPOCH = Epoch(start_count=12, nonce=0x9F3A5C0B1D2E4F60)
PREVIOUS_HEAD = bytes(range(32))
SIGNATURE = bytes(range(64))

BASE = {
    "event_time_ms": 1_790_000_000_123,
    "clock_synced": True,
    "boot_id": "6f1c7a52-0d4e-4b7c-9a39-1d2f3b4c5d6e",
    "monotonic_ns": 123_456_789_012,
    "warehouse": "SH1",
    "station": "dock-2",
}
FACTS: tuple[facts.Fact, ...] = (
    facts.Movement(
        seq=1,
        **BASE,
        operator="OP7",
        flags=("clock_unsynced", "unexpected"),
        evidence=(
            facts.Evidence(
                device="dock-2-scanner",
                kind="barcode",
                symbology="]C1",
                raw=b"]C1010950110153000310LOT-7\x1d3712",
            ),
        ),
        business_step="receiving",
        from_location="supplier",
        to_location="DOCK-2",
        item="BOLT-M8",
        quantity="12",
        unit="C62",
        lot="LOT-7",
        expiry_date="2027-02-28",
        sscc="106141412345678908",
        document="PO-1001",
        document_line=3,
    ),
    facts.Weighing(
        seq=2,
        **BASE,
        scale="dock-2-scale",
        item="RESIN",
        gross="1250.40",
        tare="25.20",
        net="1225.20",
        unit="KGM",
        alibi_number=41,
        device_alibi="000017",
        lot="批次-1",
    ),
    facts.Movement(
        seq=3,
        **BASE,
        business_step="receiving",
        from_location="supplier",
        to_location="DOCK-2",
        item="RESIN",
        quantity="1225.2",
        unit="KGM",
        weighing_seq=2,
    ),
    facts.Print(
        seq=4,
        **BASE,
        job=5,
        printer="dock-2-printer",
        template="pallet",
        content="(00)106141412345678908",
        copies_count=1,
        outcome="printed",
    ),
    facts.Reversal(seq=5, **BASE, reverses_epoch=str(EPOCH), reverses_seq=1, reason="undo"),
)


def vectors() -> dict[str, object]:
    """Return the vectors as JSON-ready values."""
    digest = facts.chain_start(gateway=GATEWAY, epoch=EPOCH, previous_epoch_head=PREVIOUS_HEAD)
    start = digest
    rows = []
    encoded = []
    for fact in FACTS:
        data = facts.encode_fact(fact)
        digest = facts.chain_next(digest, data)
        encoded.append(data)
        fact_id = FactId(gateway=GATEWAY, epoch=EPOCH, seq=fact.seq)
        rows.append(
            {
                "id": str(fact_id),
                "uuid": str(fact_uuid(fact_id)),
                "fields": facts.fact_fields(fact),
                "bytes": data.hex(),
                "digest": digest.hex(),
            }
        )
    batch = envelope.encode_batch(
        gateway=GATEWAY,
        epoch=EPOCH,
        first_seq=1,
        previous_epoch_head=PREVIOUS_HEAD,
        previous_digest=start,
        facts=encoded,
        sign=lambda _: SIGNATURE,
    )
    ack = acks.Ack(
        gateway=GATEWAY,
        start_count=EPOCH.start_count,
        nonce=EPOCH.nonce,
        acked=5,
        want=6,
        head_digest=digest,
        credit_count=8000,
        ledger_generation="g-1",
        ledger_time_ms=1_790_000_000_456,
    )
    # As version 1 had it; what came later is appended.
    fields = dict(list(msgspec.structs.asdict(ack).items())[:11])
    return {
        "version": 1,
        "chain_start": start.hex(),
        "facts": rows,
        "batch": batch.hex(),
        "signed_bytes": envelope.decode_batch(batch).signed_bytes.hex(),
        "ack": msgspec.msgpack.encode(list(fields.values())).hex(),
        "ack_fields": {
            name: value.hex() if isinstance(value, bytes) else value
            for name, value in fields.items()
        },
    }


if __name__ == "__main__":
    json.dump(vectors(), sys.stdout, indent=1, ensure_ascii=False)
    sys.stdout.write("\n")
