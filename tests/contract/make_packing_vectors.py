"""Prints the golden vectors of units in units, at home and under way; never changed. Root."""

import json
import sys

import msgspec

from central.contract import notices, reference, snapshots
from tests.contract import make_downlink_vectors as first
from tests.contract import make_share_vectors as shares

UNITS = (
    notices.PackedUnit("006141411234567890", "106141412345678908"),
    notices.PackedUnit("006141411234567906", ""),
)
NOTICES: dict[str, notices.Notice] = {
    "alone": notices.StockChanged(revision=4713, levels=(), positions=(), packing=UNITS),
    "with_shares": notices.StockChanged(
        revision=4714, levels=(), positions=(), shares=shares.SHARES, packing=UNITS[:1]
    ),
    "units_under_way": notices.ReferenceChanged(
        revision=12,
        documents=(
            reference.ExpectedDocument(
                code="TR-1",
                warehouse="BJ1",
                partner="Shanghai 1",
                kind="transfer_in",
                counterpart="SH1",
                lines=(reference.DocumentLine(line=1, item="BOLT", quantity="24"),),
                units=(
                    reference.UnitUnderWay(
                        sscc="006141411234567890",
                        item="BOLT",
                        quantity="12",
                        unit="C62",
                        lot="L-7",
                        carried_by=("106141412345678908",),
                    ),
                ),
            ),
        ),
    ),
}
SNAPSHOT = msgspec.structs.replace(first.SNAPSHOT, packing=UNITS[:1])


def vectors() -> dict[str, object]:
    """Return the bytes of each as hexadecimal text."""
    return {
        "notices": {name: notices.encode_notice(one).hex() for name, one in NOTICES.items()},
        "snapshot": snapshots.encode_snapshot(SNAPSHOT).hex(),
    }


if __name__ == "__main__":
    json.dump(vectors(), sys.stdout, indent=1, ensure_ascii=False)
    sys.stdout.write("\n")
