"""Counts and their lines as people look at them. Edge of the database; writes nothing."""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection

from central.orders.counts.count_reading import uncounted_lines
from central.orders.counts.count_rows import count_observations, load_lines, load_observations
from central.orders.counts.count_sheet import ItemName, item_names
from central.orders.counts.counts import CountHead, CountLine
from central.orders.counts.outdated_rows import read_outdated

LineState = Literal["counted", "empty", "uncounted"]


@dataclass(frozen=True, slots=True)
class CountView:
    """A count with the figures of its present round.

    outdated_count: lines of which it is told that something from before came late.
    """

    head: CountHead
    lines_count: int
    uncounted_count: int
    observations_count: int
    outdated_count: int


@dataclass(frozen=True, slots=True)
class LineView:
    """A line of a round. state: "empty" if somebody said that nothing is there."""

    round: int
    line: CountLine
    name: ItemName
    state: LineState


def view_count(connection: Connection, head: CountHead) -> CountView:
    """Return a count with the figures of its present round."""
    lines = load_lines(connection, head.code).get(head.round, ())
    observed = load_observations(connection, head.code) if lines else []
    left = uncounted_lines(lines, [one.said for one in observed], round_no=head.round)
    observed_count = count_observations(connection, head.code)
    told = read_outdated(connection, head.code, warehouse=head.warehouse)
    return CountView(head, len(lines), len(left), observed_count, len(told))


def list_lines(
    connection: Connection, head: CountHead, *, after: tuple[int, int], limit: int
) -> list[LineView]:
    """Return lines behind one (its round and number), by round and number."""
    rounds = load_lines(connection, head.code)
    said = [one.said for one in load_observations(connection, head.code)]
    names = item_names(connection, [line.item for lines in rounds.values() for line in lines])
    found: list[LineView] = []
    for round_no, lines in sorted(rounds.items()):
        left = set(uncounted_lines(lines, said, round_no=round_no))
        for line in lines:
            if (round_no, line.line) <= after or len(found) == limit:
                continue
            state: LineState = "uncounted" if line in left else "counted"
            if line.empty:
                state = "empty"
            found.append(LineView(round_no, line, names.get(line.item, ItemName()), state))
    return found
