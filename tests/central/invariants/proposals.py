"""What is proposed for what is open can be posted as it stands; of each kind one is tried."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from sqlalchemy import func, select

from central.errors import DeskRefused
from central.orders.settling.discrepancy_views import read_detail
from central.orders.settling.settlement_book import settle
from central.orders.settling.settlements import Decision
from central.storage import tables
from tests.central.invariants.world import World


class _TriedError(Exception):
    """It could be posted; nothing of it is kept."""


def refused_proposals(world: World, *, every: bool = False) -> Iterator[str]:
    """Yield proposals that would be refused. every: of all that is open, not one of each kind."""
    for row in _open(world, every=every):
        with world.database.read() as connection:
            proposals = read_detail(connection, row.id, now_ms=world.clock.time_ms).proposals
        for proposal in proposals:
            refused = _refused(world, row.id, proposal.decision)
            if refused:
                yield f"{row.kind} {row.id}: {proposal.decision} is refused: {refused}"


def _open(world: World, *, every: bool) -> list[Any]:
    table = tables.discrepancies.c
    query = select(table.id, table.kind).where(table.state == "open")
    if not every:
        newest = select(func.max(table.record_no)).where(table.state == "open").group_by(table.kind)
        query = query.where(table.record_no.in_(newest.scalar_subquery()))
    return world.rows(query.order_by(table.record_no, table.id))


def _refused(world: World, identity: str, decision: Decision) -> str:
    """Settle as decided and take everything back; return why that is refused, "" if it is not."""
    try:
        with world.desk.change(actor="li.na") as change:
            settle(change, identity, replace(decision, reason="as proposed"))
            raise _TriedError
    except _TriedError:
        return ""
    except DeskRefused as refused:
        return str(refused)
