"""Prints the golden vectors of the notice of a settlement, added later; never changed. Root."""

import json
import sys

from central.contract import notices

NOTICES: dict[str, notices.Settled] = {
    "adjusted": notices.Settled(
        discrepancy="0a" * 16,
        kind="negative_balance",
        subject="SH1/BIN-1/BOLT/L-7///C62",
        item="BOLT",
        location="BIN-1",
        document="",
        decided="adjust",
        at_ms=1_790_000_000_123,
        epoch="00000012-9f3a5c0b1d2e4f60",
        seq=41,
    ),
    "by_itself": notices.Settled(
        discrepancy="0b" * 16,
        kind="unknown_document",
        subject="PO-1",
        item="",
        location="",
        document="PO-1",
        decided="itself",
        at_ms=0,
        epoch="00000013-0000000000000007",
        seq=1,
    ),
}


def vectors() -> dict[str, str]:
    """Return the bytes of each notice as hexadecimal text."""
    return {name: notices.encode_notice(one).hex() for name, one in NOTICES.items()}


if __name__ == "__main__":
    json.dump(vectors(), sys.stdout, indent=1, ensure_ascii=False)
    sys.stdout.write("\n")
