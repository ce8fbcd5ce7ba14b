"""What a count sheet cannot say at the desk. Edge of the database; writes nothing.

A station's count is a fact, whatever it says, and a discrepancy tells of it. Who types a sheet in
can look again, so what cannot be is refused before it is in the books. What the book has anyway, at
a place that nobody knows or in a unit that is not the item's, is there to be counted.
"""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection

from central.contract.quantities import MICRO_PER_UNIT
from central.errors import Unusable
from central.ledger.locations import is_virtual
from central.orders.catalogue.item_cards import pieces_kept
from central.orders.catalogue.packs import ItemUnits, known_ratio, ratio, text_of
from central.orders.counts.count_judging import Thing
from central.orders.counts.count_moves import books_now
from central.orders.counts.counts import CountLine, Entered, line_answered
from central.storage import bulk, tables


def refuse_many_of_a_serial(entries: Iterable[Entered], units: Mapping[str, ItemUnits]) -> None:
    """Raise Unusable for more than one of what is counted under one serial number.

    Of goods that are measured there is as much of a serial number as was measured.
    """
    for one in entries:
        if not one.serial:
            continue
        stated = units.get(one.item) or ItemUnits(one.item, one.unit)
        unit = one.unit or stated.base
        counted_micro = one.quantity_micro * (known_ratio(stated, unit) or 1)
        whole = pieces_kept(stated.base, kind="bulk", serial_tracked=True)
        if whole and counted_micro > MICRO_PER_UNIT:
            raise Unusable(
                f"{text_of(one.quantity_micro)} {unit} of item {one.item} cannot all bear the"
                f" serial number {one.serial!r}",
                hint="Count each piece with its own serial number, in an entry of its own.",
                fields={
                    "location": one.location,
                    "item": one.item,
                    "serial": one.serial,
                    "quantity": text_of(one.quantity_micro),
                    "unit": unit,
                },
            )


def refuse_repeated(
    entries: Iterable[Entered], lines: Sequence[CountLine], units: Mapping[str, ItemUnits]
) -> None:
    """Raise Unusable for the same goods at the same place twice: only one entry would count."""
    said: dict[tuple[Thing, int], str] = {}
    for one in entries:
        stated = units.get(one.item) or ItemUnits(one.item, one.unit)
        unit = one.unit or stated.base
        kept = stated.base if known_ratio(stated, unit) else unit
        thing = Thing(one.location, one.item, one.lot, one.serial, one.sscc, kept)
        key = (thing, line_answered(one, lines))
        quantity = f"{text_of(one.quantity_micro)} {unit}"
        before = said.get(key)
        if before is not None:
            raise Unusable(
                f"{one.item} at {one.location} is entered twice: {before} and {quantity}",
                hint="Enter all that was counted of it at the place as one quantity.",
                fields={**thing._asdict(), "quantities": [before, quantity]},
            )
        said[key] = quantity


def refuse_unknown_places(
    connection: Connection, entries: Sequence[Entered], *, warehouse: str
) -> None:
    """Raise Unusable for places that neither the warehouse nor its book has."""
    # The contract says of virtual places that nobody can count there.
    wanted = {one.location for one in entries if not is_virtual(one.location)}
    keys = [(warehouse, place) for place in sorted(wanted)]
    if not keys:
        return
    rows = bulk.select_by_key(connection, tables.locations, keys, columns_count=2)
    missing = wanted - {row[1] for row in rows}
    if missing:
        missing -= {
            thing.location
            for thing in books_now(connection, warehouse=warehouse, locations=missing)
        }
    if missing:
        named = sorted(missing)
        raise Unusable(
            f"{warehouse} has no place {named[0]!r}",
            hint="Correct the code of the place, or add it first.",
            fields={"warehouse": warehouse, "locations": named},
        )


def refuse_unknown_units(
    connection: Connection,
    entries: Iterable[Entered],
    units: Mapping[str, ItemUnits],
    *,
    warehouse: str,
) -> None:
    """Raise Unusable for a unit of a known item that does not convert, unless the book has it."""
    strange = [
        one
        for one in entries
        if one.unit and one.item in units and not known_ratio(units[one.item], one.unit)
    ]
    if not strange:
        return
    locations = {one.location for one in strange}
    books = books_now(connection, warehouse=warehouse, locations=locations)
    there = {(thing.location, thing.item, thing.unit) for thing in books}
    for one in strange:
        if (one.location, one.item, one.unit) not in there:
            ratio(units[one.item], one.unit)
