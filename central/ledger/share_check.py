"""Proves the shares of weight that unweighed goods took along, and what was left. Edge of SQL.

    BIN-1 has 3 pieces, 2.5 kg;   2 go unweighed:   2.5 * 2 / 3 = 1.666666 kg,  0.833334 stay
                                  1 goes unweighed:               0.833334 kg,  nothing stays

A share depends on what stood there when the fact was posted, so an item's lines are added up once
more from the first one on, in all warehouses: what is under way is in several books. Who comes from
there unweighed takes a share if the item was one of catch weight then, which no fact tells: all of
the share, or nothing. No place is left with a weight and no pieces.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, Row, select

from central.contract.errors import ContractError
from central.contract.facts import Movement, decode_fact
from central.ledger.entries import BalanceKey, Line
from central.ledger.fact_check import STREAMED, Fault
from central.ledger.locations import is_virtual
from central.ledger.measures import shares, weight_share
from central.ledger.pairs import LINES_OF_A_PAIR, own_lines, takes_share
from central.ledger.rests_back import RestBack, rests_said
from central.ledger.weight_rests import (
    Left,
    UnderWayKey,
    is_under_way,
    one_of_each,
    parted,
    under_way_key,
)
from central.storage import tables
from central.storage.line_blocks import first_lines, last_to_read, record_ranges

# Of the state: facts up to the one were posted by a version that moved no weight unsaid, up to the
# other by one that left weights without pieces, and what was under way to each book by itself.
SHARES_AFTER, RESTS_AFTER = "shares_after", "rests_after"
NOTHING = (0, 0)


class Held:
    """Quantity and weight at each place as lines are added up; what is neither is not kept."""

    def __init__(self) -> None:
        self._amounts: dict[BalanceKey | UnderWayKey, Left] = {}

    def at(self, line: Line) -> Left:
        """Return what is at the place of a line; of what is under way, in all books."""
        return self._amounts.get(_key_of(line), NOTHING)

    def add(self, lines: Sequence[Line]) -> None:
        """Add lines up."""
        for line in lines:
            quantity, weight = self._amounts.pop(_key_of(line), NOTHING)
            after = (quantity + line.quantity_micro, weight + line.weight_micro)
            if any(after):
                self._amounts[_key_of(line)] = after


def share_faults(connection: Connection) -> Iterator[Fault]:
    """Yield the movements whose goods took another weight along than their share, or left one."""
    state, lines, balances = tables.ledger_state.c, tables.lines.c, tables.balances.c
    wanted = (SHARES_AFTER, RESTS_AFTER)
    found = connection.execute(select(state.key, state.value).where(state.key.in_(wanted)))
    since = {row.key: int(row.value) for row in found}
    shares_after = since.get(SHARES_AFTER, 0)
    rests_after = max(shares_after, since.get(RESTS_AFTER, 0))
    weighed = select(lines.item).where(lines.weight_micro != 0).distinct()
    for item in sorted(connection.execute(weighed).scalars()):
        houses = select(balances.warehouse).where(balances.item == item).distinct()
        warehouses = sorted(connection.execute(houses).scalars())
        check = _OfItem(shares_after, rests_after)
        for posted in _posted(connection, item, warehouses):
            yield from check.faults(*posted)


class _OfItem:
    """Judges the facts of an item in record order."""

    def __init__(self, shares_after: int, rests_after: int) -> None:
        self._shares_after = shares_after
        self._rests_after = rests_after
        self._held = Held()

    def faults(self, row: Row[Any], lines: Sequence[Line]) -> Iterator[Fault]:
        """Yield what is off with the weights of one fact."""
        movement = _movement(row)
        back = movement is not None and len(own_lines(lines)) < len(lines)
        said, rests = parted(lines)
        if movement is not None and takes_share(movement) and not back:
            yield from self._share_faults(said)
        self._held.add(lines)
        if back or lines[0].record_no <= self._rests_after:
            return
        weighed = any(line.weight_micro for line in said)
        for line in one_of_each(lines):
            quantity, weight = self._held.at(line)
            if weight and not quantity and (weighed or not is_under_way(line.location)):
                detail = f"{weight} are left there without pieces (micro)"
                yield Fault("rest", _subject(line), detail)
        if movement is not None:
            yield from self._rest_faults(rests, rests_said(row.gateway, movement))

    def _rest_faults(
        self, rests: Sequence[Line], given_back: Sequence[RestBack]
    ) -> Iterator[Fault]:
        # Of which status it is given back depends on what moved there.
        said = [(one.location, one.weight_micro) for one in given_back]
        for rest in rests[::2]:
            if (rest.location, rest.weight_micro) in said:
                said.remove((rest.location, rest.weight_micro))
            elif self._held.at(rest)[0]:
                detail = "a rest is written off where pieces are left"
                yield Fault("rest", _subject(rest), detail)

    def _share_faults(self, lines: Sequence[Line]) -> Iterator[Fault]:
        first = lines[0]
        under_way = is_under_way(first.location)
        after = self._rests_after if under_way else self._shares_after
        if first.record_no <= after or (is_virtual(first.location) and not under_way):
            return
        for given, taken, share in self._shares(lines, under_way=under_way):
            if taken.weight_micro != share and not (under_way and not taken.weight_micro):
                detail = f"{taken.weight_micro} were taken along, the share is {share} (micro)"
                yield Fault("share", _subject(given), detail)

    def _shares(
        self, lines: Sequence[Line], *, under_way: bool
    ) -> Iterator[tuple[Line, Line, int]]:
        """Yield each pair with its share; of what is under way all statuses have one together."""
        gives, takes = lines[::2], lines[1::2]
        parts = [[index] for index in range(len(gives))]
        for some in [list(range(len(gives)))] if under_way else parts:
            quantities = [takes[index].quantity_micro for index in some]
            quantity, weight = self._held.at(gives[some[0]])
            share = weight_share(sum(quantities), there_micro=quantity, weight_micro=weight)
            for index, part in zip(some, shares(share, quantities), strict=True):
                yield gives[index], takes[index], part


def _posted(
    connection: Connection, item: str, warehouses: Sequence[str]
) -> Iterator[tuple[Row[Any], list[Line]]]:
    """Yield the facts of an item with all of their lines, in record order."""
    lines, facts = tables.lines, tables.facts.c
    last = last_to_read(connection)
    # Some blocks of record numbers at a time, so that few facts have to be sorted at once.
    for after, through in record_ranges(after=0, through=last, newest_first=False):
        first = first_lines(
            connection, warehouses=warehouses, items=[item], after=after, through=through
        )
        query = (
            select(lines, facts.kind, facts.gateway, facts.body)
            .join(
                first,
                (first.c.warehouse == lines.c.warehouse) & (first.c.record_no == lines.c.record_no),
            )
            .join(tables.facts, facts.record_no == first.c.record_no)
            .order_by(first.c.record_no, lines.c.line_no)
        )
        rows = connection.execute(query, execution_options=STREAMED)
        for _, some in groupby(rows, key=attrgetter("record_no")):
            of_fact = list(some)
            posted = [Line(*row[: len(Line._fields)]) for row in of_fact]
            if len(posted) % LINES_OF_A_PAIR == 0:  # Said by the check of the facts.
                yield of_fact[0], posted


def _movement(row: Row[Any]) -> Movement | None:
    """Return the movement that a row is, None if it is another fact."""
    if row.kind != "movement":
        return None
    try:
        fact = decode_fact(bytes(row.body))
    except ContractError:
        return None
    return fact if isinstance(fact, Movement) else None


def _key_of(line: Line) -> BalanceKey | UnderWayKey:
    return under_way_key(line) if is_under_way(line.location) else line.balance_key


def _subject(line: Line) -> str:
    return f"{line.warehouse}/{line.record_no}/{line.line_no}"
