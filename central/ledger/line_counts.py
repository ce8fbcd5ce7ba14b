"""What counts for each line of a document of what names none, and which line has too much. Pure.

order line 1: 10, line 2: 5          came: 12 without a line        line 1: 10, line 2: 2
                                     and 4 for line 2               line 1: 10, line 2: 6 of 5
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from central.ledger.entries import (
    DiscrepancyKind,
    Entry,
    ExpectedLine,
    Finding,
    ProgressKey,
    finding_of,
)
from central.ledger.progress import OUT

UNNAMED = 0  # The line that facts count for which name none.
Lines = Mapping[int, ExpectedLine]


class Relieved(NamedTuple):
    """A document line that had more than it tolerates, and has not after a fact.

    record_no: of the fact. done_micro: that counts for the line now.
    """

    key: ProgressKey
    direction: int
    record_no: int
    done_micro: int


def fill_lines(done: dict[int, int], wanted: Sequence[tuple[int, int]], unnamed_micro: int) -> None:
    """Count what names no line for the lines of its item: what each still expects, then the last.

    done: by line, is changed. wanted: each line with what it expects, in order.
    """
    if not wanted:
        return
    for line, expected_micro in wanted[:-1]:
        part = min(unnamed_micro, max(expected_micro - done[line], 0))
        done[line] += part
        unnamed_micro -= part
    done[wanted[-1][0]] += unnamed_micro


def shared_counts(lines: Lines, item: str, counted: Callable[[int], int]) -> dict[int, int]:
    """Return what counts for each line that expects an item.

    counted: for a line, in the item's unit; for UNNAMED what names none.
    """
    wanted = [
        (number, line.expected_micro) for number, line in sorted(lines.items()) if line.item == item
    ]
    done = {number: counted(number) for number, _ in wanted}
    fill_lines(done, wanted, counted(UNNAMED))
    return done


def families_of(lines: Lines, keys: Iterable[ProgressKey]) -> Iterator[ProgressKey]:
    """Yield every progress that what counts for lines of one document depends on.

    keys: what facts count for.
    """
    of_item: dict[str, list[int]] = {}
    for number, line in lines.items():
        of_item.setdefault(line.item, []).append(number)
    for key in keys:
        yield key
        warehouse, document, _, item, unit = key
        for number in (UNNAMED, *of_item.get(item, ())):
            yield ProgressKey(warehouse, document, number, item, unit)


def excess_kind(direction: int) -> DiscrepancyKind:
    """Return what it is called that more counts than a document expects."""
    return "over_shipped" if direction == OUT else "over_received"


def judge_counts(
    entry: Entry,
    key: ProgressKey,
    lines: Lines,
    *,
    before: Mapping[int, int],
    after: Mapping[int, int],
    direction: int,
    kept: Mapping[str, str],
) -> tuple[list[Finding], list[Relieved]]:
    """Return what is wrong with lines that a fact gave more than they tolerate, and which no
    longer have too much.

    before, after: what counts for lines, by their numbers. key: what the fact counts for. kept: the
    units in which items are kept; nothing counts for a line of another item or in another unit.
    """
    findings, relieved = [], []
    for number, done in after.items():
        line, earlier = lines.get(number), before[number]
        if line is None or done == earlier:
            continue
        if done > line.limit_micro and done > earlier:
            finding = finding_of(
                entry,
                excess_kind(direction),
                f"{key.document}/{number}/{key.item}",
                item=key.item,
                unit=key.unit,
                document=key.document,
                document_line=number,
                expected_micro=line.expected_micro,
                actual_micro=done,
            )
            findings.append(finding)
        elif earlier > line.limit_micro >= done:
            there = key._replace(line=number)
            relieved.append(Relieved(there, direction, entry.record_no, done))
    if (findings or relieved) and not _is_of_line(key, lines.get(key.line), kept):
        return [], []
    return findings, relieved


def _is_of_line(key: ProgressKey, line: ExpectedLine | None, kept: Mapping[str, str]) -> bool:
    """Return whether what counts there is of its line's item, in the unit in which that is kept."""
    return kept.get(key.item, key.unit) == key.unit and (line is None or line.item == key.item)
