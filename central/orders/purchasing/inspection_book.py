"""Decisions about goods that have to be inspected, one change each. Edge of the database.

A decision posts movements of the ledger's own, which take the goods from one status to another
where they stand, or to another place. So nobody but the ledger says what is available.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace

from sqlalchemy import select

from central.contract.quantities import canonical_text, from_micro
from central.errors import Conflict, Unusable
from central.ledger.desk import Change, require_version
from central.ledger.measures import WEIGHED_IN
from central.orders.catalogue.items import policies_of
from central.orders.order_goods import checked_reason, require_whole
from central.orders.purchasing.inspection import (
    DECISIONS_COUNT_MAX,
    MOVES_NOTHING,
    NEEDS_REASON,
    SCRAP,
    Decision,
    DecisionRow,
    Inspection,
    SampleResult,
    Source,
    Taking,
    amounts_of,
    check_quantity,
    check_there,
    outcome_of,
    take,
)
from central.orders.purchasing.inspection_reading import (
    InspectionView,
    load_inspection,
    read_decisions,
    read_standing,
    view_inspection,
    view_inspections,
)
from central.storage import bulk, purchasing_tables, tables

KIND = "inspection"
STEP = "inspecting"  # A business step of GS1's Core Business Vocabulary.


@dataclass(frozen=True, slots=True)
class DecisionAsked:
    """What somebody decides of a quantity. source: the status that the goods have now.

    location, serial, sscc: which goods are meant; "" for any of the lot. to_location: where they go
    at once, "" to stay where they are. result: of a sample.
    """

    decision: Decision
    quantity_micro: int
    source: Source = "inspection"
    location: str = ""
    serial: str = ""
    sscc: str = ""
    to_location: str = ""
    reason: str = ""
    result: SampleResult = ""


def decide(
    change: Change, code: str, asked: Sequence[DecisionAsked], *, version: int | None
) -> InspectionView:
    """Decide on goods of an inspection, in parts if need be; all of it or nothing.

    Raises Conflict for more than there is, Unusable, Outdated, NotThere.
    """
    inspection = load_inspection(change.connection, code)
    require_version(inspection.version, version, what=str(inspection))
    decisions = read_decisions(change.connection, code)
    number = max((row.decision_no for row in decisions), default=0)
    for one in asked:
        made = _decide_one(change, inspection, decisions, one, first_no=number + 1)
        decisions += made
        number += len(made)
    if number > DECISIONS_COUNT_MAX:
        raise Conflict(
            f"{inspection} would have {number} decisions",
            hint=f"Decide on larger parts; an inspection has at most {DECISIONS_COUNT_MAX}.",
        )
    amounts = amounts_of(inspection.arrived_micro, decisions)
    after = replace(
        inspection, open=amounts.open, version=inspection.version + 1, changed_ms=change.now_ms
    )
    bulk.upsert_rows(change.connection, purchasing_tables.inspections, [astuple(after)])
    change.note(
        KIND,
        code,
        "decided",
        warehouse=inspection.warehouse,
        decisions=[one.decision for one in asked],
        open=amounts.open,
    )
    return view_inspection(change.connection, code)


def _decide_one(
    change: Change,
    inspection: Inspection,
    decisions: Sequence[DecisionRow],
    asked: DecisionAsked,
    *,
    first_no: int,
) -> list[DecisionRow]:
    """Carry one decision out and keep it; return its rows."""
    what = str(inspection)
    status = outcome_of(asked.decision, asked.source, what=what)
    reason = asked.reason.strip()
    if asked.decision in NEEDS_REASON:
        reason = checked_reason(reason, what=f"to decide {asked.decision} of {what}")
    amounts = amounts_of(inspection.arrived_micro, decisions)
    check_quantity(amounts, asked.source, asked.quantity_micro, what=what)
    if asked.quantity_micro != amounts.of(asked.source):  # All of a part that came goes anyway.
        require_whole(change.connection, inspection.item, asked.quantity_micro)
    _check_place(change, inspection, asked)
    if asked.decision == "gone":
        _check_gone(change, inspection, asked)
    parts = [Taking(asked.location, asked.serial, asked.sscc, asked.quantity_micro)]
    facts = [("", 0)]
    if asked.decision != "gone":
        standing = read_standing(
            change.connection,
            inspection,
            status=asked.source,
            location=asked.location,
            serial=asked.serial,
            sscc=asked.sscc,
        )
        if asked.decision == "sample":  # It is looked at where it stands.
            check_there(standing, asked.quantity_micro, what=what)
        else:
            parts = take(standing, asked.quantity_micro, what=what)
            facts = _move(change, inspection, asked, parts, status=status)
    rows = [
        DecisionRow(
            decision_no=first_no + index,
            decision=asked.decision,
            source=asked.source,
            quantity_micro=part.quantity_micro,
            location=part.location,
            to_location=_target(asked, part, status=status),
            serial=part.serial,
            sscc=part.sscc,
            reason=reason,
            result=asked.result,
            actor=change.actor,
            at_ms=change.now_ms,
            epoch=epoch,
            seq=seq,
        )
        for index, (part, (epoch, seq)) in enumerate(zip(parts, facts, strict=True))
    ]
    table = purchasing_tables.inspection_decisions
    kept = [(inspection.code, *astuple(row)) for row in rows]
    bulk.insert_rows(change.connection, table, kept)
    return rows


def _move(
    change: Change,
    inspection: Inspection,
    asked: DecisionAsked,
    parts: Sequence[Taking],
    *,
    status: str,
) -> list[tuple[str, int]]:
    """Post the movements of a decision; return their epochs and numbers."""
    policies = policies_of(change.connection, [inspection.item])
    weight_unit = policies[inspection.item].weight_unit or WEIGHED_IN
    drafts = [
        change.movement(
            warehouse=inspection.warehouse,
            business_step=STEP,
            from_location=part.location,
            to_location=_target(asked, part, status=status),
            item=inspection.item,
            quantity_micro=part.quantity_micro,
            unit=inspection.unit,
            lot=inspection.lot,
            serial=part.serial,
            sscc=part.sscc,
            from_status=asked.source,
            to_status=status,
            net_weight=canonical_text(from_micro(part.weight_micro)) if part.weight_micro else "",
            weight_unit=weight_unit if part.weight_micro else "",
        )
        for part in parts
    ]
    return [(key.epoch, key.seq) for key in change.post(drafts)]


def _target(asked: DecisionAsked, part: Taking, *, status: str) -> str:
    if asked.decision in MOVES_NOTHING:
        return ""
    return (asked.to_location or part.location) if status else SCRAP


def _check_place(change: Change, inspection: Inspection, asked: DecisionAsked) -> None:
    if not asked.to_location:
        return
    if asked.decision in {"scrap", "sample_used", *MOVES_NOTHING}:
        raise Unusable(
            f"goods that are decided {asked.decision} go to no place",
            hint="Leave the place out.",
            fields={"to_location": asked.to_location},
        )
    table = tables.locations.c
    found = change.connection.execute(
        select(table.location).where(
            table.warehouse == inspection.warehouse, table.location == asked.to_location
        )
    )
    if found.first() is None:
        raise Unusable(
            f"{inspection.warehouse} has no place {asked.to_location!r}",
            hint="Name a place of the warehouse, or leave it out.",
            fields={"to_location": asked.to_location},
        )


def _check_gone(change: Change, inspection: Inspection, asked: DecisionAsked) -> None:
    """Return if the goods really are not there. Raises Conflict."""
    table = purchasing_tables.inspections
    rows = change.connection.execute(
        select(table).where(
            table.c.warehouse == inspection.warehouse,
            table.c.item == inspection.item,
            table.c.lot == inspection.lot,
            table.c.unit == inspection.unit,
        )
    )
    views = view_inspections(change.connection, [Inspection(**row._mapping) for row in rows])
    expected_micro = sum(view.amounts.of(asked.source) for view in views)
    standing = read_standing(change.connection, inspection, status=asked.source)
    there_micro = sum(one.on_hand_micro for one in standing)
    if expected_micro - there_micro < asked.quantity_micro:
        places = sorted({one.location for one in standing})
        raise Conflict(
            f"{inspection}: goods of it still stand in {', '.join(places)}",
            hint="Decide on the goods that are there; only what is missing can be gone.",
            fields={"locations": places},
        )
