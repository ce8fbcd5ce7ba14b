"""What was done to an order, an item, a count ..., newest first. Edge of the database."""

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from central.storage import tables

events = tables.object_events


@dataclass(frozen=True, slots=True)
class ObjectEvent:
    """One thing that was done. event_no: its place among everything that was ever done.

    actor: who did it. fields: what belongs to it, as JSON has it.
    """

    event_no: int
    kind: str
    code: str
    action: str
    warehouse: str
    actor: str
    at_ms: int
    fields: dict[str, object]


def list_events(
    connection: Connection, *, kind: str, code: str, before: int | None, limit: int
) -> list[ObjectEvent]:
    """Return what was done to an object. before: the event_no of the last one seen."""
    query = select(events).where(events.c.kind == kind, events.c.code == code)
    if before is not None:
        query = query.where(events.c.event_no < before)
    rows = connection.execute(query.order_by(events.c.event_no.desc()).limit(limit))
    return [_event(row) for row in rows]


def list_newest(
    connection: Connection, *, kind: str, warehouse: str, limit: int
) -> list[ObjectEvent]:
    """Return what was done last to objects of a kind, by their codes, the newest codes first.

    warehouse: "" for any.
    """
    query = select(events).where(events.c.kind == kind)
    if warehouse:
        query = query.where(events.c.warehouse == warehouse)
    # In the order of the index: by number alone, all that was ever done would be looked through.
    order = (events.c.kind.desc(), events.c.code.desc(), events.c.event_no.desc())
    return [_event(row) for row in connection.execute(query.order_by(*order).limit(limit))]


def _event(row: Row[Any]) -> ObjectEvent:
    return ObjectEvent(
        event_no=row.event_no,
        kind=row.kind,
        code=row.code,
        action=row.action,
        warehouse=row.warehouse,
        actor=row.actor,
        at_ms=row.at_ms,
        fields=json.loads(row.fields_json),
    )
