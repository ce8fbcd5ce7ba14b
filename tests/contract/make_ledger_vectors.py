"""Prints the golden vectors of counts, packing, statuses and documents; never changed. Root."""

import json
import sys

from central.contract import facts, notices
from central.contract.reference import DocumentLine, ExpectedDocument
from tests.contract.make_vectors import BASE

PALLET, CARTON, OTHER_CARTON = "106141412345678908", "006141411234567890", "006141411234567906"
FACTS: dict[str, facts.Fact] = {
    "accepted": facts.Movement(
        seq=9,
        **BASE,
        business_step="inspecting",
        from_location="DOCK-2",
        to_location="DOCK-2",
        item="BOLT-M8",
        quantity="12",
        unit="C62",
        lot="LOT-7",
        document="PO-1001",
        document_line=3,
        from_status="inspection",
        to_status="available",
    ),
    "held": facts.Movement(
        seq=10,
        **BASE,
        business_step="storing",
        from_location="DOCK-2",
        to_location="HOLD-1",
        item="BOLT-M8",
        quantity="1",
        unit="C62",
        to_status="held",
    ),
    "counted": facts.Count(
        seq=11,
        **BASE,
        operator="OP7",
        flags=("unexpected",),
        evidence=(facts.Evidence(device="dock-2-scanner", kind="barcode", raw=b"LOC-A-01-01"),),
        location="A-01-01",
        item="BOLT-M8",
        quantity="36.5",
        unit="C62",
        lot="LOT-7",
        serial="S-1",
        sscc=PALLET,
        expiry_date="2027-02-28",
        document="CNT-1",
        document_line=2,
        round=2,
    ),
    "empty": facts.Count(
        seq=12, **BASE, location="A-01-02", item="RESIN", quantity="0", unit="KGM"
    ),
    "packed": facts.Packing(
        seq=13, **BASE, parent=PALLET, children=(CARTON, OTHER_CARTON), action="pack"
    ),
    "unpacked": facts.Packing(seq=14, **BASE, parent=PALLET, children=(CARTON,), action="unpack"),
}
DOCUMENTS = notices.ReferenceChanged(
    revision=4,
    documents=(
        ExpectedDocument(
            code="TR-1",
            warehouse="SH1",
            partner="北京",
            kind="transfer_out",
            counterpart="BJ1",
            lines=(
                DocumentLine(
                    line=1,
                    item="BOLT",
                    quantity="100",
                    lot="L-7",
                    location="BIN-1",
                    sscc=PALLET,
                ),
            ),
        ),
        ExpectedDocument(
            code="CNT-1",
            warehouse="SH1",
            partner="",
            kind="count",
            round=2,
            lines=(DocumentLine(line=1, item="", quantity="0", location="BIN-1"),),
        ),
    ),
)


def vectors() -> dict[str, object]:
    """Return the vectors as JSON-ready values."""
    return {
        "facts": {
            name: {"fields": facts.fact_fields(fact), "bytes": facts.encode_fact(fact).hex()}
            for name, fact in FACTS.items()
        },
        "documents": notices.encode_notice(DOCUMENTS).hex(),
    }


if __name__ == "__main__":
    json.dump(vectors(), sys.stdout, indent=1, ensure_ascii=False)
    sys.stdout.write("\n")
