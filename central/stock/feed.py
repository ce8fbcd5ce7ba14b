"""What happened: posted facts newest first, and what changed since. Edge of the database."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, func, select

from central.contract.facts import Fact, Movement, Reversal, Weighing, decode_fact
from central.contract.identifiers import FactId, parse_epoch
from central.stock.feed_numbers import record_numbers
from central.stock.rows import FeedFilter, MovementRow, StockChange, TimeSource
from central.stock.views import list_warehouses
from central.stock.workers import list_workers
from central.storage.tables import (
    boots,
    discrepancies,
    facts,
    gateways,
    items,
    ledger_state,
    lines,
    positions,
    unsynced_facts,
)
from central.storage.within import within_of

READABLE_KINDS = ("movement", "reversal", "weighing", "print", "passage", "count", "packing")
CHANGED_ITEMS_MAX = 200  # A page shows fewer rows; whoever is further behind reads it anew.

_FACT_COLUMNS = (
    facts.c.warehouse,
    facts.c.gateway,
    facts.c.epoch,
    facts.c.seq,
    facts.c.body,
    facts.c.digest,
    facts.c.event_time_ms,
    facts.c.clock_synced,
    facts.c.record_ms,
    facts.c.record_no,
)


def list_movements(
    connection: Connection, wanted: FeedFilter, *, before_record_no: int | None, limit: int
) -> list[MovementRow]:
    """Return facts in the ledger's order, newest first.

    before_record_no: only older ones; the last record_no of the page before.
    """
    before = last_record_no(connection) + 1 if before_record_no is None else before_record_no
    return _newest(connection, wanted, after=0, before=before, limit=limit)


def list_movements_after(
    connection: Connection, *, record_no: int, limit: int
) -> list[MovementRow]:
    """Return the newest `limit` facts of FEED_KINDS after `record_no`, newest first."""
    before = last_record_no(connection) + 1
    wanted = FeedFilter(warehouse=within_of(connection))
    return _newest(connection, wanted, after=record_no, before=before, limit=limit)


def list_movements_from(
    connection: Connection, wanted: FeedFilter, *, after_record_no: int, limit: int
) -> list[MovementRow]:
    """Return facts of some kinds and one warehouse or all, in the ledger's order, oldest first."""
    numbers = record_numbers(
        connection,
        wanted,
        after=after_record_no,
        before=last_record_no(connection) + 1,
        limit=limit,
        newest_first=False,
    )
    return list_numbered(connection, numbers)


def list_corrected(connection: Connection, *, record_no: int, limit: int) -> list[MovementRow]:
    """Return facts of FEED_KINDS among the last `limit` up to `record_no` with a corrected time.

    Newest first. Pages show them already, perhaps with the time of a clock that was not set.
    """
    table = unsynced_facts.c
    numbers = connection.execute(
        select(table.record_no).where(
            table.record_no > record_no - limit,
            table.record_no <= record_no,
            table.offset_ms.is_not(None),
        )
    )
    wanted = list(numbers.scalars())
    if not wanted:
        return []
    return _newest(
        connection,
        FeedFilter(warehouse=within_of(connection)),
        after=record_no - limit,
        before=record_no + 1,
        limit=limit,
        also=[facts.c.record_no.in_(wanted)],
    )


def find_fact(connection: Connection, fact_id: FactId) -> MovementRow | None:
    """Return one fact by its identity, None if the ledger does not have it readable."""
    at_warehouses = [warehouse.code for warehouse in list_warehouses(connection)]
    query = select(*_FACT_COLUMNS).where(
        facts.c.warehouse.in_(at_warehouses),
        facts.c.gateway == fact_id.gateway,
        facts.c.epoch == str(fact_id.epoch),
        facts.c.seq == fact_id.seq,
        facts.c.kind.in_(READABLE_KINDS),
    )
    rows = _movement_rows(connection, query)
    return rows[0] if rows else None


def list_numbered(connection: Connection, numbers: Sequence[int]) -> list[MovementRow]:
    """Return facts with these record numbers, oldest first; what cannot be read is left out."""
    query = (
        select(*_FACT_COLUMNS)
        .where(facts.c.record_no.in_(numbers), facts.c.kind.in_(READABLE_KINDS))
        .order_by(facts.c.record_no)
    )
    return _movement_rows(connection, query)


def items_changed(connection: Connection, *, record_no: int) -> list[str] | None:
    """Return the items whose stock changed after `record_no`; None if they are too many."""
    # The key of lines begins with the warehouse: a join with facts reads all lines on SQLite.
    codes_of_warehouses = [warehouse.code for warehouse in list_warehouses(connection)]
    query = (
        select(lines.c.item)
        .where(
            lines.c.warehouse.in_(codes_of_warehouses),
            lines.c.record_no > record_no,
            lines.c.line_no == 1,
        )
        .distinct()
        .limit(CHANGED_ITEMS_MAX + 1)
    )
    codes = list(connection.execute(query).scalars())
    return codes if len(codes) <= CHANGED_ITEMS_MAX else None


def last_record_no(connection: Connection) -> int:
    """Return the number of the newest recorded fact, 0 for none."""
    return connection.execute(select(func.max(facts.c.record_no))).scalar() or 0


