"""Settles discrepancies, opens them again, says who sees to them. Edge of the database.

A settlement is one change: what it moves is posted as the ledger's own facts, which name the
discrepancy and what they take back; then it is settled and says by whom and why. Nothing that was
recorded changes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import msgspec
from sqlalchemy import func, select, update

from central.contract.facts import Movement
from central.errors import Conflict, NotThere, Unusable
from central.ledger.desk import Change, require_version
from central.ledger.entries import DiscrepancyKind, FactKey
from central.ledger.settled_news import tell_settled
from central.orders.purchasing.settled_arrivals import correct_inspections
from central.orders.settling.apart_decisions import is_done_apart
from central.orders.settling.counted_there import steps_counted_there
from central.orders.settling.discrepancy_facts import Found
from central.orders.settling.evidence_search import settled_by
from central.orders.settling.filled_following import follow_reopening, follow_settlement
from central.orders.settling.last_settlement import back_again, free_again, freed_by, moved_by_last
from central.orders.settling.lot_corrections import correct_again, restate_after
from central.orders.settling.reversed_following import settle_besides
from central.orders.settling.settlement_choice import is_counted_there
from central.orders.settling.settlement_plans import Plan, plan_steps, still_wrong_micro
from central.orders.settling.settlement_reserving import reserve_anew
from central.orders.settling.settlement_rests import note_rests
from central.orders.settling.settlement_steps import Step, as_on_hold, evidence_for, flags_of
from central.orders.settling.settlements import Decision, check_decision
from central.orders.settling.taken_back_facts import emptied_by, reasons_settled, settle_emptied
from central.storage import bulk, tables
from central.storage.settlement_tables import settlement_facts, settlements

KIND = "discrepancy"  # Of its events.
TEXT_LENGTH_MAX = 2000
STEPS_MAX = 2000  # Movements of one settlement: some 50 ms of the ledger's lock.


@dataclass(frozen=True, slots=True)
class Settled:
    """What a settlement or a reopening did. facts: of the ledger's own that it posted."""

    id: str
    number: int
    version: int
    facts: tuple[FactKey, ...]


def settle(
    change: Change, identity: str, decision: Decision, *, version: int | None = None
) -> Settled:
    """Settle an open discrepancy as decided; one that is settled in part stays open.

    Raises NotThere, Outdated, Conflict if it is settled or cannot be settled so, Unusable for a
    decision that names what is not there or lies in a closed period.
    """
    row = _row(change, identity, version=version)
    _require_state(row, "open")
    check_decision(cast(DiscrepancyKind, row.kind), decision)
    if decision.action == "reserve":
        plan = Plan(row.warehouse, [], left_count=reserve_anew(change, row))
    elif is_done_apart(change, row, decision):
        plan = Plan(row.warehouse, [])
    else:
        plan = plan_steps(change.connection, row, decision)
    when = _event_time(change, decision)
    facts = _post(change, row, warehouse=plan.warehouse, steps=plan.steps, event_time_ms=when)
    here, there = list[Step](), plan.there
    if is_counted_there(row, decision):
        here, there = steps_counted_there(change.connection, facts, plan.steps, decision)
        facts += _post(change, row, warehouse=plan.warehouse, steps=here, event_time_ms=when)
    if there:
        facts += _post(change, row, warehouse=decision.warehouse, steps=there, event_time_ms=when)
    steps = [*plan.steps, *here, *there]
    correct_inspections(change, facts, reason=decision.reason)
    number = _write(
        change, row, action=decision.action, reason=decision.reason, facts=facts, steps=steps
    )
    follow_settlement(change, row, facts, steps, action=decision.action)
    values: dict[str, object] = {}
    restate_after(change, steps)
    _settle_emptied(change, row, steps, what=_settled(row))
    still_micro = still_wrong_micro(change.connection, row, plan) if facts else None
    is_part = bool(plan.left_count) or still_micro is not None
    if not is_part:
        text = f"{decision.action} by {change.actor}: {decision.reason}"[:TEXT_LENGTH_MAX]
        values = {"state": "settled", "settled_ms": change.now_ms, "settlement": text}
        tell_settled(change.connection, [row], decided=decision.action, now_ms=change.now_ms)
    # What was posted on the way may have counted at it once more: that is no news of it.
    actual_micro = row.actual_micro if still_micro is None else still_micro
    _update(change, row, facts_count=row.facts_count, actual_micro=actual_micro, **values)
    _note(
        change,
        row,
        "settled_in_part" if is_part else "settled",
        settlement=decision.action,
        reason=decision.reason,
        facts=facts,
    )
    return Settled(row.id, number, row.version + 1, facts)


