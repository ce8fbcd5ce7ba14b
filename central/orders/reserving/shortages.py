"""Discrepancies of goods that were set aside and are not there. Edge of the database."""

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, select

from central.ledger.discrepancies import open_discrepancies, settle_discrepancies
from central.ledger.entries import DiscrepancyKind, Finding
from central.orders.reserving.allocation import StockKey
from central.orders.reserving.reservation_book import Granted
from central.orders.reserving.reservations import LineKey
from central.storage import tables

KIND: DiscrepancyKind = "reservation_short"


def report_shortages(
    connection: Connection,
    short: Sequence[tuple[Granted, StockKey, str]],
    *,
    record_no: int,
    now_ms: int,
) -> None:
    """Open a discrepancy for each line that lost goods and got fewer others instead.

    short: what was wanted instead and came of it, the stock that was lost, and why.
    """
    findings = [
        Finding(
            kind=KIND,
            subject=_subject(granted.wanted.holder),
            warehouse=lost.warehouse,
            gateway="",
            epoch="",
            seq=0,
            record_no=record_no,
            item=lost.item,
            location=lost.location,
            lot=lost.lot,
            unit=lost.unit,
            document=granted.wanted.holder.code,
            document_line=granted.wanted.holder.line,
            expected_micro=granted.wanted.quantity_micro,
            actual_micro=granted.granted_micro,
            detail=why,
        )
        for granted, lost, why in short
        if granted.missing_micro
    ]
    open_discrepancies(connection, findings, now_ms=now_ms)


def settle_shortages(
    connection: Connection, lines: Collection[LineKey], *, why: str, now_ms: int
) -> None:
    """Settle what is open of these lines and say why."""
    if not lines:
        return
    table = tables.discrepancies.c
    subjects = sorted({_subject(line) for line in lines})
    warehouses = {line.warehouse for line in lines}
    found = connection.execute(
        select(table.id).where(
            table.warehouse.in_(warehouses),
            table.state == "open",
            table.kind == KIND,
            table.subject.in_(subjects),
        )
    )
    settle_discrepancies(connection, list(found.scalars()), settlement=why, now_ms=now_ms)


def _subject(line: LineKey) -> str:
    return f"{line.code}/{line.line}"
