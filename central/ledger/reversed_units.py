"""What a reversal brings back in a unit in which its item is kept no longer. Pure.

It repeats the lines of a movement that was right in the unit of then; what it brings back lies
beside the item's own unit, where no order finds it.
"""

from collections.abc import Iterator

from central.contract.quantities import canonical_text, from_micro
from central.ledger.entries import Entry, Finding, Known, Line, finding_of
from central.ledger.locations import is_virtual
from central.ledger.running import RunningBooks


def unit_findings(
    entry: Entry, lines: tuple[Line, ...], known: Known, books: RunningBooks
) -> Iterator[Finding]:
    """Yield a finding for each place where a reversal leaves goods in another unit.

    lines: its own, as posted. books: with them. What it only takes away again is none.
    """
    for line in lines:
        kept = known.item_units.get(line.item)
        if kept is None or kept == line.unit or is_virtual(line.location):
            continue
        goods = (
            entry.warehouse,
            line.location,
            line.item,
            line.lot,
            line.serial,
            line.sscc,
            line.unit,
        )
        if line.quantity_micro * books.on_hand(goods) > 0:
            amount = canonical_text(from_micro(line.quantity_micro))
            yield finding_of(
                entry,
                "unit_differs",
                f"{line.item}/{line.unit}/{entry}",
                item=line.item,
                location=line.location,
                lot=line.lot,
                unit=line.unit,
                actual_micro=line.quantity_micro,
                detail=f"{amount} {line.unit} of an item kept in {kept}",
            )
