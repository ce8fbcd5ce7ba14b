"""Sums of each item, kept now and then, so that the past can be sorted soon. Edge of the database.

    sums at 250,000      sums at 500,000      present 710,000
          |------ lines ----->|------ lines -----|
                                   asked for

Copies of all balances are far apart in a ledger of millions of movements. The sums of its items are
few and narrow: they are kept often, each made of the one before and the lines since.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, TextClause, bindparam, delete, func, select, text

from central.ledger.fact_check import Fault
from central.ledger.state import read_state
from central.storage import bulk
from central.storage.checkpoint_tables import ITEM_SUMS, item_sums, upkeep_progress
from central.storage.database import Database
from central.storage.places import PHYSICAL_LINE, TRANSIT_LINE
from central.storage.tables import balances

# Sums are kept when so many facts came since the last ones, and twice as many as those have rows.
FACTS_PER_SUMS_MIN = 250_000
FACTS_PER_ROW_MIN = 2
ROWS_AT_ONCE_MAX = 5_000  # In one transaction: about 20 ms.
FAULTS_MAX = 1_000
COPY_LOCK = 0x646B_6370  # Of the advisory locks of PostgreSQL; nothing else here takes one.

_ALONE_SQL = text("SELECT pg_try_advisory_xact_lock(:number)")
_SUMS = ("here_units", "here_micro", "transit_units", "transit_micro")


def _amount(place: str, name: str, part: str) -> str:
    return f"CASE WHEN {place} THEN l.quantity_micro {part} 1000000 ELSE 0 END AS {name}"


# Whole units and millionths apart: no sum can leave 64 bits.
_LINES = (
    "SELECT l.item, "  # noqa: S608 - ours
    f"{_amount(PHYSICAL_LINE, 'here_units', '/')}, {_amount(PHYSICAL_LINE, 'here_micro', '%')}, "
    f"{_amount(TRANSIT_LINE, 'transit_units', '/')}, "
    f"{_amount(TRANSIT_LINE, 'transit_micro', '%')} FROM lines l"
    " WHERE l.warehouse IN :codes AND l.record_no > :begin AND l.record_no <= :end"
    f" AND ({PHYSICAL_LINE} OR {TRANSIT_LINE})"
)
_KEPT = f"SELECT item, {', '.join(_SUMS)} FROM item_sums WHERE record_no = :begin"  # noqa: S608
_LESS = (
    f"SELECT item, {', '.join(f'-{name}' for name in _SUMS)} FROM item_sums"  # noqa: S608 - ours
    " WHERE record_no = :end"
)


def _summed(parts: Sequence[str], end: str) -> TextClause:
    sums = ", ".join(f"CAST(SUM({name}) AS BIGINT) AS {name}" for name in _SUMS)
    some = " OR ".join(f"SUM({name}) <> 0" for name in _SUMS)
    query = (
        f"SELECT item, {sums} FROM ({' UNION ALL '.join(parts)}) AS parts"  # noqa: S608 - ours
        f" GROUP BY item HAVING {some} {end}"
    )
    return text(query).bindparams(bindparam("codes", expanding=True))


_NEXT_SQL = _summed((_KEPT, _LINES), "ORDER BY item")
_DIFFERENCES_SQL = _summed((_KEPT, _LINES, _LESS), "LIMIT :faults")


class ItemSums:
    """Follows the ledger from behind. One thread of one process calls `tick`."""

    def __init__(
        self,
        database: Database,
        *,
        facts_min: int = FACTS_PER_SUMS_MIN,
        facts_per_row: int = FACTS_PER_ROW_MIN,
        rows_at_once: int = ROWS_AT_ONCE_MAX,
    ) -> None:
        self._database = database
        self._facts_min = facts_min
        self._facts_per_row = facts_per_row
        self._rows_at_once = rows_at_once

    def tick(self) -> bool:
        """Keep the next sums if they are due; return False if there may be more to keep.

        Raises LedgerUnavailable; rows of sums that are not whole count for nothing.
        """
        with self._database.read() as connection:
            last = kept_until(connection)
            head = read_state(connection).record_no
            if head - last < self._facts_min or not alone(connection):
                return True
            count = max(self._facts_min, _rows_count(connection, last) * self._facts_per_row)
            if head - last < count:
                return True
            bounds = {"begin": last, "end": last + count, "codes": booked_warehouses(connection)}
            found = connection.execute(_NEXT_SQL, bounds).all()
            self._write([(last + count, *row) for row in found], after=last, until=last + count)
        return False

    def _write(self, rows: Sequence[bulk.Row], *, after: int, until: int) -> None:
        with self._database.write() as connection:
            if kept_until(connection) != after:
                return  # Another process kept some, just before it left this to us.
            # What was left by a tick that was interrupted.
            connection.execute(delete(item_sums).where(item_sums.c.record_no > after))
        for begin in range(0, len(rows), self._rows_at_once):
            with self._database.write() as connection:
                bulk.insert_rows(connection, item_sums, rows[begin : begin + self._rows_at_once])
        with self._database.write() as connection:
            # Forgotten while they were written, only the last of them are left.
            if _rows_count(connection, until) == len(rows):
                bulk.upsert_rows(connection, upkeep_progress, [(ITEM_SUMS, until)])


def kept_until(connection: Connection) -> int:
    """Return the record number of the last sums that are whole, 0 if there are none."""
    table = upkeep_progress.c
    found = connection.execute(select(table.record_no).where(table.task == ITEM_SUMS))
    return found.scalar_one_or_none() or 0


def forget_item_sums(connection: Connection) -> None:
    """Delete all sums; they will be made anew."""
    connection.execute(delete(item_sums))
    connection.execute(delete(upkeep_progress).where(upkeep_progress.c.task == ITEM_SUMS))


def item_sum_faults(connection: Connection) -> list[Fault]:
    """Return where sums are not those before them and the lines since, at most FAULTS_MAX."""
    faults: list[Fault] = []
    begin, until = 0, kept_until(connection)
    codes = booked_warehouses(connection)
    column = item_sums.c.record_no
    following = select(func.min(column)).where(column > bindparam("b_begin"), column <= until)
    while (end := connection.execute(following, {"b_begin": begin}).scalar_one()) is not None:
        room_count = FAULTS_MAX - len(faults)
        bounds = {"begin": begin, "end": end, "codes": codes, "faults": room_count}
        for row in connection.execute(_DIFFERENCES_SQL, bounds):
            detail = f"sum at {end} is off: {', '.join(str(value) for value in row[1:])}"
            faults.append(Fault("item_sums", row.item, detail))
        begin = end
    return faults


def booked_warehouses(connection: Connection) -> list[str]:
    """Return every warehouse that balances are of, each found by one look into their key."""
    following = select(func.min(balances.c.warehouse)).where(
        balances.c.warehouse > bindparam("b_last")
    )
    found: list[str] = []
    last = ""
    while (code := connection.execute(following, {"b_last": last}).scalar_one()) is not None:
        found.append(code)
        last = code
    return found


def alone(connection: Connection) -> bool:
    """Return whether nobody else copies or sums until this transaction ends.

    Two processes do while one takes over from another; an SQLite file has only one.
    """
    if connection.dialect.name == "sqlite":
        return True
    return bool(connection.execute(_ALONE_SQL, {"number": COPY_LOCK}).scalar_one())


def _rows_count(connection: Connection, record_no: int) -> int:
    query = select(func.count()).select_from(item_sums).where(item_sums.c.record_no == record_no)
    return int(connection.execute(query).scalar_one())
