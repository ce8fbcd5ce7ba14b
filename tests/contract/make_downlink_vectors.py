"""Prints the golden vectors of the downlink; what is released is never changed. Root."""

import json
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from central.contract import notices, sealed, snapshots, stock_digests
from central.contract.reference import (
    Barcode,
    DocumentLine,
    ExpectedDocument,
    Item,
    Location,
    Operator,
    Reference,
    Warehouse,
)
from central.contract.wire_types import EpochSeq

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
GATEWAY, STREAM = "sh1-dock-2", "9f3a5c0b1d2e4f60"
POSITIONS = (
    EpochSeq(start_count=12, nonce=2**64 - 1, seq=41),
    EpochSeq(start_count=13, nonce=7, seq=0),
)
LEVELS = (
    notices.StockLevel("BIN-1", "BOLT", "L-7", "", "", "C62", 5_000_000),
    notices.StockLevel("BIN-2", "RICE", "", "S-1", "106141412345678908", "KGM", -1),
)
ITEM = Item(
    code="BOLT",
    name="Bolt",
    name_zh="螺栓",
    unit="C62",
    lot_tracked=True,
    barcodes=(Barcode(gtin="04012345123456", quantity="12"),),
)
DOCUMENT = ExpectedDocument(
    code="PO-1",
    warehouse="SH1",
    partner="Acme",
    lines=(DocumentLine(line=1, item="BOLT", quantity="100", tolerance_percent="2.5"),),
)
PLACE, OPERATOR = Location(code="BIN-1", kind="bin"), Operator(code="7", name="Wang")
TEMPLATE = notices.TemplateChanged(name="bin", text='width_mm = "50"\n')
SETTINGS = (notices.Setting("language", "zh"),)
NOTICES: dict[str, notices.Notice] = {
    "stock": notices.StockChanged(revision=4711, levels=LEVELS, positions=POSITIONS, final=False),
    "reference": notices.ReferenceChanged(
        revision=3,
        items=(ITEM,),
        gone_items=("NUT",),
        locations=(PLACE,),
        gone_locations=("BIN-9",),
        documents=(DOCUMENT,),
        gone_documents=("PO-0",),
        operators=(OPERATOR,),
        gone_operators=("6",),
    ),
    "template": TEMPLATE,
    "settings": notices.SettingsChanged(settings=SETTINGS),
    "print": notices.PrintRequested(
        job="job-1",
        printer="dock-2-printer",
        template="bin",
        fields=(notices.LabelField("place", "BIN-1"),),
        copies_count=2,
        requested_by="王",
    ),
}
ACK = notices.DownAck(gateway=GATEWAY, stream=STREAM, number=42)
SNAPSHOT = snapshots.Snapshot(
    gateway=GATEWAY,
    warehouse="SH1",
    stream=STREAM,
    number=0,
    generation="g-1",
    revision=4711,
    positions=POSITIONS,
    levels=LEVELS,
    reference=Reference(
        revision=3,
        warehouses=(Warehouse(code="SH1", name="Shanghai", name_zh="上海", locations=(PLACE,)),),
        items=(ITEM,),
        documents=(DOCUMENT,),
        operators=(OPERATOR,),
    ),
    templates=(TEMPLATE,),
    settings=SETTINGS,
)
MANIFEST = snapshots.SnapshotManifest(
    gateway=GATEWAY, stream=STREAM, number=0, bytes_count=321, sha256="0a" * 32
)
REQUEST = snapshots.SnapshotRequest(gateway=GATEWAY, nonce="00ff")
DIGESTS = stock_digests.StockDigests(
    gateway=GATEWAY,
    stream=STREAM,
    revision=4711,
    heads=POSITIONS,
    bins=(stock_digests.BinDigest("BIN-1", bytes(range(8))),),
    after="BIN-0",
    to="BIN-5",
)


def vectors() -> dict[str, object]:
    """Return the vectors as JSON-ready values; `down` and `snapshot` are packed by zstd."""
    bodies = [notices.encode_notice(notice) for notice in NOTICES.values()]
    ack = notices.encode_down_ack(ACK)
    levels = ((level.key, level.on_hand_micro) for level in LEVELS)
    return {
        "public_key": KEY.public_key().public_bytes_raw().hex(),
        "notices": {name: notices.encode_notice(one).hex() for name, one in NOTICES.items()},
        "down": notices.encode_down(
            gateway=GATEWAY, stream=STREAM, first_number=7, notices=bodies
        ).hex(),
        "down_ack": ack.hex(),
        "sealed_down_ack": sealed.seal("down-ack", ack, KEY.sign).hex(),
        "snapshot": snapshots.encode_snapshot(SNAPSHOT).hex(),
        "manifest": snapshots.encode_manifest(MANIFEST).decode(),
        "request": snapshots.encode_snapshot_request(REQUEST).decode(),
        "digests": stock_digests.encode_digests(DIGESTS).hex(),
        "bin_digests": {
            place: digest.hex() for place, digest in stock_digests.digests_by_bin(levels).items()
        },
    }


if __name__ == "__main__":
    json.dump(vectors(), sys.stdout, indent=1, ensure_ascii=False)
    sys.stdout.write("\n")
