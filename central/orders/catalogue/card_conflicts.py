"""What cards contradict of what is there: GTINs, home places, like codes. Edge of the database."""

from collections.abc import Collection, Iterator, Sequence

from sqlalchemy import Column, ColumnElement, Connection, func, select

from central.orders.catalogue.cards import Fault, gtin_forms
from central.orders.catalogue.item_cards import ItemCard, all_barcodes
from central.storage import bulk, tables

LOOKED_UP_MAX = 500  # Codes; of more, all that are there are read instead.


def gtin_conflicts(
    connection: Connection, cards: Sequence[ItemCard]
) -> Iterator[tuple[str, Fault]]:
    """Yield GTINs of other items; one is the same however many zeros are written in front of it."""
    ours = {card.code: {one.gtin for one in all_barcodes(card)} for card in cards}
    forms = {(form,) for gtins in ours.values() for gtin in gtins for form in gtin_forms(gtin)}
    owners: dict[str, str] = {}
    for gtin, item, *_ in bulk.select_by_key(
        connection, tables.item_barcodes, sorted(forms), columns_count=1
    ):
        if item not in ours:  # Those of `cards` are written anew, all of them.
            owners[gtin_forms(gtin)[-1]] = item
    for code, gtins in ours.items():
        for gtin in sorted(gtins):
            owner = owners.setdefault(gtin_forms(gtin)[-1], code)
            if owner != code:
                hint = "Correct the GTIN, or take it from the other item first."
                where = f"barcodes.{gtin}.gtin"
                yield code, Fault(where, f"GTIN {gtin} is a bar code of item {owner}", hint)


def home_conflicts(
    connection: Connection, cards: Sequence[ItemCard]
) -> Iterator[tuple[str, Fault]]:
    """Yield home places of items that are not there."""
    named = {(place.warehouse, place.location) for card in cards for place in card.places}
    places = sorted(one for one in named if one[1])
    known = {
        (row[0], row[1])
        for row in bulk.select_by_key(connection, tables.locations, places, columns_count=2)
    }
    warehouses = sorted({(warehouse,) for warehouse, location in named if not location})
    known |= {
        (row[0], "")
        for row in bulk.select_by_key(connection, tables.warehouses, warehouses, columns_count=1)
    }
    for card in cards:
        for place in card.places:
            if (place.warehouse, place.location) not in known:
                named_place = f"{place.warehouse} {place.location}".strip()
                where = f"places.{place.warehouse}.{place.location}.location"
                hint = "Add the place first, or correct it."
                yield card.code, Fault(where, f"there is no place {named_place}", hint)


def case_twins(
    connection: Connection,
    column: Column[str],
    codes: Collection[str],
    *,
    within: Sequence[ColumnElement[bool]] = (),
) -> dict[str, str]:
    """Return {code: other code} of new codes that differ from others in upper and lower case alone.

    The others are in a column, or come before among the codes themselves. within: which rows.
    """
    wanted = {code.lower() for code in codes}
    query = select(column).where(*within)
    if len(wanted) <= LOOKED_UP_MAX:
        query = query.where(func.lower(column).in_(sorted(wanted)))
    others: dict[str, str] = {}
    for other in connection.execute(query).scalars():
        if other.lower() in wanted:
            others[other.lower()] = other
    found: dict[str, str] = {}
    for code in codes:
        other = others.setdefault(code.lower(), code)
        if other != code:
            found[code] = other
    return found


def twin_fault(code: str, other: str) -> Fault:
    """Return what is wrong with a new code that looks like another one."""
    return Fault(
        "code",
        message=f"{code} and {other} differ in upper and lower case alone",
        hint=f"Use {other}, or choose a code that nobody takes for it.",
    )
