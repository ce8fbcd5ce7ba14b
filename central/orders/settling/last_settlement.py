"""What the last settlement of a discrepancy moved, and what takes it back. Edge of the database."""

from collections.abc import Sequence

from sqlalchemy import select

from central.ledger.desk import Change
from central.ledger.entries import FactKey
from central.ledger.own_facts import OWN_GATEWAY
from central.orders.settling.discrepancy_facts import Found, movements_at
from central.orders.settling.present_reading import goods_since
from central.orders.settling.settlement_steps import Step
from central.orders.settling.taking_back import steps_back
from central.storage import bulk, tables
from central.storage.settlement_tables import settlement_facts, settlements


def moved_by_last(change: Change, row: Found) -> list[Found]:
    """Return the facts of the last settlement by people, none if it moved nothing."""
    table, decided = settlement_facts, settlements.c
    last = (
        select(decided.number)
        .where(decided.discrepancy == row.id)
        .order_by(decided.number.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = (
        select(table)
        .where(table.c.discrepancy == row.id, table.c.number == last)
        .order_by(table.c.seq)
    )
    return list(change.connection.execute(query))


def back_again(change: Change, warehouse: str, moved: Sequence[Found]) -> list[Step]:
    keys = [FactKey(one.warehouse, one.gateway, one.epoch, one.seq) for one in moved]
    rows = bulk.select_by_key(change.connection, tables.facts, keys, columns_count=4)
    numbers = [found[10] for found in rows]
    facts = movements_at(change.connection, warehouse=warehouse, numbers=numbers)
    assert all(fact.key.gateway == OWN_GATEWAY for fact in facts)
    return steps_back(facts, goods_since(change.connection, facts, since=max(numbers, default=0)))


def freed_by(moved: Sequence[Found]) -> list[FactKey]:
    """Return facts that stand again once what a settlement moved is moved back."""
    return [
        FactKey(one.warehouse, one.back_gateway, one.back_epoch, one.back_seq)
        for one in moved
        if one.back_epoch
    ]


def anew_by(moved: Sequence[Found], steps: Sequence[Step]) -> list[FactKey | None]:
    """Return for each step the fact that it lets stand again, else what it takes back itself.

    That is of a settlement that took nothing back: of one that filled a balance. None for what was
    posted beside others that were taken back.
    """
    freed = {
        FactKey(one.warehouse, one.gateway, one.epoch, one.seq): FactKey(
            one.warehouse, one.back_gateway, one.back_epoch, one.back_seq
        )
        for one in moved
        if one.back_epoch
    }
    if not freed:
        return [step.takes_back for step in steps]
    return [step.takes_back and freed.get(step.takes_back) for step in steps]


def free_again(change: Change, moved: Sequence[Found]) -> None:
    """Let what a settlement had taken back be taken back another time: it stands again."""
    table = tables.reversals
    for one in moved:
        if one.back_epoch:
            change.connection.execute(
                table.delete().where(
                    table.c.warehouse == one.warehouse,
                    table.c.gateway == one.back_gateway,
                    table.c.epoch == one.back_epoch,
                    table.c.seq == one.back_seq,
                )
            )
