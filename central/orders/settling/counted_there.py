"""Counts what a warehouse moved under another one's order there. Edge of the database.

SO-7 of SH1 asks for 5, and BJ1 has shipped them:

    BJ1   BIN-1 -> customer        5           what is posted anew, under no order
    BJ1   customer -> adjustment   5           handed on: in all books nothing is left there
    SH1   adjustment -> customer   5 of SO-7   its order has shipped them
"""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection

from central.ledger.entries import FactKey
from central.ledger.locations import is_virtual
from central.orders.settling.discrepancy_facts import movements_at
from central.orders.settling.known_elsewhere import KINDS_COUNTED_THERE
from central.orders.settling.settlement_choice import require
from central.orders.settling.settlement_steps import (
    ADJUSTMENT,
    MovedFact,
    MovedPart,
    Step,
    step_of,
    with_weight,
)
from central.orders.settling.settlements import Decision
from central.storage import bulk, tables


def require_counted_there(connection: Connection, decision: Decision) -> None:
    """Return if what moved elsewhere may count for a document. Raises Unusable."""
    key = (decision.warehouse, decision.document)
    for head in bulk.select_by_key(connection, tables.documents, [key], columns_count=2):
        require(
            head[2] in KINDS_COUNTED_THERE,
            f"{decision.document} is no order of {decision.warehouse} alone",
        )


def steps_counted_there(
    connection: Connection, keys: Sequence[FactKey], steps: Sequence[Step], decision: Decision
) -> tuple[list[Step], list[Step]]:
    """Return what hands goods on to another warehouse's order, and what counts them there.

    keys: of what was posted anew, by these steps. What is under no order any more is what counts.
    """
    meant = [
        key
        for key, step in zip(keys, steps, strict=True)
        if step.takes_back is None and not step.document
    ]
    if not meant:
        return [], []
    stored = bulk.select_by_key(connection, tables.facts, meant, columns_count=4)
    numbers = sorted(row[10] for row in stored)
    facts = movements_at(connection, warehouse=meant[0].warehouse, numbers=numbers)
    pairs = [_pair(fact, part, decision) for fact in facts for part in fact.parts]
    return [here for here, _ in pairs], [there for _, there in pairs]


def _pair(fact: MovedFact, part: MovedPart, decision: Decision) -> tuple[Step, Step]:
    """Return what takes a part of a fact outside on to an order, and from there out again."""
    movement = fact.movement
    came = is_virtual(movement.from_location)
    status = part.given_status if came else part.taken_status
    step = replace(
        step_of(fact),
        quantity_micro=part.quantity_micro,
        from_status=status,
        to_status=status,
        net_weight="",
        weight_unit="",
        weightless=not part.weight_micro,
    )
    if part.weight_micro:
        step = with_weight(step, part.weight_micro, unit=fact.weight_unit)
    there = replace(step, document=decision.document, document_line=decision.document_line)
    if came:
        outside = movement.from_location
        here = replace(step, from_location=ADJUSTMENT, to_location=outside)
        return here, replace(there, from_location=outside, to_location=ADJUSTMENT)
    outside = movement.to_location
    here = replace(step, from_location=outside, to_location=ADJUSTMENT)
    return here, replace(there, from_location=ADJUSTMENT, to_location=outside)
