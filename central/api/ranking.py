"""How rankings go on: figures of the moment of their first page, after the last row of one. Pure.

A ranking is worked out anew for each page. What came meanwhile may move a row past the others; no
row is twice on pages whose figures stayed.
"""

from collections.abc import Callable, Iterable
from typing import Annotated, TypeVar

import msgspec

from central.api.parameters import read_cursor, write_cursor
from central.contract.errors import ContractError

TIME_MS_MAX = 253_402_300_799_999  # The end of the year 9999.
NUMBER_MAX = 2**63 - 1

RowT = TypeVar("RowT")
Rank = tuple[int | str, ...]


class RankCursor(msgspec.Struct, frozen=True, array_like=True):
    """The moment of the first page, and by what the last row of a page is ranked."""

    now_ms: Annotated[int, msgspec.Meta(ge=0, le=TIME_MS_MAX)]
    rank: tuple[int | str, ...]


class Ranking:
    """One page of a ranking that is asked for: which moment it is of, and what it begins after."""

    def __init__(self, cursor: str | None, *, now_ms: int, limit: int) -> None:
        """Begin where a cursor says. Raises ContractError for one that this ledger did not give."""
        after = read_cursor(cursor, RankCursor)
        self.now_ms = now_ms if after is None else min(after.now_ms, now_ms)
        self.rank = None if after is None else after.rank
        self._limit = limit

    def require(self, like: Rank) -> None:
        """Return unless the cursor is of another list. Raises ContractError.

        like: a rank of this one.
        """
        if self.rank is not None and [*map(type, self.rank)] != [*map(type, like)]:
            raise ContractError(
                "the cursor is not one that this ledger gave out",
                hint="Leave `cursor` out for the first page, then pass `next_cursor` on unchanged.",
            )

    def page(
        self, rows: Iterable[RowT], rank: Callable[[RowT], Rank]
    ) -> tuple[list[RowT], str | None]:
        """Return the rows of the page in the order of their ranks, and the cursor of the next."""
        ranked = sorted(((self._known(rank(row)), row) for row in rows), key=lambda one: one[0])
        if self.rank is not None:
            if ranked:
                self.require(ranked[0][0])
            ranked = [one for one in ranked if one[0] > self.rank]
        page = ranked[: self._limit]
        more = len(ranked) > self._limit
        return [row for _, row in page], self.cursor_after(page[-1][0]) if more else None

    def cursor_after(self, rank: Rank) -> str:
        """Return the cursor of what comes after a row."""
        return write_cursor(RankCursor(self.now_ms, rank))

    @staticmethod
    def _known(rank: Rank) -> Rank:
        # What is more than a cursor holds is as much as it does, and told apart by what follows.
        return tuple(
            max(-NUMBER_MAX, min(NUMBER_MAX, part)) if isinstance(part, int) else part
            for part in rank
        )
