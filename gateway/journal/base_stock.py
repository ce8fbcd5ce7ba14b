"""The ledger's stock that the gateway stands on, and the stock that is shown. Edge of SQLite.

    stock = base_stock + own facts beyond base_positions        at any moment

A change of the base brings `stock` along: plus (new level - old level), minus what the own facts do
that the new positions hold and the old did not (`own_effects`). So an append need not know the
base. Levels wait in `staged_stock` until all of their revision are there.

All functions run inside the caller's transaction.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence

from central.contract.facts import VIRTUAL_PLACES
from central.contract.identifiers import Epoch
from central.contract.notices import StockLevel
from central.contract.wire_types import EpochSeq
from gateway.journal.local_stock import StockKey
from gateway.journal.own_effects import KEY, OwnEpoch, Positions

# KEY is a constant of this package, not input.
STAGE_LEVEL = f"""
    INSERT OR REPLACE INTO staged_stock ({KEY}, on_hand_micro) VALUES (?, ?, ?, ?, ?, ?, ?)
"""  # noqa: S608
SHIFT_STOCK = f"""
    INSERT INTO stock ({KEY}, on_hand_micro)
    SELECT {KEY}, CAST(new.on_hand_micro - coalesce(old.on_hand_micro, 0) AS INTEGER)
    FROM staged_stock AS new LEFT JOIN base_stock AS old USING ({KEY})
    WHERE new.on_hand_micro <> coalesce(old.on_hand_micro, 0)
    ON CONFLICT DO UPDATE
    SET on_hand_micro = CAST(on_hand_micro + excluded.on_hand_micro AS INTEGER)
"""  # noqa: S608
ADD_EFFECTS = f"""
    INSERT INTO stock ({KEY}, on_hand_micro)
    SELECT {KEY}, CAST(? * on_hand_micro AS INTEGER) FROM temp.own_effects WHERE on_hand_micro <> 0
    ON CONFLICT DO UPDATE
    SET on_hand_micro = CAST(on_hand_micro + excluded.on_hand_micro AS INTEGER)
"""  # noqa: S608
DELETE_ZEROS = tuple(
    f"""
    DELETE FROM {table} WHERE on_hand_micro = 0 AND ({KEY}) IN (SELECT {KEY} FROM {changed})
    """  # noqa: S608
    for table, changed in (
        ("stock", "staged_stock"),
        ("stock", "temp.own_effects"),
        ("base_stock", "staged_stock"),
    )
)
SHIFT_BASE = f"""
    INSERT INTO base_stock ({KEY}, on_hand_micro) SELECT {KEY}, on_hand_micro FROM staged_stock
    WHERE true ON CONFLICT DO UPDATE SET on_hand_micro = excluded.on_hand_micro
"""  # noqa: S608
EMPTY_STAGED = "DELETE FROM staged_stock"
EMPTY_BASE = "DELETE FROM base_stock"
EMPTY_STOCK = "DELETE FROM stock"
INSERT_BASE = f"""
    INSERT OR REPLACE INTO base_stock ({KEY}, on_hand_micro) VALUES (?, ?, ?, ?, ?, ?, ?)
"""  # noqa: S608
COPY_BASE = f"""
    INSERT INTO stock ({KEY}, on_hand_micro) SELECT {KEY}, on_hand_micro FROM base_stock
"""  # noqa: S608
SELECT_BASE = f"SELECT {KEY}, on_hand_micro FROM base_stock ORDER BY {KEY}"  # noqa: S608
SELECT_POSITIONS = "SELECT start_count, nonce, seq FROM base_positions ORDER BY start_count"
SET_POSITION = """
    INSERT OR REPLACE INTO base_positions (start_count, nonce, seq) VALUES (?, ?, ?)
"""
EMPTY_POSITIONS = "DELETE FROM base_positions"


def stage_levels(connection: sqlite3.Connection, levels: Iterable[StockLevel]) -> None:
    """Keep levels aside until `shift_stock`; a later one of the same key replaces the earlier."""
    connection.executemany(STAGE_LEVEL, _rows(levels))


def shift_stock(connection: sqlite3.Connection, positions: Positions) -> None:
    """Make the staged levels the base, at `positions`, and let what is shown follow.

    The effects of the own facts between the old positions and these are in `own_effects`.
    """
    connection.execute(SHIFT_STOCK)
    connection.execute(ADD_EFFECTS, (-1,))
    connection.execute(SHIFT_BASE)
    for statement in DELETE_ZEROS:
        connection.execute(statement)
    connection.execute(EMPTY_STAGED)
    set_positions(connection, positions)


def replace_base(
    connection: sqlite3.Connection, levels: Iterable[StockLevel], positions: Positions
) -> None:
    """Begin anew from a snapshot.

    The effects of all own facts beyond `positions` are in `own_effects`.
    """
    for statement in (EMPTY_STAGED, EMPTY_BASE, EMPTY_POSITIONS, EMPTY_STOCK):
        connection.execute(statement)
    connection.executemany(INSERT_BASE, (row for row in _rows(levels) if row[-1]))
    connection.execute(COPY_BASE)
    connection.execute(ADD_EFFECTS, (1,))
    connection.execute(DELETE_ZEROS[1])
    set_positions(connection, positions)


def base_positions(connection: sqlite3.Connection) -> dict[Epoch, int]:
    """Return which own facts the base holds; an epoch that is not there: none of them."""
    return {
        Epoch(start_count=start_count, nonce=int(nonce, 16)): seq
        for start_count, nonce, seq in connection.execute(SELECT_POSITIONS)
    }


def base_levels(connection: sqlite3.Connection) -> Iterator[tuple[StockKey, int]]:
    """Yield the base, in the order of its key: with `base_positions` what `stock` follows from."""
    for row in connection.execute(SELECT_BASE):
        yield StockKey(*row[:-1]), row[-1]


def set_positions(connection: sqlite3.Connection, positions: Positions) -> None:
    """Note which own facts the base holds."""
    connection.executemany(
        SET_POSITION,
        [(epoch.start_count, f"{epoch.nonce:016x}", seq) for epoch, seq in positions.items()],
    )


def next_positions(
    epochs: Sequence[OwnEpoch], stated: Sequence[EpochSeq], *, before: Positions
) -> dict[Epoch, int]:
    """Return the positions that central states, of this journal's epochs alone.

    before: where an epoch stays that is not stated; a ledger never goes back within a generation.
    """
    # Plain numbers from outside; an epoch of another card of this gateway is none of ours.
    ours = {_key(one.epoch): one.epoch for one in epochs}
    positions = {epoch: seq for epoch, seq in before.items() if _key(epoch) in ours}
    for one in stated:
        epoch = ours.get((one.start_count, one.nonce))
        if epoch is not None:
            positions[epoch] = one.seq
    return positions


def _key(epoch: Epoch) -> tuple[int, int]:
    return (epoch.start_count, epoch.nonce)


def _rows(levels: Iterable[StockLevel]) -> Iterable[tuple[str, str, str, str, str, str, int]]:
    return (
        (*level.key, level.on_hand_micro)
        for level in levels
        if level.location not in VIRTUAL_PLACES  # They keep no local stock.
    )
