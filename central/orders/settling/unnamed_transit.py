"""Goods that crossed to or from another warehouse under no document. Edge of the database.

SH1  BIN-1 -> in_transit  5   no transfer has them, and none will: +5 stays in the book of SH1
BJ1  in_transit -> BIN-7  5   -5 stays in the book of BJ1, though they are there

Each book says it of its own (`transit_unnamed`, by item), until nothing of the item is at its place
`in_transit`. Somebody names the transfer, or books them as gone there and as come here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from central.contract.facts import Movement
from central.contract.quantities import canonical_text, from_micro
from central.errors import Conflict
from central.ledger.discrepancies import open_discrepancies, settle_where
from central.ledger.entries import BalanceKey, DiscrepancyKind, Finding, Line
from central.ledger.ledger import Posted
from central.ledger.locations import IN_TRANSIT
from central.ledger.measures import WEIGHED_IN
from central.ledger.pairs import is_unnamed
from central.orders.settling.cases import Case
from central.orders.settling.discrepancy_facts import Found, weight_units
from central.orders.settling.settlement_moves import step_to_count
from central.orders.settling.settlement_steps import Step, with_weight
from central.storage import bulk, tables

KIND: DiscrepancyKind = "transit_unnamed"
TRANSFERRING = "transferring"


def follow_unnamed(connection: Connection, posted: Posted) -> None:
    """Settle what nothing is left of, and tell of what a fact that was taken back leaves.

    Most calls find neither.
    """
    back = {
        (movement.warehouse, movement.item): (movement, lines)
        for _, movement, lines in posted.taken_back
        if is_unnamed(movement)
    }
    told = {(one.warehouse, one.item): one.record_no for one in posted.findings if one.kind == KIND}
    for warehouse, item in sorted({*back, *told}):
        if not _lying(connection, warehouse, item):
            number = told.get((warehouse, item), posted.last_record_no)
            settle_where(
                connection,
                kind=KIND,
                subject=item,
                settlement=f"since record {number} nothing of it is under way",
                now_ms=posted.now_ms,
                warehouse=warehouse,
            )
        elif (warehouse, item) in back and (warehouse, item) not in told:
            found = _finding(*back[warehouse, item], record_no=posted.last_record_no)
            open_discrepancies(connection, [found], now_ms=posted.now_ms, counts=False)


def with_amounts(connection: Connection, row: Found, case: Case) -> Case:
    """Return a case with what went, and what came, that no transfer is named for."""
    lying = [micro for _, micro, _ in _lying(connection, row.warehouse, row.item)]
    return replace(
        case,
        gone=not lying,
        on_hand_micro=sum(micro for micro in lying if micro > 0),
        missing_micro=-sum(micro for micro in lying if micro < 0),
    )


def require_none_left(connection: Connection, row: Found) -> None:
    """Return if it can be accepted. Raises Conflict that says what can be done instead."""
    for key, micro, _ in _lying(connection, row.warehouse, row.item):
        amount = canonical_text(from_micro(micro))
        raise Conflict(
            f"{amount} {key.unit} of {row.item} would stay under way unexplained",
            hint="Name the transfer, move them back, or adjust it: that books them as gone or"
            " as come.",
            fields={"possible": ["reassign", "adjust", "reverse"], "under_way": amount},
        )


def steps_to_account(connection: Connection, row: Found) -> Iterator[Step]:
    """Yield what leaves nothing of an item under way: it is gone from here, or has come."""
    weighed_in = weight_units(connection, {row.item}).get(row.item) or WEIGHED_IN
    for key, micro, weight_micro in _lying(connection, row.warehouse, row.item):
        step = step_to_count(key, on_hand_micro=micro, counted_micro=0)
        assert step is not None  # It is not zero.
        step = replace(step, business_step=TRANSFERRING)
        weight = abs(weight_micro)
        yield with_weight(step, weight, unit=weighed_in) if weight else step


def _lying(connection: Connection, warehouse: str, item: str) -> list[tuple[BalanceKey, int, int]]:
    """Return what is at the place of no document, not zero: key, amount and weight."""
    place = [(warehouse, IN_TRANSIT, item)]
    size = len(BalanceKey._fields)
    return [
        (BalanceKey(*row[:size]), row[size], row[size + 2])
        for row in bulk.select_by_key(connection, tables.balances, place, columns_count=3)
        if row[size]
    ]


def _finding(movement: Movement, lines: Sequence[Line], *, record_no: int) -> Finding:
    first = lines[0]
    return Finding(
        kind=KIND,
        subject=movement.item,
        warehouse=movement.warehouse,
        gateway="",
        epoch="",
        seq=0,
        record_no=record_no,
        item=movement.item,
        location=IN_TRANSIT,
        lot=movement.lot,
        unit=first.unit,
        detail=f"record {first.record_no} was taken back, and was accounted for before",
    )