def reopen(
    change: Change,
    identity: str,
    *,
    reason: str,
    take_back: bool,
    version: int | None = None,
) -> Settled:
    """Open a settled discrepancy again, because the settlement proved wrong.

    take_back: whether what the last settlement moved is moved back. Raises NotThere, Outdated,
    Conflict if it is open, or another one of the same kind and subject is.
    """
    row = _row(change, identity, version=version)
    _require_state(row, "settled")
    _refuse_second(change, row)
    if not reason.strip():
        raise Unusable("to open it again needs a reason", hint="Say what proved wrong.")
    moved = moved_by_last(change, row) if take_back else []
    _refuse_settled_elsewhere(change, row, moved)
    # Open before anything is posted: what that says of the same is no other discrepancy.
    _update(change, row, state="open", settled_ms=0, settlement="")
    _open_with(change, row, moved)
    facts, steps = tuple[FactKey, ...](), list[Step]()
    for warehouse in sorted({one.warehouse for one in moved}):
        some = back_again(change, warehouse, [one for one in moved if one.warehouse == warehouse])
        now_ms = change.now_ms
        facts += _post(change, row, warehouse=warehouse, steps=some, event_time_ms=now_ms)
        steps += some
    correct_inspections(change, facts, reason=reason)
    number = _write(change, row, action="reopen", reason=reason, facts=facts, steps=steps)
    free_again(change, moved)
    follow_reopening(change, row, facts, steps, moved)
    restate_after(change, steps)
    if take_back:
        correct_again(change, row, reason=reason)
    _settle_emptied(change, row, steps, what=f"{row.kind} {row.subject} was opened again")
    _update(change, row, facts_count=row.facts_count, actual_micro=row.actual_micro)
    _note(change, row, "reopened", reason=reason, facts=facts, settlement=row.settlement)
    return Settled(row.id, number, row.version + 1, facts)


def assign(
    change: Change, identity: str, *, owner: str, due_ms: int = 0, version: int | None = None
) -> int:
    """Say who sees to a discrepancy ("" for nobody) and until when; return its version."""
    row = _row(change, identity, version=version)
    _update(change, row, owner=owner, due_ms=due_ms)
    _note(change, row, "assigned", owner=owner, due_ms=due_ms)
    return int(row.version) + 1


def comment(change: Change, identity: str, *, text: str) -> int:
    """Add what somebody found out; return the version, which it does not change."""
    row = _row(change, identity, version=None)
    if not text.strip() or len(text) > TEXT_LENGTH_MAX:
        raise Unusable(
            f"a comment has 1 to {TEXT_LENGTH_MAX} characters", hint="Write what was found out."
        )
    _note(change, row, "commented", text=text)
    return int(row.version)


def _settle_emptied(change: Change, row: Found, steps: Sequence[Step], *, what: str) -> None:
    """Settle what else was about the facts that steps took back, and what lost their goods."""
    taken_back = [step.takes_back for step in steps if step.takes_back is not None]
    reasons = reasons_settled(change.connection, taken_back, what=what)
    settle_emptied(change.connection, reasons, now_ms=change.now_ms, but=row.id)
    settle_besides(change, row, steps, what=what)


def _open_with(change: Change, row: Found, moved: Sequence[Found]) -> None:
    """Open again what settled itself as a settlement took back what stands again from now on."""
    reasons = reasons_settled(change.connection, freed_by(moved), what=_settled(row))
    for other in emptied_by(change.connection, reasons):
        reason = f"{row.kind} {row.subject} is open again"
        _write(change, other, action="reopen", reason=reason, facts=(), steps=())
        _update(change, other, state="open", settled_ms=0, settlement="")
        _note(change, other, "reopened", reason=reason, settlement=other.settlement)


def _settled(row: Found) -> str:
    return f"{row.kind} {row.subject} was settled"


def _row(change: Change, identity: str, *, version: int | None) -> Found:
    table = tables.discrepancies
    row = change.connection.execute(select(table).where(table.c.id == identity)).first()
    if row is None:
        raise NotThere(
            f"no discrepancy has the id {identity!r}", hint="Take the id from the list of them."
        )
    require_version(row.version, version, what=f"discrepancy {identity}")
    return row


def _require_state(row: Found, state: str) -> None:
    if row.state != state:
        raise Conflict(
            f"discrepancy {row.id} is {row.state}",
            hint="Open it again first, if its settlement is wrong."
            if row.state == "settled"
            else "It is open: settle it.",
            fields={"state": row.state, "settlement": row.settlement},
        )


def _refuse_second(change: Change, row: Found) -> None:
    table = tables.discrepancies.c
    found = change.connection.execute(
        select(table.id).where(
            table.warehouse == row.warehouse,
            table.state == "open",
            table.kind == row.kind,
            table.subject == row.subject,
        )
    ).first()
    if found is not None:
        raise Conflict(
            f"{row.kind} {row.subject} is open again already, as {found.id}",
            hint="Settle that one.",
            fields={"id": found.id},
        )


