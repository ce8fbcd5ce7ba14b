"""Finds items that have balances and are not in the reference data. Edge of the database."""

import threading

from sqlalchemy import Connection, select

from central.storage.tables import balances, items, ledger_state

STRAYS_MAX = 1000  # By code; `list_stock` has all of them.


class StrayItems:
    """Items that the reference data dropped although there is stock of them; any thread.

    Looking through all balances takes 0.1 s for 20,000 items, so it is done once for each revision
    of the reference data. That is enough: whatever is posted later and is not known at that
    revision raises a discrepancy `unknown_item`, where the views look for it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._revision: str | None = None
        self._codes: tuple[str, ...] = ()

    def look_up(self, connection: Connection) -> tuple[str, ...]:
        """Return the codes, sorted, at most STRAYS_MAX."""
        revision = connection.execute(
            select(ledger_state.c.value).where(ledger_state.c.key == "reference_revision")
        ).scalar()
        with self._lock:
            if self._revision == revision:
                return self._codes
        query = (
            select(balances.c.item)
            .where(balances.c.item.not_in(select(items.c.item)))
            .distinct()
            .order_by(balances.c.item)
            .limit(STRAYS_MAX)
        )
        codes = tuple(connection.execute(query).scalars())
        with self._lock:
            self._revision, self._codes = revision, codes
        return codes
