"""Settles that more was returned than its order moved, once it has moved it. Edge of SQL.

    CR-1: 5 came back of SO-1      open: SO-1 shipped 0 of it
    SO-1: 5 left, told later       nothing is wrong any more

What ships looks for no return, as nearly nothing that ships has one: upkeep looks for what is open,
now and then.
"""

from sqlalchemy import Connection, select

from central.clock import Clock
from central.ledger.desk import Desk
from central.ledger.discrepancies import settle_discrepancies
from central.orders.settling.returned_cases import explained_by
from central.storage import tables
from central.storage.database import Database

ROUND_S = 10.0  # From one look to the next.
LOOKED_AT_MAX = 20  # Of what is open, each time; each takes a few milliseconds.
ACTOR = "ledger"  # Nobody asked for it.


class ExplainedReturns:
    """Settles what orders explain by now, some of it a tick. For one thread."""

    def __init__(self, database: Database, *, desk: Desk, clock: Clock) -> None:
        self._database = database
        self._desk = desk
        self._clock = clock
        self._next_s = clock.monotonic_s()
        self._after = ""

    def tick(self) -> int:
        """Look at the next ones, if it is time; return how many are settled.

        Raises LedgerUnavailable.
        """
        now_s = self._clock.monotonic_s()
        if now_s < self._next_s:
            return 0
        self._next_s = now_s + ROUND_S
        with self._database.read() as connection:
            looked_at = _open(connection, after=self._after)
            found = [one for one in looked_at if _explained(connection, one)]
        # What stays open never holds up the others.
        self._after = looked_at[-1] if len(looked_at) == LOOKED_AT_MAX else ""
        return sum(self._settle(identity) for identity in found)

    def _settle(self, identity: str) -> bool:
        with self._desk.change(actor=ACTOR) as change:
            order = _explained(change.connection, identity)
            why = f"it is no more than {order} moved"
            if order:
                settle_discrepancies(
                    change.connection, [identity], settlement=why, now_ms=change.now_ms
                )
            return bool(order)


def _open(connection: Connection, *, after: str) -> list[str]:
    table = tables.discrepancies.c
    query = select(table.id).where(table.kind == "over_returned", table.state == "open")
    some = query.where(table.id > after).order_by(table.id).limit(LOOKED_AT_MAX)
    return list(connection.execute(some).scalars())


def _explained(connection: Connection, identity: str) -> str:
    """Return the order that has moved as much by now, "" if it has not, or somebody settled it."""
    table = tables.discrepancies
    query = select(table).where(table.c.id == identity, table.c.state == "open")
    row = connection.execute(query).first()
    return explained_by(connection, row) if row is not None else ""
