"""What is said of when a lot expires: by its facts, and by the books of others. Edge of the DB."""

from sqlalchemy import Connection

from central.ledger.goods_rules import LotKey
from central.ledger.lot_dates import read_kept, standing_facts
from central.ledger.lots import read_all_dates
from central.orders.settling.cases import Case, StatedDate
from central.orders.settling.discrepancy_facts import Found, left_behind, standing_behind

DATES_MAX = 5  # That are proposed.


def case_of_dates(connection: Connection, row: Found) -> Case:
    """Return what is known of a lot that came with another date. row: of `discrepancies`."""
    lot = lot_of(row)
    kept = _date_of(connection, lot)
    said: dict[str, str] = {}
    facts = standing_behind(connection, row).facts
    for fact in reversed(facts):
        key = fact.key
        said.setdefault(fact.movement.expiry_date, f"{key.gateway}/{key.epoch}/{key.seq}")
    for warehouse, date in sorted(dates_elsewhere(connection, lot).items()):
        said.setdefault(date, warehouse)
    dates = tuple(StatedDate(date, by) for date, by in said.items() if date and date != kept)
    return Case(kind=row.kind, lot_date=kept, dates=dates[:DATES_MAX] if kept else ())


def dates_differ(connection: Connection, row: Found) -> bool:
    """Return whether a fact that stands, or another book, has another date than the lot."""
    lot = lot_of(row)
    kept = _date_of(connection, lot)
    if not kept:
        return False
    if any(date != kept for date in dates_elsewhere(connection, lot).values()):
        return True
    if not row.epoch:
        return states_another(connection, lot, kept)
    left = left_behind(connection, row)
    return bool(left.facts) or left.is_cut


def states_another(connection: Connection, lot: LotKey, date: str) -> bool:
    """Return whether any fact of a lot that stands states another date than this."""
    return any(one.movement.expiry_date != date for one in standing_facts(connection, lot))


def dates_elsewhere(connection: Connection, lot: LotKey) -> dict[str, str]:
    """Return the dates that the books of other warehouses have of a lot, by the warehouse."""
    dates = read_all_dates(connection, [lot[1:]]).get(lot[1:], {})
    return {warehouse: date for warehouse, date in dates.items() if warehouse != lot[0]}


def lot_of(row: Found) -> LotKey:
    """Return the lot that a discrepancy is about. row: of `discrepancies`."""
    return row.warehouse, row.item, row.lot


def _date_of(connection: Connection, lot: LotKey) -> str:
    kept = read_kept(connection, [lot]).get(lot)
    return kept.expiry_date if kept else ""
