"""Prints the golden vectors of the passage, added to contract version 1; never changed. Root."""

import json
import sys

from central.contract import facts
from tests.contract.make_vectors import BASE

PASSAGES: tuple[facts.Passage, ...] = (
    facts.Passage(
        seq=6,
        **BASE,
        flags=("held_by_reader", "tag_stays"),
        evidence=(
            facts.Evidence(device="dock-2-rfid", kind="tag", raw=bytes.fromhex("bb0222")),
            facts.Evidence(device="dock-2-rfid-b", kind="tag"),
        ),
        epc="3074257BF7194E4000001A85",
        read_point="DOCK-2",
        direction="in",
        reads_count=37,
        first_seen_ms=1_789_999_997_000,
        last_seen_ms=1_790_000_000_123,
        gtin="80614141123458",
        serial="6789",
        reader_first_us=1_789_999_996_000_001,
        reader_last_us=1_789_999_999_123_456,
        rssi_cdbm=-4812,
        sightings=(
            facts.Sighting(
                group="inside",
                reads_count=20,
                first_seen_ms=1_789_999_998_000,
                last_seen_ms=1_790_000_000_123,
                rssi_cdbm=-4812,
            ),
            facts.Sighting(
                group="outside",
                reads_count=17,
                first_seen_ms=1_789_999_997_000,
                last_seen_ms=1_789_999_999_000,
            ),
        ),
    ),
    facts.Passage(
        seq=7,
        **BASE,
        epc="E28011700000020A1C2D3E4F",
        read_point="DOCK-2",
        direction="unknown",
        reads_count=2,
        first_seen_ms=1_790_000_000_000,
        last_seen_ms=1_790_000_000_123,
    ),
    facts.Passage(
        seq=8,
        **BASE,
        epc="3174257BF4499602D2000000",
        read_point="DOCK-2",
        direction="out",
        reads_count=2,
        first_seen_ms=1_790_000_000_000,
        last_seen_ms=1_790_000_000_123,
        sscc="106141412345678908",
    ),
)


def vectors() -> list[dict[str, object]]:
    """Return the vectors as JSON-ready values."""
    return [
        {"fields": facts.fact_fields(fact), "bytes": facts.encode_fact(fact).hex()}
        for fact in PASSAGES
    ]


if __name__ == "__main__":
    json.dump(vectors(), sys.stdout, indent=1, ensure_ascii=False)
    sys.stdout.write("\n")
