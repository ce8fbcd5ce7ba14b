"""What left under picks beyond what their lines ask for: stations never expect it. Edge of SQL.

    line 10: pick 1 of 10            12 left under it       told anew: 10, and 2 stay too much
    line 20: picks 1 and 2 of 10     12 left under pick 1   told anew: 12 and 8, nothing is too much

Told as expected, it would explain itself: nobody would hear any more that too much has left.
"""

from collections.abc import Mapping

from sqlalchemy import Connection

from central.storage import bulk, tables


def unasked_of_picks(
    connection: Connection,
    document: tuple[str, str],
    went: Mapping[int, int],
    *,
    picks: Mapping[int, int],
    too_much: Mapping[int, int],
) -> dict[int, int]:
    """Return how much of what left under each pick is not to be told as expected, in 10^-6 units.

    document: warehouse and code, as stations were told of it until now. went: what left under each
    pick, by its number. picks: the line of each. too_much: of each line, what left and what
    is set aside above what it asks for. Reads nothing if no line has too much.
    """
    left = {line: micro for line, micro in too_much.items() if micro > 0}
    if not left:
        return {}
    told = {
        row[2]: row[4]
        for row in bulk.select_by_key(
            connection, tables.document_lines, [document], columns_count=2
        )
    }
    found: dict[int, int] = {}
    for number, quantity_micro in sorted(went.items()):
        part_micro = min(quantity_micro - told.get(number, 0), left.get(picks[number], 0))
        if part_micro > 0:
            found[number] = part_micro
            left[picks[number]] -= part_micro
    return found
