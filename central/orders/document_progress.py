"""How far the lines of a document are, from what the ledger has counted towards it. Pure.

Progress is counted once, by the ledger, per line, item and unit; everything here follows from it. A
station that cannot tell the line counts at line 0, which then fills the item's lines in order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import msgspec

from central.ledger.line_counts import fill_lines

PERCENT_MICRO = 100_000_000  # One hundred percent, in 10^-6 percent.

Fulfilment = Literal["none", "partial", "complete", "over"]


class CountedKey(NamedTuple):
    """What progress is counted by within one document."""

    line: int
    item: str
    unit: str


class ExpectedQuantity(msgspec.Struct, frozen=True):
    """What one line expects.

    over_percent_micro, under_percent_micro: how far off is still as ordered, in 10^-6 percent.
    closed: nothing more is expected of it, whatever came.
    """

    line: int
    item: str
    unit: str
    expected_micro: int
    over_percent_micro: int = 0
    under_percent_micro: int = 0
    closed: bool = False

    @property
    def most_micro(self) -> int:
        """Return the most that is still as ordered."""
        return self.expected_micro + self.expected_micro * self.over_percent_micro // PERCENT_MICRO

    @property
    def least_micro(self) -> int:
        """Return the least that is still as ordered; never nothing."""
        under = self.expected_micro * self.under_percent_micro // PERCENT_MICRO
        return max(self.expected_micro - under, 1)


@dataclass(frozen=True, slots=True)
class LineProgress:
    """How far one line is. remaining_micro: what is still to come, 0 if it is complete or closed.

    short_micro: by how much a closed line fell short.
    """

    line: int
    done_micro: int
    remaining_micro: int
    short_micro: int
    fulfilment: Fulfilment


@dataclass(frozen=True, slots=True)
class DocumentProgress:
    """How far a document is. unexpected: what was counted that no line of it expects."""

    lines: tuple[LineProgress, ...]
    fulfilment: Fulfilment
    unexpected: tuple[tuple[CountedKey, int], ...]

    @property
    def untouched(self) -> bool:
        """Return whether nothing at all was counted, expected or not."""
        return not any(line.done_micro for line in self.lines) and not self.unexpected


def progress_of(
    lines: Sequence[ExpectedQuantity],
    counted: Mapping[CountedKey, int],
    *,
    elsewhere: Mapping[int, int] | None = None,
) -> DocumentProgress:
    """Return how far a document is.

    counted: by the ledger under its code. elsewhere: what was counted for a line under the code of
    another document, by line.
    """
    done, unexpected = share_out(lines, counted)
    for line, quantity in (elsewhere or {}).items():
        if line in done:
            done[line] += quantity
    found = tuple(line_progress(line, done[line.line]) for line in lines)
    return DocumentProgress(found, _fulfilment(found), tuple(unexpected))


def share_out(
    lines: Sequence[ExpectedQuantity], counted: Mapping[CountedKey, int]
) -> tuple[dict[int, int], list[tuple[CountedKey, int]]]:
    """Return what was counted for each line, and what belongs to none."""
    done = {line.line: 0 for line in lines}
    places = {CountedKey(line.line, line.item, line.unit) for line in lines}
    unexpected = []
    for key, quantity in sorted(counted.items()):
        if key in places:
            done[key.line] += quantity
    for key, quantity in sorted(counted.items()):
        if key in places or not quantity:
            continue
        wanted = [line for line in lines if (line.item, line.unit) == (key.item, key.unit)]
        if key.line or not wanted:
            unexpected.append((key, quantity))
            continue
        fill_lines(done, [(line.line, line.expected_micro) for line in wanted], quantity)
    return done, unexpected


def by_number(counted: Mapping[CountedKey, int], items: Mapping[int, str]) -> dict[int, int]:
    """Return what was counted by each number of the item that it is about; others are left out."""
    found: dict[int, int] = {}
    for key, quantity in counted.items():
        if items.get(key.line) == key.item:
            found[key.line] = found.get(key.line, 0) + quantity
    return found


def line_progress(line: ExpectedQuantity, done_micro: int) -> LineProgress:
    """Return how far one line is."""
    # What went the other way under a document is not expected once more.
    missing = max(line.expected_micro - max(done_micro, 0), 0)
    complete = done_micro >= line.least_micro
    fulfilment: Fulfilment = "none"
    if done_micro > line.most_micro:
        fulfilment = "over"
    elif complete or line.closed:
        fulfilment = "complete"
    elif done_micro:
        fulfilment = "partial"
    return LineProgress(
        line.line,
        done_micro,
        remaining_micro=0 if complete or line.closed else missing,
        short_micro=missing if line.closed else 0,
        fulfilment=fulfilment,
    )


def _fulfilment(lines: Sequence[LineProgress]) -> Fulfilment:
    states = {line.fulfilment for line in lines}
    if not any(line.done_micro for line in lines):
        return "none"
    if "over" in states:
        return "over" if states <= {"over", "complete"} else "partial"
    if states == {"complete"}:
        return "complete"
    return "partial" if states & {"partial", "complete"} else "none"
