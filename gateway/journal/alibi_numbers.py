"""Which alibi number each weighing must have: one after the other, for each scale. Edge of SQLite.

What breaks a row of numbers is written down: those that were kept long enough and are gone, and
those that a restored journal skips, lest a number stands on two receipts.
"""

import sqlite3
from collections.abc import Mapping

SELECT_FORGOTTEN = "SELECT scale, alibi_number FROM alibi_forgotten"
SELECT_GAPS = "SELECT scale, first_number, last_number FROM alibi_gaps"


class AlibiNumbers:
    """Follows the weighings of all scales in the order in which they were made."""

    def __init__(self, forgotten: Mapping[str, int], gaps: Mapping[tuple[str, int], int]) -> None:
        """forgotten: the last number of a scale that is gone. gaps: (scale, first) -> last."""
        self._last = dict(forgotten)
        self._gaps = gaps
        self.count = 0

    def take(self, scale: str, number: int) -> int:
        """Return the number that the next weighing of a scale must have, and take what it has."""
        expected = self._last.get(scale, 0) + 1
        while number != expected and (scale, expected) in self._gaps:
            expected = self._gaps[scale, expected] + 1
        self._last[scale] = number
        self.count += 1
        return expected

    def last_numbers(self) -> dict[str, int]:
        """Return the last number of each scale, those that are skipped included."""
        last_numbers = dict(self._last)
        for (scale, _first), last in self._gaps.items():
            last_numbers[scale] = max(last, last_numbers.get(scale, 0))
        return last_numbers


def load_alibi_numbers(connection: sqlite3.Connection) -> AlibiNumbers:
    """Return where a journal's alibi numbers begin and what they skip."""
    forgotten = dict(connection.execute(SELECT_FORGOTTEN).fetchall())
    gaps = {(row[0], row[1]): row[2] for row in connection.execute(SELECT_GAPS)}
    return AlibiNumbers(forgotten, gaps)
