"""What is missing of goods: refused at the desk, or a discrepancy once it is gone. Edge of SQL."""

from collections.abc import Collection, Mapping, Sequence
from typing import Literal

from sqlalchemy import Connection, select

from central.contract.quantities import canonical_text, from_micro
from central.errors import Conflict
from central.ledger.discrepancies import open_discrepancies, settle_discrepancies
from central.ledger.entries import DiscrepancyKind, Finding
from central.orders.reserving.allocation import StockKey, Unfit
from central.orders.reserving.reservation_book import Granted
from central.orders.reserving.reservations import LineKey
from central.storage import tables

KIND: DiscrepancyKind = "reservation_short"
# What to do where something is missing, by why what there is must not be shipped.
HINTS: Mapping[Unfit | Literal[""], str] = {
    "": "Order less, wait for stock, or let the rest be delivered later.",
    "expires_too_soon": "What else is there has expired, or has too few days left: order less,"
    " wait for stock, or let the rest be delivered later.",
    "serial_missing": "Nobody has said the serial numbers of what else is there: count it with"
    " them, or order less.",
    "expiry_missing": "Nobody has said when what else is there expires: state the date of its lot,"
    " or order less.",
}


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


def refuse_shortage(what: object, granted: Sequence[Granted], *, hint: str = HINTS[""]) -> None:
    """Raise Conflict, with what is available, if something wanted could not be set aside.

    what: whose it was to be, as people call it. hint: what to do where there is no more.
    """
    short = [one for one in granted if one.missing_micro]
    if not short:
        return
    first = short[0]
    raise Conflict(
        f"{what} cannot have all it wants: of {first.wanted.item} {_text(first.available_micro)}"
        f" of {_text(first.wanted.quantity_micro)} are available",
        hint=HINTS[next(iter(first.unfit))] if first.unfit else hint,
        fields={
            "lines": [
                {
                    "line": one.wanted.holder.line,
                    "item": one.wanted.item,
                    "wanted": _text(one.wanted.quantity_micro),
                    "available": _text(one.available_micro),
                    **_unfit(one),
                }
                for one in short
            ]
        },
    )


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


def _unfit(granted: Granted) -> dict[str, dict[str, str]]:
    amounts: dict[str, str] = {why: _text(micro) for why, micro in sorted(granted.unfit.items())}
    return {"unfit": amounts} if amounts else {}


def _text(quantity_micro: int) -> str:
    return canonical_text(from_micro(quantity_micro))
