"""Tells what a lot's new date means for goods shipped, or set aside. Edge of the database.

shipped      too late by the new date, and not by the one before: `expired_shipped`
             none too late any more: what was open about that is settled
set aside    may no longer be shipped: other stock is set aside, or `reservation_short`
"""

from datetime import timedelta
from itertools import islice

from sqlalchemy import Connection, select

from central.contract.expiry import earliest_expiry
from central.ledger.discrepancies import settle_subjects
from central.ledger.goods_rules import EPOCH_DAY, MS_PER_DAY, LotKey, shipped_late, ships
from central.ledger.lot_dates import StandingFact, read_history, standing_facts
from central.ledger.pairs import places_of
from central.orders.reserving.unfit_stock import give_up_unfit
from central.storage.catalogue_tables import item_policies
from central.storage.line_blocks import last_to_read

FACTS_LOOKED_MAX = 5000  # Of a lot, the oldest first.
NOT_LATE = "the lot has a date by now at which they were not shipped too late"
Late = tuple[StandingFact, str]  # And in what words.


def give_up_redated(connection: Connection, lot: LotKey, *, now_ms: int) -> None:
    """Set other stock aside where goods of a lot may no longer be shipped by its date of now."""
    give_up_unfit(connection, lot, record_no=last_to_read(connection), now_ms=now_ms)


def first_late(
    connection: Connection, lot: LotKey, *, expiry_date: str, now_ms: int
) -> Late | None:
    """Return the first fact that shipped a lot too late by its date of now, None without news.

    expiry_date: of the lot now, "" for none. Settles what is open if none was shipped too late.
    """
    policies = item_policies.c
    query = select(policies.expiry_tracked, policies.min_days_left_to_ship)
    rule = connection.execute(query.where(policies.item == lot[1])).first()
    if rule is None or not (rule.expiry_tracked or rule.min_days_left_to_ship):
        return None
    days_left_min = rule.min_days_left_to_ship
    history = read_history(connection, [lot]).get(lot, ())
    before = history[-2].expiry_date if len(history) > 1 else ""
    looked_count, any_late = 0, False
    for fact in islice(standing_facts(connection, lot, dated=False), FACTS_LOOKED_MAX):
        looked_count += 1
        if not ships(*places_of(fact.movement)):
            continue
        movement = fact.movement
        told_ms = min(movement.event_time_ms, fact.record_ms)
        told_ms = told_ms if movement.clock_synced else fact.record_ms
        day = EPOCH_DAY + timedelta(days=told_ms // MS_PER_DAY)
        earliest = earliest_expiry(day, min_days_left=days_left_min)
        if not expiry_date or expiry_date >= earliest:
            continue
        any_late = True
        if not before or before >= earliest:
            return fact, shipped_late(expiry_date, day, days_left_min=days_left_min)
    if not any_late and looked_count < FACTS_LOOKED_MAX:
        about = (lot[0], "expired_shipped", f"{lot[1]}/{lot[2]}")
        settle_subjects(connection, [about], settlement=NOT_LATE, now_ms=now_ms)
    return None
