"""What the gateway knows from central: applied in one commit, or not at all. Edge of SQLite.

    notices    stock, reference data, templates, settings, prints, settlements, the last number
    snapshot   everything anew but prints and settlements, and the notice from which it goes on

What own facts change is summed before the transaction (`own_effects`), in steps between which
others use the journal: a scan waits for one step or for the commit, not for a million facts.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from threading import RLock

from central.contract.notices import (
    Notice,
    PrintRequested,
    ReferenceChanged,
    Setting,
    SettingsChanged,
    Settled,
    StockChanged,
    TemplateChanged,
)
from central.contract.snapshots import Snapshot
from central.contract.wire_types import EpochSeq
from gateway.clock import Clock
from gateway.journal import base_stock, central_news, own_effects, packed_units, stock_view
from gateway.journal.own_effects import OwnRange, Positions
from gateway.journal.records import Applied, Known, Standing, StockReport
from gateway.journal.transactions import reading, transaction

NOTHING = Standing("", 0)
ALL_FACTS = 2**63 - 1


class Knowledge:
    """Any thread may read; one thread at a time applies. The journal's lock stands before it."""

    def __init__(
        self, connection: sqlite3.Connection, lock: RLock, *, warehouse: str, clock: Clock
    ) -> None:
        self._connection = connection
        self._lock = lock
        self._warehouse = warehouse
        self._clock = clock

    def known(self) -> Known | None:
        """Return what central last said, None before the first snapshot."""
        with self._lock, reading():
            return central_news.load_known(self._connection)

    def standing(self) -> Standing:
        """Return the stream and the last notice of it that is applied."""
        known = self.known()
        return known.standing if known else NOTHING

    def apply_notices(self, stream: str, first_number: int, notices: Sequence[Notice]) -> Applied:
        """Apply the next notices of the stream that is known; durable on return, or nothing of it.

        The standing is NOTHING after it where they fit nothing that is here: then a snapshot is
        needed. Raises JournalFull (the same notices may be applied again) or JournalDamaged.
        """
        known = self.known()
        assert known is not None and known.standing == Standing(stream, first_number - 1)
        try:
            return self._apply_notices(known, notices)
        except central_news.SnapshotNeeded:
            with self._lock, transaction(self._connection):
                central_news.store_known(self._connection, replace(known, standing=NOTHING))
            return Applied(NOTHING)

    def apply_snapshot(self, snapshot: Snapshot) -> Applied:
        """Replace everything that was known, in one commit; own facts that it lacks stay in stock.

        Raises JournalFull (it may be applied again) or JournalDamaged.
        """
        assert snapshot.warehouse == self._warehouse
        known = self.known()
        same = known is not None and known.generation == snapshot.generation
        with self._lock, reading():
            epochs = own_effects.own_epochs(self._connection)
            held = base_stock.base_positions(self._connection) if same else {}
        after = base_stock.next_positions(epochs, snapshot.positions, before=held)
        everything = {one.epoch: ALL_FACTS for one in epochs}
        summed_to = self._sum_effects(before=after, after=everything)
        with self._lock, transaction(self._connection):
            # What was recorded since the sums were made.
            newest = own_effects.last_number(self._connection)
            self._add_step_by_step([OwnRange(summed_to + 1, newest, 1)])
            base_stock.replace_base(self._connection, snapshot.levels, after)
            reference_revision = central_news.replace_reference(
                self._connection,
                snapshot.reference,
                known_revision=known.reference_revision if known else 0,
            )
            central_news.replace_templates(self._connection, snapshot.templates)
            central_news.replace_settings(self._connection, snapshot.settings)
            central_news.replace_shares(self._connection, snapshot.shares)
            packed_units.replace_packing(self._connection, snapshot.packing)
            news = Known(
                standing=Standing(snapshot.stream, snapshot.number),
                generation=snapshot.generation,
                revision=snapshot.revision,
                reference_revision=reference_revision,
                known_ms=self._clock.now_ms(),
            )
            central_news.store_known(self._connection, news)
        return Applied(
            news.standing, stock=True, reference=True, templates=True, settings=True, shares=True
        )

    def stock_report(self, *, after: str = "", places_max: int = 5000) -> StockReport | None:
        """Return the stock that is shown at the next places after `after`, and what it stands on.

        None while no stock of central is known, or if more epochs wait than a report can name.
        """
        with self._lock, reading():
            known = central_news.load_known(self._connection)
            if known is None:
                return None
            return stock_view.stock_report(
                self._connection, known, after=after, places_max=places_max
            )

    def templates(self) -> tuple[TemplateChanged, ...]:
        """Return central's label templates, sorted by name."""
        with self._lock, reading():
            return central_news.load_templates(self._connection)

    def settings(self) -> tuple[Setting, ...]:
        """Return the remote settings as central sent them, sorted by name."""
        with self._lock, reading():
            return central_news.load_settings(self._connection)

    def open_print_requests(self, limit: int) -> list[PrintRequested]:
        """Return what central wants printed and is not yet queued or refused, oldest first."""
        with self._lock, reading():
            return central_news.open_print_requests(self._connection, limit)

    def settlements(self, limit: int = central_news.SETTLEMENTS_KEPT_MAX) -> tuple[Settled, ...]:
        """Return what became of discrepancies that own facts opened, newest first."""
        with self._lock, reading():
            return central_news.load_settlements(self._connection, limit)

    def _apply_notices(self, known: Known, notices: Sequence[Notice]) -> Applied:
        stock = [one for one in notices if isinstance(one, StockChanged)]
        final_at = max((at for at, one in enumerate(stock) if one.final), default=-1)
        begun = [level for one in stock[final_at + 1 :] for level in one.levels]
        news = replace(
            known,
            standing=replace(known.standing, number=known.standing.number + len(notices)),
            known_ms=self._clock.now_ms(),
        )
        if final_at < 0:
            with self._lock, transaction(self._connection):
                base_stock.stage_levels(self._connection, begun)
                return self._apply_rest(known, news, notices, stock=False)
        before, after = self._positions(stock[: final_at + 1])
        self._sum_effects(before=before, after=after)
        levels = [level for one in stock[: final_at + 1] for level in one.levels]
        with self._lock, transaction(self._connection):
            base_stock.stage_levels(self._connection, levels)
            base_stock.shift_stock(self._connection, after)
            base_stock.stage_levels(self._connection, begun)
            news = replace(news, revision=stock[final_at].revision)
            return self._apply_rest(known, news, notices, stock=True)

    def _positions(self, stock: Sequence[StockChanged]) -> tuple[Positions, Positions]:
        """Return which own facts the base holds, and which it will after these notices."""
        with self._lock, reading():
            epochs = own_effects.own_epochs(self._connection)
            before = base_stock.base_positions(self._connection)
        stated: list[EpochSeq] = [position for one in stock for position in one.positions]
        return before, base_stock.next_positions(epochs, stated, before=before)

    def _sum_effects(self, *, before: Positions, after: Positions) -> int:
        """Sum what the own facts between two positions do; return the newest number then."""
        with self._lock, reading():
            own_effects.clear_effects(self._connection)
            epochs = own_effects.own_epochs(self._connection)
            newest = own_effects.last_number(self._connection)
        self._add_step_by_step(own_effects.ranges_between(epochs, before=before, after=after))
        return newest

    def _add_step_by_step(self, ranges: Sequence[OwnRange]) -> None:
        for one in ranges:
            left: OwnRange | None = one
            while left is not None:
                with self._lock, reading():
                    moves, left = own_effects.read_step(self._connection, left)
                changes = own_effects.sum_moves(moves)  # Without the lock: scans go between.
                with self._lock, reading():
                    own_effects.store_step(self._connection, changes)

    def _apply_rest(
        self, known: Known, news: Known, notices: Sequence[Notice], *, stock: bool
    ) -> Applied:
        """Apply what is no stock, and note how far it is, inside the caller's transaction."""
        connection = self._connection
        revision = central_news.change_reference(
            connection,
            [one for one in notices if isinstance(one, ReferenceChanged)],
            warehouse=self._warehouse,
            known_revision=known.reference_revision,
        )
        shares = [share for one in notices if isinstance(one, StockChanged) for share in one.shares]
        central_news.keep_shares(connection, shares)
        packing = [unit for one in notices if isinstance(one, StockChanged) for unit in one.packing]
        packed_units.keep_packing(connection, packing)
        templates = [one for one in notices if isinstance(one, TemplateChanged)]
        for template in templates:
            central_news.change_template(connection, template)
        settings = [one for one in notices if isinstance(one, SettingsChanged)]
        if settings:
            central_news.replace_settings(connection, settings[-1].settings)
        requests = [one for one in notices if isinstance(one, PrintRequested)]
        for request in requests:
            central_news.keep_print_request(connection, request)
        settled = [one for one in notices if isinstance(one, Settled)]
        if settled:
            central_news.keep_settlements(connection, settled)
        if revision is not None:
            news = replace(news, reference_revision=revision)
        central_news.store_known(connection, news)
        return Applied(
            news.standing,
            stock=stock,
            reference=revision is not None,
            templates=bool(templates),
            settings=bool(settings),
            print_requests=bool(requests),
            shares=bool(shares),
        )
