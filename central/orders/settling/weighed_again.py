"""Settles that pieces had no weight left, where they have one again. Edge of the database.

under way of TR-1     6 pieces, 15 kg     5 come, weighed again: 16 kg     1 piece, -1 kg
                                          4 more leave, 10 kg              5 pieces, 9 kg
"""

from sqlalchemy import Connection, select

from central.contract.quantities import canonical_text, from_micro
from central.ledger.amount_findings import OUTWEIGHED
from central.ledger.discrepancies import settle_discrepancies
from central.ledger.entries import balance_name
from central.ledger.statuses import AVAILABLE
from central.ledger.weight_rests import Reweighed, is_under_way
from central.orders.settling.discrepancy_facts import Found, left_behind
from central.storage import tables


def settle_weighed_again(connection: Connection, one: Reweighed, *, now_ms: int) -> None:
    """Settle that more was weighed out of a place than in, unless unweighed goods came besides."""
    line, table = one.line, tables.discrepancies
    key = line.balance_key._replace(status=AVAILABLE)
    names = {balance_name(key)}
    query = select(table).where(
        table.c.kind == "weight_missing",
        table.c.state == "open",
        table.c.detail.startswith(OUTWEIGHED),
    )
    if is_under_way(line.location):  # That is one in all books, on whatever pallet.
        names.add(balance_name(key._replace(sscc="")))
    else:
        query = query.where(table.c.warehouse == line.warehouse)
    rows = connection.execute(query.where(table.c.subject.in_(sorted(names)))).all()
    settled = [row.id for row in rows if not _are_unweighed(connection, row)]
    weight = canonical_text(from_micro(one.weight_micro))
    left = "no pieces there"
    if one.quantity_micro > 0:
        left = f"the pieces there with a weight of {weight}"
    why = f"record {line.record_no} left {left}"
    settle_discrepancies(connection, settled, settlement=why, now_ms=now_ms)


def _are_unweighed(connection: Connection, row: Found) -> bool:
    """Return whether others than the fact that weighed more out are behind it, or may be."""
    left = left_behind(connection, row)
    first = (row.gateway, row.epoch, row.seq)
    return left.is_cut or any(fact.key[1:] != first for fact in left.facts)