def stock_change(connection: Connection, *, now_ms: int) -> StockChange:
    """Return marks that differ whenever a page would look different. A few cheap look-ups."""
    revision = select(ledger_state.c.value).where(ledger_state.c.key == "reference_revision")
    gateway_rows = select(
        gateways.c.gateway,
        gateways.c.online,
        gateways.c.state_ms,
        gateways.c.unsent_count,
        gateways.c.problem,
        gateways.c.head_seq,
        gateways.c.devices_json,
        gateways.c.clock_synced,
        gateways.c.disk_used_percent,
        gateways.c.shed_count,
        gateways.c.failed_release,
    ).order_by(gateways.c.gateway)
    acknowledged = select(func.max(positions.c.updated_ms), func.sum(positions.c.acked_seq))
    corrected = select(func.max(unsynced_facts.c.record_no)).where(
        unsynced_facts.c.offset_ms.is_not(None)
    )
    still_open = select(func.count()).where(discrepancies.c.state == "open")
    if within := within_of(connection):
        still_open = still_open.where(discrepancies.c.warehouse == within)
    return StockChange(
        record_no=last_record_no(connection),
        reference_revision=connection.execute(revision).scalar() or "",
        gateways_mark=repr(
            (
                connection.execute(gateway_rows).fetchall(),
                connection.execute(acknowledged).fetchall(),
                list_workers(connection, now_ms=now_ms).unserved,
                connection.execute(select(func.max(boots.c.updated_ms))).scalar(),
                connection.execute(corrected).scalar(),
            )
        ),
        discrepancies_open=connection.execute(still_open).scalar_one(),
    )


def _newest(
    connection: Connection,
    wanted: FeedFilter,
    *,
    after: int,
    before: int,
    limit: int,
    also: Sequence[ColumnElement[bool]] = (),
) -> list[MovementRow]:
    """Return facts between two record numbers, newest first."""
    numbers = record_numbers(
        connection, wanted, after=after, before=before, limit=limit, newest_first=True, also=also
    )
    return list_numbered(connection, numbers)[::-1]


def _same_fact() -> ColumnElement[bool]:
    return (lines.c.warehouse == facts.c.warehouse) & (lines.c.record_no == facts.c.record_no)


def _movement_rows(connection: Connection, query: Select[Any]) -> list[MovementRow]:
    found = connection.execute(query).mappings().all()
    read = [(row, decode_fact(row["body"])) for row in found]
    targets = _taken_back(connection, read)
    codes = {_item_of(targets.get(row["record_no"], fact)) for row, fact in read}
    names = {
        row.item: (row.name, row.name_zh)
        for row in connection.execute(select(items).where(items.c.item.in_(codes)))
    }
    posted = _posted(connection, [row["record_no"] for row, _ in read])
    corrected = _corrected(
        connection, [row["record_no"] for row, _ in read if not row["clock_synced"]]
    )
    return [
        _movement_row(
            row,
            fact,
            taken_back=targets.get(row["record_no"]),
            names=names,
            posted=row["record_no"] in posted,
            corrected=row["record_no"] in corrected,
        )
        for row, fact in read
    ]


def _posted(connection: Connection, numbers: list[int]) -> set[int]:
    query = (
        select(lines.c.record_no)
        .join_from(facts, lines, _same_fact())
        .where(facts.c.record_no.in_(numbers), lines.c.line_no == 1)
    )
    return set(connection.execute(query).scalars())


def _corrected(connection: Connection, numbers: list[int]) -> set[int]:
    """Return those of these facts of a clock that was not set whose time the ledger corrected."""
    if not numbers:
        return set()
    table = unsynced_facts.c
    query = select(table.record_no).where(
        table.record_no.in_(numbers), table.offset_ms.is_not(None)
    )
    return set(connection.execute(query).scalars())


def _time_source(*, synced: bool, corrected: bool) -> TimeSource:
    if synced:
        return "gateway"
    return "corrected" if corrected else "unsynced"


def _taken_back(connection: Connection, read: list[tuple[RowMapping, Fact]]) -> dict[int, Movement]:
    """Return the movement that each reversal among the facts took back, by record_no."""
    found: dict[int, Movement] = {}
    for row, fact in read:
        if not isinstance(fact, Reversal):
            continue
        query = select(facts.c.body).where(
            facts.c.warehouse == row["warehouse"],
            facts.c.gateway == row["gateway"],
            facts.c.epoch == fact.reverses_epoch,
            facts.c.seq == fact.reverses_seq,
            facts.c.kind == "movement",
        )
        body = connection.execute(query).scalar()
        target = decode_fact(body) if body is not None else None
        if isinstance(target, Movement):
            found[row["record_no"]] = target
    return found


def _movement_row(
    row: RowMapping,
    fact: Fact,
    *,
    taken_back: Movement | None,
    names: dict[str, tuple[str, str]],
    posted: bool,
    corrected: bool,
) -> MovementRow:
    name, name_zh = names.get(_item_of(taken_back or fact), ("", ""))
    return MovementRow(
        record_no=row["record_no"],
        fact_id=FactId(gateway=row["gateway"], epoch=parse_epoch(row["epoch"]), seq=row["seq"]),
        fact=fact,
        taken_back=taken_back,
        posted=posted,
        event_time_ms=row["event_time_ms"],
        time_source=_time_source(synced=row["clock_synced"], corrected=corrected),
        record_time_ms=row["record_ms"],
        item_name=name,
        item_name_zh=name_zh,
        raw=row["body"],
        digest=row["digest"],
    )


def _item_of(fact: Fact) -> str:
    return fact.item if isinstance(fact, Movement | Weighing) else ""