def _event_time(change: Change, decision: Decision) -> int:
    when = change.now_ms if decision.event_time_ms is None else decision.event_time_ms
    if not 0 <= when <= change.now_ms:
        raise Unusable("it cannot have happened yet", hint="Leave the time out for now.")
    return when


def _post(
    change: Change, row: Found, *, warehouse: str, steps: Sequence[Step], event_time_ms: int
) -> tuple[FactKey, ...]:
    if len(steps) > STEPS_MAX:
        raise Unusable(
            f"it would take {len(steps)} movements, more than {STEPS_MAX} at once",
            hint="Settle what is behind it in parts, or accept it and adjust by a count.",
        )
    drafts = [_movement(change, row, warehouse, step, event_time_ms) for step in steps]
    keys = change.post(drafts)
    backs: dict[FactKey, FactKey] = {}
    for step, key in zip(steps, keys, strict=True):
        if step.takes_back is not None:
            backs.setdefault(step.takes_back, key)
    # As a reversal of the gateway would: so a movement is taken back once, whoever does it. Of
    # several steps that take one back, the first one stands for all of them.
    rows = [(*back, key.epoch, key.seq) for back, key in backs.items()]
    bulk.insert_rows(change.connection, tables.reversals, rows)
    note_rests(
        change.connection,
        [(key, step.rest, step.takes_back) for step, key in zip(steps, keys, strict=True)],
    )
    return tuple(keys)


def _movement(
    change: Change, row: Found, warehouse: str, step: Step, event_time_ms: int
) -> Movement:
    step = as_on_hold(step, warehouse, change.state.lots_on_hold)
    movement = change.movement(
        warehouse=warehouse,
        business_step=step.business_step,
        from_location=step.from_location,
        to_location=step.to_location,
        item=step.item,
        quantity_micro=step.quantity_micro,
        unit=step.unit,
        lot=step.lot,
        serial=step.serial,
        sscc=step.sscc,
        expiry_date=step.expiry_date,
        net_weight=step.net_weight,
        weight_unit=step.weight_unit,
        document=step.document,
        document_line=step.document_line,
        from_status=step.from_status,
        to_status=step.to_status,
        flags=flags_of(step),
        evidence=evidence_for(step, discrepancy=row.id),
    )
    return msgspec.structs.replace(movement, event_time_ms=event_time_ms)


def _write(
    change: Change,
    row: Found,
    *,
    action: str,
    reason: str,
    facts: Sequence[FactKey],
    steps: Sequence[Step],
) -> int:
    """Note the decision and its facts; return its number."""
    connection = change.connection
    last = select(func.max(settlements.c.number)).where(settlements.c.discrepancy == row.id)
    number: int = (connection.execute(last).scalar() or 0) + 1
    said = (row.id, number, action, reason[:TEXT_LENGTH_MAX], change.actor, change.now_ms)
    decided = (*said, row.settled_ms if action == "reopen" else 0)
    bulk.insert_rows(connection, settlements, [decided])
    bulk.insert_rows(
        connection,
        settlement_facts,
        [
            (row.id, number, *key, *(step.takes_back[1:] if step.takes_back else ("", "", 0)))
            for key, step in zip(facts, steps, strict=True)
        ],
    )
    return number


def _update(change: Change, row: Found, **values: object) -> None:
    table = tables.discrepancies
    change.connection.execute(
        update(table).where(table.c.id == row.id).values(version=row.version + 1, **values)
    )


def _note(
    change: Change, row: Found, action: str, *, facts: Sequence[FactKey] = (), **fields: object
) -> None:
    named = {"facts": ["/".join(map(str, key[1:])) for key in facts]} if facts else {}
    change.note(
        KIND,
        row.id,
        action,
        warehouse=row.warehouse,
        discrepancy_kind=row.kind,
        subject=row.subject,
        **named,
        **fields,
    )


def _refuse_settled_elsewhere(change: Change, row: Found, moved: Sequence[Found]) -> None:
    """Raise Conflict if what was posted for a first time has been settled since, as another one."""
    keys = [FactKey(one.warehouse, one.gateway, one.epoch, one.seq) for one in moved]
    marks = bulk.select_by_key(change.connection, tables.reversals, keys, columns_count=4)
    by = [FactKey(*mark[:2], *mark[4:6]) for mark in marks]
    # By what the facts say: rows of settlements are found by their discrepancy alone.
    for identity in sorted(settled_by(change.connection, by) - {row.id}):
        _require_state(_row(change, identity, version=None), "open")
