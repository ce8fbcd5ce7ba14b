"""What is known of goods that were not weighed. Edge of the database.

they took a share            somebody says so, or weighs them
they are in the warehouse    somebody weighs them
they have left again         nobody can; a paper may say it
they came before they left   what left weighed something, which was written off as nothing was there
"""

from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from central.ledger.entries import Line
from central.ledger.locations import IN_TRANSIT, is_virtual, place_of
from central.orders.settling.cases import Case
from central.orders.settling.discrepancy_facts import Found, standing_behind
from central.orders.settling.settlement_steps import MovedFact
from central.storage import bulk, tables
from central.storage.transfer_tables import transfer_facts


def case_of_weight(connection: Connection, row: Found) -> Case:
    """Return what is known of a `weight_missing` now."""
    facts = standing_behind(connection, row).facts
    shared = bool(facts) and all(fact.weight_micro for fact in facts)
    came = any(not is_virtual(fact.movement.to_location) for fact in facts)
    # What more was weighed out than in than there is, is about pieces that are still there.
    there = came or bool(row.detail)
    return Case(
        kind=row.kind,
        gone=not facts,
        shared=shared,
        on_hand_micro=_on_hand(connection, row) if there else 0,
        weight_micro=0 if shared else _weight_sent(connection, facts),
    )


def _on_hand(connection: Connection, row: Found) -> int:
    """Return how much of an item and its lot there is in its warehouse, or under way."""
    table = tables.balances.c
    query = (
        select(table.location, func.sum(table.on_hand_micro).label("micro"))
        .where(
            table.warehouse == row.warehouse,
            table.item == row.item,
            table.lot == row.lot,
            table.unit == row.unit,
        )
        .group_by(table.location)
    )
    held = connection.execute(query).all()
    return sum(
        one.micro
        for one in held
        if one.micro > 0 and (one.location == row.location or not is_virtual(one.location))
    )


def _weight_sent(connection: Connection, facts: Sequence[MovedFact]) -> int:
    """Return what was written off as these goods left a transfer's source after they had come.

    0 if they are several: whose weight it is nobody knows.
    """
    if len(facts) != 1:
        return 0
    movement = facts[0].movement
    if movement.from_location != IN_TRANSIT or not movement.document or facts[0].weight_micro:
        return 0
    table = transfer_facts.c
    query = select(table.warehouse, table.record_no).where(table.transfer == movement.document)
    keys = [(one.warehouse, one.record_no) for one in connection.execute(query)]
    place = place_of(IN_TRANSIT, document=movement.document)
    lines = (Line(*one) for one in _lines(connection, keys))
    written_off = sum(
        -line.weight_micro
        for line in lines
        if line.location == place
        and not line.quantity_micro
        and (line.item, line.lot, line.serial) == (movement.item, movement.lot, movement.serial)
    )
    return max(0, written_off)


def _lines(connection: Connection, keys: Sequence[tuple[str, int]]) -> Sequence[bulk.Row]:
    return list(bulk.select_by_key(connection, tables.lines, keys, columns_count=2))
