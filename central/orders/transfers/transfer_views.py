"""Reads transfers for people: lists, lines with figures, endings. Edge of the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, and_, or_, select

from central.contract.errors import ContractError
from central.contract.facts import Movement, decode_fact
from central.ledger.locations import IN_TRANSIT, place_of
from central.ledger.statuses import HELD, REJECTED
from central.orders.document_progress import CountedKey, share_out
from central.orders.reserving.reservation_rows import read_reservations
from central.orders.reserving.reservations import Reservation
from central.orders.transfers.transfer_closing import Closing, Thing
from central.orders.transfers.transfer_store import Standing, read_standings, transfer_of, transfers
from central.orders.transfers.transfers import ENDED, Transfer, TransferLine
from central.storage import bulk, tables, transfer_tables

DAMAGED_FACTS_MAX = 10_000
MS_PER_DAY = 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class TransferFilter:
    """Which transfers are asked for; "" and None ask for any.

    state: as people name it, phases too. warehouse, partner: either end. under_way_days: goods of
    it are under way for so many days at least. open_only: nothing finished, but what moved since.
    """

    state: str = ""
    warehouse: str = ""
    partner: str = ""
    source: str = ""
    destination: str = ""
    under_way_days: int | None = None
    open_only: bool = False


@dataclass(frozen=True, slots=True)
class ClosedPart:
    """What became of some goods, by whom, and the fact that says so as gateway/epoch/seq."""

    closing: Closing
    actor: str
    at_ms: int
    fact: str


@dataclass(frozen=True, slots=True)
class TransferDetail:
    """One transfer with everything about it. damaged_micro: received so, by line number.

    reservations: what is and was set aside for it.
    """

    transfer: Transfer
    standing: Standing
    damaged_micro: Mapping[int, int]
    closed: tuple[ClosedPart, ...]
    reservations: tuple[Reservation, ...]

    def reserved_micro(self, line: int) -> int:
        """Return how much is set aside for a line."""
        return sum(row.quantity_micro for row in self.reservations if row.holder.line == line)


def list_transfers(
    connection: Connection,
    wanted: TransferFilter,
    *,
    now_ms: int,
    before: str | None,
    limit: int,
) -> list[Transfer]:
    """Return transfers, newest code first. before: the last code of the page before."""
    table = transfers.c
    query = select(transfers)
    if wanted.state:
        by_phase = and_(table.phase == "", table.state == wanted.state)
        query = query.where(or_(table.phase == wanted.state, by_phase))
    for end in (wanted.warehouse, wanted.partner):
        if end:
            either = or_(table.source_warehouse == end, table.destination_warehouse == end)
            query = query.where(either)
    if wanted.source:
        query = query.where(table.source_warehouse == wanted.source)
    if wanted.destination:
        query = query.where(table.destination_warehouse == wanted.destination)
    if wanted.under_way_days is not None:
        left_ms = now_ms - wanted.under_way_days * MS_PER_DAY
        query = query.where(table.under_way_since_ms > 0, table.under_way_since_ms <= left_ms)
    if wanted.open_only:
        query = query.where(or_(table.state.not_in(sorted(ENDED)), table.phase != ""))
    if before is not None:
        query = query.where(table.transfer < before)
    rows = connection.execute(query.order_by(table.transfer.desc()).limit(limit))
    return [transfer_of(tuple(row)) for row in rows]


def read_detail(connection: Connection, transfer: Transfer) -> TransferDetail:
    """Return one transfer with everything about it."""
    rows = read_reservations(connection, [transfer.holder])
    of_code = {transfer.code: rows}
    standing = read_standings(connection, [transfer], rows=of_code)[transfer.code]
    return TransferDetail(
        transfer,
        standing,
        _damaged(connection, transfer, standing.lines),
        tuple(_closed(connection, transfer)),
        tuple(rows),
    )


def _closed(connection: Connection, transfer: Transfer) -> list[ClosedPart]:
    table = transfer_tables.transfer_closings
    rows = bulk.select_by_key(connection, table, [(transfer.code,)], columns_count=1)
    return [
        ClosedPart(
            Closing(Thing(*row[2:6]), row[6], row[7], row[8], row[9]),
            actor=row[10],
            at_ms=row[11],
            fact=f"{row[13]}/{row[14]}/{row[15]}",
        )
        for row in sorted(rows)
    ]


def _damaged(
    connection: Connection, transfer: Transfer, lines: Sequence[TransferLine]
) -> dict[int, int]:
    """Return what was received held, rejected or into a place for such goods, by line."""
    table, facts, places = tables.lines.c, tables.facts.c, tables.locations.c
    behind = transfer_tables.transfer_facts.c
    quality = select(places.location).where(
        places.warehouse == transfer.destination, places.kind == "quality_hold"
    )
    query = (
        select(table.item, table.unit, table.quantity_micro, facts.body)
        .join_from(
            transfer_tables.transfer_facts,
            tables.lines,
            and_(table.warehouse == behind.warehouse, table.record_no == behind.record_no),
        )
        .join(
            tables.facts,
            and_(facts.warehouse == behind.warehouse, facts.record_no == behind.record_no),
        )
        .where(
            behind.transfer == transfer.code,
            behind.warehouse == transfer.destination,
            table.location != place_of(IN_TRANSIT, document=transfer.code),
            or_(table.status.in_([HELD, REJECTED]), table.location.in_(quality)),
        )
        .limit(DAMAGED_FACTS_MAX)
    )
    counted: dict[CountedKey, int] = {}
    for row in connection.execute(query):
        key = CountedKey(_line_of(bytes(row.body)), row.item, row.unit)
        counted[key] = counted.get(key, 0) + row.quantity_micro
    done, _ = share_out([line.expected for line in lines], counted)
    return done


def _line_of(body: bytes) -> int:
    """Return the line that a fact states, 0 for none: a reversal states what it takes back."""
    try:
        fact = decode_fact(body)
    except ContractError:
        return 0
    return fact.document_line if isinstance(fact, Movement) else 0
