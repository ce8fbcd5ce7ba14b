"""Prints the golden vectors of what others did of documents, added later; never changed. Root."""

import json
import sys

import msgspec

from central.contract import notices, snapshots
from tests.contract import make_downlink_vectors as first

SHARES = (
    notices.DocumentShare("PO-1", 1, 0, 12_500_000),
    notices.DocumentShare("SO-7", 2, 24_000_000, 0),
)
NOTICES: dict[str, notices.StockChanged] = {
    "with_levels": notices.StockChanged(
        revision=4711,
        levels=(notices.StockLevel("BIN-1", "BOLT", "L-7", "", "", "C62", 38_000_000),),
        positions=(),
        shares=SHARES,
    ),
    "alone": notices.StockChanged(
        revision=4712, levels=(), positions=(), final=False, shares=SHARES[1:]
    ),
}
SNAPSHOT = msgspec.structs.replace(first.SNAPSHOT, shares=SHARES)


def vectors() -> dict[str, object]:
    """Return the bytes of each as hexadecimal text."""
    return {
        "notices": {name: notices.encode_notice(one).hex() for name, one in NOTICES.items()},
        "snapshot": snapshots.encode_snapshot(SNAPSHOT).hex(),
    }


if __name__ == "__main__":
    json.dump(vectors(), sys.stdout, indent=1, ensure_ascii=False)
    sys.stdout.write("\n")
