"""What is told of posted counts that something came late for, as rows. Edge of the database."""

from collections.abc import Iterable

from sqlalchemy import Connection, select

from central.ledger.discrepancies import settle_discrepancies
from central.ledger.entries import DiscrepancyKind
from central.orders.counts.count_judging import Thing
from central.storage.settlement_tables import discrepancies

OUTDATED: DiscrepancyKind = "count_outdated"


def subject_of(code: str, thing: Thing) -> str:
    """Return how discrepancies name a line of a count."""
    return "/".join((code, *thing))


def read_outdated(connection: Connection, code: str, *, warehouse: str) -> dict[str, int]:
    """Return by how much the adjustments of a posted count are off, by the names of its lines.

    As it was told, of those that are open.
    """
    table = discrepancies.c
    query = select(table.subject, table.expected_micro, table.actual_micro).where(
        table.warehouse == warehouse,
        table.state == "open",
        table.kind == OUTDATED,
        table.document == code,
    )
    return {
        row.subject: (row.expected_micro or 0) - (row.actual_micro or 0)
        for row in connection.execute(query)
    }


def outdated_count(connection: Connection, thing: Thing, *, warehouse: str) -> str:
    """Return which posted count of a thing is off, as it is told and open, "" for none."""
    table = discrepancies.c
    query = select(table.document, table.subject).where(
        table.warehouse == warehouse,
        table.state == "open",
        table.kind == OUTDATED,
        table.item == thing.item,
        table.location == thing.location,
    )
    rows = connection.execute(query)
    return next((row[0] for row in rows if row[1] == subject_of(row[0], thing)), "")


def settle_outdated(
    connection: Connection,
    code: str,
    things: Iterable[Thing],
    *,
    warehouse: str,
    settlement: str,
    now_ms: int,
    but: str = "",
) -> None:
    """Settle what was told of a count that was posted just now, and of other counts of its goods.

    settlement: why, for people. but: the one that somebody settles.
    """
    table = discrepancies.c
    query = select(table.id, table.document, table.subject).where(
        table.warehouse == warehouse, table.state == "open", table.kind == OUTDATED
    )
    rows = connection.execute(query).all()
    if not rows:
        return
    posted = list(things)
    found = [
        row.id
        for row in rows
        if row.id != but
        and (
            row.document == code
            or row.subject in {subject_of(row.document, thing) for thing in posted}
        )
    ]
    settle_discrepancies(connection, found, settlement=settlement, now_ms=now_ms)
