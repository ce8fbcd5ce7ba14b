"""All alerts as they are, read again when they may have changed. Edge of the database.

Every page shows how many there are, and to find them reads all balances: so they are kept a while.
"""

from dataclasses import dataclass

from central.clock import Clock
from central.stock.alerts import Alert, AlertCounts, counts_of, in_order
from central.stock.alerts_gateways import gateway_alerts
from central.stock.alerts_orders import order_alerts
from central.stock.alerts_safety import safety_alerts
from central.stock.alerts_stock import stock_alerts
from central.stock.kept import Kept
from central.storage.database import Database

KEPT_S = 20.0


@dataclass(frozen=True, slots=True)
class AlertList:
    """Alerts in the order in which people work on them. read_ms: as of when."""

    alerts: tuple[Alert, ...]
    counts: AlertCounts
    read_ms: int


class AlertBook:
    """The alerts of one ledger. Any thread."""

    def __init__(self) -> None:
        self._kept: Kept[AlertList] = Kept(kept_s=KEPT_S)

    def read(self, database: Database, clock: Clock, *, fresh: bool = False) -> AlertList:
        """Return the alerts, at most KEPT_S old; fresh: as of now. Raises LedgerUnavailable."""
        return self._kept.read((), clock, lambda: read_alerts(database, clock), fresh=fresh)

    def peek(self, clock: Clock) -> tuple[AlertList | None, bool]:
        """Return the alerts that were read last, None before that, and whether they are old.

        For pages that show how many there are and must not wait for it.
        """
        return self._kept.peek((), clock)


def read_alerts(database: Database, clock: Clock) -> AlertList:
    """Return the alerts as they are. Raises LedgerUnavailable."""
    now_ms = clock.now_ms()
    with database.read() as connection:
        found = in_order(
            [
                *stock_alerts(connection, now_ms=now_ms),
                *order_alerts(connection, now_ms=now_ms),
                *gateway_alerts(connection, now_ms=now_ms),
                *safety_alerts(connection, now_ms=now_ms),
            ]
        )
    return AlertList(tuple(found), counts_of(found), now_ms)
