"""More went back under a document than it had counted. Pure.

    shipment of 5     customer -> BIN-1  3, and none of it left: 3 more could leave than asked for

Who lets goods go back under a document says that they went, or came, under it before.
"""

from central.contract.quantities import canonical_text, from_micro
from central.ledger.entries import OWN_GATEWAY, Entry, Finding, ProgressKey, finding_of


def gone_back(
    entry: Entry, key: ProgressKey, *, before_micro: int, after_micro: int
) -> list[Finding]:
    """Return what is wrong with what a fact left counted of an item under a document.

    before_micro, after_micro: of all of its lines. What the desk moves it answers for itself: a
    settlement takes facts back before it posts them as they were meant.
    """
    if after_micro >= min(before_micro, 0) or entry.gateway == OWN_GATEWAY:
        return []
    more = canonical_text(from_micro(-after_micro))
    return [
        finding_of(
            entry,
            "unexpected",
            f"{key.document}/{key.item}",
            item=key.item,
            unit=key.unit,
            document=key.document,
            detail=f"{more} more went back than the document had counted",
        )
    ]
