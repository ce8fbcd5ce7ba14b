"""What closed periods forbid at the desk, and when a fact counts. Edge of the database."""

from collections.abc import Sequence

from sqlalchemy import Connection, select

from central.contract.facts import Fact
from central.errors import Unusable
from central.ledger.state import LedgerState
from central.storage.settlement_tables import periods


def refuse_backdated(connection: Connection, state: LedgerState, drafts: Sequence[Fact]) -> None:
    """Return if none of these happens in a closed period. Raises Unusable, with the period named.

    Facts of gateways are never refused: they have happened.
    """
    earliest_ms = min((draft.event_time_ms for draft in drafts), default=0)
    if not drafts or earliest_ms >= state.closed_through_ms:
        return
    table = periods.c
    code = connection.execute(
        select(table.period)
        .where(table.through_ms > earliest_ms)
        .order_by(table.through_ms)
        .limit(1)
    ).scalar_one()
    raise Unusable(
        f"period {code} is closed: nothing is decided in it any more",
        hint="Leave the time out, so that it counts from now on.",
        fields={"period": code},
    )
