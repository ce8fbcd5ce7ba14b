"""The places below a place, for stock of an area with all that is in it. Edge of the database.

    BUILDING > COLD > AISLE-1 > BIN-1, BIN-2        within=COLD: COLD, AISLE-1, BIN-1, BIN-2

The tree is that of today, whatever moment the stock is of. What nobody keeps a place of is within
nothing but itself.
"""

from collections.abc import Iterator

from sqlalchemy import Connection, Select, Text, literal, select, text

from central.storage.catalogue_tables import location_details

# UNION keeps each place once, so that no circle is endless.
PLACES_WITHIN = """
WITH RECURSIVE below(location) AS (
    SELECT CAST(:within AS TEXT)
    UNION
    SELECT d.location FROM below CROSS JOIN location_details d
    WHERE d.warehouse = :warehouse AND d.parent = below.location
) SELECT location FROM below
"""
_FROM_ON = f"{PLACES_WITHIN} WHERE location >= :since ORDER BY location"
# So many places are looked into at once, then four times as many: places may be empty, or full.
PLACES_FIRST = 32
PLACES_MAX = 2048


def places_within(
    connection: Connection, *, warehouse: str, place: str, since: str
) -> Iterator[list[str]]:
    """Yield the places below a place and itself, some at a time, in the order of the database.

    since: those from there on, "" for all.
    """
    bounds = {"warehouse": warehouse, "within": place, "since": since}
    places = [row.location for row in connection.execute(text(_FROM_ON), bounds)]
    start, size = 0, PLACES_FIRST
    while start < len(places):
        yield places[start : start + size]
        start, size = start + size, min(4 * size, PLACES_MAX)


def keys_within(place: str, warehouses: list[str]) -> Select[tuple[str, str]]:
    """Return the statement of (warehouse, location) of a place and all below it, in warehouses."""
    details = location_details.c
    own = select(details.warehouse, literal(place, Text).label("location")).where(
        details.warehouse.in_(warehouses)
    )
    tree = own.distinct().cte("below", recursive=True)
    further = select(details.warehouse, details.location).join(
        tree, (details.warehouse == tree.c.warehouse) & (details.parent == tree.c.location)
    )
    found = tree.union(further)
    return select(found.c.warehouse, found.c.location)
