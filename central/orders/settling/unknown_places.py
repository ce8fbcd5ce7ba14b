"""What is at a place that is not there, and which place was meant. Edge of the database.

supplier -> NO-1    5               a station
NO-1 -> BIN-1       5               somebody settles it: BIN-1 was meant
NO-1 -> supplier    5               the station undoes it: below zero there, and they are in BIN-1

What went from there and is undone is above zero: then it is told once more.
"""

from sqlalchemy import Connection, and_, select

from central.contract.facts import Movement, decode_fact
from central.ledger.discrepancies import open_discrepancies
from central.ledger.entries import DiscrepancyKind, Finding, Line
from central.ledger.ledger import Posted
from central.ledger.locations import is_virtual
from central.orders.settling.cases import Case
from central.orders.settling.discrepancy_facts import Found
from central.orders.settling.late_facts import told_by
from central.orders.settling.taken_back_facts import settled_ones
from central.storage import bulk, tables
from central.storage.settlement_tables import discrepancies, settlement_facts

KIND: DiscrepancyKind = "unknown_location"
ON_HAND = 8  # Of the columns of a balance.


def case_of_place(connection: Connection, row: Found) -> Case:
    """Return whether the place is there by now, and what is at it."""
    if is_known_place(connection, row.warehouse, row.subject):
        return Case(kind=row.kind, known_now=True)
    held = bulk.select_by_key(
        connection, tables.balances, [(row.warehouse, row.subject)], columns_count=2
    )
    amount = sum(abs(one[ON_HAND]) for one in held)
    meant = place_meant(connection, warehouse=row.warehouse, place=row.subject, item=row.item)
    return Case(kind=row.kind, on_hand_micro=amount, told_location=meant)


def place_meant(connection: Connection, *, warehouse: str, place: str, item: str) -> str:
    """Return where a settlement moved an item last that was at a place that is not there.

    "" if none did, or that is not there any more.
    """
    about, own, facts = discrepancies.c, settlement_facts.c, tables.facts.c
    query = (
        select(facts.body)
        .join_from(discrepancies, settlement_facts, own.discrepancy == about.id)
        .join(
            tables.facts,
            and_(*(facts[name] == own[name] for name in ("warehouse", "gateway", "epoch", "seq"))),
        )
        .where(about.kind == KIND, about.subject == place, about.warehouse == warehouse)
        .order_by(facts.record_no.desc())
    )
    for (body,) in connection.execute(query):
        moved = decode_fact(bytes(body))
        if isinstance(moved, Movement) and moved.item == item:
            ends = {moved.from_location, moved.to_location} - {place}
            return next((end for end in ends if is_known_place(connection, warehouse, end)), "")
    return ""


def tell_left_there(connection: Connection, posted: Posted) -> None:
    """Tell what reversals left at a place that is not there, as settlements had moved it on."""
    back = {
        (movement.warehouse, KIND, place): (movement, lines)
        for _, movement, lines in posted.taken_back
        for place in (movement.from_location, movement.to_location)
        if not is_virtual(place)
    }
    findings = []
    for row in settled_ones(connection, list(back)):
        movement, lines = back[row.warehouse, row.kind, row.subject]
        if _is_left(connection, row, movement):
            findings.append(_finding(connection, row, lines[0]))
    open_discrepancies(connection, findings, now_ms=posted.now_ms, counts=False)


def _is_left(connection: Connection, row: Found, movement: Movement) -> bool:
    if is_known_place(connection, row.warehouse, row.subject):
        return False
    key = (row.warehouse, row.subject, movement.item)
    held = bulk.select_by_key(connection, tables.balances, [key], columns_count=len(key))
    if not any(one[ON_HAND] > 0 for one in held):
        return False
    return bool(
        place_meant(connection, warehouse=row.warehouse, place=row.subject, item=movement.item)
    )


def _finding(connection: Connection, row: Found, line: Line) -> Finding:
    fact = told_by(connection, line.record_no)
    return Finding(
        KIND,
        row.subject,
        row.warehouse,
        fact.gateway,
        fact.epoch,
        fact.seq,
        fact.record_no,
        item=line.item,
        location=row.subject,
    )


def is_known_place(connection: Connection, warehouse: str, place: str) -> bool:
    """Return whether a place is there."""
    found = bulk.select_by_key(connection, tables.locations, [(warehouse, place)], columns_count=2)
    return any(True for _ in found)
