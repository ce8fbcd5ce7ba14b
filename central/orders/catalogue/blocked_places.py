"""What a blocked place blocks: itself, and all that is in it. Edge of the database.

    COLD, blocked > AISLE-1 > BIN-1; BIN-2, blocked itself

    blocked_by: COLD COLD, AISLE-1 COLD, BIN-1 COLD, BIN-2 BIN-2

Written down with each place as its tree changes, so that nobody who plans has to look above it.
"""

from collections.abc import Iterable

from sqlalchemy import Connection, text

from central.storage import bulk
from central.storage.catalogue_tables import location_details

# Of each place that is not blocked itself, where what is written is not what is above it.
WRONGLY_BLOCKED = """
WITH RECURSIVE below (location, blocked_by) AS (
    SELECT location, location FROM location_details
    WHERE warehouse = :warehouse AND blocked_by = location
    UNION
    SELECT d.location, b.blocked_by FROM below b CROSS JOIN location_details d
    WHERE d.warehouse = :warehouse AND d.parent = b.location AND d.blocked_by <> d.location
)
SELECT d.location, COALESCE(b.blocked_by, '') AS blocked_by
FROM location_details d LEFT JOIN below b ON b.location = d.location
WHERE d.warehouse = :warehouse AND d.blocked_by <> d.location
AND d.blocked_by <> COALESCE(b.blocked_by, '')
"""
COLUMNS = ("warehouse", "location", "blocked", "blocked_by")


def block_below(connection: Connection, warehouses: Iterable[str]) -> None:
    """Have every place of warehouses say what blocks it now, after their trees have changed.

    Those that are blocked themselves say so already.
    """
    for warehouse in sorted(set(warehouses)):
        found = connection.execute(text(WRONGLY_BLOCKED), {"warehouse": warehouse})
        rows = [(warehouse, row.location, row.blocked_by != "", row.blocked_by) for row in found]
        bulk.update_rows(connection, location_details, COLUMNS, rows)
