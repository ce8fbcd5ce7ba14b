"""Proves that every in-transit place explains itself by its transfer. Edge of the database.

owner     what is under way under a code belongs to a transfer, or is what facts say that are told
          of otherwise (`transit_strangers`); facts are listed for no transfer that is not there
facts     the facts listed for a transfer are all that moved its place: their lines sum to it
phase     follows from progress and place, as does whether anything is under way
end       of a finished transfer nothing is under way, or it is reopened or returning
before    what was received and never shipped has an open discrepancy
"""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import (
    CompoundSelect,
    Connection,
    Select,
    and_,
    except_,
    func,
    literal,
    select,
)

from central.ledger.fact_check import Fault
from central.ledger.locations import IN_TRANSIT_PREFIX
from central.orders.transfers.transfer_closing import Thing, remainders_of
from central.orders.transfers.transfer_following import BEFORE
from central.orders.transfers.transfer_store import (
    Standing,
    observed,
    read_standings,
    transfer_facts,
    transfer_of,
    transfers,
)
from central.orders.transfers.transfers import ENDED, Transfer
from central.orders.transfers.transit_crossings import subject_of
from central.orders.transfers.transit_strangers import CHECK, at_places, strange_faults
from central.storage import tables

TRANSFERS_AT_ONCE = 200


def faults(connection: Connection) -> Iterator[Fault]:
    """Yield what is off about transfers and in-transit places; nothing is written."""
    yield from strange_faults(connection)
    yield from _gone(connection)
    yield from _unlisted(connection)
    for page in _pages(connection):
        standings = read_standings(connection, page)
        for transfer in page:
            yield from _transfer_faults(connection, transfer, standings[transfer.code])


def _gone(connection: Connection) -> Iterator[Fault]:
    """Yield codes of which facts are listed and that are no transfers any more."""
    listed = transfer_facts.c.transfer
    there = select(transfers.c.transfer).where(transfers.c.transfer == listed).exists()
    for code in connection.execute(select(listed).where(~there).distinct()).scalars():
        yield Fault("transfer", code, "facts are listed for it, the transfer is not there")


def _unlisted(connection: Connection) -> Iterator[Fault]:
    """Yield places of transfers that are not the sum of the facts listed for them."""
    lines = tables.lines.c
    columns = (lines.warehouse, lines.item, lines.lot, lines.serial, lines.unit)
    moved = func.sum(lines.quantity_micro)
    listed = (
        select(transfer_facts.c.transfer, *columns, moved)
        .join_from(
            transfer_facts,
            tables.lines,
            and_(
                lines.warehouse == transfer_facts.c.warehouse,
                lines.record_no == transfer_facts.c.record_no,
            ),
        )
        .where(lines.location == literal(IN_TRANSIT_PREFIX).concat(transfer_facts.c.transfer))
        .group_by(transfer_facts.c.transfer, *columns)
        .having(moved != 0)
    )
    places = at_places()
    standing: Select[Any] = select(*places.c).join_from(
        places, transfers, transfers.c.transfer == places.c.code
    )
    differences: tuple[tuple[str, CompoundSelect[Any]], ...] = (
        ("the place has {0} that no listed fact explains", except_(standing, listed)),
        ("listed facts sum to {0}, the place does not", except_(listed, standing)),
    )
    for said, query in differences:
        for row in connection.execute(query):
            detail = said.format(f"{row[6]} (micro)")
            yield Fault(CHECK, "/".join(row[:6]), detail)


def _pages(connection: Connection) -> Iterator[list[Transfer]]:
    after = ""
    while True:
        query = select(transfers).where(transfers.c.transfer > after)
        rows = connection.execute(query.order_by(transfers.c.transfer).limit(TRANSFERS_AT_ONCE))
        page = [transfer_of(tuple(row)) for row in rows]
        if not page:
            return
        yield page
        after = page[-1].code


def _transfer_faults(
    connection: Connection, transfer: Transfer, standing: Standing
) -> Iterator[Fault]:
    expected = observed(transfer, standing, left_ms=transfer.under_way_since_ms)
    if expected.phase != transfer.phase:
        detail = f"phase {transfer.phase!r}, its facts say {expected.phase!r}"
        yield Fault("transfer", transfer.code, detail)
    if bool(transfer.under_way_since_ms) != standing.under_way:
        detail = f"under way since {transfer.under_way_since_ms}, under way: {standing.under_way}"
        yield Fault("transfer", transfer.code, detail)
    remainders = remainders_of(standing.places)
    negative = [thing for thing, quantity in remainders.items() if quantity < 0]
    if transfer.state in ENDED or not negative:
        return
    told = _told(connection, transfer, negative)
    for thing in negative:
        subject = subject_of(transfer.code, thing)
        if subject not in told:
            yield Fault("transfer", subject, f"{remainders[thing]} (micro), and nothing says why")


def _told(connection: Connection, transfer: Transfer, things: Sequence[Thing]) -> set[str]:
    table = tables.discrepancies.c
    query = select(table.subject).where(
        table.kind == BEFORE,
        table.document == transfer.code,
        table.item.in_(sorted({thing.item for thing in things})),
    )
    return set(connection.execute(query).scalars())
