"""What becomes of a lot's date when its word is taken back, or corrected. Edge of the database.

    record 7    5 WINE of lot L1, until 2062-06-01      the lot expires on 2062-06-01
    record 9    7 is taken back                         nobody knows when it expires
    record 12   5 WINE of lot L1, until 2026-06-01      it expires on 2026-06-01
    li.na       corrects it                             it expires on 2026-07-01, whatever is stated

`lots` has the present; `lot_dates` what was so before, from the first change on.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from sqlalchemy import Connection, select, text

from central.contract.facts import Movement
from central.ledger.bookkeeping import TakenBack
from central.ledger.entries import FactKey
from central.ledger.goods_rules import LotKey, taken_back_by
from central.ledger.reading import read_fact
from central.storage import bulk, tables
from central.storage.line_blocks import in_blocks, last_to_read, traced_lines

Cause = Literal["stated", "taken_back", "corrected", "reopened"]
FACTS_AT_ONCE = 100
# Facts of a lot that are neither taken back nor reversals.
_STANDING = """
SELECT first.record_no, first.location, first.expiry_date, f.gateway, f.epoch, f.seq, f.body,
       f.record_ms
FROM {first} JOIN facts f ON f.record_no = first.record_no
WHERE {in_blocks} AND first.item = :item AND first.lot = :lot AND first.lot <> ''
  AND first.line_no = 1 AND first.warehouse = :warehouse AND first.record_no > :after
  AND f.kind = 'movement' AND {dated}
  AND NOT EXISTS (SELECT 1 FROM reversals r WHERE r.warehouse = f.warehouse
      AND r.gateway = f.gateway AND r.epoch = f.epoch AND r.seq = f.seq)
