"""Tells what does not add up, or does by now, as the date of a lot became another. Edge of the DB.

it has none left      what came in of it without a date: nobody knows when that expires
it has another one    a fact that stands states another one, or another book has another one;
                      goods of it were shipped too late, or are set aside and too old
"""

from collections.abc import Iterable
from dataclasses import replace

from sqlalchemy import Connection, select

from central.ledger.discrepancies import discrepancy_id, open_discrepancies, settle_subjects
from central.ledger.entries import DiscrepancyKind, Finding
from central.ledger.goods_rules import LotKey, comes_in
from central.ledger.lot_dates import Kept, StandingFact, read_kept, standing_facts
from central.ledger.pairs import places_of
from central.orders.settling.lot_date_cases import dates_elsewhere
from central.orders.settling.redated_goods import first_late, give_up_redated
from central.orders.settling.taken_back_facts import open_ones, settle_emptied
from central.storage import tables
from central.storage.catalogue_tables import item_policies

KNOWN_NOW = "the expiry date of the lot is known now"
AGREED = "the expiry dates of the lot agree by now"


def tell_dates(
    connection: Connection, lots: Iterable[LotKey], *, now_ms: int, corrected: bool = False
) -> None:
    """Open what is wrong now with the dates of lots, and settle what no longer is.

    corrected: somebody said so, whatever facts state; else these are the first that stand.
    """
    wanted = sorted(lots)
    kept = read_kept(connection, wanted)
    for lot in wanted:
        elsewhere = dates_elsewhere(connection, lot)
        now = kept.get(lot)
        if now is None:
            if not elsewhere:
                _tell_missing(connection, lot, now_ms=now_ms)
        else:
            settle_subjects(
                connection,
                [(lot[0], "expiry_missing", _subject(lot))],
                settlement=KNOWN_NOW,
                now_ms=now_ms,
            )
            if not corrected:
                _tell_others_stated(connection, lot, now, now_ms=now_ms)
            _tell_elsewhere(connection, lot, now, elsewhere, now_ms=now_ms)
        _tell_goods(connection, lot, now, now_ms=now_ms)
        reasons = {
            (house, "expiry_differs", _subject(lot)): AGREED for house in (lot[0], *elsewhere)
        }
        settle_emptied(connection, reasons, now_ms=now_ms)


def _tell_missing(connection: Connection, lot: LotKey, *, now_ms: int) -> None:
    """Open that nobody says when goods expire that came in, if their item asks for that."""
    policies = item_policies.c
    asks = select(policies.expiry_tracked).where(policies.item == lot[1])
    if not connection.execute(asks).scalar():
        return
    for fact in standing_facts(connection, lot, dated=False):
        if comes_in(*places_of(fact.movement)):
            _open(connection, lot, "expiry_missing", fact, "", now_ms=now_ms)
            return


def _tell_others_stated(connection: Connection, lot: LotKey, now: Kept, *, now_ms: int) -> None:
    for fact in standing_facts(connection, lot):
        stated = fact.movement.expiry_date
        if stated != now.expiry_date:
            detail = f"{stated} is stated, {now.expiry_date} was before"
            _open(connection, lot, "expiry_differs", fact, detail, now_ms=now_ms)
            return


def _tell_elsewhere(
    connection: Connection, lot: LotKey, now: Kept, elsewhere: dict[str, str], *, now_ms: int
) -> None:
    """Open in the books of others that they have another date, by what states it there first."""
    for house, date in sorted(elsewhere.items()):
        if date == now.expiry_date:
            continue
        other = (house, *lot[1:])
        detail = f"{date} is stated, {now.expiry_date} was before"
        fact = next(standing_facts(connection, other, dated=False), None)
        _open(connection, other, "expiry_differs", fact, detail, now_ms=now_ms)


def _tell_goods(connection: Connection, lot: LotKey, now: Kept | None, *, now_ms: int) -> None:
    """Open that goods were shipped too late by the date of now; have others set aside for them."""
    date = now.expiry_date if now else ""
    late = first_late(connection, lot, expiry_date=date, now_ms=now_ms)
    if late is not None:
        fact, detail = late
        _open(connection, lot, "expired_shipped", fact, detail, now_ms=now_ms)
    give_up_redated(connection, lot, now_ms=now_ms)


def _open(
    connection: Connection,
    lot: LotKey,
    kind: DiscrepancyKind,
    fact: StandingFact | None,
    detail: str,
    *,
    now_ms: int,
) -> None:
    """Open it, unless it is. What a fact opened once already and was settled names none now."""
    warehouse, item, code = lot
    subject = _subject(lot)
    if open_ones(connection, [(warehouse, kind, subject)]):
        return
    finding = Finding(kind, subject, warehouse, "", "", 0, 0, item=item, lot=code, detail=detail)
    if fact is not None:
        key = fact.key
        named = replace(
            finding, gateway=key.gateway, epoch=key.epoch, seq=key.seq, record_no=fact.record_no
        )
        table = tables.discrepancies.c
        was = select(table.id).where(table.id == discrepancy_id(named))
        finding = finding if connection.execute(was).first() else named
    open_discrepancies(connection, [finding], now_ms=now_ms)


def _subject(lot: LotKey) -> str:
    return f"{lot[1]}/{lot[2]}"
