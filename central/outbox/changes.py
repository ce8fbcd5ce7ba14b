"""Reads what gateways have not been told of stock and reference data yet. Edge of the database.

One read transaction sees the ledger at one record number: levels, positions of the gateway's own
facts and that number belong together, because the ledger posts them together.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from central.contract.identifiers import parse_epoch
from central.contract.notices import (
    DocumentShare,
    PackedUnit,
    ReferenceChanged,
    StockLevel,
    encode_notice,
)
from central.contract.reference import Reference
from central.contract.wire_types import EpochSeq
from central.ledger.expected import ReferenceChange, read_every_change
from central.ledger.state import read_state
from central.outbox.difference import (
    NO_REFERENCE,
    POSITIONS_PER_NOTICE_MAX,
    TooLarge,
    of_warehouse,
    reference_changes,
    stock_changes,
    touching,
)
from central.outbox.notices import StreamRow
from central.outbox.packed_units import read_changed_units, read_packings
from central.outbox.present_reference import present_entries, present_reference
from central.outbox.reference_copies import copy_before, read_copy
from central.outbox.shares import read_changed_lines, shares_for
from central.storage import bulk
from central.storage.places import physical
from central.storage.tables import balances, facts, lines, positions

# Facts since the last notice from which the positions that moved are found, and the places; beyond
# that all positions are said, and all balances of the warehouse looked through.
NEAR_FACTS_MAX = 20_000
# Touched entries that are read one by one; beyond that everything is read and compared.
ENTRIES_BY_CODE_MAX = 2000
LEVEL_COLUMNS = (
    balances.c.location,
    balances.c.item,
    balances.c.lot,
    balances.c.serial,
    balances.c.sscc,
    balances.c.unit,
    balances.c.on_hand_micro,
)
# Where a row of balances has its warehouse and these columns, before the status, and the amount.
KEY_SIZE = 7
ON_HAND = list(balances.columns.keys()).index("on_hand_micro")


@dataclass(frozen=True, slots=True)
class Told:
    """A gateway that can be told more. looked: up to this record number nothing concerns it."""

    row: StreamRow
    looked: int


@dataclass(frozen=True, slots=True)
class Change:
    """What to tell a gateway. too_large: a snapshot has to tell it; then the rest is empty.

    copy: the reference data to keep a copy of, None if it is the same as before.
    """

    row: StreamRow
    stock_revision: int
    reference_revision: int
    stock: tuple[bytes, ...] = ()
    reference: tuple[bytes, ...] = ()
    copy: Reference | None = None
    too_large: bool = False


def read_changes(connection: Connection, told: Sequence[Told]) -> list[Change]:
    """Return what there is to tell those whom the ledger has left behind, one entry a gateway.

    All entries have the ledger's present revisions, which the caller notes once it has written the
    notices, or takes for `looked` where there are none.
    """
    state = read_state(connection)
    revision, reference_revision = state.record_no, state.reference_revision
    behind = [
        one
        for one in told
        if one.looked < revision or one.row.reference_revision != reference_revision
    ]
    stock = _Stock(connection, behind, revision)
    references = _References(connection, reference_revision)
    changes = []
    for one in behind:
        try:
            reference = references.told(one.row)
            change = Change(
                one.row,
                revision,
                reference_revision,
                stock=stock.told(one),
                reference=reference,
                copy=references.present if reference else None,
            )
        except TooLarge:
            change = Change(one.row, revision, reference_revision, too_large=True)
        changes.append(change)
    return changes


def read_levels(
    connection: Connection, warehouse: str, *, after_record_no: int | None = None
) -> list[StockLevel]:
    """Return what is on hand at physical places, in the order of the key.

    Gateways know no statuses: a level is the sum over all of them.
    after_record_no: only what facts with a higher number changed, then also what came to nothing.
    """
    if after_record_no is None:
        query = select(*LEVEL_COLUMNS).where(
            balances.c.warehouse == warehouse,
            balances.c.on_hand_micro != 0,
            physical(balances.c.location),
        )
        found = (tuple(row) for row in connection.execute(query))
        return [level for level in _levels(found) if level.on_hand_micro]
    is_near = read_state(connection).record_no - after_record_no <= NEAR_FACTS_MAX
    told_by = lines.c if is_near else balances.c
    changed = (
        select(*(told_by[column.name] for column in LEVEL_COLUMNS[:-1]))
        .where(
            told_by.warehouse == warehouse,
            told_by.record_no > after_record_no,
            physical(told_by.location),
        )
        .distinct()
    )
    keys = [(warehouse, *row) for row in connection.execute(changed)]
    rows = bulk.select_by_key(connection, balances, keys, columns_count=KEY_SIZE)
    return _levels((*row[1:KEY_SIZE], row[ON_HAND]) for row in rows)


def read_positions(connection: Connection, gateway: str, *, count_max: int) -> tuple[EpochSeq, ...]:
    """Return how far the ledger has each epoch of a gateway; those that moved last, if too many."""
    rows = connection.execute(
        select(positions.c.epoch, positions.c.acked_seq)
        .where(positions.c.gateway == gateway)
        .order_by(positions.c.updated_ms.desc(), positions.c.epoch.desc())
        .limit(count_max)
    )
    return _epoch_seqs(tuple(row) for row in rows)


def _levels(rows: Iterable[tuple[Any, ...]]) -> list[StockLevel]:
    """Return levels in the order of their keys. rows: the key and an amount, of each status."""
    sums: dict[tuple[Any, ...], int] = {}
    for *key, amount in rows:
        sums[tuple(key)] = sums.get(tuple(key), 0) + amount
    return [StockLevel(*(*key, amount)) for key, amount in sorted(sums.items())]


def _moved_positions(
    connection: Connection, told: Sequence[Told], *, revision: int
) -> dict[str, tuple[EpochSeq, ...]]:
    """Return the positions of each gateway that moved since it was told.

    An epoch is posted in order: the highest number among its facts is its position.
    """
    after = min((one.looked for one in told), default=revision)
    if after >= revision:
        return {}
    looked = {one.row.gateway: one.looked for one in told}
    found: dict[str, list[tuple[str, int]]] = {}
    rows = connection.execute(
        select(facts.c.gateway, facts.c.epoch, func.max(facts.c.seq), func.max(facts.c.record_no))
        .where(facts.c.record_no > after)
        .group_by(facts.c.gateway, facts.c.epoch)
    )
    for gateway, epoch, seq, record_no in rows:
        if record_no > looked.get(gateway, revision):
            found.setdefault(gateway, []).append((epoch, seq))
    return {gateway: _epoch_seqs(moved) for gateway, moved in found.items()}


def _epoch_seqs(rows: Iterable[tuple[str, int]]) -> tuple[EpochSeq, ...]:
    parsed = sorted((parse_epoch(text), seq) for text, seq in rows)
    return tuple(
        EpochSeq(start_count=epoch.start_count, nonce=epoch.nonce, seq=seq) for epoch, seq in parsed
    )


_Said = tuple[str, int, tuple[EpochSeq, ...], tuple[DocumentShare, ...]]


class _Stock:
    """Changes of stock, each read and made once a call for all gateways that stand alike."""

    def __init__(self, connection: Connection, told: Sequence[Told], revision: int) -> None:
        self._connection = connection
        self._revision = revision
        self._near = revision - NEAR_FACTS_MAX
        near = [one for one in told if one.looked >= self._near]
        self._moved = _moved_positions(connection, near, revision=revision)
        self._levels: dict[tuple[str, int], list[StockLevel]] = {}
        self._shares: dict[tuple[str, int], Sequence[bulk.Row]] = {}
        self._packing: dict[tuple[str, int], list[PackedUnit]] = {}
        self._packings: dict[int, dict[str, set[str]]] = {}
        self._made: dict[_Said, tuple[bytes, ...]] = {}

    def told(self, one: Told) -> tuple[bytes, ...]:
        """Return the notices of stock for a gateway, none if nothing concerns it."""
        if one.looked >= self._revision:
            return ()
        key = (one.row.warehouse, one.looked)
        if key not in self._levels:
            self._levels[key] = read_levels(
                self._connection, one.row.warehouse, after_record_no=one.looked
            )
            self._shares[key] = read_changed_lines(
                self._connection, one.row.warehouse, after_record_no=one.looked
            )
            self._packing[key] = read_changed_units(
                self._connection,
                one.row.warehouse,
                after_record_no=one.looked,
                named=self._packed(one),
            )
        levels, own, packing = self._levels[key], self._own(one), self._packing[key]
        shares = shares_for(one.row.gateway, self._shares[key], after_record_no=one.looked)
        if not levels and not own and not shares and not packing:
            return ()
        if (*key, own, shares) not in self._made:
            notices = stock_changes(
                revision=self._revision,
                levels=levels,
                positions=own,
                shares=shares,
                packing=packing,
            )
            self._made[(*key, own, shares)] = tuple(encode_notice(notice) for notice in notices)
        return self._made[(*key, own, shares)]

    def _packed(self, one: Told) -> set[str] | None:
        """Return the units of new packings, read once for all warehouses; None of too many."""
        if one.looked < self._near:
            return None
        if one.looked not in self._packings:
            found = read_packings(self._connection, after_record_no=one.looked)
            self._packings[one.looked] = found
        return self._packings[one.looked].get(one.row.warehouse, set())

    def _own(self, one: Told) -> tuple[EpochSeq, ...]:
        if one.looked >= self._near:
            return self._moved.get(one.row.gateway, ())
        return read_positions(
            self._connection, one.row.gateway, count_max=POSITIONS_PER_NOTICE_MAX + 1
        )


class _References:
    """Differences of reference data, each read and made once a call."""

    def __init__(self, connection: Connection, revision: int) -> None:
        self._connection = connection
        self._revision = revision
        self._present: Reference | None = None
        self._made: dict[tuple[int, str], tuple[bytes, ...] | None] = {}
        self._touched: dict[tuple[int, int], list[ReferenceChange] | None] = {}

    @property
    def present(self) -> Reference | None:
        """Return the whole reference data if it had to be read."""
        return self._present

    def told(self, row: StreamRow) -> tuple[bytes, ...]:
        """Return the notices of reference data for a gateway, none if nothing concerns it."""
        if row.reference_revision == self._revision:
            return ()
        key = (row.reference_revision, row.warehouse)
        if key not in self._made:
            try:
                self._made[key] = self._difference(*key)
            except TooLarge:
                self._made[key] = None
        made = self._made[key]
        if made is None:
            raise TooLarge
        return made

    def _difference(self, revision: int, warehouse: str) -> tuple[bytes, ...] | None:
        changes = self._changes(revision, self._revision) if revision else None
        notices: list[ReferenceChanged] | None
        if changes is not None and len(changes) <= ENTRIES_BY_CODE_MAX:
            notices = self._of_touched(changes, warehouse)
        else:
            notices = self._of_everything(revision, warehouse)
        return None if notices is None else tuple(encode_notice(notice) for notice in notices)

    def _of_touched(
        self, changes: Sequence[ReferenceChange], warehouse: str
    ) -> list[ReferenceChanged]:
        """Return what was touched, as it is now; nothing else is looked at."""
        own = [change for change in changes if change[1] in {"", warehouse}]
        touched = touching(own, warehouse)
        present = present_entries(self._connection, self._revision, warehouse, own)
        return reference_changes(NO_REFERENCE, present, touched=touched)

    def _of_everything(self, revision: int, warehouse: str) -> list[ReferenceChanged] | None:
        """Return how the present differs from what was told as a whole last, and since then."""
        copied = copy_before(self._connection, revision) if revision else 0
        since = None if copied is None else self._changes(copied, revision)
        before = None if copied is None else read_copy(self._connection, copied)
        if before is None or since is None:
            return None
        if self._present is None:
            self._present = present_reference(self._connection, self._revision)
        if self._present is None:
            return None
        return reference_changes(
            of_warehouse(before, warehouse),
            of_warehouse(self._present, warehouse),
            touched=touching(since, warehouse),
        )

    def _changes(self, after: int, until: int) -> list[ReferenceChange] | None:
        if (after, until) not in self._touched:
            found = read_every_change(self._connection, after=after, until=until)
            self._touched[after, until] = found
        return self._touched[after, until]
