"""Sets stock aside for orders: rows and their counters, changed together. Edge of the database.

    book = ReservationBook(change.connection, now_ms=change.now_ms)
    book.load([Holder("SH1", "sales_order", "SO-1")])
    granted = book.reserve([Wanted(LineKey("SH1", "sales_order", "SO-1", 1), "BOLT", 5_000_000)])
    book.write()

Everything here happens under the ledger's lock, so what is available cannot change meanwhile:
nothing is ever set aside twice. A reservation follows its goods:

    reserve -> reserved --pick--> picked --ship--> shipped
                  |                  |
                  '---- free --------'-----------> freed, with a reason
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, timedelta
from functools import lru_cache

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection

from central.contract.expiry import earliest_expiry
from central.orders.reserving.allocation import (
    Candidate,
    Demand,
    StockKey,
    Unfit,
    allocate_usable,
    unfit_micro,
    usable,
    usable_micro,
)
from central.orders.reserving.reservation_history import noted
from central.orders.reserving.reservation_rows import (
    ItemStock,
    read_allocated,
    read_item_stock,
    read_reservations,
    read_reservations_at,
    write_allocated,
    write_reservations,
)
from central.orders.reserving.reservations import Holder, LineKey, Reservation

MS_PER_DAY = 86_400_000
HOLDER_SIZE = len(Holder._fields)  # Of a line's key.
RowKey = tuple[LineKey, StockKey]


class Wanted(msgspec.Struct, frozen=True):
    """What one line wants set aside, in the item's unit.

    lot, serial, location: the only one that will do, "" for any.
    """

    holder: LineKey
    item: str
    quantity_micro: int
    lot: str = ""
    serial: str = ""
    location: str = ""


class Granted(msgspec.Struct, frozen=True):
    """What came of a Wanted. available_micro: what would have done for it, whatever it asked.

    unfit: where something is missing, what is there and must not be shipped, by the reason.
    """

    wanted: Wanted
    granted_micro: int
    available_micro: int
    unfit: Mapping[Unfit, int] = msgspec.field(default_factory=dict)

    @property
    def missing_micro(self) -> int:
        """Return how much could not be set aside."""
        return self.wanted.quantity_micro - self.granted_micro


class ReservationBook:
    """Reservations as one transaction sees and changes them; `write` makes rows of them.

    rows: what was loaded, as changed since, by line and stock. stock_of: returns what there is in a
    warehouse of items that were read ahead (`order_stock_soon`).
    """

    def __init__(
        self,
        connection: Connection,
        *,
        now_ms: int,
        stock_of: Callable[[str], Mapping[str, ItemStock]] | None = None,
    ) -> None:
        self.rows: dict[RowKey, Reservation] = {}
        self._connection = connection
        self._now_ms = now_ms
        self._stock_of = stock_of
        self._changed: set[RowKey] = set()
        # Of a holder, and of it and an item, in order, where asked before.
        self._keys_of: dict[tuple[str | int, ...], list[RowKey]] = {}
        self._allocated: dict[StockKey, int] = {}
        self._moved: dict[StockKey, int] = {}  # How much more is set aside than was read.
        self._stock: dict[tuple[str, str], ItemStock | None] = {}

    def load(self, holders: Iterable[Holder]) -> None:
        """Read all that is and was set aside for these holders; before anything changes of them."""
        for row in read_reservations(self._connection, holders):
            self._add(row)

    def load_at(self, stocks: Sequence[StockKey]) -> None:
        """Read all that is set aside of these stocks, for whomever."""
        for row in read_reservations_at(self._connection, stocks):
            self._add(row)

    def of(self, holder: Holder) -> list[Reservation]:
        """Return the rows of a holder, in the order of line and stock."""
        keys = self._keys_of.get(holder)
        if keys is None:  # Each fact of an order asks: not all rows of all each time.
            keys = sorted(key for key in self.rows if key[0][:HOLDER_SIZE] == holder)
            self._keys_of[holder] = keys
        return [self.rows[key] for key in keys]

    def of_item(self, holder: Holder, item: str) -> list[Reservation]:
        """Return the rows of a holder that are about an item, in the order of line and stock."""
        keys = self._keys_of.get((*holder, item))
        if keys is None:
            keys = [(row.holder, row.stock) for row in self.of(holder) if row.stock.item == item]
            self._keys_of[*holder, item] = keys
        return [self.rows[key] for key in keys]

    def held_micro(self, line: LineKey) -> int:
        """Return how much is set aside for a line."""
        return sum(row.quantity_micro for key, row in self.rows.items() if key[0] == line)

    def reserve(
        self, wanted: Sequence[Wanted], *, without: AbstractSet[StockKey] = frozenset()
    ) -> list[Granted]:
        """Set aside what there is for each of these, in this order; all of one warehouse.

        without: stock that is not to be taken, whatever the books say of it. Their holders are
        loaded. Raises nothing: what is missing is in the answer.
        """
        if not wanted:
            return []
        self._look_up(wanted[0].holder.warehouse, {one.item for one in wanted})
        return [self._reserve(one, without) for one in wanted]

    def unfit(self, holder: Holder) -> list[Reservation]:
        """Return what is set aside for a holder and may not be shipped any more.

        It expires too soon meanwhile, or its place is blocked. What was picked already stays.
        """
        held = [row for row in self.of(holder) if row.quantity_micro and not row.picked]
        self._look_up(holder.warehouse, {row.stock.item for row in held})
        unfit = []
        for row in held:
            stock = self._stock[holder.warehouse, row.stock.item]
            candidates = {one.key: one for one in stock.candidates} if stock else {}
            candidate = candidates.get(row.stock)
            demand = Demand(0, expires_from=self._expires_from(stock) if stock else "")
            if candidate is None or not usable_micro([candidate], demand):
                unfit.append(row)
        return unfit

    def uncovered(self, on_hand: Mapping[StockKey, int]) -> dict[StockKey, int]:
        """Return of which of these stocks more is set aside than is on hand, and how much more."""
        unknown = [stock for stock in on_hand if stock not in self._allocated]
        self._allocated |= dict.fromkeys(unknown, 0)
        self._allocated |= read_allocated(self._connection, unknown)
        missing = {
            stock: self._allocated[stock] + self._moved.get(stock, 0) - max(amount, 0)
            for stock, amount in on_hand.items()
        }
        return {stock: amount for stock, amount in missing.items() if amount > 0}

    def free(self, row: Reservation, quantity_micro: int, *, reason: str) -> None:
        """Give up some of what a row sets aside."""
        assert 0 < quantity_micro <= row.quantity_micro
        self._put(
            replace(
                row,
                quantity_micro=row.quantity_micro - quantity_micro,
                freed_micro=row.freed_micro + quantity_micro,
                reason=reason,
            )
        )

    def pick(self, row: Reservation, quantity_micro: int, *, to_location: str) -> None:
        """Let some of what a row sets aside follow the goods to where they were put ready."""
        assert 0 < quantity_micro <= row.quantity_micro
        stock = row.stock._replace(location=to_location)
        there = self._row(row.holder, stock)
        self._put(replace(row, quantity_micro=row.quantity_micro - quantity_micro))
        self._put(
            replace(
                there,
                quantity_micro=there.quantity_micro + quantity_micro,
                picked=True,
                pick_line=there.pick_line or row.pick_line,
            )
        )

    def ship(self, line: LineKey, stock: StockKey, quantity_micro: int) -> int:
        """Note that goods went out for a line (came back, if negative); return what was set aside.

        What was set aside of that very stock for the line is used up, as far as it goes.
        """
        row = self._row(line, stock)
        used = max(min(row.quantity_micro, quantity_micro), 0)
        shipped = max(row.shipped_micro + quantity_micro, 0)
        self._put(replace(row, quantity_micro=row.quantity_micro - used, shipped_micro=shipped))
        return used

    def give_pick_line(self, row: Reservation, pick_line: int) -> None:
        """Number a row for the document that gateways work on."""
        self._put(replace(row, pick_line=pick_line))

    def write(self) -> None:
        """Write rows and counters as they are now."""
        write_reservations(self._connection, [self.rows[key] for key in self._changed])
        moved = {key: amount for key, amount in self._moved.items() if amount}
        unknown = [key for key in moved if key not in self._allocated]
        self._allocated |= dict.fromkeys(unknown, 0)
        if unknown:
            self._allocated |= read_allocated(self._connection, unknown)
        for key, amount in moved.items():
            self._allocated[key] += amount
        write_allocated(self._connection, {key: self._allocated[key] for key in moved})
        self._changed, self._moved = set(), {}

    def _add(self, row: Reservation) -> None:
        key = (row.holder, row.stock)
        if key not in self.rows:
            self.rows[key] = row
            self._forget_order(row)

    def _reserve(self, wanted: Wanted, without: AbstractSet[StockKey]) -> Granted:
        stock = self._stock[wanted.holder.warehouse, wanted.item]
        if stock is None:
            return Granted(wanted, 0, 0)
        expires_from = self._expires_from(stock)
        only = (wanted.lot, wanted.serial, wanted.location)
        demand = Demand(wanted.quantity_micro, stock.rotation, expires_from, *only)
        allocated, moved = self._allocated, self._moved
        candidates = [
            self._as_left(one) if allocated.get(one.key) or moved.get(one.key) else one
            for one in stock.candidates
            if one.key not in without
        ]
        granted_micro = 0
        fit = usable(candidates, demand)
        available_micro = sum([one.available_micro for one in fit])
        for pick in allocate_usable(fit, demand):
            row = self._row(wanted.holder, pick.key)
            granted_micro += pick.quantity_micro
            held_micro = row.quantity_micro + pick.quantity_micro
            self._put(replace(row, quantity_micro=held_micro, reserved_ms=self._now_ms))
        short = granted_micro < wanted.quantity_micro
        unfit = unfit_micro(candidates, demand) if short else {}
        return Granted(wanted, granted_micro, available_micro, unfit)

    def _expires_from(self, stock: ItemStock) -> str:
        today = _day_of(self._now_ms // MS_PER_DAY)
        return earliest_expiry(today, min_days_left=stock.min_days_left)

    def _as_left(self, candidate: Candidate) -> Candidate:
        taken = self._allocated.get(candidate.key, 0) + self._moved.get(candidate.key, 0)
        if not taken:
            return candidate
        return replace(candidate, available_micro=candidate.available_micro - taken)

    def _look_up(self, warehouse: str, items: set[str]) -> None:
        missing = {item for item in items if (warehouse, item) not in self._stock}
        if not missing:
            return
        found: Mapping[str, ItemStock] = self._stock_of(warehouse) if self._stock_of else {}
        unread = missing - found.keys()
        if unread:
            found = {**found, **read_item_stock(self._connection, warehouse, unread)}
        for item in missing:
            stock = self._stock[warehouse, item] = found.get(item)
            if stock is not None:
                self._allocated |= dict(stock.allocated)
                for candidate in stock.candidates:
                    self._allocated.setdefault(candidate.key, 0)

    def _row(self, line: LineKey, stock: StockKey) -> Reservation:
        return self.rows.get((line, stock)) or Reservation(line, stock, reserved_ms=self._now_ms)

    def _put(self, row: Reservation) -> None:
        key = (row.holder, row.stock)
        before = self.rows[key].quantity_micro if key in self.rows else 0
        if row.quantity_micro != before:
            self._moved[row.stock] = self._moved.get(row.stock, 0) + row.quantity_micro - before
            history = noted(
                row.history,
                before_micro=before,
                now_micro=row.quantity_micro,
                now_ms=self._now_ms,
            )
            row = replace(row, changed_ms=self._now_ms, history=history)
        if key not in self.rows:
            self._forget_order(row)
        self.rows[key] = row
        self._changed.add(key)

    def _forget_order(self, row: Reservation) -> None:
        if self._keys_of:
            holder = row.holder[:HOLDER_SIZE]
            self._keys_of.pop(holder, None)
            self._keys_of.pop((*holder, row.stock.item), None)


@lru_cache(1)
def _day_of(days_count: int) -> date:
    """Return the day that begins so many days after 1970-01-01 (UTC)."""
    return date(1970, 1, 1) + timedelta(days=days_count)
