"""Has stations told of orders whose goods are no longer where they were told. Edge of SQL.

a follower finds goods moved -> sales_orders.stale      in the posting's transaction, one UPDATE
                                transfers.stale
upkeep, every second         -> tick -> Desk.change     one order each; then gateways are told
"""

from collections.abc import Sequence
from logging import getLogger

from central.errors import DeskRefused
from central.ledger.desk import Change, Desk
from central.orders.reserving.reservations import SALES_ORDER, TRANSFER
from central.orders.reserving.stale_holders import read_stale
from central.orders.sales.sales_steps import book_of, save_step, tell_if_released
from central.orders.sales.sales_store import read_orders
from central.orders.transfers import transfer_book
from central.storage.database import Database

ORDERS_PER_TICK_MAX = 20  # Each holds the ledger's lock for some milliseconds, then lets it go.
REFUSED_MAX = 1000
ACTOR = "ledger"  # Nobody asked for it.

logger = getLogger(__name__)


class StaleGuidance:
    """Brings what stations are told up to what is set aside, some orders a tick. For one thread."""

    def __init__(self, database: Database, *, desk: Desk) -> None:
        self._database = database
        self._desk = desk
        self._after = {SALES_ORDER: "", TRANSFER: ""}
        self._refused: tuple[str, ...] = ()  # The last ones that were named.

    def tick(self) -> int:
        """Have stations told of the next orders; return of how many, ORDERS_PER_TICK_MAX at most.

        Asks two indexes where there are none. An order that is refused stays stale, is named once
        in the log, and never holds up the others. Transfers come after sales orders. Raises
        LedgerUnavailable.
        """
        told_count = seen_count = 0
        for kind in self._after:
            limit = ORDERS_PER_TICK_MAX - seen_count
            with self._database.read() as connection:
                after = self._after[kind]
                codes = read_stale(connection, kind, after=after, limit=limit) if limit else []
            for code in codes:
                self._after[kind] = code  # Also if it fails: the others come first then.
                told_count += self._tell(kind, code)
            if limit and len(codes) < limit:
                self._after[kind] = ""
            seen_count += len(codes)
        return told_count

    def _tell(self, kind: str, code: str) -> int:
        try:
            with self._desk.change(actor=ACTOR) as change:
                if kind == TRANSFER:
                    return int(transfer_book.tell_anew(change, code))
                return len(tell_anew(change, [code]))
        except DeskRefused as error:
            if code not in self._refused:
                extra = {"order": code, "detail": str(error), "hint": error.hint}
                logger.warning("stations still have old places", extra=extra)
                self._refused = (*self._refused, code)[-REFUSED_MAX:]
            return 0


def tell_anew(change: Change, codes: Sequence[str]) -> list[str]:
    """Tell stations of those of these orders that are still stale; return their codes."""
    found = read_orders(change.connection, codes)
    orders = [one for one in found if one.stale and one.state == "released"]
    book = book_of(change, orders)
    for order in orders:
        save_step(change, tell_if_released(change, book, order), "stations_told")
    book.write()
    return [order.code for order in orders]
