"""Proves the shares of weight that unweighed goods took along. Edge of the database.

    BIN-1 has 3 pieces, 2.5 kg;   2 go unweighed:   2.5 * 2 / 3 = 1.666666 kg,  0.833334 stay
                                  1 goes unweighed:               0.833334 kg,  nothing stays

A share depends on what stood there when the fact was posted, so an item's lines are added up once
more from the first one on: those of one item in one warehouse at a time, of items with weights.
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
from central.ledger.measures import weight_share
from central.ledger.pairs import LINES_OF_A_PAIR, own_lines, takes_share
from central.storage import tables

# Of the state: facts up to this one were posted by a version that moved no weight unsaid.
SHARES_AFTER = "shares_after"

Held = dict[BalanceKey, tuple[int, int]]  # Quantity and weight; what is neither is not kept.


def share_faults(connection: Connection) -> Iterator[Fault]:
    """Yield the movements whose goods took another weight along than their share."""
    state, lines = tables.ledger_state.c, tables.lines.c
    after = connection.execute(select(state.value).where(state.key == SHARES_AFTER)).scalar()
    weighed = (
        select(lines.warehouse, lines.item).where(lines.weight_micro != 0).distinct().order_by(None)
    )
    for warehouse, item in connection.execute(weighed).all():
        yield from _faults_of(connection, warehouse, item, after=int(after or 0))


def _faults_of(connection: Connection, warehouse: str, item: str, *, after: int) -> Iterator[Fault]:
    lines, facts = tables.lines, tables.facts.c
    of_item = tables.lines.alias()
    first = of_item.c
    # The first lines of an item are in an index; the others lie beside them.
    query = (
        select(lines, facts.kind, facts.body)
        .join(
            of_item,
            (first.warehouse == lines.c.warehouse) & (first.record_no == lines.c.record_no),
        )
        .join(tables.facts, facts.record_no == first.record_no)
        .where(first.warehouse == warehouse, first.item == item, first.line_no == 1)
        .order_by(first.record_no, lines.c.line_no)
    )
    held: Held = {}
    rows = connection.execute(query, execution_options=STREAMED)
    for record_no, some in groupby(rows, key=attrgetter("record_no")):
        of_fact = list(some)
        posted = [Line(*row[: len(Line._fields)]) for row in of_fact]
        if record_no > after and _is_unweighed(of_fact[0], posted):
            for given, taken in zip(posted[::2], posted[1::2], strict=True):
                quantity, weight = held.get(given.balance_key, (0, 0))
                share = weight_share(
                    taken.quantity_micro, there_micro=quantity, weight_micro=weight
                )
                if taken.weight_micro != share:
                    detail = f"{taken.weight_micro} were taken along, the share is {share} (micro)"
                    yield Fault("share", f"{warehouse}/{record_no}/{given.line_no}", detail)
        _add(held, posted)


def _is_unweighed(row: Row[Any], lines: Sequence[Line]) -> bool:
    """Return whether lines are of a movement that takes shares, and not back at once."""
    if row.kind != "movement" or is_virtual(lines[0].location):
        return False
    if len(lines) % LINES_OF_A_PAIR or len(own_lines(lines)) < len(lines):
        return False
    try:
        fact = decode_fact(bytes(row.body))
    except ContractError:
        return False
    return isinstance(fact, Movement) and takes_share(fact)


def _add(held: Held, lines: Sequence[Line]) -> None:
    for line in lines:
        quantity, weight = held.pop(line.balance_key, (0, 0))
        quantity, weight = quantity + line.quantity_micro, weight + line.weight_micro
        if quantity or weight:
            held[line.balance_key] = (quantity, weight)
