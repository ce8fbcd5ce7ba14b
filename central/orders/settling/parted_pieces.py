"""Tells that stations moved a part of a piece of goods that nobody parts. Edge of the database.

    BIN-1 -> customer   0.5 of an item that is counted in pieces: posted as it was said, and told

Whole quantities and those of what is measured cost nothing: such movements are no candidates
(`central.ledger.reading`).
"""

from collections.abc import Iterator

from sqlalchemy import Connection

from central.contract.facts import Movement
from central.ledger.discrepancies import open_discrepancies
from central.ledger.entries import OWN_GATEWAY, Finding, finding_of
from central.ledger.ledger import Posted
from central.ledger.locations import is_virtual
from central.ledger.measures import quantity_in_unit
from central.ledger.runs import Run
from central.orders.catalogue.packs import is_whole, known_ratio
from central.orders.order_goods import kept_units


def follow_parts(connection: Connection, posted: Posted) -> None:
    """Open a discrepancy for each item of which a part of a piece moved; mostly none did."""
    for run in posted.runs:
        if run.read.parts and run.gateway != OWN_GATEWAY:
            found = list(_findings(connection, run))
            open_discrepancies(connection, found, now_ms=posted.now_ms)


def _findings(connection: Connection, run: Run) -> Iterator[Finding]:
    moved = [(index, run.read.facts[index]) for index in run.read.parts]
    movements = [
        (index, fact)
        for index, fact in moved
        if isinstance(fact, Movement) and fact.warehouse == run.warehouse
    ]
    kept = kept_units(connection, {fact.item for _, fact in movements})
    for index, fact in movements:
        units = kept.get(fact.item)
        if units is None:
            continue  # Nobody knows whether it is counted in pieces.
        pack = known_ratio(units, fact.unit)
        quantity = quantity_in_unit(fact, units.base, pack=pack)
        if quantity is None or is_whole(quantity, units):
            continue  # What has no exact value in the item's unit is told as that.
        inside = fact.to_location if is_virtual(fact.from_location) else fact.from_location
        yield finding_of(
            run.entry_at(index),
            "piece_parted",
            fact.item,
            item=fact.item,
            location=inside,
            lot=fact.lot,
            unit=units.base,
            actual_micro=quantity,
        )