ORDER BY first.record_no LIMIT :limit
"""


class Kept(NamedTuple):
    """What `lots` has of a lot. first_record_no: of the movement that states the date."""

    expiry_date: str
    first_record_no: int


class DatedSince(NamedTuple):
    """A row of `lot_dates` without its key: what the date became, "" for none, and why."""

    number: int
    expiry_date: str
    record_no: int
    at_ms: int
    cause: Cause
    actor: str
    reason: str
    discrepancy: str


class Becomes(NamedTuple):
    """How a date changes. discrepancy: that is settled so, or opened again, "" for none."""

    cause: Cause
    record_no: int
    now_ms: int
    actor: str = ""
    reason: str = ""
    discrepancy: str = ""


class StandingFact(NamedTuple):
    """A fact of a lot that stands. record_ms: when the ledger wrote it."""

    record_no: int
    key: FactKey
    movement: Movement
    record_ms: int


def read_kept(connection: Connection, lots: Iterable[LotKey]) -> dict[LotKey, Kept]:
    """Return what is kept of those of these lots that have a date."""
    found = bulk.select_by_key(connection, tables.lots, sorted(lots), columns_count=3)
    return {(row[0], row[1], row[2]): Kept(row[3], row[4]) for row in found}


def read_history(
    connection: Connection, lots: Iterable[LotKey]
) -> dict[LotKey, tuple[DatedSince, ...]]:
    """Return what the dates of lots were, the first one first; those alone that ever changed."""
    found: dict[LotKey, list[DatedSince]] = {}
    table = tables.lot_dates
    for row in bulk.select_by_key(connection, table, sorted(lots), columns_count=3):
        found.setdefault((row[0], row[1], row[2]), []).append(DatedSince(*row[3:]))
    return {lot: tuple(sorted(rows)) for lot, rows in found.items()}


def dates_as_of(
    connection: Connection, lots: Iterable[LotKey], *, record_no: int, at_ms: int
) -> dict[LotKey, str]:
    """Return the dates of lots as the ledger knew them at a moment; nothing of lots without one.

    record_no: of the last fact until then.
    """
    wanted = sorted(lots)
    kept, history = read_kept(connection, wanted), read_history(connection, wanted)
    dates: dict[LotKey, str] = {}
    for lot in wanted:
        rows, now = history.get(lot, ()), kept.get(lot)
        told = [one for one in rows if one.record_no <= record_no and one.at_ms <= at_ms]
        if now is not None and now.first_record_no <= record_no and _is_newer(now, rows):
            dates[lot] = now.expiry_date
        elif told and told[-1].expiry_date:
            dates[lot] = told[-1].expiry_date
    return dates


def correct_date(connection: Connection, lot: LotKey, date: str, how: Becomes) -> None:
    """Have a lot expire on a date from now on, whatever its movements state. how: by whom, why."""
    was = read_kept(connection, [lot]).get(lot)
    first_no = was.first_record_no if was else _first_no(connection, lot)
    _keep(connection, lot, was, Kept(date, first_no), how)


def restate_dates(connection: Connection, lots: Iterable[LotKey], how: Becomes) -> list[LotKey]:
    """Have lots expire as their first standing facts state; return those whose date changed.

    For lots of which facts were taken back, or stand again. What somebody corrected stays, unless
    that is what is opened again.
    """
    wanted = sorted(lots)
    kept, history = read_kept(connection, wanted), read_history(connection, wanted)
    changed = []
    for lot in wanted:
        rows, was = history.get(lot, ()), kept.get(lot)
        is_corrected = bool(rows) and rows[-1].cause == "corrected"
        if is_corrected and how.cause != "reopened":
            continue
        now = _stated(connection, lot)
        if now == was and not is_corrected:
            continue
        _keep(connection, lot, was, now, how)
        if (was and was.expiry_date) != (now and now.expiry_date):
            changed.append(lot)
    return changed


def undo_correction(connection: Connection, lot: LotKey, how: Becomes) -> bool:
    """Have a lot expire as it did before its last correction, if a discrepancy was settled by that.

    Return whether it was. how: the discrepancy that is opened again.
    """
    rows = read_history(connection, [lot]).get(lot, ())
    if not rows or rows[-1].cause != "corrected" or rows[-1].discrepancy != how.discrepancy:
        return False
    before = rows[-2]
    if before.cause == "corrected":
        how = how._replace(cause="corrected", discrepancy=before.discrepancy)
        correct_date(connection, lot, before.expiry_date, how)
    else:
        restate_dates(connection, [lot], how)
    return True


def restate_taken_back(
    connection: Connection, taken_back: Iterable[TakenBack], *, record_no: int, now_ms: int
) -> list[LotKey]:
    """Have lots expire as they do without facts that gateways took back; return as before.

    taken_back: as posted in this call, of which record_no is the last fact.
    """
    numbers: dict[LotKey, set[int]] = {}
    for _, movement, lines in taken_back:
        if movement.lot and movement.expiry_date:
            lot = (lines[0].warehouse, movement.item, movement.lot)
            numbers.setdefault(lot, set()).add(lines[0].record_no)
    kept = read_kept(connection, numbers) if numbers else {}
    withdrawn = [lot for lot, one in kept.items() if one.first_record_no in numbers[lot]]
    if not withdrawn:
        return []
    return restate_dates(connection, withdrawn, Becomes("taken_back", record_no, now_ms))


def standing_facts(
    connection: Connection, lot: LotKey, *, dated: bool = True
) -> Iterator[StandingFact]:
    """Yield the movements of a lot that stand and take nothing back, the oldest first.

    dated: those alone that state a date.
    """
    warehouse, item, code = lot
    query = _STANDING.format(
        first=traced_lines(connection.dialect.name, "lot"),
        in_blocks=in_blocks(after=0, through=last_to_read(connection)),
        dated="first.expiry_date <> ''" if dated else "first.record_no > 0",
    )
    bounds: dict[str, object] = {"warehouse": warehouse, "item": item, "lot": code}
    after, limit = 0, FACTS_AT_ONCE
    while True:
        rows = connection.execute(text(query), {**bounds, "after": after, "limit": limit}).all()
        for row in rows:
            fact = read_fact(bytes(row.body), seq=row.seq)
            if isinstance(fact, Movement) and taken_back_by(fact) is None:
                key = FactKey(warehouse, row.gateway, row.epoch, row.seq)
                yield StandingFact(row.record_no, key, fact, row.record_ms)
        if len(rows) < limit:
            return
        after = rows[-1].record_no


def _stated(connection: Connection, lot: LotKey) -> Kept | None:
    for fact in standing_facts(connection, lot):
        return Kept(fact.movement.expiry_date, fact.record_no)
    return None


def _keep(
    connection: Connection, lot: LotKey, was: Kept | None, now: Kept | None, how: Becomes
) -> None:
    """Write what a date becomes, and what it was as far as nobody has noted that yet."""
    rows = read_history(connection, [lot]).get(lot, ())
    number = len(rows) + 1
    written: list[bulk.Row] = []
    if was is not None and _is_newer(was, rows):
        at_ms = _recorded_ms(connection, was.first_record_no)
        since = DatedSince(number, *was, at_ms, "stated", "", "", "")
        written.append((*lot, *since))
    elif not rows:
        written.append((*lot, *DatedSince(number, "", 0, 0, "stated", "", "", "")))
    date = now.expiry_date if now else ""
    becomes = DatedSince(
        number + len(written),
        date,
        how.record_no,
        how.now_ms,
        how.cause,
        how.actor,
        how.reason,
        how.discrepancy,
    )
    bulk.insert_rows(connection, tables.lot_dates, [*written, (*lot, *becomes)])
    if now is None:
        bulk.delete_by_key(connection, tables.lots, [lot])
    else:
        bulk.upsert_rows(connection, tables.lots, [(*lot, *now)])


def _is_newer(kept: Kept, rows: Sequence[DatedSince]) -> bool:
    """Return whether a date was stated since a lot had none, or no other one was noted ever."""
    return not rows or (not rows[-1].expiry_date and kept.first_record_no > rows[-1].record_no)


def _first_no(connection: Connection, lot: LotKey) -> int:
    """Return the record number of the fact by which a lot first came."""
    for fact in standing_facts(connection, lot, dated=False):
        return fact.record_no
    return 0


def _recorded_ms(connection: Connection, record_no: int) -> int:
    facts = tables.facts.c
    query = select(facts.record_ms).where(facts.record_no == record_no)
    return int(connection.execute(query).scalar_one())
