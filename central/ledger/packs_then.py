"""What a pack of an item held when a fact was posted. Edge of the database.

    record 1 ............ 400 | 401 ........... 900 | 901 ...
    24 until 400              | 20 until 900        | 12, as item_units has it now

Who changes a pack notes what it held until then, in the same change. So lines of before are proved
by what was true when they were posted.
"""

from bisect import bisect_left
from collections.abc import Iterable
from fractions import Fraction

from sqlalchemy import Connection

from central.storage import bulk
from central.storage.catalogue_tables import former_packs, item_units

ITEMS_REMEMBERED_MAX = 10_000

Then = tuple[int, Fraction]  # The last record number of which it was true, and what was.
Packs = dict[str, tuple[list[Then], Fraction | None]]  # By unit: of before, and now.


class PacksThen:
    """Looks packs up and remembers them; of one state of the database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._items: dict[str, Packs] = {}

    def pack_at(self, record_no: int, *, item: str, unit: str) -> Fraction | None:
        """Return how many of the item's unit one of another was, None if it did not say."""
        if item not in self._items:
            if len(self._items) >= ITEMS_REMEMBERED_MAX:
                self._items.clear()
            self._items[item] = self._packs_of(item)
        before, now = self._items[item].get(unit, ([], None))
        index = bisect_left(before, record_no, key=lambda one: one[0])
        return before[index][1] if index < len(before) else now

    def _packs_of(self, item: str) -> Packs:
        packs: Packs = {}
        found = bulk.select_by_key(self._connection, former_packs, [(item,)], columns_count=1)
        for row in sorted(found):
            then = (row[2], Fraction(row[3], row[4]))
            packs.setdefault(row[1], ([], None))[0].append(then)
        for row in bulk.select_by_key(self._connection, item_units, [(item,)], columns_count=1):
            before, _ = packs.get(row[1], ([], None))
            packs[row[1]] = (before, Fraction(row[2], row[3]))
        return packs


def note_former_packs(
    connection: Connection, packs: Iterable[tuple[str, str, Fraction]], *, until_record_no: int
) -> None:
    """Note what packs hold that are about to change: item, unit, how many of its own in one.

    until_record_no: of the last fact that is posted, under the lock that posting needs.
    """
    rows: list[bulk.Row] = [
        (item, unit, until_record_no, each.numerator, each.denominator)
        for item, unit, each in packs
    ]
    # Of two changes with no fact between them the first says what held until then.
    bulk.insert_missing_rows(connection, former_packs, rows)
