"""More went back under a document than it had counted. Pure.

    shipment of 5     customer -> BIN-1  3, and none of it left: 3 more could leave than asked for

Who lets goods go back under a document says that they went, or came, under it before.
"""

from collections.abc import Callable

from central.contract.quantities import canonical_text, from_micro
from central.ledger.entries import OWN_GATEWAY, Entry, Finding, ProgressKey, finding_of
from central.ledger.line_counts import Lines, families_of
from central.ledger.progress import Counted


def gone_back(
    entry: Entry,
    key: ProgressKey,
    lines: Lines,
    counted: Callable[[ProgressKey], Counted],
    *,
    moved_micro: int,
) -> list[Finding]:
    """Return what is wrong with what a fact left counted of an item under a document.

    lines: of the document. counted: what counts by now. moved_micro: by the fact, below zero. What
    the desk moves it answers for itself: a settlement takes facts back before it posts them as they
    were meant.
    """
    if key.item not in {line.item for line in lines.values()} or entry.gateway == OWN_GATEWAY:
        return []
    after_micro = sum(counted(one).done_micro for one in set(families_of(lines, (key,))))
    if after_micro >= min(after_micro - moved_micro, 0):
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
