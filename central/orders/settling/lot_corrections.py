"""Corrects when a lot expires: to settle a discrepancy, or by the lot itself. Edge of the database.

Nothing that was stated changes: the lot has another date from then on, and it is kept who said so,
why, and which it had before.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from central.errors import Conflict, NotThere, Unusable
from central.ledger.desk import Change, require_version
from central.ledger.discrepancies import settle_subjects
from central.ledger.goods_rules import LotKey
from central.ledger.lot_dates import (
    Becomes,
    DatedSince,
    Kept,
    correct_date,
    read_history,
    read_kept,
    restate_dates,
    standing_facts,
    undo_correction,
)
from central.orders.order_goods import checked_date, checked_reason
from central.orders.settling.discrepancy_facts import Found
from central.orders.settling.lot_date_cases import case_of_dates, lot_of
from central.orders.settling.lot_date_news import tell_dates
from central.orders.settling.settlement_steps import Step
from central.orders.settling.settlements import Decision
from central.stock.views import list_warehouses
from central.storage import bulk, tables

KIND = "lot"  # Of its events.
CORRECTED = "the expiry date of the lot was corrected"


@dataclass(frozen=True, slots=True)
class LotDate:
    """When a lot of a warehouse expires, "" for nobody knows, and since when that is said.

    history: what it was before, the first one first; empty where it never changed. version: another
    one after each change.
    """

    lot: LotKey
    expiry_date: str
    history: tuple[DatedSince, ...]
    version: int


def read_lot_date(connection: Connection, lot: LotKey) -> LotDate:
    """Return when a lot expires. Raises NotThere for one that the warehouse never had."""
    kept = read_kept(connection, [lot]).get(lot)
    history = read_history(connection, [lot]).get(lot, ())
    if kept is None and not history and _is_unknown(connection, lot):
        warehouse, item, code = lot
        raise NotThere(
            f"{warehouse} never had a lot {code!r} of {item}",
            hint="Look at the stock of the item which lots there are.",
        )
    return LotDate(lot, kept.expiry_date if kept else "", history, _version(kept, history))


def list_lot_dates(connection: Connection, *, item: str, lot: str) -> list[LotDate]:
    """Return when a lot expires by the book of each warehouse that has a date of it, or had stock.

    On a narrowed connection of its warehouse alone.
    """
    houses = [one.code for one in list_warehouses(connection)]
    lots = [(house, item, lot) for house in houses]
    kept, history = read_kept(connection, lots), read_history(connection, lots)
    stock = bulk.select_by_columns(
        connection,
        tables.balances,
        [(house, item) for house in houses],
        columns=("warehouse", "item"),
        index="balances_item",
        where="",
    )
    held = {row[0] for row in stock if row[3] == lot}
    return [
        LotDate(one, now.expiry_date if now else "", rows, _version(now, rows))
        for one in lots
        for now, rows in [(kept.get(one), history.get(one, ()))]
        if now or rows or one[0] in held
    ]


def correct_lot(
    change: Change, lot: LotKey, *, expiry_date: str, reason: str, version: int | None
) -> LotDate:
    """Have a lot expire on another date from now on, and settle what was open about that.

    Raises NotThere, Outdated, Unusable for no date or no reason, Conflict for the date that it has.
    """
    present = read_lot_date(change.connection, lot)
    require_version(present.version, version, what=f"the date of lot {lot[2]}")
    said = checked_reason(reason, what="to correct a date")
    _correct(change, present, expiry_date, reason=said)
    named = [(lot[0], kind, f"{lot[1]}/{lot[2]}") for kind in ("expiry_differs", "expiry_missing")]
    settle_subjects(change.connection, named, settlement=CORRECTED, now_ms=change.now_ms)
    return read_lot_date(change.connection, lot)


def correct_as_decided(change: Change, row: Found, decision: Decision) -> None:
    """Have the lot of a discrepancy expire as decided, or as alone is stated. As `correct_lot`."""
    date = decision.expiry_date
    if not date:
        dates = case_of_dates(change.connection, row).dates
        if len(dates) != 1:
            raise Unusable(
                "to correct a date needs the date that is right", hint="Name it as expiry_date."
            )
        date = dates[0].expiry_date
    present = read_lot_date(change.connection, lot_of(row))
    _correct(change, present, date, reason=decision.reason, discrepancy=row.id)


def correct_again(change: Change, row: Found, *, reason: str) -> None:
    """Have the lot expire as before the settlement of a discrepancy, if that corrected it last."""
    lot = lot_of(row)
    if row.lot and undo_correction(change.connection, lot, _becomes(change, reason, row.id)):
        tell_dates(change.connection, [lot], now_ms=change.now_ms)
        _note(change, lot, "reopened", reason=reason)


def restate_after(change: Change, steps: Sequence[Step]) -> None:
    """Have lots expire as the facts state that stand, after a settlement took some back."""
    lots = {
        (step.takes_back.warehouse, step.item, step.lot)
        for step in steps
        if step.takes_back is not None and step.lot and step.expiry_date
    }
    if not lots:
        return
    how = Becomes("taken_back", change.state.record_no, change.now_ms, change.actor)
    changed = restate_dates(change.connection, lots, how)
    if changed:
        tell_dates(change.connection, changed, now_ms=change.now_ms)


def _correct(
    change: Change, present: LotDate, expiry_date: str, *, reason: str, discrepancy: str = ""
) -> None:
    date = checked_date(expiry_date, what="expiry_date")
    if not date:
        raise Unusable("a lot is corrected to a date", hint="State when it expires.")
    if date == present.expiry_date:
        raise Conflict(
            f"lot {present.lot[2]} expires on {date} already", hint="Look at the page of the lot."
        )
    how = _becomes(change, reason, discrepancy)._replace(cause="corrected")
    correct_date(change.connection, present.lot, date, how)
    tell_dates(change.connection, [present.lot], now_ms=change.now_ms, corrected=True)
    _note(
        change, present.lot, "corrected", reason=reason, expiry_date=date, was=present.expiry_date
    )


def _becomes(change: Change, reason: str, discrepancy: str) -> Becomes:
    return Becomes(
        "reopened", change.state.record_no, change.now_ms, change.actor, reason, discrepancy
    )


def _note(change: Change, lot: LotKey, action: str, **fields: object) -> None:
    warehouse, item, code = lot
    change.note(KIND, f"{item}/{code}", action, warehouse=warehouse, item=item, lot=code, **fields)


def _is_unknown(connection: Connection, lot: LotKey) -> bool:
    return next(standing_facts(connection, lot, dated=False), None) is None


def _version(kept: Kept | None, history: Sequence[DatedSince]) -> int:
    """Return what is more after each change: a fact that states a date now may be an older one."""
    stated_no = kept.first_record_no if kept else 0
    return len(history) + max([stated_no, *(one.record_no for one in history)])
